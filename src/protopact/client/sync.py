"""The client for synchronous programs; it may be shared by threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from protopact.client.addresses import parse_addresses, token_addresses
from protopact.client.administration import Administration
from protopact.client.framed import Framed
from protopact.client.options import check_open, check_place, chosen_settings, chosen_tls
from protopact.client.outside import HttpSender
from protopact.client.sync_administration import SyncAdministration
from protopact.flow import perform

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from protopact.client.auth import Auth, Tls
    from protopact.client.outside import Sender
    from protopact.client.session import Job
    from protopact.descriptor import FileSet
    from protopact.flow import Flow
    from protopact.registry import (
        CompatibilityReport,
        ContextId,
        EntityTags,
        Metadata,
        Reference,
        RegisteredSchema,
        RuleSet,
        SchemaRequest,
        SubjectVersion,
    )
    from protopact.schema import ProtoSchema
    from protopact.settings import ClientSettings

T = TypeVar("T")


class SchemaRegistryClient(SyncAdministration, Framed):
    """A client of one schema registry, which may have several addresses.

    `url` is an address, a comma-separated list or several; user name and password stand in it or in `auth`, which may
    also be a BearerToken or an OAuthClient. A client certificate comes by `tls`, or by a context of one's own. With
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
        auth: Auth | None = None,
        timeout_s: float | None = None,
        settings: ClientSettings | None = None,
        ssl_context: ssl.SSLContext | None = None,
        tls: Tls | None = None,
    ) -> None:
        check_place(url, sender)
        chosen = chosen_settings(settings, timeout_s)
        if sender is None:
            addresses = parse_addresses(url or (), auth)
            everyone = (*addresses, *token_addresses(auth))
            http = HttpSender(everyone, chosen, chosen_tls(ssl_context, tls))
            self._sender: Sender = http
            self._close: Callable[[], object] | None = http.close
            self._shown = ",".join(address.url for address in addresses)
            self.session = Administration(chosen, len(addresses), auth)
        else:
            self._sender, self._close, self._shown = sender, on_close, "in process"
            self.session = Administration(chosen)
        self._lock, self._closed = threading.Lock(), False

    def __repr__(self) -> str:
        """Show the addresses, never credentials."""
        return f"SchemaRegistryClient({self._shown!r})"

    def ping(self) -> None:
        """Ask whether the registry answers."""
        self._do(self.session.ping())

    def get_types(self) -> list[str]:
        """Give the schema types that the registry keeps, such as `PROTOBUF`."""
        return self._do(self.session.get_types())

    def get_schemas(
        self,
        prefix: str | None = None,
        *,
        deleted: bool = False,
        latest_only: bool = False,
        rule_type: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[RegisteredSchema]:
        """Give the schemas of all subjects, or of those that start so, in the order of subject and version.

        `rule_type` asks for those with a rule of a type. Without `limit` all come, in several answers.
        """
        job = self.session.get_schemas(
            prefix, deleted=deleted, latest_only=latest_only, rule_type=rule_type, offset=offset, limit=limit
        )
        return self._do(job)

    def get_schema_by_id(
        self,
        schema_id: int,
        *,
        subject: str | None = None,
        text_format: str | None = None,
        find_tags: Iterable[str] = (),
    ) -> RegisteredSchema:
        """Give the schema of an id, cached; `subject` says in whose context. SchemaNotFoundError for an unknown id.

        `text_format` is the registry's own (`serialized`, `ignore_extensions`); `find_tags` asks for the entities that
        carry these tags (`*`: any).
        """
        job = self.session.get_schema_by_id(schema_id, subject, text_format=text_format, find_tags=find_tags)
        return self._do(job)

    def get_max_id(self, schema_id: int, *, subject: str | None = None) -> int | None:
        """Give the highest id in the context of a known one; None where the registry does not tell."""
        return self._do(self.session.get_max_id(schema_id, subject))

    def get_schema_text(self, schema_id: int, *, subject: str | None = None, text_format: str | None = None) -> str:
        """Give the text of an id alone; SchemaNotFoundError for an unknown id."""
        return self._do(self.session.get_schema_text(schema_id, subject, text_format=text_format))

    def get_schema_by_guid(self, guid: str, *, text_format: str | None = None) -> RegisteredSchema:
        """Give the schema of a content hash, cached; SchemaNotFoundError for an unknown one."""
        return self._do(self.session.get_schema_by_guid(guid, text_format=text_format))

    def get_ids_for_guid(self, guid: str) -> list[ContextId]:
        """Give the ids that a content has, one for each context; none for an unknown content hash."""
        return self._do(self.session.get_ids_for_guid(guid))

    def get_subjects_for_schema(
        self,
        schema_id: int,
        *,
        subject: str | None = None,
        deleted: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[str]:
        """Give the subjects that hold an id; SchemaNotFoundError for an unknown id."""
        job = self.session.get_subjects_for_schema(schema_id, subject, deleted=deleted, offset=offset, limit=limit)
        return self._do(job)

    def get_versions_for_schema(
        self,
        schema_id: int,
        *,
        subject: str | None = None,
        deleted: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[SubjectVersion]:
        """Give the subjects and versions that hold an id; SchemaNotFoundError for an unknown id."""
        job = self.session.get_versions_for_schema(schema_id, subject, deleted=deleted, offset=offset, limit=limit)
        return self._do(job)

    def get_subjects(
        self,
        prefix: str | None = None,
        *,
        deleted: bool = False,
        deleted_only: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[str]:
        """Give the subjects in alphabetical order, of every context unless a prefix says otherwise."""
        job = self.session.get_subjects(prefix, deleted=deleted, deleted_only=deleted_only, offset=offset, limit=limit)
        return self._do(job)

    def get_versions(
        self,
        subject: str,
        *,
        deleted: bool = False,
        deleted_only: bool = False,
        deleted_as_negative: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[int]:
        """Give a subject's version numbers, ascending; SubjectNotFoundError for an unknown one."""
        job = self.session.get_versions(
            subject,
            deleted=deleted,
            deleted_only=deleted_only,
            deleted_as_negative=deleted_as_negative,
            offset=offset,
            limit=limit,
        )
        return self._do(job)

    def get_version(
        self,
        subject: str,
        version: int | str = "latest",
        *,
        deleted: bool = False,
        text_format: str | None = None,
        find_tags: Iterable[str] = (),
    ) -> RegisteredSchema:
        """Give one version of a subject; the newest is believed for `settings.latest_ttl_s`.

        SubjectNotFoundError, VersionNotFoundError, or InvalidVersionError for what is no version.
        """
        job = self.session.get_version(subject, version, deleted=deleted, text_format=text_format, find_tags=find_tags)
        return self._do(job)

    def get_version_text(
        self, subject: str, version: int | str = "latest", *, deleted: bool = False, text_format: str | None = None
    ) -> str:
        """Give the text of a version alone; raises as `get_version`."""
        return self._do(self.session.get_version_text(subject, version, deleted=deleted, text_format=text_format))

    def get_latest_with_metadata(
        self, subject: str, properties: Mapping[str, str], *, deleted: bool = False
    ) -> RegisteredSchema:
        """Give a subject's newest version whose metadata has all these properties, asked for each time.

        SubjectNotFoundError, or SchemaNotFoundError when no version has them.
        """
        return self._do(self.session.get_latest_with_metadata(subject, properties, deleted=deleted))

    def referenced_by(
        self,
        subject: str,
        version: int | str = "latest",
        *,
        deleted: bool = False,
        offset: int = 0,
        limit: int | None = None,
    ) -> list[int]:
        """Give the ids of the schemas that refer to a version; raises as `get_version`."""
        return self._do(self.session.referenced_by(subject, version, deleted=deleted, offset=offset, limit=limit))

    def register(
        self,
        subject: str,
        schema: str | ProtoSchema | SchemaRequest,
        *,
        references: Iterable[Reference] | None = None,
        metadata: Metadata | None = None,
        rule_set: RuleSet | None = None,
        normalize: bool = False,
        force: bool = False,
    ) -> RegisteredSchema:
        """Register a schema under a subject and give it with its id; the same content again gives the same id.

        A ProtoSchema's imports are registered first, each under its own import path, unless `references` says where
        they are. A SchemaRequest says it all itself, an id and a version to import too. `force` skips the check of
        compatibility. Registries before 7.5 do not tell the version. InvalidSchemaError, IncompatibleSchemaError.
        """
        job = self.session.register(
            subject,
            schema,
            references=references,
            metadata=metadata,
            rule_set=rule_set,
            normalize=normalize,
            force=force,
        )
        return self._do(job)

    def lookup(
        self,
        subject: str,
        schema: str | ProtoSchema | SchemaRequest,
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

    def test_compatibility(
        self,
        subject: str,
        schema: str | ProtoSchema | SchemaRequest,
        *,
        version: int | str | None = "latest",
        references: Iterable[Reference] | None = None,
        metadata: Metadata | None = None,
        normalize: bool = False,
    ) -> CompatibilityReport:
        """Say whether a schema could be registered, with each reason that speaks against it; nothing is registered.

        It is checked against one version, or with `version=None` against all that the subject's level demands. A
        ProtoSchema's imports have to be registered already: SchemaNotFoundError where one is not.
        """
        job = self.session.test_compatibility(
            subject, schema, version=version, references=references, metadata=metadata, normalize=normalize
        )
        return self._do(job)

    def delete_version(self, subject: str, version: int | str, *, permanent: bool = False) -> int:
        """Delete one version and give its number; softly, unless `permanent`, which has to follow a soft delete.

        SubjectNotFoundError, VersionNotFoundError; RegistryErrors with code 42206 for a version that others refer to,
        40406 for one that is deleted already, 40407 where the soft delete is missing.
        """
        return self._do(self.session.delete_version(subject, version, permanent=permanent))

    def delete_subject(self, subject: str, *, permanent: bool = False) -> list[int]:
        """Delete a subject and give its version numbers; softly, unless `permanent`, which has to follow a soft delete.

        SubjectNotFoundError; RegistryErrors with code 42206 where others refer to it, 40404 where it is deleted
        already, 40405 where the soft delete is missing. No numbers come when a lost answer had to be asked for again.
        """
        return self._do(self.session.delete_subject(subject, permanent=permanent))

    def delete_subject_permanent(self, subject: str) -> list[int]:
        """Delete a subject for good, softly first where that has not been done; raises as `delete_subject`."""
        return self._do(self.session.delete_subject_permanent(subject))

    def tag_schema(
        self,
        subject: str,
        version: int | str = "latest",
        *,
        new_version: int | None = None,
        add: Iterable[EntityTags] = (),
        remove: Iterable[EntityTags] = (),
        metadata: Metadata | None = None,
        rule_set: RuleSet | None = None,
        rules_to_merge: RuleSet | None = None,
        rules_to_remove: Iterable[str] = (),
    ) -> RegisteredSchema:
        """Make a new version of a subject from one of its versions, with other tags, metadata or rules.

        `new_version` is the number that the new one must get; raises as `get_version` and `register`.
        """
        job = self.session.tag_schema(
            subject,
            version,
            new_version=new_version,
            add=add,
            remove=remove,
            metadata=metadata,
            rule_set=rule_set,
            rules_to_merge=rules_to_merge,
            rules_to_remove=rules_to_remove,
        )
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
