"""The statements that ask and change the PostgreSQL store's tables, over one connection.

Every question is one statement, which sees what was committed before it began, and every change as few as it can be:
all other writers wait while one goes to and fro.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from protopact.errors import StoreError
from protopact.registry import LATEST, Problem, Subject
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
    from collections.abc import Iterable, Mapping, Sequence

    from protopact.server.store.port import Content, Document
    from protopact.server.store.postgres_pool import Connection
    from protopact.server.store.rows import Row

_SCHEMA_BY_ID = f"{SELECT_SCHEMA} WHERE context = %s AND id = %s"
_SCHEMA_BY_GUID = f"{SELECT_SCHEMA} WHERE guid = %s ORDER BY context, id LIMIT 1"
_IDS_BY_GUID = "SELECT context, id FROM schemas WHERE guid = %s ORDER BY context, id"
_GUID = """SELECT guid FROM schemas WHERE context = %(context)s AND id = %(id)s
    UNION ALL SELECT guid FROM spent_ids WHERE context = %(context)s AND id = %(id)s LIMIT 1"""
_VERSION = f"{SELECT_VERSION} WHERE v.context = %s AND v.subject = %s AND (NOT v.deleted OR %s)"
_VERSION_BY_NUMBER = f"{_VERSION} AND v.version = %s"
_VERSIONS = f"{_VERSION} ORDER BY v.version DESC"
_LATEST_VERSION = f"{_VERSIONS} LIMIT 1"
# All that a registration looks at, at one go: three kinds of row, each with its kind in front. The text is looked for
# first, whatever the planner thinks of a table that it does not know yet.
_STANDING = """WITH s AS MATERIALIZED (
        SELECT * FROM schemas WHERE context = %(context)s AND digest = %(digest)s AND text = %(text)s
    ), same_text AS (
        SELECT s.context, s.id, s.guid, s.text, s.descriptor, s.refers, s.metadata, s.rule_set, s.schema_type, s.ts,
            v.subject, v.version, v.ts, v.deleted
        FROM s JOIN versions v ON v.context = s.context AND v.schema_id = s.id
        WHERE v.context = %(context)s AND v.subject = %(subject)s
    ), highest AS (
        SELECT s.context, s.id, s.guid, s.text, s.descriptor, s.refers, s.metadata, s.rule_set, s.schema_type, s.ts,
            v.subject, v.version, v.ts, v.deleted
        FROM versions v JOIN schemas s ON s.context = v.context AND s.id = v.schema_id
        WHERE v.context = %(context)s AND v.subject = %(subject)s ORDER BY v.version DESC LIMIT 1
    )
    SELECT 'highest', * FROM highest
    UNION ALL SELECT 'same text', * FROM same_text
    UNION ALL SELECT 'document', context, NULL, kind, body, NULL, NULL, NULL, NULL, NULL, NULL, name, NULL, NULL, NULL
        FROM documents WHERE (context, name) IN (SELECT * FROM unnest(%(contexts)s::text[], %(names)s::text[]))"""
_NUMBERS = """SELECT version FROM versions WHERE context = %s AND subject = %s AND (NOT deleted OR %s)
    ORDER BY version"""
_LAST_NUMBER = "SELECT version FROM versions WHERE context = %s AND subject = %s ORDER BY version DESC LIMIT 1"
# U+10FFFF is the last character: what starts with the prefix sorts before the prefix and it.
_SUBJECTS = """SELECT name, context FROM subjects s
    WHERE (%(context)s::text IS NULL OR context = %(context)s)
    AND name >= %(prefix)s AND name < %(prefix)s || chr(1114111) AND EXISTS (
        SELECT FROM versions v WHERE v.context = s.context AND v.subject = s.name AND (NOT v.deleted OR %(deleted)s)
    ) ORDER BY context, name"""
_USES = """SELECT subject, context, version FROM versions
    WHERE context = %s AND schema_id = %s AND (NOT deleted OR %s) ORDER BY subject, version"""
_REFERRERS = """SELECT DISTINCT r.schema_id FROM schema_references r
    WHERE r.target_context = %s AND r.target_subject = %s AND r.target_version = %s AND EXISTS (
        SELECT FROM versions v WHERE v.context = r.context AND v.schema_id = r.schema_id AND (NOT v.deleted OR %s)
    ) ORDER BY r.schema_id"""
_LINKS = """SELECT r.target_version, v.subject, v.context, v.version
    FROM schema_references r JOIN versions v ON v.context = r.context AND v.schema_id = r.schema_id
    WHERE r.target_context = %s AND r.target_subject = %s AND (NOT v.deleted OR %s)
    ORDER BY r.target_version, v.context, v.subject, v.version"""
_CONTEXTS = "SELECT name FROM contexts WHERE NOT dropped ORDER BY name"
_LAST_ID = "SELECT last_id FROM contexts WHERE name = %s"
_DOCUMENTS_AT = """SELECT kind, name, context, body FROM documents
    WHERE (context, name) IN (SELECT * FROM unnest(%s::text[], %s::text[]))"""
_DOCUMENTS = "SELECT name, context, body FROM documents WHERE kind = %s ORDER BY context, name"
_AUDIT = """SELECT ts, who, what, name, context, detail, number FROM audit
    WHERE number < %s ORDER BY number DESC LIMIT %s"""
_SNAPSHOT = "SELECT txid_current_snapshot()::text"
_REMOVALS = "SELECT removals FROM registry"

# The row of a context is its allocator of ids: who takes one holds the row until its transaction has ended.
_ADD_GIVEN_SCHEMA = """WITH allocated AS (
        INSERT INTO contexts (name, last_id) VALUES (%(context)s, %(id)s)
        ON CONFLICT (name) DO UPDATE SET last_id = greatest(contexts.last_id, excluded.last_id), dropped = FALSE
        RETURNING %(id)s::bigint AS last_id
    )
    INSERT INTO schemas
        (context, id, guid, text, digest, descriptor, refers, metadata, rule_set, schema_type, ts, again)
    SELECT %(context)s, last_id, %(guid)s, %(text)s, %(digest)s, %(descriptor)s, %(refers)s, %(metadata)s,
        %(rule_set)s, %(schema_type)s, %(ts)s, EXISTS (
            SELECT FROM schemas WHERE context = %(context)s AND guid = %(guid)s AND NOT again
        ) FROM allocated
    RETURNING id"""
# A version whose content gets the next id, unless the context has it already: all that others wait for, at one go.
_APPEND = """WITH kept AS (
        SELECT id FROM schemas WHERE context = %(context)s AND guid = %(guid)s ORDER BY id LIMIT 1
    ), allocated AS (
        INSERT INTO contexts (name, last_id) SELECT %(context)s, 1 WHERE NOT EXISTS (SELECT FROM kept)
        ON CONFLICT (name) DO UPDATE SET last_id = contexts.last_id + 1, dropped = FALSE RETURNING last_id
    ), added AS (
        INSERT INTO schemas
            (context, id, guid, text, digest, descriptor, refers, metadata, rule_set, schema_type, ts, again)
        SELECT %(context)s, last_id, %(guid)s, %(text)s, %(digest)s, %(descriptor)s, %(refers)s, %(metadata)s,
            %(rule_set)s, %(schema_type)s, %(ts)s, FALSE FROM allocated
        RETURNING id
    ), held AS (
        SELECT id, FALSE AS is_new FROM kept UNION ALL SELECT id, TRUE FROM added
    ), home AS (
        INSERT INTO subjects (context, name) VALUES (%(context)s, %(name)s) ON CONFLICT DO NOTHING
    ), placed AS (
        INSERT INTO versions (context, subject, version, schema_id, ts)
        SELECT %(context)s, %(name)s, %(version)s, id, %(ts)s FROM held
    )
    SELECT id, is_new FROM held"""
_CONTENT_NAMES = ("guid", "text", "digest", "descriptor", "refers", "metadata", "rule_set", "schema_type")
_ADD_REFERENCES = """INSERT INTO schema_references
        (target_context, target_subject, target_version, context, schema_id)
    SELECT *, %s, %s FROM unnest(%s::text[], %s::text[], %s::bigint[]) ON CONFLICT DO NOTHING"""
_ADD_VERSION = """WITH home AS (
        INSERT INTO subjects (context, name) VALUES (%(context)s, %(name)s) ON CONFLICT DO NOTHING
    )
    INSERT INTO versions (context, subject, version, schema_id, ts)
    VALUES (%(context)s, %(name)s, %(version)s, %(id)s, %(ts)s)"""
_SOFT_DELETE = "UPDATE versions SET deleted = TRUE WHERE context = %s AND subject = %s AND version = ANY (%s)"
_REMOVE_VERSIONS = """DELETE FROM versions WHERE context = %s AND subject = %s AND version = ANY (%s)
    RETURNING schema_id"""
_REMOVE_EMPTY_SUBJECT = """DELETE FROM subjects WHERE context = %(context)s AND name = %(name)s AND NOT EXISTS (
    SELECT FROM versions WHERE context = %(context)s AND subject = %(name)s)"""
_REMOVE_SCHEMAS = """WITH removed AS (
        DELETE FROM schemas s WHERE context = %s AND id = ANY (%s) AND NOT EXISTS (
            SELECT FROM versions v WHERE v.context = s.context AND v.schema_id = s.id
        ) RETURNING context, id, guid
    ), spent AS (
        INSERT INTO spent_ids (context, id, guid) SELECT context, id, guid FROM removed ON CONFLICT DO NOTHING
    ), counted AS (
        UPDATE registry SET removals = removals + 1 WHERE EXISTS (SELECT FROM removed)
    )
    SELECT id FROM removed ORDER BY id"""
_DROP_CONTEXT = "UPDATE contexts SET dropped = TRUE WHERE name = %s"
_PUT_DOCUMENT = """INSERT INTO documents (context, name, kind, body) VALUES (%s, %s, %s, %s)
    ON CONFLICT (context, name, kind) DO UPDATE SET body = excluded.body"""
_DROP_DOCUMENT = "DELETE FROM documents WHERE context = %s AND name = %s AND kind = %s"
_RECORD = """INSERT INTO audit (ts, who, what, context, name, detail)
    SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[])"""

_LIVE = False
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NUMBER_MAX = 2**63 - 1


class PostgresTables:
    """One connection's view of the tables: a store's `Reading`, and inside a transaction its `Ledger`."""

    def __init__(self, connection: Connection) -> None:
        """Use the connection, in whatever transaction it is."""
        self._cursor = connection.cursor()
        self._entries: list[tuple[object, ...]] = []

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
        row = self._named_row(_GUID, context=context, id=schema_id)
        return None if row is None else str(row[0])

    def find_version(self, subject: Subject, version: int, *, deleted: bool = False) -> StoredVersion | None:
        """See `Reading.find_version`."""
        place = (subject.context, subject.name)
        if version == LATEST:
            return version_of(self._row(_LATEST_VERSION, *place, _LIVE))
        return version_of(self._row(_VERSION_BY_NUMBER, *place, deleted, version))

    def versions(self, subject: Subject, *, deleted: bool = False) -> Sequence[StoredVersion]:
        """See `Reading.versions`."""
        return versions_of(self._rows(_VERSIONS, subject.context, subject.name, deleted))

    def standing(self, subject: Subject, text: str, scopes: Iterable[Subject] = ()) -> Standing:
        """See `Reading.standing`."""
        contexts, names = _places(scopes)
        digest, sendable = digest_of(text), text.replace("\0", "")  # which is not the text of the digest, then
        place: dict[str, object] = {"context": subject.context, "subject": subject.name}
        rows = self._named_rows(_STANDING, **place, digest=digest, text=sendable, contexts=contexts, names=names)
        parts: dict[str, list[Row]] = {"highest": [], "same text": [], "document": []}
        for kind, *columns in rows:
            parts[kind].append(tuple(columns))
        highest = next(iter(versions_of(parts["highest"])), None)
        latest = self.find_version(subject, LATEST) if highest is not None and highest.deleted else highest
        same_text = sorted(versions_of(parts["same text"]), key=lambda version: version.version, reverse=True)
        documents = _documents(
            (kind, name, context, body) for context, _, kind, body, *_, name, _, _, _ in parts["document"]
        )
        return Standing(latest, 0 if highest is None else highest.version, same_text, documents)

    def version_numbers(self, subject: Subject, *, deleted: bool = False) -> Sequence[int]:
        """See `Reading.version_numbers`."""
        return [number for (number,) in self._rows(_NUMBERS, subject.context, subject.name, deleted)]

    def last_version(self, subject: Subject) -> int:
        """See `Reading.last_version`."""
        return self._number(_LAST_NUMBER, subject.context, subject.name)

    def subjects(self, context: str | None, prefix: str = "", *, deleted: bool = False) -> Sequence[Subject]:
        """See `Reading.subjects`."""
        rows = self._named_rows(_SUBJECTS, context=context, prefix=prefix, deleted=deleted)
        return [Subject(name, its_context) for name, its_context in rows]

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
        return self._number(_LAST_ID, context)

    def documents_at(self, scopes: Iterable[Subject]) -> Mapping[tuple[str, Subject], Document]:
        """See `Reading.documents_at`."""
        return _documents(self._rows(_DOCUMENTS_AT, *_places(scopes)))

    def documents(self, kind: str) -> Sequence[tuple[Subject, Document]]:
        """See `Reading.documents`."""
        return [(Subject(name, context), json.loads(body)) for name, context, body in self._rows(_DOCUMENTS, kind)]

    def audit(self, *, before: int | None = None, entries_max: int = 100) -> Sequence[AuditEntry]:
        """See `Reading.audit`."""
        self.write_entries()
        rows = self._rows(_AUDIT, _NUMBER_MAX if before is None else before, entries_max)
        return [
            AuditEntry(ts, who, what, Subject(name, context), json.loads(detail), number)
            for ts, who, what, name, context, detail, number in rows
        ]

    def snapshot(self) -> str:
        """Give which transactions have ended and are seen: the same ones as long as nobody has changed anything."""
        return str(self._rows(_SNAPSHOT)[0][0])

    def removals(self) -> int:
        """Give how often schemas were removed for good, by anybody."""
        return self._number(_REMOVALS)

    def append(
        self, subject: Subject, version: int, content: Content, *, ts: int, schema_id: int | None = None
    ) -> StoredVersion:
        """See `Ledger.append`."""
        check_name(subject)
        place: dict[str, object] = {"context": subject.context, "name": subject.name, "version": version, "ts": ts}
        if schema_id is None:
            return StoredVersion(subject, version, self._appended(place, subject.context, content, ts), ts)
        schema = self._given(subject.context, content, ts, schema_id)
        self._cursor.execute(_ADD_VERSION, {**place, "id": schema.id})
        return StoredVersion(subject, version, schema, ts)

    def soft_delete(self, subject: Subject, versions: Iterable[int]) -> None:
        """See `Ledger.soft_delete`."""
        self._cursor.execute(_SOFT_DELETE, (subject.context, subject.name, list(versions)))

    def remove(self, subject: Subject, versions: Iterable[int]) -> Sequence[int]:
        """See `Ledger.remove`."""
        place = (subject.context, subject.name)
        held = {schema_id for (schema_id,) in self._rows(_REMOVE_VERSIONS, *place, list(versions))}
        self._cursor.execute(_REMOVE_EMPTY_SUBJECT, {"context": subject.context, "name": subject.name})
        return [schema_id for (schema_id,) in self._rows(_REMOVE_SCHEMAS, subject.context, sorted(held))]

    def drop_context(self, context: str) -> None:
        """See `Ledger.drop_context`."""
        self._cursor.execute(_DROP_CONTEXT, (context,))

    def put_document(self, kind: str, scope: Subject, document: Document) -> None:
        """See `Ledger.put_document`."""
        check_name(scope)
        body = json.dumps(document)
        self._cursor.execute(_PUT_DOCUMENT, (scope.context, scope.name, kind, body))

    def drop_document(self, kind: str, scope: Subject) -> None:
        """See `Ledger.drop_document`."""
        self._cursor.execute(_DROP_DOCUMENT, (scope.context, scope.name, kind))

    def record(self, entry: AuditEntry) -> None:
        """See `Ledger.record`; entries are written together, by `write_entries`."""
        texts = (entry.who, entry.what, entry.scope.context, entry.scope.name, json.dumps(entry.detail))
        if not _can_be_kept(texts) or not all(map(_is_sendable, texts)):
            raise StoreError("an entry of the audit log holds a character that the store has not")
        self._entries.append((entry.ts, *texts))

    @property
    def entries(self) -> int:
        """How many entries wait to be written."""
        return len(self._entries)

    def drop_entries(self, after: int) -> None:
        """Forget the waiting entries but the first ones."""
        del self._entries[after:]

    def write_entries(self) -> None:
        """Write the entries that wait."""
        if self._entries:
            self._cursor.execute(_RECORD, [list(column) for column in zip(*self._entries, strict=True)])
            self._entries.clear()

    def _appended(self, place: Mapping[str, object], context: str, content: Content, ts: int) -> StoredSchema:
        """Add a version and give its schema, added where the context does not have that content."""
        schema_id, is_new = self._written(_APPEND, content, place)
        if is_new:
            return self._added(context, content, ts, schema_id)
        kept = self.find_schema(context, schema_id)
        if kept is None:
            raise StoreError("the store did not keep a schema")
        return kept

    def _given(self, context: str, content: Content, ts: int, schema_id: int) -> StoredSchema:
        """Give the schema that a content is under an id, added where it is not there."""
        if self.find_guid(context, schema_id) not in (None, content.guid):
            raise StoreError(f"id {schema_id} of the context {context!r} stands for another schema")
        kept = self.find_schema(context, schema_id)
        if kept is not None:
            return kept
        self._written(_ADD_GIVEN_SCHEMA, content, {"context": context, "id": schema_id, "ts": ts})
        return self._added(context, content, ts, schema_id)

    def _written(self, statement: str, content: Content, place: Mapping[str, object]) -> Row:
        """Write a content and give the row that tells of it."""
        if "\0" in content.text:
            raise Problem.INVALID_SCHEMA.error(reason="it holds the character U+0000")
        columns = dict(zip(_CONTENT_NAMES, content_values(content), strict=True))
        row = self._named_row(statement, **place, **columns)
        if row is None:
            raise StoreError("the store did not keep a schema")
        return row

    def _added(self, context: str, content: Content, ts: int, schema_id: int) -> StoredSchema:
        """Write what a schema that was added refers to, and give it."""
        added = StoredSchema(context, schema_id, content, ts)
        targets = targets_of(context, content)
        if targets:
            places = ([target.context for target, _ in targets], [target.name for target, _ in targets])
            numbers = [version for _, version in targets]
            self._cursor.execute(_ADD_REFERENCES, (context, added.id, *places, numbers))
        return added

    def _number(self, statement: str, *values: object) -> int:
        """Give the number that a statement finds, 0 for none."""
        row = self._row(statement, *values)
        return 0 if row is None or row[0] is None else int(row[0])

    def _row(self, statement: str, *values: object) -> Row | None:
        return next(iter(self._rows(statement, *values)), None)

    def _rows(self, statement: str, *values: object) -> list[Row]:
        return self._cursor.execute(statement, values).fetchall() if _can_be_kept(values) else []

    def _named_row(self, statement: str, **values: object) -> Row | None:
        return next(iter(self._named_rows(statement, **values)), None)

    def _named_rows(self, statement: str, **values: object) -> list[Row]:
        return self._cursor.execute(statement, values).fetchall() if _can_be_kept(values.values()) else []


def _places(scopes: Iterable[Subject]) -> tuple[list[str], list[str]]:
    """Give what _DOCUMENTS_AT asks for."""
    wanted = list(scopes)
    return [scope.context for scope in wanted], [scope.name for scope in wanted]


def _documents(rows: Iterable[Row]) -> dict[tuple[str, Subject], Document]:
    return {(kind, Subject(name, context)): json.loads(body) for kind, name, context, body in rows}


def _is_sendable(text: str) -> bool:
    """Whether UTF-8 can carry a text."""
    return text.isascii() or _SURROGATE.search(text) is None


def _can_be_kept(values: Iterable[object]) -> bool:
    """Whether the database can hold these values: a text with U+0000 is none, and nothing is found by it."""
    return not any(isinstance(value, str) and "\0" in value for value in values)
