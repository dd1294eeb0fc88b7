"""The store as one caller sees it: what they may not read is not there, what they change is checked and audited.

Every part of the registry works on this store, so that no command has to think of it: a caller's rights are looked up
where data is read and written. Whom a call is for is set once, by `attending`, and travels with the call into threads.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from protopact.errors import RegistryError, StoreUnavailableError
from protopact.registry import Subject
from protopact.server.decisions.bounded import BoundedCache
from protopact.server.guard.access import Need, Principal, Role, Scope
from protopact.server.store import AuditEntry, Reading, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from protopact.registry import JsonValue
    from protopact.server.store import Content, Document, Ledger, Link, Store, StoredSchema, StoredVersion

K = TypeVar("K")
V = TypeVar("V")

_DOCUMENT_LENGTH_MAX = 4096


@dataclass(frozen=True, slots=True)
class Attendance:
    """Whom a call is for, what its route needs, its route and its request id."""

    principal: Principal
    need: Need
    route: str = ""
    request_id: str = ""


_present: ContextVar[Attendance | None] = ContextVar("protopact_attendance", default=None)


@contextmanager
def attending(attendance: Attendance) -> Iterator[None]:
    """Have the store serve this caller until the block ends."""
    before = _present.get()
    _present.set(attendance)
    try:
        yield
    finally:
        # Not reset(): a flow that is given up is closed in whatever context it is collected in.
        _present.set(before)


class _Attended:
    """What knows whom it serves; where nobody was named, that is `absent`."""

    def __init__(self, absent: Principal) -> None:
        self._absent = Attendance(absent, Need(Role.ADMIN, Scope.EVERYTHING))

    @property
    def attendance(self) -> Attendance:
        """The present caller's."""
        return _present.get() or self._absent


class AttendedBodies(BoundedCache[K, V], Generic[K, V]):
    """Prepared bodies, for callers who may read everything; others' have to be worked out."""

    def __init__(self, absent: Principal, *, entries_max: int, bytes_max: int) -> None:
        """Serve the present caller, or `absent` where none is named."""
        super().__init__(entries_max=entries_max, bytes_max=bytes_max)
        self._attended = _Attended(absent)

    def find(self, key: K) -> V | None:
        """Find a body that the present caller may read."""
        return self.find_for_all(key) if self._attended.attendance.principal.reads_everything else None

    def keep(self, key: K, value: V, size: int, *, age: int | None = None) -> None:
        """Keep a body of a caller who may read everything: from those of others, something may be left out."""
        if self._attended.attendance.principal.reads_everything:
            super().keep(key, value, size, age=age)

    def find_for_all(self, key: K) -> V | None:
        """Find a body, for somebody who is known to read everything."""
        return super().find(key)


