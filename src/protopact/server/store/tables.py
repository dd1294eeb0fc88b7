"""The statements that ask and change the SQLite store's tables, over one connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from protopact.errors import StoreError
from protopact.registry import LATEST, Subject
from protopact.server.store.port import AuditEntry, Link, Standing, StoredSchema, StoredVersion
from protopact.server.store.rows import (
    SELECT_SCHEMA,
    SELECT_VERSION,
    check_name,
    content_values,
    digest_of,
    schema_of,
    targets_of,
    version_of,
    versions_of,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from protopact.server.store.port import Content, Document
    from protopact.server.store.rows import Row

_SCHEMA_BY_ID = f"{SELECT_SCHEMA} WHERE context = ? AND id = ?"
_SCHEMA_BY_GUID = f"{SELECT_SCHEMA} WHERE guid = ? ORDER BY context, id LIMIT 1"
_SCHEMA_OF_CONTENT = f"{SELECT_SCHEMA} WHERE context = ? AND guid = ? ORDER BY id LIMIT 1"
_IDS_BY_GUID = "SELECT context, id FROM schemas WHERE guid = ? ORDER BY context, id"
_GUID = """SELECT guid FROM schemas WHERE context = ?1 AND id = ?2
    UNION ALL SELECT guid FROM spent_ids WHERE context = ?1 AND id = ?2 LIMIT 1"""
_VERSION = f"{SELECT_VERSION} WHERE v.context = ? AND v.subject = ? AND v.deleted <= ?"
_NEWEST_FIRST = "ORDER BY v.version DESC"
_VERSION_BY_NUMBER = f"{_VERSION} AND v.version = ?"
_LATEST_VERSION = f"{_VERSION} {_NEWEST_FIRST} LIMIT 1"
_VERSIONS = f"{_VERSION} {_NEWEST_FIRST}"
_VERSIONS_BY_TEXT = f"{_VERSION} AND s.digest = ? AND s.text = ? {_NEWEST_FIRST}"
_NUMBERS = "SELECT version FROM versions WHERE context = ? AND subject = ? AND deleted <= ? ORDER BY version"
_LAST_NUMBER = "SELECT coalesce(max(version), 0) FROM versions WHERE context = ? AND subject = ?"
# U+10FFFF is the last character: what starts with the prefix sorts before the prefix and it.
_SUBJECTS = """SELECT name, context FROM subjects s
    WHERE (?1 IS NULL OR context = ?1) AND name >= ?2 AND name < ?2 || char(0x10FFFF) AND EXISTS (
        SELECT 1 FROM versions v WHERE v.context = s.context AND v.subject = s.name AND v.deleted <= ?3
    ) ORDER BY context, name"""
_USES = """SELECT subject, context, version FROM versions
    WHERE context = ? AND schema_id = ? AND deleted <= ? ORDER BY subject, version"""
_REFERRERS = """SELECT DISTINCT r.schema_id FROM schema_references r
    WHERE r.target_context = ? AND r.target_subject = ? AND r.target_version = ? AND EXISTS (
        SELECT 1 FROM versions v WHERE v.context = r.context AND v.schema_id = r.schema_id AND v.deleted <= ?
    ) ORDER BY r.schema_id"""
_LINKS = """SELECT r.target_version, v.subject, v.context, v.version
    FROM schema_references r JOIN versions v ON v.context = r.context AND v.schema_id = r.schema_id
    WHERE r.target_context = ? AND r.target_subject = ? AND v.deleted <= ?
    ORDER BY r.target_version, v.context, v.subject, v.version"""
_CONTEXTS = "SELECT name FROM contexts WHERE dropped = 0 ORDER BY name"
_LAST_ID = "SELECT coalesce(max(last_id), 0) FROM contexts WHERE name = ?"
_NEXT_ID = """INSERT INTO contexts (name, last_id) VALUES (?, 1)
    ON CONFLICT (name) DO UPDATE SET last_id = last_id + 1, dropped = 0 RETURNING last_id"""
_GIVEN_ID = """INSERT INTO contexts (name, last_id) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET last_id = max(last_id, excluded.last_id), dropped = 0"""
_DOCUMENTS_AT = """SELECT kind, name, context, body FROM documents
    WHERE (context = ? AND name = ?) OR (context = ? AND name = ?) OR (context = ? AND name = ?)"""
_DOCUMENTS = "SELECT name, context, body FROM documents WHERE kind = ? ORDER BY context, name"

_ADD_SCHEMA = """INSERT INTO schemas
        (context, id, guid, text, digest, descriptor, refers, metadata, rule_set, schema_type, ts, again)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, EXISTS (
        SELECT 1 FROM schemas WHERE context = ?1 AND guid = ?3 AND again = 0
    ))"""
_ADD_REFERENCE = """INSERT INTO schema_references (target_context, target_subject, target_version, context, schema_id)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_ADD_SUBJECT = "INSERT INTO subjects (context, name) VALUES (?, ?) ON CONFLICT DO NOTHING"
_ADD_VERSION = "INSERT INTO versions (context, subject, version, schema_id, ts) VALUES (?, ?, ?, ?, ?)"
_SOFT_DELETE = "UPDATE versions SET deleted = 1 WHERE context = ? AND subject = ? AND version = ?"
_REMOVE_VERSION = "DELETE FROM versions WHERE context = ? AND subject = ? AND version = ? RETURNING schema_id"
_REMOVE_EMPTY_SUBJECT = """DELETE FROM subjects WHERE context = ?1 AND name = ?2 AND NOT EXISTS (
    SELECT 1 FROM versions WHERE context = ?1 AND subject = ?2)"""
