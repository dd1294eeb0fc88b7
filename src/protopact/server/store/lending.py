"""The reading half of a store whose tables are lent for one question at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from protopact.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from protopact.registry import Subject
    from protopact.server.store.port import AuditEntry, Document, Link, Reading, Standing, StoredSchema, StoredVersion


def full(reason: str) -> StoreUnavailableError:
    """Give what a write raises that finds no room; writes go on as soon as there is some. `reason` is the store's."""
    return StoreUnavailableError("the store is full", hint=reason)


class LendingStore(ABC):
    """A store's `Reading`: each question is put to tables that `_reading` lends."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Reading]:
        """Lend tables that see what was committed; StoreError when there are none."""

    def find_schema(self, context: str, schema_id: int) -> StoredSchema | None:
        """See `Reading.find_schema`."""
        with self._reading() as tables:
            return tables.find_schema(context, schema_id)

    def find_schema_by_guid(self, guid: str) -> StoredSchema | None:
        """See `Reading.find_schema_by_guid`."""
        with self._reading() as tables:
            return tables.find_schema_by_guid(guid)

    def ids_with_guid(self, guid: str) -> Sequence[tuple[str, int]]:
        """See `Reading.ids_with_guid`."""
        with self._reading() as tables:
            return tables.ids_with_guid(guid)

    def find_guid(self, context: str, schema_id: int) -> str | None:
        """See `Reading.find_guid`."""
        with self._reading() as tables:
            return tables.find_guid(context, schema_id)

    def find_version(self, subject: Subject, version: int, *, deleted: bool = False) -> StoredVersion | None:
        """See `Reading.find_version`."""
        with self._reading() as tables:
            return tables.find_version(subject, version, deleted=deleted)

    def versions(self, subject: Subject, *, deleted: bool = False) -> Sequence[StoredVersion]:
        """See `Reading.versions`."""
        with self._reading() as tables:
            return tables.versions(subject, deleted=deleted)

    def standing(self, subject: Subject, text: str, scopes: Iterable[Subject] = ()) -> Standing:
        """See `Reading.standing`."""
        with self._reading() as tables:
            return tables.standing(subject, text, scopes)

    def version_numbers(self, subject: Subject, *, deleted: bool = False) -> Sequence[int]:
        """See `Reading.version_numbers`."""
        with self._reading() as tables:
            return tables.version_numbers(subject, deleted=deleted)

    def last_version(self, subject: Subject) -> int:
        """See `Reading.last_version`."""
        with self._reading() as tables:
            return tables.last_version(subject)

    def subjects(self, context: str | None, prefix: str = "", *, deleted: bool = False) -> Sequence[Subject]:
        """See `Reading.subjects`."""
        with self._reading() as tables:
            return tables.subjects(context, prefix, deleted=deleted)

    def uses(self, context: str, schema_id: int, *, deleted: bool = False) -> Sequence[tuple[Subject, int]]:
        """See `Reading.uses`."""
        with self._reading() as tables:
            return tables.uses(context, schema_id, deleted=deleted)

    def referrers(self, subject: Subject, version: int, *, deleted: bool = False) -> Sequence[int]:
        """See `Reading.referrers`."""
        with self._reading() as tables:
            return tables.referrers(subject, version, deleted=deleted)

    def links_to(self, subject: Subject, *, deleted: bool = False) -> Sequence[Link]:
        """See `Reading.links_to`."""
        with self._reading() as tables:
            return tables.links_to(subject, deleted=deleted)

    def contexts(self) -> Sequence[str]:
        """See `Reading.contexts`."""
        with self._reading() as tables:
            return tables.contexts()

    def last_id(self, context: str) -> int:
        """See `Reading.last_id`."""
        with self._reading() as tables:
            return tables.last_id(context)

    def documents_at(self, scopes: Iterable[Subject]) -> Mapping[tuple[str, Subject], Document]:
        """See `Reading.documents_at`."""
        with self._reading() as tables:
            return tables.documents_at(scopes)

    def documents(self, kind: str) -> Sequence[tuple[Subject, Document]]:
        """See `Reading.documents`."""
        with self._reading() as tables:
            return tables.documents(kind)

    def audit(self, *, before: int | None = None, entries_max: int = 100) -> Sequence[AuditEntry]:
        """See `Reading.audit`."""
        with self._reading() as tables:
            return tables.audit(before=before, entries_max=entries_max)