class AttendedStore(_Attended):
    """A store for the caller who is present."""

    def __init__(self, store: Store, absent: Principal) -> None:
        """Serve the present caller from this store, or `absent` where none is named."""
        super().__init__(absent)
        self._store = store
        self.writes_fail = False
        """Whether the last write that was tried failed because the store could not take it then."""

    def find_schema(self, context: str, schema_id: int) -> StoredSchema | None:
        """See `Reading.find_schema`; one that no readable subject holds is not found."""
        return self._seen(self._store.find_schema(context, schema_id))

    def find_schema_by_guid(self, guid: str) -> StoredSchema | None:
        """See `Reading.find_schema_by_guid`; the first one that a readable subject holds."""
        if self._principal.reads_everything:
            return self._store.find_schema_by_guid(guid)
        return next((found for place in self._store.ids_with_guid(guid) if (found := self.find_schema(*place))), None)

    def ids_with_guid(self, guid: str) -> Sequence[tuple[str, int]]:
        """See `Reading.ids_with_guid`; those that a readable subject holds."""
        return [place for place in self._store.ids_with_guid(guid) if self._sees_id(*place)]

    def find_guid(self, context: str, schema_id: int) -> str | None:
        """See `Reading.find_guid`; not of an id that no readable subject holds."""
        return self._store.find_guid(context, schema_id) if self._sees_id(context, schema_id) else None

    def find_version(self, subject: Subject, version: int, *, deleted: bool = False) -> StoredVersion | None:
        """See `Reading.find_version`; RegistryError 403 where it refers to a subject that must not be seen."""
        if not self._reads(subject):
            return None
        return self._whole(self._store.find_version(subject, version, deleted=deleted))

    def versions(self, subject: Subject, *, deleted: bool = False) -> Sequence[StoredVersion]:
        """See `Reading.versions`; RegistryError 403 as `find_version`."""
        found = self._store.versions(subject, deleted=deleted) if self._reads(subject) else []
        return [whole for version in found if (whole := self._whole(version))]

    def standing(self, subject: Subject, text: str, scopes: Iterable[Subject] = ()) -> Standing:
        """See `Reading.standing`; RegistryError 403 as `find_version`."""
        if self._principal.reads_everything:
            return self._store.standing(subject, text, scopes)
        if not self._reads(subject):
            return Standing(None, 0, (), self.documents_at(scopes))
        found = self._store.standing(subject, text, [scope for scope in scopes if not scope.name or self._reads(scope)])
        same_text = [whole for version in found.same_text if (whole := self._whole(version))]
        return replace(found, latest=self._whole(found.latest), same_text=same_text)

    def version_numbers(self, subject: Subject, *, deleted: bool = False) -> Sequence[int]:
        """See `Reading.version_numbers`."""
        return self._store.version_numbers(subject, deleted=deleted) if self._reads(subject) else []

    def last_version(self, subject: Subject) -> int:
        """See `Reading.last_version`."""
        return self._store.last_version(subject) if self._reads(subject) else 0

    def subjects(self, context: str | None, prefix: str = "", *, deleted: bool = False) -> Sequence[Subject]:
        """See `Reading.subjects`; those that are readable."""
        found = self._store.subjects(context, prefix, deleted=deleted)
        return found if self._principal.reads_everything else [subject for subject in found if self._reads(subject)]

    def uses(self, context: str, schema_id: int, *, deleted: bool = False) -> Sequence[tuple[Subject, int]]:
        """See `Reading.uses`; those of readable subjects."""
        found = self._store.uses(context, schema_id, deleted=deleted)
        return found if self._principal.reads_everything else [place for place in found if self._reads(place[0])]

    def referrers(self, subject: Subject, version: int, *, deleted: bool = False) -> Sequence[int]:
        """See `Reading.referrers`; those that a readable subject holds."""
        if not self._reads(subject):
            return []
        found = self._store.referrers(subject, version, deleted=deleted)
        if self._principal.reads_everything:
            return found
        # A referrer may stand in another context: only who reads everything is told of those.
        return [schema_id for schema_id in found if self._sees_id(subject.context, schema_id)]

    def links_to(self, subject: Subject, *, deleted: bool = False) -> Sequence[Link]:
        """See `Reading.links_to`; those of readable referrers."""
        found = self._store.links_to(subject, deleted=deleted) if self._reads(subject) else []
        return [link for link in found if self._reads(link.referrer)]

    def contexts(self) -> Sequence[str]:
        """See `Reading.contexts`; those that have a readable subject."""
        found = self._store.contexts()
        if self._principal.reads_everything:
            return found
        return [context for context in found if self._sees_context(context)]

    def last_id(self, context: str) -> int:
        """See `Reading.last_id`; 0 for a context without a readable subject."""
        return self._store.last_id(context) if self._sees_context(context) else 0

    def documents_at(self, scopes: Iterable[Subject]) -> Mapping[tuple[str, Subject], Document]:
        """See `Reading.documents_at`: what holds for a readable subject may stand with its context."""
        return self._store.documents_at([scope for scope in scopes if not scope.name or self._reads(scope)])

    def documents(self, kind: str) -> Sequence[tuple[Subject, Document]]:
        """See `Reading.documents`; those of contexts and of readable subjects."""
        found = self._store.documents(kind)
        return [(scope, document) for scope, document in found if not scope.name or self._reads(scope)]

    def audit(self, *, before: int | None = None, entries_max: int = 100) -> Sequence[AuditEntry]:
        """See `Reading.audit`; nothing for anybody but an admin of everything."""
        allowed = self._principal.covers_all(Role.ADMIN)
        return self._store.audit(before=before, entries_max=entries_max) if allowed else []

    def mark(self) -> object:
        """See `Store.mark`."""
        return self._store.mark()

    @contextmanager
    def writing(self) -> Iterator[Ledger]:
        """See `Store.writing`; RegistryError 403 for a change that the caller may not make."""
        try:
            with self._store.writing() as ledger:
                yield cast("Ledger", _AttendedLedger(ledger, self.attendance))
        except StoreUnavailableError:
            self.writes_fail = True
            raise
        self.writes_fail = False

    @property
    def answers_at_once(self) -> bool:
        """See `Store`."""
        return self._store.answers_at_once

    def when_removed(self, tell: Callable[[], object]) -> None:
        """See `Store.when_removed`."""
        self._store.when_removed(tell)

    def close(self) -> None:
        """See `Store.close`."""
        self._store.close()

    @property
    def _principal(self) -> Principal:
        return self.attendance.principal

    def _reads(self, subject: Subject) -> bool:
        principal = self._principal
        return principal.reads_everything or principal.may(Role.READER, subject)

    def _sees_id(self, context: str, schema_id: int) -> bool:
        return self._principal.reads_everything or any(
            self._reads(subject) for subject, _ in self._store.uses(context, schema_id, deleted=True)
        )

    def _sees_context(self, context: str) -> bool:
        return self._principal.reads_everything or any(
            self._store.subjects(context, grant.prefix, deleted=True)
            for grant in self._principal.grants
            if grant.context in (None, context)
        )

    def _seen(self, schema: StoredSchema | None) -> StoredSchema | None:
        if schema is None or self._principal.reads_everything:
            return schema
        seen = self._sees_id(schema.context, schema.id) and self._reads_references(schema.context, schema.content)
        return schema if seen else None

    def _whole(self, version: StoredVersion | None) -> StoredVersion | None:
        """Give a version if all that it refers to may be read: a list leaves it out, else it is refused."""
        if version is not None and not self._reads_references(version.subject.context, version.schema.content):
            if self.attendance.need.scope is Scope.SOMETHING:
                return None
            raise RegistryError(
                f"User is denied operation GET on Subject: {version.subject}, for version {version.version}"
                " refers to a subject that the user may not read",
                error_code=403,
            )
        return version

    def _reads_references(self, context: str, content: Content) -> bool:
        return self._principal.reads_everything or all(
            self._reads(Subject.parse(reference.subject, context=context)) for reference in content.references
        )


