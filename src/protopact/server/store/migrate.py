"""The tables of the SQLite store, as a list of migrations: a database remembers how many of them it has seen."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from protopact.errors import StoreError

if TYPE_CHECKING:
    import sqlite3

APPLICATION_ID = 0x70706163
"""What marks a database as ours: `ppac`, in SQLite's application_id."""

# Never change a migration that was released: add one.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Ids count per context. The counter outlives the schemas, so that no id ever means two contents.
        """CREATE TABLE contexts (
            name TEXT PRIMARY KEY,
            last_id INTEGER NOT NULL DEFAULT 0
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE schemas (
            context TEXT NOT NULL REFERENCES contexts (name),
            id INTEGER NOT NULL,
            guid TEXT NOT NULL,
            text TEXT NOT NULL,
            descriptor BLOB NOT NULL,
            refers TEXT NOT NULL,
            metadata TEXT,
            rule_set TEXT,
            ts INTEGER NOT NULL,
            PRIMARY KEY (context, id),
            UNIQUE (context, guid)
        ) STRICT""",
        "CREATE INDEX schemas_by_guid ON schemas (guid, context)",
        # Who refers to a version: what `refers` says, turned round.
        """CREATE TABLE schema_references (
            target_context TEXT NOT NULL,
            target_subject TEXT NOT NULL,
            target_version INTEGER NOT NULL,
            context TEXT NOT NULL,
            schema_id INTEGER NOT NULL,
            PRIMARY KEY (target_context, target_subject, target_version, context, schema_id),
            FOREIGN KEY (context, schema_id) REFERENCES schemas (context, id) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE subjects (
            context TEXT NOT NULL REFERENCES contexts (name),
            name TEXT NOT NULL,
            PRIMARY KEY (context, name)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE versions (
            context TEXT NOT NULL,
            subject TEXT NOT NULL,
            version INTEGER NOT NULL,
            schema_id INTEGER NOT NULL,
            ts INTEGER NOT NULL,
            deleted INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (context, subject, version),
            FOREIGN KEY (context, subject) REFERENCES subjects (context, name),
            FOREIGN KEY (context, schema_id) REFERENCES schemas (context, id)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX versions_by_schema ON versions (context, schema_id, subject, version)",
    ),
    (
        "ALTER TABLE contexts ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0",
        # `again` marks a content that was imported under a second id; without it, a content has one id.
        # `digest` is the SHA-256 of the text: texts are looked up by it, for an index over them would be as large.
        """CREATE TABLE new_schemas (
            context TEXT NOT NULL REFERENCES contexts (name),
            id INTEGER NOT NULL,
            guid TEXT NOT NULL,
            text TEXT NOT NULL,
            digest BLOB NOT NULL,
            descriptor BLOB NOT NULL,
            refers TEXT NOT NULL,
            metadata TEXT,
            rule_set TEXT,
            schema_type TEXT NOT NULL,
            ts INTEGER NOT NULL,
            again INTEGER NOT NULL,
            PRIMARY KEY (context, id)
        ) STRICT""",
        """INSERT INTO new_schemas
            SELECT context, id, guid, text, sha256(text), descriptor, refers, metadata, rule_set, 'PROTOBUF', ts, 0
            FROM schemas""",
        "DROP TABLE schemas",
        "ALTER TABLE new_schemas RENAME TO schemas",
        "CREATE UNIQUE INDEX schemas_by_content ON schemas (context, guid) WHERE again = 0",
        "CREATE INDEX schemas_by_guid ON schemas (guid, context, id)",
        "CREATE INDEX schemas_by_text ON schemas (context, digest)",
        # Ids whose schemas were removed: what they stood for, so that they never stand for anything else.
        """CREATE TABLE spent_ids (
            context TEXT NOT NULL,
            id INTEGER NOT NULL,
            guid TEXT NOT NULL,
            PRIMARY KEY (context, id)
        ) STRICT, WITHOUT ROWID""",
        # Configs, modes and whatever else is a JSON object with a kind and a scope.
        """CREATE TABLE documents (
            context TEXT NOT NULL,
            name TEXT NOT NULL,
            kind TEXT NOT NULL,
            body TEXT NOT NULL,
            PRIMARY KEY (context, name, kind)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX documents_by_kind ON documents (kind, context, name)",
    ),
    (
        """CREATE TABLE audit (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            ts INTEGER NOT NULL,
            who TEXT NOT NULL,
            what TEXT NOT NULL,
            context TEXT NOT NULL,
            name TEXT NOT NULL,
            detail TEXT NOT NULL
        ) STRICT""",
        # An entry is for good: no statement of ours changes one, and none of anybody else's by mistake.
        "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is final'); END",
        "CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is final'); END",
    ),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to this program's version, in one transaction.

    StoreError for a database of a newer version, and for one that is not a registry's.
    """
    connection.create_function("sha256", 1, _sha256, deterministic=True)
    # A table that others refer to is changed by making it anew, which their references must not notice.
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("BEGIN IMMEDIATE")
    try:
        seen = _seen(connection)
        for statements in MIGRATIONS[seen:]:
            for statement in statements:
                connection.execute(statement)
        if seen < len(MIGRATIONS):
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            _check_references(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    finally:
        connection.execute("PRAGMA foreign_keys = ON")


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _check_references(connection: sqlite3.Connection) -> None:
    broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise StoreError(f"the database is damaged: its table {broken[0]!r} refers to rows that are not there")


def _seen(connection: sqlite3.Connection) -> int:
    """Give the number of migrations that the database has seen."""
    (owner,) = connection.execute("PRAGMA application_id").fetchone()
    (seen,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if owner != APPLICATION_ID and (owner or seen or tables):
        raise StoreError("the database belongs to another program", hint="name another file for the registry")
    if seen > len(MIGRATIONS):
        raise StoreError(
            f"the database is of version {seen}, this program knows versions up to {len(MIGRATIONS)}",
            hint="use a newer protopact, or restore a backup made with this one",
        )
    version: int = seen
    return version
