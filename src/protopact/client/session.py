"""The work behind each method of a client, shared by both of them; neither I/O nor waiting here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from protopact.client import calls, imports
from protopact.client.cache import once
from protopact.client.state import State
from protopact.registry import LATEST, SchemaRequest, Subject, content_guid, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from protopact.client.cache import Cache
    from protopact.descriptor import FileSet
    from protopact.flow import Flow
    from protopact.registry import Metadata, Reference, RegisteredSchema, RuleSet, SubjectVersion
    from protopact.schema import ProtoSchema

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """A flow to perform, and where its outcome is kept: with a cache, it is performed once per key."""

    flow: Callable[[], Flow[T]]
    cache: Cache[T] | None = None
    key: Hashable = None


class Session(State):
    """The work behind each method of a client, over what the client knows."""

    def once(self, job: Job[T]) -> Flow[T]:
        """Perform a job as its client does: not at all where its outcome is kept, else by one caller at a time."""
        if job.cache is None:
            return (yield from job.flow())
        return (yield from once(job.cache, job.key, job.flow))

    def get_types(self) -> Job[list[str]]:
        """Ask for the schema types."""
        return Job(lambda: self.exchange.ask(calls.get_types()))

    def get_subjects(self, prefix: str | None, *, deleted: bool) -> Job[list[str]]:
        """Ask for the subjects."""
        return Job(lambda: self.exchange.ask(calls.get_subjects(prefix, deleted=deleted)))

    def get_versions(self, subject: str, *, deleted: bool) -> Job[list[int]]:
        """Ask for a subject's versions."""
        return Job(lambda: self.exchange.ask(calls.get_versions(subject, deleted=deleted)))

    def get_version(self, subject: str, version: int | str, *, deleted: bool) -> Job[RegisteredSchema]:
        """Ask for one version; the newest is kept for a while."""
        ask = calls.get_version(subject, version, deleted=deleted)
        is_latest = parse_version(str(version)) == LATEST and not deleted
        key = Subject.parse(subject).qualified
        return Job(lambda: self.exchange.ask(ask), self.latest if is_latest else None, key)

    def get_schema_by_id(self, schema_id: int, subject: str | None) -> Job[RegisteredSchema]:
        """Ask for a schema by id; it is kept."""
        ask = calls.get_schema_by_id(schema_id, subject=subject)
        return Job(lambda: self.exchange.ask(ask), self.schemas, (schema_id, subject))

    def get_versions_for_schema(self, schema_id: int, *, deleted: bool) -> Job[list[SubjectVersion]]:
        """Ask where an id is used."""
        return Job(lambda: self.exchange.ask(calls.get_versions_for_schema(schema_id, deleted=deleted)))

    def fetch_file_set(self, schema_id: int, subject: str | None) -> Job[FileSet]:
        """Fetch a schema with its references; it is kept."""
        key = (schema_id, Subject.parse(subject or "").context)
        return Job(lambda: imports.fetch_file_set(self, schema_id, subject=subject), self.file_sets, key)

    def register(
        self,
        subject: str,
        schema: str | ProtoSchema,
        *,
        references: Iterable[Reference] | None,
        metadata: Metadata | None,
        rule_set: RuleSet | None,
        normalize: bool,
    ) -> Job[RegisteredSchema]:
        """Register text, or a schema with its imports; the outcome is kept."""
        request = _request(schema, references, metadata, rule_set)

        def flow() -> Flow[RegisteredSchema]:
            if request is not None:
                found = yield from self.exchange.ask(calls.register(subject, request, normalize=normalize))
            else:
                assert not isinstance(schema, str)
                found = yield from imports.register_with_imports(
                    self, subject, schema, metadata=metadata, rule_set=rule_set, normalize=normalize
                )
            self.latest.drop(Subject.parse(subject).qualified)
            return found

        return Job(
            flow, self.registered, ("register", subject, normalize, _content(schema, request, metadata, rule_set))
        )

    def lookup(
        self,
        subject: str,
        schema: str | ProtoSchema,
        *,
        references: Iterable[Reference] | None,
        normalize: bool,
        deleted: bool,
    ) -> Job[RegisteredSchema]:
        """Look a schema up; what is found is kept."""
        request = _request(schema, references)

        def flow() -> Flow[RegisteredSchema]:
            if request is not None:
                ask = calls.lookup(subject, request, normalize=normalize, deleted=deleted)
                return (yield from self.exchange.ask(ask))
            assert not isinstance(schema, str)
            return (yield from imports.lookup_with_imports(self, subject, schema, normalize=normalize, deleted=deleted))

        return Job(flow, self.registered, ("lookup", subject, normalize, deleted, _content(schema, request)))


def _request(
    schema: str | ProtoSchema,
    references: Iterable[Reference] | None,
    metadata: Metadata | None = None,
    rule_set: RuleSet | None = None,
) -> SchemaRequest | None:
    """Give the request of a text, or of a schema with given references; None where imports have to be found first."""
    if not isinstance(schema, str) and references is None:
        return None
    text = schema if isinstance(schema, str) else schema.to_schema_string()
    return SchemaRequest(text, references=tuple(references or ()), metadata=metadata, rule_set=rule_set)


def _content(
    schema: str | ProtoSchema,
    request: SchemaRequest | None,
    metadata: Metadata | None = None,
    rule_set: RuleSet | None = None,
) -> Hashable:
    if request is not None:
        return content_guid(request.schema, request.references, request.metadata, request.rule_set)
    assert not isinstance(schema, str)
    return (schema.file_set.fingerprint, content_guid(schema.to_schema_string(), (), metadata, rule_set))
