"""The work behind each method of a client, shared by both of them; neither I/O nor waiting here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from protopact.client import calls, imports
from protopact.client.cache import once
from protopact.client.state import State
from protopact.errors import ConfigError, RegistryError
from protopact.registry import LATEST, SchemaRequest, Subject, content_guid, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping
    from typing import TypeAlias

    from protopact.client.asks import Ask
    from protopact.client.cache import Cache
    from protopact.client.state import FetchedSchema
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
        SubjectVersion,
    )
    from protopact.schema import ProtoSchema

    Schema: TypeAlias = str | ProtoSchema | SchemaRequest

T = TypeVar("T")

# What a soft delete says of a subject without a live version.
_NOTHING_LIVE = frozenset({40401, 40404})


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

    # ── schemas ──────────────────────────────────────────────────────────────────────────────────

    def ping(self) -> Job[None]:
        """Ask for nothing."""
        return self.asking(calls.ping())

    def get_types(self) -> Job[list[str]]:
        """Ask for the schema types."""
        return self.asking(calls.get_types())

    def get_schemas(
        self,
        prefix: str | None,
        *,
        deleted: bool,
        latest_only: bool,
        rule_type: str | None,
        offset: int,
        limit: int | None,
    ) -> Job[list[RegisteredSchema]]:
        """Ask for the schemas of many subjects; all of them where no limit is said."""

        def part(at: int, count: int | None) -> Ask[list[RegisteredSchema]]:
            return calls.get_schemas(
                prefix, deleted=deleted, latest_only=latest_only, rule_type=rule_type, offset=at, limit=count
            )

        if limit is not None:
            return self.asking(part(offset, limit))
        return Job(lambda: self._all_parts(part, offset))

    def get_schema_by_id(
        self, schema_id: int, subject: str | None, *, text_format: str | None, find_tags: Iterable[str]
    ) -> Job[RegisteredSchema]:
        """Ask for a schema by id; it is kept, and for a moment that there is none."""
        tags = tuple(find_tags)
        ask = calls.get_schema_by_id(schema_id, subject=subject, text_format=text_format, find_tags=tags)
        key = (schema_id, subject, text_format)
        flow = partial(self.unless_missing, (schema_id, subject), ask)
        return Job(flow, None if tags else self.schemas, key)

    def get_max_id(self, schema_id: int, subject: str | None) -> Job[int | None]:
        """Ask for the highest id of the context in which an id is."""
        ask = calls.get_schema_by_id(schema_id, subject=subject, fetch_max_id=True)

        def flow() -> Flow[int | None]:
            return (yield from self.exchange.ask(ask)).max_id

        return Job(flow)

    def get_schema_text(self, schema_id: int, subject: str | None, *, text_format: str | None) -> Job[str]:
        """Ask for the text of an id alone."""
        return self.asking(calls.get_schema_text(schema_id, subject=subject, text_format=text_format))

    def get_schema_by_guid(self, guid: str, *, text_format: str | None) -> Job[RegisteredSchema]:
        """Ask for a schema by its content hash; it is kept, and for a moment that there is none."""
        ask = calls.get_schema_by_guid(guid, text_format=text_format)
        return Job(partial(self.unless_missing, guid.lower(), ask), self.schemas, (guid.lower(), text_format))

    def get_ids_for_guid(self, guid: str) -> Job[list[ContextId]]:
        """Ask which ids a content has."""
        return self.asking(calls.get_ids_for_guid(guid))

    def get_subjects_for_schema(
        self, schema_id: int, subject: str | None, *, deleted: bool, offset: int, limit: int | None
    ) -> Job[list[str]]:
        """Ask which subjects hold an id."""
        return self.asking(
            calls.get_subjects_for_schema(schema_id, subject=subject, deleted=deleted, offset=offset, limit=limit)
        )

    def get_versions_for_schema(
        self, schema_id: int, subject: str | None, *, deleted: bool, offset: int, limit: int | None
    ) -> Job[list[SubjectVersion]]:
        """Ask where an id is used."""
        return self.asking(
            calls.get_versions_for_schema(schema_id, subject=subject, deleted=deleted, offset=offset, limit=limit)
        )

    def fetch_schema(self, schema_id: int, subject: str | None) -> Job[FetchedSchema]:
        """Fetch a schema with its references and its rules; it is kept."""
        key = (schema_id, Subject.parse(subject or "").context)
        return Job(lambda: imports.fetch_schema(self, schema_id, subject=subject), self.file_sets, key)

    def fetch_file_set(self, schema_id: int, subject: str | None) -> Job[FileSet]:
        """Fetch a schema with its references; it is kept."""

        def flow() -> Flow[FileSet]:
            return (yield from self.once(self.fetch_schema(schema_id, subject))).file_set

        return Job(flow)

    # ── subjects and versions ────────────────────────────────────────────────────────────────────

    def get_subjects(
        self, prefix: str | None, *, deleted: bool, deleted_only: bool, offset: int, limit: int | None
    ) -> Job[list[str]]:
        """Ask for the subjects."""
        return self.asking(
            calls.get_subjects(prefix, deleted=deleted, deleted_only=deleted_only, offset=offset, limit=limit)
        )

    def get_versions(
        self,
        subject: str,
        *,
        deleted: bool,
        deleted_only: bool,
        deleted_as_negative: bool,
        offset: int,
        limit: int | None,
    ) -> Job[list[int]]:
        """Ask for a subject's versions."""
        return self.asking(
            calls.get_versions(
                subject,
                deleted=deleted,
                deleted_only=deleted_only,
                deleted_as_negative=deleted_as_negative,
                offset=offset,
                limit=limit,
            )
        )

    def get_version(
        self,
        subject: str,
        version: int | str,
        *,
        deleted: bool,
        text_format: str | None,
        find_tags: Iterable[str],
    ) -> Job[RegisteredSchema]:
        """Ask for one version; the newest is kept for a while."""
        tags = tuple(find_tags)
        ask = calls.get_version(subject, version, deleted=deleted, text_format=text_format, find_tags=tags)
        is_latest = parse_version(str(version)) == LATEST
        is_plain = not (deleted or text_format or tags)
        key = Subject.parse(subject).qualified
        return Job(lambda: self.exchange.ask(ask), self.latest if is_latest and is_plain else None, key)

    def get_version_text(self, subject: str, version: int | str, *, deleted: bool, text_format: str | None) -> Job[str]:
        """Ask for the text of a version alone."""
        return self.asking(calls.get_version_text(subject, version, deleted=deleted, text_format=text_format))

    def get_latest_with_metadata(
        self, subject: str, properties: Mapping[str, str], *, deleted: bool
    ) -> Job[RegisteredSchema]:
        """Ask for the newest version with these properties."""
        return self.asking(calls.get_latest_with_metadata(subject, properties, deleted=deleted))

    def referenced_by(
        self, subject: str, version: int | str, *, deleted: bool, offset: int, limit: int | None
    ) -> Job[list[int]]:
        """Ask who refers to a version."""
        return self.asking(calls.referenced_by(subject, version, deleted=deleted, offset=offset, limit=limit))

    def register(
        self,
        subject: str,
        schema: Schema,
        *,
        references: Iterable[Reference] | None,
        metadata: Metadata | None,
        rule_set: RuleSet | None,
        normalize: bool,
        force: bool = False,
        name_import: imports.NameImport | None = None,
    ) -> Job[RegisteredSchema]:
        """Register text, or a schema with its imports; the outcome is kept, but for a request that says it all."""
        request = _request(schema, references, metadata, rule_set)

        def work() -> Flow[RegisteredSchema]:
            if request is not None:
                ask = calls.register(subject, request, normalize=normalize, force=force)
                return (yield from self.exchange.ask(ask))
            return (
                yield from imports.register_with_imports(
                    self,
                    subject,
                    _with_imports(schema),
                    metadata=metadata,
                    rule_set=rule_set,
                    normalize=normalize,
                    force=force,
                    name_import=name_import,
                )
            )

        def flow() -> Flow[RegisteredSchema]:
            try:
                return (yield from work())
            finally:  # without an answer too: it may be done
                self.latest.drop(Subject.parse(subject).qualified)
                self.missing.clear()

        if isinstance(schema, SchemaRequest):
            return Job(flow)
        content = _content(schema, request, metadata, rule_set)
        return Job(flow, self.registered, ("register", subject, normalize, force, content, name_import))

    def lookup(
        self,
        subject: str,
        schema: Schema,
        *,
        references: Iterable[Reference] | None,
        normalize: bool,
        deleted: bool,
        name_import: imports.NameImport | None = None,
    ) -> Job[RegisteredSchema]:
        """Look a schema up; what is found is kept."""
        request = _request(schema, references)

        def flow() -> Flow[RegisteredSchema]:
            if request is not None:
                ask = calls.lookup(subject, request, normalize=normalize, deleted=deleted)
                return (yield from self.exchange.ask(ask))
            return (
                yield from imports.lookup_with_imports(
                    self, subject, _with_imports(schema), normalize=normalize, deleted=deleted, name_import=name_import
                )
            )

        if isinstance(schema, SchemaRequest):
            return Job(flow)
        key = ("lookup", subject, normalize, deleted, _content(schema, request), name_import)
        return Job(flow, self.registered, key)

    def test_compatibility(
        self,
        subject: str,
        schema: Schema,
        *,
        version: int | str | None,
        references: Iterable[Reference] | None,
        metadata: Metadata | None,
        normalize: bool,
    ) -> Job[CompatibilityReport]:
        """Ask whether a schema may be registered; a schema's imports are looked up."""
        request = _request(schema, references, metadata)

        def flow() -> Flow[CompatibilityReport]:
            asked = request
            if asked is None:
                asked = yield from imports.request_with_imports(self, subject, _with_imports(schema), metadata=metadata)
            return (
                yield from self.exchange.ask(
                    calls.check_compatibility(subject, asked, version=version, normalize=normalize)
                )
            )

        return Job(flow)

    def delete_version(self, subject: str, version: int | str, *, permanent: bool) -> Job[int]:
        """Delete one version. The newest is first asked for its number: tried again, another one would be deleted."""
        number = parse_version(str(version))

        def flow() -> Flow[int]:
            wanted = number
            if wanted == LATEST:
                wanted = (yield from self.exchange.ask(calls.get_version(subject, LATEST))).version or LATEST
            return (yield from self.changing(calls.delete_version(subject, wanted, permanent=permanent)))

        return Job(flow)

    def delete_subject(self, subject: str, *, permanent: bool) -> Job[list[int]]:
        """Delete a subject's versions."""
        return Job(lambda: self.changing(calls.delete_subject(subject, permanent=permanent)))

    def delete_subject_permanent(self, subject: str) -> Job[list[int]]:
        """Delete a subject's versions, softly first where that has not been done."""

        def flow() -> Flow[list[int]]:
            try:
                yield from self.changing(calls.delete_subject(subject))
            except RegistryError as error:
                if error.error_code not in _NOTHING_LIVE:
                    raise
            return (yield from self.changing(calls.delete_subject(subject, permanent=True)))

        return Job(flow)

    def tag_schema(
        self,
        subject: str,
        version: int | str,
        *,
        new_version: int | None,
        add: Iterable[EntityTags],
        remove: Iterable[EntityTags],
        metadata: Metadata | None,
        rule_set: RuleSet | None,
        rules_to_merge: RuleSet | None,
        rules_to_remove: Iterable[str],
    ) -> Job[RegisteredSchema]:
        """Make a new version with other tags."""
        ask = calls.tag_schema(
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
        return Job(lambda: self.changing(ask))

    # ── how jobs are done ────────────────────────────────────────────────────────────────────────

    def asking(self, ask: Ask[T]) -> Job[T]:
        """Ask each time."""
        return Job(lambda: self.exchange.ask(ask))

    def changing(self, ask: Ask[T]) -> Flow[T]:
        """Have something changed that other answers depend on, and forget these."""
        try:
            return (yield from self.exchange.ask(ask))
        finally:
            self.forget()

    def _all_parts(self, part: Callable[[int, int | None], Ask[list[T]]], offset: int) -> Flow[list[T]]:
        """Ask for part after part of a list.

        A server may give smaller parts than asked for; one that knows no parts gives the first again.
        """
        found = yield from self.exchange.ask(part(offset, None))
        while found:
            more = yield from self.exchange.ask(part(offset + len(found), None))
            if not more or more[0] == found[0]:
                break
            found += more
        return found


def _request(
    schema: Schema,
    references: Iterable[Reference] | None,
    metadata: Metadata | None = None,
    rule_set: RuleSet | None = None,
) -> SchemaRequest | None:
    """Give the request of a text, or of a schema with given references; None where imports have to be found first."""
    if isinstance(schema, SchemaRequest):
        if references is not None or metadata is not None or rule_set is not None:
            raise ConfigError("a SchemaRequest holds its own references, metadata and rules", option="schema")
        return schema
    if not isinstance(schema, str) and references is None:
        return None
    text = schema if isinstance(schema, str) else schema.to_schema_string()
    return SchemaRequest(text, references=tuple(references or ()), metadata=metadata, rule_set=rule_set)


def _with_imports(schema: Schema) -> ProtoSchema:
    assert not isinstance(schema, str | SchemaRequest)
    return schema


def _content(
    schema: Schema,
    request: SchemaRequest | None,
    metadata: Metadata | None = None,
    rule_set: RuleSet | None = None,
) -> Hashable:
    if request is not None:
        return content_guid(request.schema, request.references, request.metadata, request.rule_set)
    found = _with_imports(schema)
    return (found.file_set.fingerprint, content_guid(found.to_schema_string(), (), metadata, rule_set))
