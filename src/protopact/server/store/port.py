"""The store's port: what the registry's decisions need to know, and the one thing they change.

One contract describes every store: `tests/contract/test_registry_store.py`. Reads see what was committed before they
began. All changes go through `writing()`, one writer at a time; what it gives has been made durable when it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from protopact.registry import Metadata, Reference, RuleSet, Subject


@dataclass(frozen=True, slots=True)
class Content:
    """What a schema id stands for, and never anything else.

    `guid` is the content hash. `text` is canonical. `descriptor` is the text's FileDescriptorProto, serialized,
    without its imports. References carry real version numbers.
    """

    guid: str
    text: str
    descriptor: bytes
    references: tuple[Reference, ...] = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None


@dataclass(frozen=True, slots=True)
class StoredSchema:
    """A content under its id; ids count per context. `ts` is when it came, in milliseconds since 1970."""

    context: str
    id: int
    content: Content
    ts: int


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of a subject. A deleted one is kept until it is deleted permanently."""

    subject: Subject
    version: int
    schema: StoredSchema
    ts: int
    deleted: bool = False


class Reading(Protocol):
    """What can be asked. `deleted` lets soft-deleted versions be found too."""

    def find_schema(self, context: str, schema_id: int) -> StoredSchema | None:
        """Find a schema by its id; soft-deleted ones are found as well."""

    def find_schema_by_guid(self, guid: str) -> StoredSchema | None:
        """Find a schema by its content hash, the one in the default context first."""

    def find_version(self, subject: Subject, version: int, *, deleted: bool = False) -> StoredVersion | None:
        """Find a version by its number; LATEST is the highest live one."""

    def versions_with_text(self, subject: Subject, text: str, *, deleted: bool = False) -> Sequence[StoredVersion]:
        """Give a subject's versions with this text, whatever their references and metadata, newest first."""

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

    def contexts(self) -> Sequence[str]:
        """Give the names of the contexts in use, sorted."""

    def last_id(self, context: str) -> int:
        """Give the highest id that the context ever gave out; 0 for an unknown context."""


class Ledger(Reading, Protocol):
    """A write in progress: reads see the newest state, and nobody else changes it meanwhile."""

    def append(self, subject: Subject, version: int, content: Content, *, ts: int) -> StoredVersion:
        """Add a version; its id is the one that this content has in the context, else the context's next.

        The counter of ids is durable and only grows. StoreError when the version exists.
        """


class Store(Reading, Protocol):
    """Everything a registry remembers. Safe for many threads; failures are StoreError."""

    def writing(self) -> AbstractContextManager[Ledger]:
        """Begin a write; leaving it by an exception undoes all of it."""

    def close(self) -> None:
        """Give back files and connections; closing twice is harmless."""