_READING = frozenset(name for name in vars(Reading) if not name.startswith("_"))


class _AttendedLedger:
    """A write in progress for one caller.

    It knows of everything, for what is consistent does not depend on who asks, but gives the content of readable
    subjects alone. Each change needs the route's role for the scope that it touches, whichever way the call got
    there, and leaves an entry in the audit log.
    """

    def __init__(self, ledger: Ledger, attendance: Attendance) -> None:
        self._ledger = ledger
        self._attendance = attendance

    def __getattr__(self, name: str) -> object:
        """Give the ledger's way to read; a way to change that is not told here does not exist."""
        if name not in _READING:
            raise AttributeError(name)
        return getattr(self._ledger, name)

    def find_version(self, subject: Subject, version: int, *, deleted: bool = False) -> StoredVersion | None:
        """See `Reading.find_version`; RegistryError 403 for a subject that may not be read."""
        return self._ledger.find_version(self._readable(subject), version, deleted=deleted)

    def versions(self, subject: Subject, *, deleted: bool = False) -> Sequence[StoredVersion]:
        """See `Reading.versions`; RegistryError 403 for a subject that may not be read."""
        return self._ledger.versions(self._readable(subject), deleted=deleted)

    def standing(self, subject: Subject, text: str, scopes: Iterable[Subject] = ()) -> Standing:
        """See `Reading.standing`; RegistryError 403 for a subject that may not be read."""
        return self._ledger.standing(self._readable(subject), text, scopes)

    def append(
        self, subject: Subject, version: int, content: Content, *, ts: int, schema_id: int | None = None
    ) -> StoredVersion:
        """See `Ledger.append`."""
        self._check(subject)
        added = self._ledger.append(subject, version, content, ts=ts, schema_id=schema_id)
        self._record("register", subject, {"version": version, "id": added.schema.id, "guid": content.guid})
        return added

    def soft_delete(self, subject: Subject, versions: Iterable[int]) -> None:
        """See `Ledger.soft_delete`."""
        self._check(subject)
        marked = list(versions)
        self._ledger.soft_delete(subject, marked)
        self._record("soft-delete", subject, {"versions": _numbers(marked)})

    def remove(self, subject: Subject, versions: Iterable[int]) -> Sequence[int]:
        """See `Ledger.remove`."""
        self._check(subject)
        taken = list(versions)
        ids = self._ledger.remove(subject, taken)
        self._record("remove", subject, {"versions": _numbers(taken), "ids": _numbers(ids)})
        return ids

    def drop_context(self, context: str) -> None:
        """See `Ledger.drop_context`."""
        scope = Subject("", context)
        self._check(scope)
        self._ledger.drop_context(context)
        self._record("drop-context", scope, {})

    def put_document(self, kind: str, scope: Subject, document: Document) -> None:
        """See `Ledger.put_document`."""
        self._check(scope)
        if document.get("alias"):
            # Who sets an alias decides where others' calls go: they must be allowed there themselves.
            self._check(Subject.parse(str(document["alias"]), context=scope.context))
        self._ledger.put_document(kind, scope, document)
        shown: Document = {"to": dict(document)} if len(str(document)) <= _DOCUMENT_LENGTH_MAX else {}
        self._record(f"set-{kind}", scope, shown)

    def drop_document(self, kind: str, scope: Subject) -> None:
        """See `Ledger.drop_document`."""
        self._check(scope)
        self._ledger.drop_document(kind, scope)
        self._record(f"unset-{kind}", scope, {})

    def record(self, entry: AuditEntry) -> None:
        """See `Ledger.record`."""
        self._ledger.record(entry)

    def _readable(self, subject: Subject) -> Subject:
        if not self._attendance.principal.may(Role.READER, subject):
            raise RegistryError(f"User is denied operation GET on Subject: {subject}", error_code=403)
        return subject

    def _check(self, scope: Subject) -> None:
        role = max(self._attendance.need.role, Role.WRITER)
        if not self._attendance.principal.may(role, scope):
            raise RegistryError(f"User is denied a change of Subject: {scope}", error_code=403)

    def _record(self, what: str, scope: Subject, detail: Document) -> None:
        attendance = self._attendance
        asked = {"route": attendance.route, "request": attendance.request_id} if attendance.route else {}
        ts = time.time_ns() // 1_000_000
        self._ledger.record(AuditEntry(ts, attendance.principal.name, what, scope, {**detail, **asked}))


def _numbers(numbers: Iterable[int]) -> list[JsonValue]:
    return list(numbers)
