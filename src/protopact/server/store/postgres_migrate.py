"""The tables of the PostgreSQL store, as a list of migrations: a database remembers how many of them it has seen.

All stands in the schema `protopact` of whatever database is named, so that it may be shared with others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from protopact.errors import StoreError

if TYPE_CHECKING:
    from protopact.server.store.postgres_pool import Connection

WRITERS_LOCK = 0x7070616300000001
"""The key of the advisory lock that whoever writes or migrates holds: `ppac`, and 1."""

# Never change a migration that was released: add one.
MIGRATIONS: tuple[str, ...] = (
    # Names are compared by their code points, whatever the database's own order is: lists come sorted alike from every
    # store, and an index serves a search by prefix. An index begins with the column that tells most rows apart: until
    # a table's first ANALYZE, PostgreSQL takes all columns for equally good, and would go through a whole context.
    """
    CREATE TABLE contexts (
        name TEXT COLLATE "C" PRIMARY KEY,
        last_id BIGINT NOT NULL,
        dropped BOOLEAN NOT NULL DEFAULT FALSE
    );

    CREATE TABLE schemas (
        context TEXT COLLATE "C" NOT NULL REFERENCES contexts (name),
        id BIGINT NOT NULL,
        guid TEXT COLLATE "C" NOT NULL,
        text TEXT NOT NULL,
        digest BYTEA NOT NULL,
        descriptor BYTEA NOT NULL,
        refers TEXT NOT NULL,
        metadata TEXT,
        rule_set TEXT,
        schema_type TEXT NOT NULL,
        ts BIGINT NOT NULL,
        again BOOLEAN NOT NULL,
        PRIMARY KEY (id, context)
    );
    -- `again` marks a content that was imported under a second id; without it, a content has one id.
    CREATE UNIQUE INDEX schemas_by_content ON schemas (guid, context) WHERE NOT again;
    CREATE INDEX schemas_by_guid ON schemas (guid, context, id);
    CREATE INDEX schemas_by_text ON schemas (digest, context);

    -- Who refers to a version: what `refers` says, turned round.
    CREATE TABLE schema_references (
        target_context TEXT COLLATE "C" NOT NULL,
        target_subject TEXT COLLATE "C" NOT NULL,
        target_version BIGINT NOT NULL,
        context TEXT COLLATE "C" NOT NULL,
        schema_id BIGINT NOT NULL,
        PRIMARY KEY (target_subject, target_context, target_version, schema_id, context),
        FOREIGN KEY (context, schema_id) REFERENCES schemas (context, id) ON DELETE CASCADE
    );
    CREATE INDEX schema_references_by_schema ON schema_references (schema_id, context);

    CREATE TABLE subjects (
        context TEXT COLLATE "C" NOT NULL REFERENCES contexts (name),
        name TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (name, context)
    );

    CREATE TABLE versions (
        context TEXT COLLATE "C" NOT NULL,
        subject TEXT COLLATE "C" NOT NULL,
        version BIGINT NOT NULL,
        schema_id BIGINT NOT NULL,
        ts BIGINT NOT NULL,
        deleted BOOLEAN NOT NULL DEFAULT FALSE,
        PRIMARY KEY (subject, context, version),
        FOREIGN KEY (context, subject) REFERENCES subjects (context, name),
        FOREIGN KEY (context, schema_id) REFERENCES schemas (context, id)
    );
    CREATE INDEX versions_by_schema ON versions (schema_id, context, subject, version);

    -- Ids whose schemas were removed: what they stood for, so that they never stand for anything else.
    CREATE TABLE spent_ids (
        context TEXT COLLATE "C" NOT NULL,
        id BIGINT NOT NULL,
        guid TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (id, context)
    );

    -- Configs, modes and whatever else is a JSON object with a kind and a scope.
    CREATE TABLE documents (
        context TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        kind TEXT COLLATE "C" NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (name, context, kind)
    );
    CREATE INDEX documents_by_kind ON documents (kind, context, name);

    CREATE TABLE audit (
        number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        ts BIGINT NOT NULL,
        who TEXT NOT NULL,
        what TEXT NOT NULL,
        context TEXT NOT NULL,
        name TEXT NOT NULL,
        detail TEXT NOT NULL
    );
    -- An entry is for good: no statement of ours changes one, and none of anybody else's by mistake.
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'audit is final'; END $$;
    CREATE TRIGGER audit_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    """,
)

_FIRST = """
    CREATE TABLE registry (
        single BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (single),
        version INTEGER NOT NULL,
        removals BIGINT NOT NULL DEFAULT 0
    );
    INSERT INTO registry (version) VALUES (0);
"""
_BEGIN = f"""
    BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
    SET LOCAL lock_timeout = '60s';
    SET LOCAL statement_timeout = 0;
    SELECT pg_advisory_xact_lock({WRITERS_LOCK});
"""
_HAS_SCHEMA = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'protopact')"
_HAS_TABLES = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'protopact')"
# Not to_regclass: it may answer out of a cache that has not heard of another session's commit.
_HAS_VERSION = "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'protopact' AND tablename = 'registry')"


def migrate(connection: Connection) -> None:
    """Bring a database to this program's version, in one transaction; several programs may do so at once.

    StoreError for a database of a newer version, for one whose schema `protopact` is another program's, and where
    this role may not make tables.
    """
    if _seen(connection) == len(MIGRATIONS):
        return
    try:
        connection.execute(_BEGIN)
        seen = _seen(connection)
        if seen is None:
            _make_home(connection)
        for statements in MIGRATIONS[seen or 0 :]:
            connection.execute(statements)
        connection.execute("UPDATE registry SET version = %s", (len(MIGRATIONS),))
        connection.execute("COMMIT")
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreError(
            "the database does not let this role make the registry's tables",
            hint="run CREATE SCHEMA protopact AUTHORIZATION the_role, as the database's owner",
        ) from error
    finally:
        connection.rollback()


def _make_home(connection: Connection) -> None:
    if not _yes(connection, _HAS_SCHEMA):
        connection.execute("CREATE SCHEMA protopact")
    if _yes(connection, _HAS_TABLES):
        raise StoreError("the database's schema 'protopact' belongs to another program", hint="name another database")
    connection.execute(_FIRST)


def _seen(connection: Connection) -> int | None:
    """Give the number of migrations that the database has seen; None for one that never was a registry's."""
    if not _yes(connection, _HAS_VERSION):
        return None
    row = connection.execute("SELECT version FROM registry").fetchone()
    if row is None or not isinstance(row[0], int):
        raise StoreError("the database is damaged: it does not tell its version")
    if row[0] > len(MIGRATIONS):
        raise StoreError(
            f"the database is of version {row[0]}, this program knows versions up to {len(MIGRATIONS)}",
            hint="use a newer protopact, or restore a backup made with this one",
        )
    return row[0]


def _yes(connection: Connection, question: str) -> bool:
    return connection.execute(question).fetchone() == (True,)
