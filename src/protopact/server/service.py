"""★ What the registry decides.

Registering: `.proto` text → descriptors → canonical text + content hash → look-up → mode → store → id.
`register` tells it. What is decided is decided by functions over what was read; reading and writing stand apart.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from protopact.errors import InvalidSchemaError, SchemaLinkError
from protopact.flow import blocking
from protopact.registry import DEFAULT_CONTEXT, LATEST, Metadata, Problem, Reference, Subject
from protopact.server.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from protopact.flow import Flow
    from protopact.registry import RuleSet, SchemaRequest
    from protopact.server.draft import Draftsman
    from protopact.server.store import Content, Reading, Store, StoredVersion

_PROTOBUF = "PROTOBUF"
_VERSION_PROPERTY = "confluent:version"
_REFERENCE_SETS_TRIED_MAX = 4


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a subject when a draft comes.

    `latest` is its newest live version, `last_version` its highest number, soft-deleted ones counted, `same_text`
    its versions with the draft's text, newest first.
    """

    latest: StoredVersion | None
    last_version: int
    same_text: Sequence[StoredVersion]


@dataclass(frozen=True, slots=True)
class Addition:
    """The decision to add a version."""

    version: int
    content: Content


class Service:
    """The registry's decisions, over a store."""

    def __init__(self, store: Store, draftsman: Draftsman) -> None:
        """Decide over this store, with drafts by this draftsman."""
        self._store = store
        self._draftsman = draftsman

    def register(self, subject: Subject, request: SchemaRequest) -> Flow[StoredVersion]:
        """Have a schema kept under a subject and give its version; the same schema gives the same version again.

        InvalidSchemaError (42201) for a schema that cannot be kept, OperationNotPermittedError (42205) for a wanted
        id.
        """
        draft = yield from blocking(lambda: self._draft(subject, request))
        known = find_equal(draft, self._history(subject, draft))
        if known is not None and _is_wanted(known, request):
            return known
        _check_mode(subject, request)
        return (yield from blocking(lambda: self._add(subject, draft, request)))

    def look_up(self, subject: Subject, request: SchemaRequest, *, deleted: bool = False) -> Flow[StoredVersion]:
        """Give the version under which a subject holds a schema; nothing is changed.

        SubjectNotFoundError (40401), SchemaNotFoundError (40403), InvalidSchemaError (42201).
        """
        return (yield from blocking(lambda: self._look_up(subject, request, deleted=deleted)))

    def _draft(self, subject: Subject, request: SchemaRequest) -> Draft:
        _check_type(request)
        if request.schema.strip():
            return self._draftsman.draft(subject.context, request)
        latest = self._store.find_version(subject, LATEST)
        if latest is None:
            raise Problem.EMPTY_SCHEMA.error()
        content = latest.schema.content
        return Draft(content.text, content.descriptor, content.references, request.metadata, request.rule_set)

    def _add(self, subject: Subject, draft: Draft, request: SchemaRequest) -> StoredVersion:
        with self._store.writing() as ledger:
            decision = decide(draft, self._history(subject, draft, ledger), request)
            if isinstance(decision, Addition):
                return ledger.append(subject, decision.version, decision.content, ts=_now_ms())
            return decision

    def _look_up(self, subject: Subject, request: SchemaRequest, *, deleted: bool) -> StoredVersion:
        _check_type(request)
        homes = [home for home in self._homes(subject) if self._store.version_numbers(home, deleted=deleted)]
        if not homes:
            raise Problem.SUBJECT_NOT_FOUND.error(subject=subject)
        for draft in self._readings(homes[0], request):
            for home in homes:
                found = find_equal(draft, self._history(home, draft, deleted=deleted))
                if found is not None:
                    return found
        raise Problem.SCHEMA_NOT_FOUND.error()

    def _homes(self, subject: Subject) -> list[Subject]:
        """Give where a subject may be meant: an unqualified one in every context, the default one first."""
        if subject.context != DEFAULT_CONTEXT:
            return [subject]
        return list(dict.fromkeys([subject, *(Subject(subject.name, name) for name in self._store.contexts())]))

    def _readings(self, subject: Subject, request: SchemaRequest) -> Iterable[Draft]:
        """Give the drafts that a request may mean: one that names no references may mean those of a version."""
        try:
            return [self._draft(subject, request)]
        except InvalidSchemaError as error:
            if request.references or not isinstance(error.__cause__, SchemaLinkError):
                raise
            known = self._reference_sets(subject)
            if not known:
                raise
        return self._readings_with(known, subject, request)

    def _readings_with(
        self, known: Iterable[tuple[Reference, ...]], subject: Subject, request: SchemaRequest
    ) -> Iterator[Draft]:
        """Give the drafts with those of the references that have what the schema imports."""
        for references in known:
            try:
                yield replace(self._draft(subject, replace(request, references=references)), references=())
            except InvalidSchemaError as error:
                if not isinstance(error.__cause__, SchemaLinkError):
                    raise

    def _reference_sets(self, subject: Subject) -> list[tuple[Reference, ...]]:
        """Give the different references that a subject's newest versions have."""
        sets: list[tuple[Reference, ...]] = []
        for number in reversed(self._store.version_numbers(subject)):
            version = self._store.find_version(subject, number)
            if version and version.schema.content.references not in ((), *sets):
                sets.append(version.schema.content.references)
            if len(sets) == _REFERENCE_SETS_TRIED_MAX:
                break
        return sets

    def _history(
        self, subject: Subject, draft: Draft, reading: Reading | None = None, *, deleted: bool = False
    ) -> History:
        source = reading or self._store
        return History(
            latest=source.find_version(subject, LATEST),
            last_version=source.last_version(subject),
            same_text=source.versions_with_text(subject, draft.text, deleted=deleted),
        )


