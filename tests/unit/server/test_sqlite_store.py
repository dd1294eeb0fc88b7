"""What is SQLite's own in the embedded store."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from protopact.errors import ConfigError, StoreError
from protopact.registry import Reference, Subject, content_guid
from protopact.server.store import Content, SqliteStore, migrate, open_store, sqlite
from protopact.server.store.migrate import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys
from protopact.registry import Subject, content_guid
from protopact.server.store import Content, open_store
store = open_store("sqlite:" + sys.argv[1])
for number in range(1_000_000):
    with store.writing() as ledger:
        text = f"text {number}"
        version = ledger.append(Subject("s"), ledger.last_version(Subject("s")) + 1,
                                Content(content_guid(text), text, b""), ts=1)
    print(version.version, version.schema.id, flush=True)
"""


def test_every_commit_is_written_ahead_and_synchronised_in_full(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "r.db")) as store:
        connections = [store._writer, store._connect()]
        for connection in connections:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        connections[1].close()


def test_a_store_that_cannot_write_ahead_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.db"
    monkeypatch.setattr(sqlite, "_FULL", 3)
    with pytest.raises(StoreError, match="cannot be made durable"):
        SqliteStore(path)


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(StoreError, match="is of version") as caught:
        SqliteStore(path)
    assert "newer" in caught.value.hint


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_an_older_database_is_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.db"
    SqliteStore(path).close()
    monkeypatch.setattr(migrate, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE added (x)",)))
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
        assert connection.execute("SELECT count(*) FROM added").fetchone() == (0,)


def version_one(path: Path) -> None:
    """Make a database as the first release made it, with a schema, one that refers to it, and a deleted version."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {migrate.APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO contexts VALUES ('.', 5)")
        refers = '[{"name": "m.proto", "subject": "m", "version": 1}]'
        for schema_id, text, references in ((1, "m", ""), (5, "text \u0141", refers)):
            guid = content_guid(text, [Reference("m.proto", "m", 1)] if references else [])
            row = (".", schema_id, guid, text, b"d", references, '{"properties": {"k": "v"}}', None, 7)
            connection.execute("INSERT INTO schemas VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        connection.execute("INSERT INTO schema_references VALUES ('.', 'm', 1, '.', 5)")
        connection.executemany("INSERT INTO subjects VALUES ('.', ?)", [("m",), ("s",)])
        versions = [(".", "m", 1, 1, 7, 0), (".", "s", 1, 1, 7, 1), (".", "s", 2, 5, 8, 0)]
        connection.executemany("INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)", versions)
        connection.commit()


def test_a_database_of_the_first_version_is_brought_up_to_date_with_all_that_it_has(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    version_one(path)
    with closing(SqliteStore(path)) as store:
        found = store.find_version(Subject("s"), 2)
        assert found is not None
        assert (found.schema.id, found.schema.content.text, found.ts) == (5, "text \u0141", 8)
        assert found.schema.content.schema_type == "PROTOBUF"
        assert found.schema.content.references == (Reference("m.proto", "m", 1),)
        assert list(store.standing(Subject("s"), "text \u0141").same_text) == [found]
        assert list(store.version_numbers(Subject("s"), deleted=True)) == [1, 2]
        assert list(store.referrers(Subject("m"), 1)) == [5]
        assert store.last_id(".") == 5
        with store.writing() as ledger:
            again = ledger.append(Subject("t"), 1, found.schema.content, ts=9)
            new = ledger.append(Subject("t"), 2, Content(content_guid("n"), "n", b""), ts=9)
        assert (again.schema.id, new.schema.id) == (5, 6)
        assert store._writer.execute("PRAGMA foreign_key_check").fetchall() == []
        assert store._writer.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.db"
    SqliteStore(path).close()
    monkeypatch.setattr(migrate, "MIGRATIONS", (*MIGRATIONS, ("CREATE TABLE added (x)", "nonsense")))
    with pytest.raises(StoreError, match="syntax error"):
        SqliteStore(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'added'").fetchone() == (0,)


@pytest.mark.parametrize("damage", [b"this is no database, whatever it is" * 100, b"\0" * 4096])
def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "r.db"
    path.write_bytes(damage)
    with pytest.raises(StoreError):
        SqliteStore(path)


def test_a_directory_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"r\.db"):
        SqliteStore(tmp_path / "none" / "r.db")


def test_a_new_database_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    SqliteStore(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "url", ["", "memory", "sqlite:", "sqlite", "mysql://x:pw@y", "postgresql:x", "memory:x", "/a/path"]
)
def test_an_address_of_no_store_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match="no store has the address") as caught:
        open_store(url)
    assert caught.value.option == "store"


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path) -> None:
    path, acknowledged = tmp_path / "r.db", 0
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _, line in zip(range(20), process.stdout, strict=False):
            acknowledged = int(line.split()[0])
        process.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line.split()[0]) for line in process.stdout if line.endswith("\n"))])
        process.wait()
        process.stdout.close()
        with closing(SqliteStore(path)) as store:
            numbers = list(store.version_numbers(Subject("s")))
            assert numbers == list(range(1, len(numbers) + 1))
            assert len(numbers) >= acknowledged
            assert store._writer.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("place", [":memory:", "registry.db"])
def test_a_mark_stays_the_same_until_something_is_changed(place: str, tmp_path: Path) -> None:
    with closing(SqliteStore(place if place == ":memory:" else tmp_path / place)) as store:
        before = store.mark()
        assert list(store.subjects(None)) == []
        assert store.mark() == before
        with store.writing() as ledger:
            ledger.put_document("config", Subject("s"), {})
        after = store.mark()
        assert after != before
        assert store.mark() == after