_SPEND_ID = """INSERT INTO spent_ids (context, id, guid) SELECT context, id, guid FROM schemas
    WHERE context = ?1 AND id = ?2 AND NOT EXISTS (SELECT 1 FROM versions WHERE context = ?1 AND schema_id = ?2)
    ON CONFLICT DO NOTHING"""
_REMOVE_SCHEMA = """DELETE FROM schemas WHERE context = ?1 AND id = ?2 AND NOT EXISTS (
    SELECT 1 FROM versions WHERE context = ?1 AND schema_id = ?2) RETURNING id"""
_DROP_CONTEXT = "UPDATE contexts SET dropped = 1 WHERE name = ?"
_PUT_DOCUMENT = """INSERT INTO documents (context, name, kind, body) VALUES (?, ?, ?, ?)
    ON CONFLICT (context, name, kind) DO UPDATE SET body = excluded.body"""
_DROP_DOCUMENT = "DELETE FROM documents WHERE context = ? AND name = ? AND kind = ?"
_RECORD = "INSERT INTO audit (ts, who, what, context, name, detail) VALUES (?, ?, ?, ?, ?, ?)"
_AUDIT = """SELECT ts, who, what, name, context, detail, number FROM audit
    WHERE number < ? ORDER BY number DESC LIMIT ?"""

_LIVE, _ANY = 0, 1
_SCOPES_AT_A_TIME = 3
_NUMBER_MAX = 2**63 - 1