def decide(draft: Draft, history: History, request: SchemaRequest) -> StoredVersion | Addition:
    """Decide what registering a draft means for a subject: a version that it has, or one more."""
    next_version = history.last_version + 1
    content = _with_version_property(_inheriting(draft, history.latest), request, next_version).content()
    for version in history.same_text:
        if version.schema.content.guid == content.guid:
            return version
    equal = find_equal(draft, history)
    if equal is not None and _is_wanted(equal, request):
        return equal
    if request.version is not None and request.version > 0 and request.version != next_version:
        raise Problem.INVALID_SCHEMA.error(reason="Version is not one more than previous version")
    return Addition(next_version, content)


def find_equal(draft: Draft, history: History) -> StoredVersion | None:
    """Find the version that holds a draft: by content hash, else by meaning."""
    for meant in (draft, _inheriting(draft, history.latest)):
        guid = meant.guid
        for version in history.same_text:
            if version.schema.content.guid == guid:
                return version
        for version in history.same_text:
            if _is_equivalent(meant, version.schema.content):
                return version
    return None


def _is_equivalent(draft: Draft, content: Content) -> bool:
    """Whether two schemas of equal text mean the same: a draft without references takes those of the other."""
    return (
        (draft.references == content.references or not draft.references)
        and _without_version_property(draft.metadata) == _without_version_property(content.metadata)
        and draft.rule_set == content.rule_set
    )


def _inheriting(draft: Draft, latest: StoredVersion | None) -> Draft:
    """Give a draft with the metadata and rules of the newest version, where it has none of its own."""
    if latest is None:
        return draft
    metadata: Metadata | None = latest.schema.content.metadata
    rule_set: RuleSet | None = latest.schema.content.rule_set
    return replace(
        draft,
        metadata=metadata if draft.metadata is None else draft.metadata,
        rule_set=rule_set if draft.rule_set is None else draft.rule_set,
    )


def _with_version_property(draft: Draft, request: SchemaRequest, version: int) -> Draft:
    """Set the property that tells the version, where it is asked for or there already."""
    metadata = draft.metadata or Metadata()
    if not request.version and _VERSION_PROPERTY not in metadata.properties:
        return draft
    properties = {**metadata.properties, _VERSION_PROPERTY: str(version)}
    return replace(draft, metadata=replace(metadata, properties=properties))


def _without_version_property(metadata: Metadata | None) -> Metadata | None:
    if metadata is None or _VERSION_PROPERTY not in metadata.properties:
        return metadata
    rest = {name: value for name, value in metadata.properties.items() if name != _VERSION_PROPERTY}
    bare = replace(metadata, properties=rest)
    return None if bare == Metadata() else bare


def _is_wanted(version: StoredVersion, request: SchemaRequest) -> bool:
    """Whether a request that names a version or an id may be answered with this one."""
    return request.version in (None, 0, LATEST) and request.id in (None, version.schema.id)


def _check_type(request: SchemaRequest) -> None:
    if request.schema_type.upper() != _PROTOBUF:
        raise Problem.INVALID_SCHEMA_TYPE.error(schema_type=request.schema_type)


def _check_mode(subject: Subject, request: SchemaRequest) -> None:
    """Refuse what only an import may do: every subject of this registry is in READWRITE mode."""
    if request.id is not None and request.id > 0:
        raise Problem.NOT_PERMITTED.error(reason=f"Subject {subject} is not in import mode")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
