"""The statements that ask and change the SQLite store's tables, over one connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from protopact.errors import StoreError
from protopact.registry import LATEST, Metadata, Reference, RuleSet, Subject
from protopact.server.store.port import Content, StoredSchema, StoredVersion

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_SCHEMA = "SELECT s.context, s.id, s.guid, s.text, s.descriptor, s.refers, s.metadata, s.rule_set, s.ts FROM schemas s"
_SCHEMA_BY_ID = f"{_SCHEMA} WHERE s.context = ? AND s.id = ?"
_SCHEMA_BY_GUID = f"{_SCHEMA} WHERE s.guid = ? ORDER BY s.context LIMIT 1"
_VERSION = """SELECT s.context, s.id, s.guid, s.text, s.descriptor, s.refers, s.metadata, s.rule_set, s.ts,
        v.subject, v.version, v.ts, v.deleted
    FROM versions v JOIN schemas s ON s.context = v.context AND s.id = v.schema_id
    WHERE v.context = ? AND v.subject = ? AND v.deleted <= ?"""
_VERSION_BY_NUMBER = f"{_VERSION} AND v.version = ?"
_LATEST_VERSION = f"{_VERSION} ORDER BY v.version DESC LIMIT 1"
_VERSIONS_BY_TEXT = f"{_VERSION} AND s.text = ? ORDER BY v.version DESC"
_NUMBERS = "SELECT version FROM versions WHERE context = ? AND subject = ? AND deleted <= ? ORDER BY version"
_LAST_NUMBER = "SELECT coalesce(max(version), 0) FROM versions WHERE context = ? AND subject = ?"
_SUBJECTS = """SELECT name, context FROM subjects s
    WHERE (?1 IS NULL OR context = ?1) AND name >= ?2 AND substr(name, 1, length(?2)) = ?2 AND EXISTS (
        SELECT 1 FROM versions v WHERE v.context = s.context AND v.subject = s.name AND v.deleted <= ?3
    ) ORDER BY context, name"""
_USES = """SELECT subject, context, version FROM versions
    WHERE context = ? AND schema_id = ? AND deleted <= ? ORDER BY subject, version"""
_REFERRERS = """SELECT DISTINCT r.schema_id FROM schema_references r
    WHERE r.target_context = ? AND r.target_subject = ? AND r.target_version = ? AND EXISTS (
        SELECT 1 FROM versions v WHERE v.context = r.context AND v.schema_id = r.schema_id AND v.deleted <= ?
    ) ORDER BY r.schema_id"""
_LAST_ID = "SELECT coalesce(max(last_id), 0) FROM contexts WHERE name = ?"
_NEXT_ID = """INSERT INTO contexts (name, last_id) VALUES (?, 1)
    ON CONFLICT (name) DO UPDATE SET last_id = last_id + 1 RETURNING last_id"""

_LIVE = 0

_Row: TypeAlias = "tuple[Any, ...]"


class Tables:
    """One connection's view of the tables: a store's `Reading`, and inside a transaction its `Ledger`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use the connection, in whatever transaction it is."""
        self._connection = connection

    def find_schema(self, context: str, schema_id: int) -> StoredSchema | None:
        """See `Reading.find_schema`."""
        return _schema(self._row(_SCHEMA_BY_ID, context, schema_id))

    def find_schema_by_guid(self, guid: str) -> StoredSchema | None:
        """See `Reading.find_schema_by_guid`."""
        return _schema(self._row(_SCHEMA_BY_GUID, guid))

    def find_version(self, subject: Subject, version: int, *, deleted: bool = False) -> StoredVersion | None:
        """See `Reading.find_version`."""
        if version == LATEST:
            return _version(self._row(_LATEST_VERSION, subject.context, subject.name, _LIVE))
        return _version(self._row(_VERSION_BY_NUMBER, subject.context, subject.name, deleted, version))

    def versions_with_text(self, subject: Subject, text: str, *, deleted: bool = False) -> Sequence[StoredVersion]:
        """See `Reading.versions_with_text`."""
        rows = self._rows(_VERSIONS_BY_TEXT, subject.context, subject.name, deleted, text)
        return [found for row in rows if (found := _version(row))]

    def version_numbers(self, subject: Subject, *, deleted: bool = False) -> Sequence[int]:
        """See `Reading.version_numbers`."""
        return [number for (number,) in self._rows(_NUMBERS, subject.context, subject.name, deleted)]

    def last_version(self, subject: Subject) -> int:
        """See `Reading.last_version`."""
        return int(self._rows(_LAST_NUMBER, subject.context, subject.name)[0][0])

    def subjects(self, context: str | None, prefix: str = "", *, deleted: bool = False) -> Sequence[Subject]:
        """See `Reading.subjects`."""
        return [Subject(name, its_context) for name, its_context in self._rows(_SUBJECTS, context, prefix, deleted)]

    def uses(self, context: str, schema_id: int, *, deleted: bool = False) -> Sequence[tuple[Subject, int]]:
        """See `Reading.uses`."""
        rows = self._rows(_USES, context, schema_id, deleted)
        return [(Subject(name, its_context), version) for name, its_context, version in rows]

    def referrers(self, subject: Subject, version: int, *, deleted: bool = False) -> Sequence[int]:
        """See `Reading.referrers`."""
        rows = self._rows(_REFERRERS, subject.context, subject.name, version, deleted)
        return [schema_id for (schema_id,) in rows]

    def contexts(self) -> Sequence[str]:
        """See `Reading.contexts`."""
        return [name for (name,) in self._rows("SELECT name FROM contexts ORDER BY name")]

    def last_id(self, context: str) -> int:
        """See `Reading.last_id`."""
        return int(self._rows(_LAST_ID, context)[0][0])

    def append(self, subject: Subject, version: int, content: Content, *, ts: int) -> StoredVersion:
        """See `Ledger.append`."""
        row = self._row("SELECT id FROM schemas WHERE context = ? AND guid = ?", subject.context, content.guid)
        schema_id = row[0] if row else self._add_schema(subject.context, content, ts)
        place = (subject.context, subject.name)
        self._connection.execute("INSERT OR IGNORE INTO subjects (context, name) VALUES (?, ?)", place)
        self._connection.execute(
            "INSERT INTO versions (context, subject, version, schema_id, ts) VALUES (?, ?, ?, ?, ?)",
            (*place, version, schema_id, ts),
        )
        added = self.find_version(subject, version)
        if added is None:
            raise StoreError(f"version {version} of {subject} was written but is not there")
        return added

    def _add_schema(self, context: str, content: Content, ts: int) -> int:
        (schema_id,) = self._rows(_NEXT_ID, context)[0]
        refers = json.dumps([reference.to_json() for reference in content.references]) if content.references else ""
        self._connection.execute(
            "INSERT INTO schemas VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                context,
                schema_id,
                content.guid,
                content.text,
                content.descriptor,
                refers,
                json.dumps(content.metadata.to_json()) if content.metadata is not None else None,
                json.dumps(content.rule_set.to_json()) if content.rule_set is not None else None,
                ts,
            ),
        )
        targets = [(Subject.parse(item.subject, context=context), item.version) for item in content.references]
        self._connection.executemany(
            "INSERT OR IGNORE INTO schema_references VALUES (?, ?, ?, ?, ?)",
            [(target.context, target.name, version, context, schema_id) for target, version in targets],
        )
        return int(schema_id)

    def _row(self, statement: str, *values: object) -> _Row | None:
        found: _Row | None = self._connection.execute(statement, values).fetchone()
        return found

    def _rows(self, statement: str, *values: object) -> list[_Row]:
        return self._connection.execute(statement, values).fetchall()


def _schema(row: _Row | None) -> StoredSchema | None:
    if row is None:
        return None
    context, schema_id, guid, text, descriptor, refers, metadata, rule_set, ts = row[:9]
    content = Content(
        guid=guid,
        text=text,
        descriptor=descriptor,
        references=tuple(Reference.from_json(item) for item in json.loads(refers)) if refers else (),
        metadata=Metadata.from_json(json.loads(metadata)) if metadata is not None else None,
        rule_set=RuleSet.from_json(json.loads(rule_set)) if rule_set is not None else None,
    )
    return StoredSchema(context, schema_id, content, ts)


def _version(row: _Row | None) -> StoredVersion | None:
    schema = _schema(row)
    if row is None or schema is None:
        return None
    name, version, ts, deleted = row[9:]
    return StoredVersion(Subject(name, schema.context), version, schema, ts, deleted=bool(deleted))
