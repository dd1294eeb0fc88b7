"""Copies of a SQLite store, and putting them back."""

from __future__ import annotations

import sqlite3
import stat
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from protopact.errors import ConfigError, StoreError
from protopact.registry import Reference, Subject, content_guid
from protopact.server.store import AuditEntry, Content, Store, StoredVersion, open_store
from protopact.server.store.backup import backup, restore
from protopact.server.store.migrate import MIGRATIONS

if TYPE_CHECKING:
    from pathlib import Path

ORDERS, MONEY = Subject("orders"), Subject("money", ".eu")


def add(store: Store, subject: Subject, text: str, *references: Reference) -> StoredVersion:
    with store.writing() as ledger:
        content = Content(content_guid(text, references), text, b"d", references)
        ledger.record(AuditEntry(1, "ann", "register", subject, {}))
        return ledger.append(subject, ledger.last_version(subject) + 1, content, ts=5)


def filled(path: Path) -> str:
    url = f"sqlite:{path}"
    with closing(open_store(url)) as store:
        add(store, MONEY, "m")
        add(store, ORDERS, "a")
        add(store, ORDERS, "b", Reference("m.proto", ":.eu:money", 1))
        with store.writing() as ledger:
            ledger.soft_delete(ORDERS, [1])
            ledger.remove(ORDERS, [1])
            ledger.put_document("config", ORDERS, {"compatibilityLevel": "FULL"})
    return url


def everything(url: str) -> list[object]:
    with closing(open_store(url)) as store:
        subjects = list(store.subjects(None, deleted=True))
        return [
            subjects,
            [list(store.versions(subject, deleted=True)) for subject in subjects],
            [store.last_id(context) for context in store.contexts()],
            store.find_guid(".", 1),
            list(store.documents("config")),
            list(store.audit()),
        ]


def test_a_copy_put_back_is_the_same_registry_and_goes_on_counting(tmp_path: Path) -> None:
    url, copy, again = filled(tmp_path / "r.db"), tmp_path / "copy", f"sqlite:{tmp_path / 'again.db'}"
    backup(url, copy)
    restore(copy, again)
    assert everything(again) == everything(url)
    with closing(open_store(again)) as store:
        assert add(store, ORDERS, "a").schema.id == 3
        with closing(sqlite3.connect(tmp_path / "again.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_copy_is_one_file_of_its_owner_alone(tmp_path: Path) -> None:
    url = filled(tmp_path / "r.db")
    (tmp_path / "copies").mkdir()
    backup(url, tmp_path / "copies" / "one")
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["one"]
    assert stat.S_IMODE((tmp_path / "copies" / "one").stat().st_mode) == 0o600


def test_a_copy_taken_during_writes_is_whole_and_holds_what_was_acknowledged(tmp_path: Path) -> None:
    url, stop, acknowledged = filled(tmp_path / "r.db"), threading.Event(), [2]
    with closing(open_store(url)) as store:

        def write() -> None:
            while not stop.is_set():
                acknowledged.append(add(store, ORDERS, f"t{len(acknowledged)}").version)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(5):
                before = len(acknowledged)
                while len(acknowledged) < before + 10:
                    pass
                least = acknowledged[-1]
                backup(url, tmp_path / f"copy{number}")
                restore(tmp_path / f"copy{number}", f"sqlite:{tmp_path / f'again{number}.db'}")
                with closing(open_store(f"sqlite:{tmp_path / f'again{number}.db'}")) as again:
                    numbers = list(again.version_numbers(ORDERS))
                    assert numbers == list(range(2, len(numbers) + 2))
                    assert numbers[-1] >= least
                    assert list(again.versions(ORDERS)) == list(store.versions(ORDERS))[-len(numbers) :]
        finally:
            stop.set()
            writer.join()


def test_nothing_is_restored_over_a_store_that_holds_something(tmp_path: Path) -> None:
    url, copy = filled(tmp_path / "r.db"), tmp_path / "copy"
    backup(url, copy)
    before = everything(url)
    with pytest.raises(StoreError, match="is not empty"):
        restore(copy, url)
    assert everything(url) == before
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as theirs:
        theirs.execute("CREATE TABLE t (a)")
    with pytest.raises(StoreError, match="is not empty"):
        restore(copy, f"sqlite:{tmp_path / 'theirs.db'}")


def test_nothing_is_restored_over_a_store_that_is_open(tmp_path: Path) -> None:
    url, copy, empty = filled(tmp_path / "r.db"), tmp_path / "copy", f"sqlite:{tmp_path / 'empty.db'}"
    backup(url, copy)
    with closing(open_store(empty)) as store:
        with pytest.raises(StoreError, match="is in use") as caught:
            restore(copy, empty)
        assert "stop" in caught.value.hint
        assert add(store, ORDERS, "x").schema.id == 1
    with closing(open_store(f"sqlite:{tmp_path / 'other.db'}")):
        pass
    restore(copy, f"sqlite:{tmp_path / 'other.db'}")
    assert everything(f"sqlite:{tmp_path / 'other.db'}") == everything(url)


def test_a_copy_never_takes_the_place_of_a_file(tmp_path: Path) -> None:
    url, copy = filled(tmp_path / "r.db"), tmp_path / "copy"
    copy.write_text("mine")
    with pytest.raises(StoreError, match="exists"):
        backup(url, copy)
    assert copy.read_text() == "mine"


def test_what_is_no_registrys_copy_is_refused(tmp_path: Path) -> None:
    url, copy, new = filled(tmp_path / "r.db"), tmp_path / "copy", tmp_path / "new.db"
    backup(url, copy)
    for name, statement in (
        ("newer", f"PRAGMA user_version = {len(MIGRATIONS) + 1}"),
        ("theirs", "PRAGMA application_id = 1"),
    ):
        (tmp_path / name).write_bytes(copy.read_bytes())
        with closing(sqlite3.connect(tmp_path / name)) as connection:
            connection.execute(statement)
        with pytest.raises(StoreError):
            restore(tmp_path / name, f"sqlite:{new}")
    data = bytearray(copy.read_bytes())
    data[4096 * 2 : 4096 * 4] = b"\xff" * 8192
    (tmp_path / "damaged").write_bytes(data)
    (tmp_path / "text").write_text("no database" * 1000)
    for name in ("damaged", "text", "absent"):
        with pytest.raises(StoreError):
            restore(tmp_path / name, f"sqlite:{new}")
    with pytest.raises(StoreError, match="no file"):
        backup(f"sqlite:{tmp_path / 'absent'}", tmp_path / "other")
    assert not new.exists()


@pytest.mark.parametrize("url", ["memory:", "postgresql://u:secret@h/d", "sqlite:"])
def test_only_a_sqlite_store_is_copied_this_way(url: str, tmp_path: Path) -> None:
    for run in (lambda: backup(url, tmp_path / "c"), lambda: restore(tmp_path / "c", url)):
        with pytest.raises(ConfigError) as caught:
            run()
        assert "secret" not in str(caught.value)
