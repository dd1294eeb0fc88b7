"""The client for synchronous programs; it may be shared by threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from protopact.client.addresses import parse_addresses
from protopact.client.options import check_open, check_place, chosen_settings
from protopact.client.outside import HttpSender
from protopact.client.session import Session
from protopact.flow import perform

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    from protopact.client.outside import Sender
    from protopact.client.session import Job
    from protopact.descriptor import FileSet
    from protopact.flow import Flow
    from protopact.registry import Metadata, Reference, RegisteredSchema, RuleSet, SubjectVersion
    from protopact.schema import ProtoSchema
    from protopact.settings import ClientSettings

T = TypeVar("T")


class SchemaRegistryClient:
    """A client of one schema registry, which may have several addresses.

    `url` is an address, a comma-separated list or several; user name and password stand in it or in `auth`. With
    `sender` calls go there instead of to an address, and `on_close` is called when the client is closed. `timeout_s`
    bounds one request; `settings` holds the other limits.

    Every method raises RegistryError (by the registry's code, such as SubjectNotFoundError) for a refusal and
    TransportError when no server answered; ConfigError is raised for bad addresses and options, MissingExtraError
    when the HTTP package is not installed.
    """

    def __init__(
        self,
        url: str | Iterable[str] | None = None,
        *,
        sender: Sender | None = None,
        on_close: Callable[[], object] | None = None,
        auth: tuple[str, str] | None = None,
        timeout_s: float | None = None,
        settings: ClientSettings | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        check_place(url, sender)
        chosen = chosen_settings(settings, timeout_s)
        if sender is None:
            addresses = parse_addresses(url or (), auth)
            http = HttpSender(addresses, chosen, ssl_context)
            self._sender: Sender = http
            self._close: Callable[[], object] | None = http.close
            self._shown = ",".join(address.url for address in addresses)
            self.session = Session(chosen, len(addresses))
        else:
            self._sender, self._close, self._shown = sender, on_close, "in process"
            self.session = Session(chosen)
        self._lock, self._closed = threading.Lock(), False

    def __repr__(self) -> str:
        """Show the addresses, never credentials."""
        return f"SchemaRegistryClient({self._shown!r})"

    def get_types(self) -> list[str]:
        """Give the schema types that the registry keeps, such as `PROTOBUF`."""
        return self._do(self.session.get_types())

    def get_subjects(self, prefix: str | None = None, *, deleted: bool = False) -> list[str]:
        """Give the subjects in alphabetical order, of every context unless a prefix says otherwise."""
        return self._do(self.session.get_subjects(prefix, deleted=deleted))

    def get_versions(self, subject: str, *, deleted: bool = False) -> list[int]:
        """Give a subject's version numbers, ascending; SubjectNotFoundError for an unknown one."""
        return self._do(self.session.get_versions(subject, deleted=deleted))

    def get_version(self, subject: str, version: int | str = "latest", *, deleted: bool = False) -> RegisteredSchema:
        """Give one version of a subject; the newest is believed for `settings.latest_ttl_s`.

        SubjectNotFoundError, VersionNotFoundError, or InvalidVersionError for what is no version.
        """
        return self._do(self.session.get_version(subject, version, deleted=deleted))

    def get_schema_by_id(self, schema_id: int, *, subject: str | None = None) -> RegisteredSchema:
        """Give the schema of an id, cached; `subject` says in whose context. SchemaNotFoundError for an unknown id."""
        return self._do(self.session.get_schema_by_id(schema_id, subject))

    def get_versions_for_schema(self, schema_id: int, *, deleted: bool = False) -> list[SubjectVersion]:
        """Give the subjects and versions that hold an id; SchemaNotFoundError for an unknown id."""
        return self._do(self.session.get_versions_for_schema(schema_id, deleted=deleted))

    def register(
        self,
        subject: str,
        schema: str | ProtoSchema,
        *,
        references: Iterable[Reference] | None = None,
        metadata: Metadata | None = None,
        rule_set: RuleSet | None = None,
        normalize: bool = False,
    ) -> RegisteredSchema:
        """Register a schema under a subject and give it with its id; the same content again gives the same id.

        A ProtoSchema's imports are registered first, each under its own import path, unless `references` says where
        they are. Registries before 7.5 do not tell the version. InvalidSchemaError, IncompatibleSchemaError.
        """
        job = self.session.register(
            subject, schema, references=references, metadata=metadata, rule_set=rule_set, normalize=normalize
        )
        return self._do(job)

    def lookup(
        self,
        subject: str,
        schema: str | ProtoSchema,
        *,
        references: Iterable[Reference] | None = None,
        normalize: bool = False,
        deleted: bool = False,
    ) -> RegisteredSchema:
        """Give the version of a subject that holds exactly this schema, without registering anything.

        SubjectNotFoundError, or SchemaNotFoundError when the subject does not hold it.
        """
        job = self.session.lookup(subject, schema, references=references, normalize=normalize, deleted=deleted)
        return self._do(job)

    def fetch_file_set(self, schema_id: int, *, subject: str | None = None) -> FileSet:
        """Give a schema's descriptors with all that it imports, cached; `subject` says in whose context the id counts.

        SchemaNotFoundError for an unknown id; SchemaLinkError for references that are circular, too many or too deep.
        """
        return self._do(self.session.fetch_file_set(schema_id, subject))

    def run(self, flow: Flow[T]) -> T:
        """Perform a flow of this package and give its result."""
        check_open(self._shown, closed=self._closed)
        return perform(flow, sender=self._sender)

    def close(self) -> None:
        """Close the connections, or what stands in their place; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        if self._close is not None:
            self._close()

    def __enter__(self) -> Self:
        """Give the client itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the client."""
        self.close()

    def _do(self, job: Job[T]) -> T:
        return self.run(self.session.once(job))