class Tables:
    """One connection's view of the tables: a store's `Reading`, and inside a transaction its `Ledger`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use the connection, in whatever transaction it is."""
        self._connection = connection

    def find_schema(self, context: str, schema_id: int) -> StoredSchema | None:
        """See `Reading.find_schema`."""
        return schema_of(self._row(_SCHEMA_BY_ID, context, schema_id))

    def find_schema_by_guid(self, guid: str) -> StoredSchema | None:
        """See `Reading.find_schema_by_guid`."""
        return schema_of(self._row(_SCHEMA_BY_GUID, guid))

    def ids_with_guid(self, guid: str) -> Sequence[tuple[str, int]]:
        """See `Reading.ids_with_guid`."""
        return [(context, schema_id) for context, schema_id in self._rows(_IDS_BY_GUID, guid)]

    def find_guid(self, context: str, schema_id: int) -> str | None:
        """See `Reading.find_guid`."""
        row = self._row(_GUID, context, schema_id)
        return None if row is None else str(row[0])

    def find_version(self, subject: Subject, version: int, *, deleted: bool = False) -> StoredVersion | None:
        """See `Reading.find_version`."""
        if version == LATEST:
            return version_of(self._row(_LATEST_VERSION, subject.context, subject.name, _LIVE))
        return version_of(self._row(_VERSION_BY_NUMBER, subject.context, subject.name, deleted, version))

    def versions(self, subject: Subject, *, deleted: bool = False) -> Sequence[StoredVersion]:
        """See `Reading.versions`."""
        rows = self._rows(_VERSIONS, subject.context, subject.name, deleted)
        return versions_of(rows)

    def standing(self, subject: Subject, text: str, scopes: Iterable[Subject] = ()) -> Standing:
        """See `Reading.standing`."""
        documents = self.documents_at(scopes)
        highest = version_of(self._row(_LATEST_VERSION, subject.context, subject.name, _ANY))
        if highest is None:
            return Standing(None, 0, (), documents)
        latest = self.find_version(subject, LATEST) if highest.deleted else highest
        same_text = self._rows(_VERSIONS_BY_TEXT, subject.context, subject.name, _ANY, digest_of(text), text)
        return Standing(latest, highest.version, versions_of(same_text), documents)

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

    def links_to(self, subject: Subject, *, deleted: bool = False) -> Sequence[Link]:
        """See `Reading.links_to`."""
        rows = self._rows(_LINKS, subject.context, subject.name, deleted)
        return [Link(version, Subject(name, context), referrer) for version, name, context, referrer in rows]

    def contexts(self) -> Sequence[str]:
        """See `Reading.contexts`."""
        return [name for (name,) in self._rows(_CONTEXTS)]

    def last_id(self, context: str) -> int:
        """See `Reading.last_id`."""
        return int(self._rows(_LAST_ID, context)[0][0])

    def documents_at(self, scopes: Iterable[Subject]) -> Mapping[tuple[str, Subject], Document]:
        """See `Reading.documents_at`."""
        wanted = tuple(scopes)
        found: dict[tuple[str, Subject], Document] = {}
        for start in range(0, len(wanted), _SCOPES_AT_A_TIME):
            part = (wanted[start : start + _SCOPES_AT_A_TIME] * _SCOPES_AT_A_TIME)[:_SCOPES_AT_A_TIME]
            places = [text for scope in part for text in (scope.context, scope.name)]
            for kind, name, context, body in self._rows(_DOCUMENTS_AT, *places):
                found[kind, Subject(name, context)] = json.loads(body)
        return found

    def documents(self, kind: str) -> Sequence[tuple[Subject, Document]]:
        """See `Reading.documents`."""
        return [(Subject(name, context), json.loads(body)) for name, context, body in self._rows(_DOCUMENTS, kind)]

    def audit(self, *, before: int | None = None, entries_max: int = 100) -> Sequence[AuditEntry]:
        """See `Reading.audit`."""
        rows = self._rows(_AUDIT, _NUMBER_MAX if before is None else before, entries_max)
        return [
            AuditEntry(ts, who, what, Subject(name, context), json.loads(detail), number)
            for ts, who, what, name, context, detail, number in rows
        ]

    def append(
        self, subject: Subject, version: int, content: Content, *, ts: int, schema_id: int | None = None
    ) -> StoredVersion:
        """See `Ledger.append`."""
        check_name(subject)
        schema = self._schema_of(subject.context, content, ts, schema_id)
        place = (subject.context, subject.name)
        self._connection.execute(_ADD_SUBJECT, place)
        self._connection.execute(_ADD_VERSION, (*place, version, schema.id, ts))
        return StoredVersion(subject, version, schema, ts)

    def soft_delete(self, subject: Subject, versions: Iterable[int]) -> None:
        """See `Ledger.soft_delete`."""
        self._connection.executemany(_SOFT_DELETE, [(subject.context, subject.name, version) for version in versions])

    def remove(self, subject: Subject, versions: Iterable[int]) -> Sequence[int]:
        """See `Ledger.remove`."""
        context, place = subject.context, (subject.context, subject.name)
        held = {schema_id for version in versions for (schema_id,) in self._rows(_REMOVE_VERSION, *place, version)}
        self._connection.execute(_REMOVE_EMPTY_SUBJECT, place)
        self._connection.executemany(_SPEND_ID, [(context, schema_id) for schema_id in held])
        return [schema_id for one in sorted(held) for (schema_id,) in self._rows(_REMOVE_SCHEMA, context, one)]

    def drop_context(self, context: str) -> None:
        """See `Ledger.drop_context`."""
        self._connection.execute(_DROP_CONTEXT, (context,))

    def put_document(self, kind: str, scope: Subject, document: Document) -> None:
        """See `Ledger.put_document`."""
        check_name(scope)
        body = json.dumps(document)
        self._connection.execute(_PUT_DOCUMENT, (scope.context, scope.name, kind, body))

    def drop_document(self, kind: str, scope: Subject) -> None:
        """See `Ledger.drop_document`."""
        self._connection.execute(_DROP_DOCUMENT, (scope.context, scope.name, kind))

    def record(self, entry: AuditEntry) -> None:
        """See `Ledger.record`."""
        scope, detail = entry.scope, json.dumps(entry.detail)
        self._connection.execute(_RECORD, (entry.ts, entry.who, entry.what, scope.context, scope.name, detail))

    def _schema_of(self, context: str, content: Content, ts: int, schema_id: int | None) -> StoredSchema:
        """Give the schema that a content is in a context, added where it is not there."""
        if schema_id is None:
            kept = schema_of(self._row(_SCHEMA_OF_CONTENT, context, content.guid))
            return kept or self._added(context, int(self._rows(_NEXT_ID, context)[0][0]), content, ts)
        if self.find_guid(context, schema_id) not in (None, content.guid):
            raise StoreError(f"id {schema_id} of the context {context!r} stands for another schema")
        self._connection.execute(_GIVEN_ID, (context, schema_id))
        return self.find_schema(context, schema_id) or self._added(context, schema_id, content, ts)

    def _added(self, context: str, schema_id: int, content: Content, ts: int) -> StoredSchema:
        self._connection.execute(_ADD_SCHEMA, (context, schema_id, *content_values(content), ts))
        for target, version in targets_of(context, content):
            self._connection.execute(_ADD_REFERENCE, (target.context, target.name, version, context, schema_id))
        return StoredSchema(context, schema_id, content, ts)

    def _row(self, statement: str, *values: object) -> Row | None:
        found: Row | None = self._connection.execute(statement, values).fetchone()
        return found

    def _rows(self, statement: str, *values: object) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()
