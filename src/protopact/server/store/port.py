"""The store's port: what the registry's decisions need to know, and the few things they change.

One contract describes every store: `tests/contract/test_registry_store.py`. Reads see what was committed before they
began. All changes go through `writing()`, one writer at a time; what it gives has been made durable when it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from protopact.registry import PROTOBUF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from protopact.registry import JsonValue, Metadata, Reference, RuleSet, Subject

Document: TypeAlias = "Mapping[str, JsonValue]"
"""A JSON object that the store keeps and does not look into: a config, a mode, a tag definition."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a schema id stands for, and never anything else.

    `guid` is the content hash. `text` is canonical. `descriptor` is the text's FileDescriptorProto, serialized,
    without its imports. References carry real version numbers. A schema of a type other than PROTOBUF is kept as it
    came, and has no descriptor.
    """

    guid: str
    text: str
    descriptor: bytes
    references: tuple[Reference, ...] = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    schema_type: str = PROTOBUF


@dataclass(frozen=True, slots=True)
class StoredSchema:
    """A content under its id; ids count per context. `ts` is when it came, in milliseconds since 1970."""

    context: str
    id: int
    content: Content
    ts: int


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of a subject. A deleted one is kept until it is removed."""

    subject: Subject
    version: int
    schema: StoredSchema
    ts: int
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a subject when a text comes that it may hold.

    `latest` is its newest live version, `last_version` its highest number, soft-deleted ones counted, 0 for an unknown
    subject, and `same_text` are its versions with the text, newest first, soft-deleted ones among them. `documents`
    are those of the scopes that were named.
    """

    latest: StoredVersion | None
    last_version: int
    same_text: Sequence[StoredVersion]
    documents: Mapping[tuple[str, Subject], Document]


@dataclass(frozen=True, slots=True)
class Link:
    """One version of a subject that is referred to, and a version that refers to it."""

    version: int
    referrer: Subject
    referrer_version: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change that was made: who did what to which scope, and when, in milliseconds since 1970.

    A scope is a subject, or a whole context by an empty name. `detail` tells the rest, such as versions. `number`
    counts the entries from 1; it is 0 until the entry is kept.
    """

    ts: int
    who: str
    what: str
    scope: Subject
    detail: Document
    number: int = 0


class Reading(Protocol):
    """What can be asked. `deleted` lets soft-deleted versions be found too."""

    def find_schema(self, context: str, schema_id: int) -> StoredSchema | None:
        """Find a schema by its id; soft-deleted ones are found as well."""

    def find_schema_by_guid(self, guid: str) -> StoredSchema | None:
        """Find a schema by its content hash: in the first context by name, under the lowest id."""

    def ids_with_guid(self, guid: str) -> Sequence[tuple[str, int]]:
        """Give the contexts and ids under which a content is kept, sorted."""

    def find_guid(self, context: str, schema_id: int) -> str | None:
        """Find the content hash that an id stands for, or stood for before its schema was removed."""

    def find_version(self, subject: Subject, version: int, *, deleted: bool = False) -> StoredVersion | None:
        """Find a version by its number; LATEST is the highest live one."""

    def versions(self, subject: Subject, *, deleted: bool = False) -> Sequence[StoredVersion]:
        """Give a subject's versions, newest first."""

    def standing(self, subject: Subject, text: str, scopes: Iterable[Subject] = ()) -> Standing:
        """Give all at once what is known of a subject and a text; `scopes` are those whose documents are wanted."""

    def version_numbers(self, subject: Subject, *, deleted: bool = False) -> Sequence[int]:
        """Give a subject's version numbers, ascending; none for an unknown subject."""

    def last_version(self, subject: Subject) -> int:
        """Give the highest version number of a subject, soft-deleted ones counted; 0 for an unknown subject."""

    def subjects(self, context: str | None, prefix: str = "", *, deleted: bool = False) -> Sequence[Subject]:
        """Give the subjects of one context, or of all, whose names start so; sorted by context and name."""

    def uses(self, context: str, schema_id: int, *, deleted: bool = False) -> Sequence[tuple[Subject, int]]:
        """Give the subjects and versions that hold an id, sorted."""

    def referrers(self, subject: Subject, version: int, *, deleted: bool = False) -> Sequence[int]:
        """Give the ids of the schemas, held by any version, that refer to this version; ascending."""

    def links_to(self, subject: Subject, *, deleted: bool = False) -> Sequence[Link]:
        """Give who refers to any version of a subject, sorted by the version referred to.

        `deleted` counts soft-deleted referrers too.
        """

    def contexts(self) -> Sequence[str]:
        """Give the names of the contexts in use, sorted."""

    def last_id(self, context: str) -> int:
        """Give the highest id that the context ever gave out; 0 for an unknown context."""

    def documents_at(self, scopes: Iterable[Subject]) -> Mapping[tuple[str, Subject], Document]:
        """Give the documents of every kind that are kept for these scopes, by kind and scope.

        A scope is a subject, known or not; one with an empty name is its whole context.
        """

    def documents(self, kind: str) -> Sequence[tuple[Subject, Document]]:
        """Give all documents of a kind with their scopes, sorted by context and name."""

    def audit(self, *, before: int | None = None, entries_max: int = 100) -> Sequence[AuditEntry]:
        """Give the audit log's newest entries, newest first; `before` asks for those of a lower number."""


class Ledger(Reading, Protocol):
    """A write in progress: reads see the newest state, and nobody else changes it meanwhile."""

    def append(
        self, subject: Subject, version: int, content: Content, *, ts: int, schema_id: int | None = None
    ) -> StoredVersion:
        """Add a version.

        Its id is `schema_id` where one is given; the content must then be the one that the id stands for, if it
        stands for any. Else it is the lowest id that this content has in the context, or the context's next. The
        counter of ids is durable, only grows, and passes every id that is given. StoreError when the version exists.
        """

    def soft_delete(self, subject: Subject, versions: Iterable[int]) -> None:
        """Mark versions as deleted."""

    def remove(self, subject: Subject, versions: Iterable[int]) -> Sequence[int]:
        """Remove versions for good, with the schemas that no version of the context holds any more.

        Gives the ids of those schemas, which will never stand for another content. A subject whose last version
        goes is no more; its documents stay.
        """

    def drop_context(self, context: str) -> None:
        """Have a context listed no more, until a version is added in it; its counter of ids stays."""

    def put_document(self, kind: str, scope: Subject, document: Document) -> None:
        """Keep a document, in place of the one of its kind and scope that there may be."""

    def drop_document(self, kind: str, scope: Subject) -> None:
        """Forget a document; nothing happens where there is none."""

    def record(self, entry: AuditEntry) -> None:
        """Add an entry to the audit log, under the next number; it is kept or undone with the write."""


class Store(Reading, Protocol):
    """Everything a registry remembers. Safe for many threads; failures are StoreError."""

    @property
    def answers_at_once(self) -> bool:
        """Whether a look-up takes microseconds, so that an event loop may make it."""

    def mark(self) -> object:
        """Give a mark of the present state: two are equal only if nothing was committed between them, by anybody."""

    def writing(self) -> AbstractContextManager[Ledger]:
        """Begin a write; leaving it by an exception undoes all of it."""

    def when_removed(self, tell: Callable[[], object]) -> None:
        """Have `tell` called soon after somebody else removed schemas for good, and once at first.

        A store that only one process uses never calls it.
        """

    def close(self) -> None:
        """Give back files and connections; closing twice is harmless."""
