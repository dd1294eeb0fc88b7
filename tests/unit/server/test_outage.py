"""A store that does not answer, and one that takes its time: what the server makes of them."""

from __future__ import annotations

import asyncio
import errno
import json
import sqlite3
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from protopact.errors import ConfigError, MissingExtraError, StoreUnavailableError
from protopact.flow import Call, perform, perform_async
from protopact.registry import Subject, content_guid
from protopact.server import Registry, open_store
from protopact.server.store import Content, SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from protopact.compiler import Workers
    from protopact.server.store import StoredSchema


class SlowStore(SqliteStore):
    """A store that is asked over a network: it says where it was asked, and whether it is away."""

    answers_at_once = False

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.threads: set[int] = set()
        self.is_away = False
        self.tell: Callable[[], object] = lambda: None

    def find_schema(self, context: str, schema_id: int) -> StoredSchema | None:
        self.threads.add(threading.get_ident())
        if self.is_away:
            raise StoreUnavailableError("the store does not answer", hint="connection refused by 10.0.0.1")
        return super().find_schema(context, schema_id)

    def when_removed(self, tell: Callable[[], object]) -> None:
        self.tell = tell


def test_an_outage_is_answered_by_503_and_when_to_come_again(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    store = SlowStore()
    with closing(Registry(store, workers=workers)) as registry:
        store.is_away = True
        reply = perform(registry.exchange(Call("GET", "/schemas/ids/1")))
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert json.loads(reply.body) == {"error_code": 503, "message": "the store does not answer"}
        assert perform(registry.exchange(Call("GET", "/health/ready"))).status == 503
        assert perform(registry.exchange(Call("GET", "/health/live"))).status == 200
        store.is_away = False
        assert perform(registry.exchange(Call("GET", "/schemas/ids/1"))).status == 404
        assert perform(registry.exchange(Call("GET", "/health/ready"))).status == 200
    assert all(record.exc_info is None for record in caplog.records)


def test_a_store_that_takes_its_time_is_never_asked_on_the_event_loop(workers: Workers) -> None:
    store = SlowStore()

    async def ask() -> int:
        return (await perform_async(registry.exchange(Call("GET", "/schemas/ids/1")))).status

    with closing(Registry(store, workers=workers)) as registry:
        assert asyncio.run(ask()) == 404
    assert store.threads
    assert threading.get_ident() not in store.threads


def test_what_somebody_else_removed_is_not_served_once_the_store_tells(workers: Workers) -> None:
    store, orders = SlowStore(), Subject("orders")
    with closing(Registry(store, workers=workers)) as registry:

        def status() -> int:
            return perform(registry.exchange(Call("GET", "/schemas/ids/1"))).status

        with store.writing() as ledger:
            ledger.append(orders, 1, Content(content_guid("a"), "a", b""), ts=1)
        assert status() == 200
        with store.writing() as ledger:
            ledger.remove(orders, [1])
        assert status() == 200  # prepared, and nobody told
        store.tell()
        assert status() == 404


def test_a_full_disk_and_a_locked_file_may_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("protopact.server.store.sqlite._BUSY_S", 0.05)
    path, orders = tmp_path / "r.db", Subject("orders")

    def add(text: str) -> None:
        with store.writing() as ledger:
            ledger.append(orders, ledger.last_version(orders) + 1, Content(content_guid(text), text, b""), ts=1)

    with closing(SqliteStore(path)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailableError, match="locked"):
                add("a")
            other.execute("ROLLBACK")
        pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
        store._writer.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreUnavailableError, match="full"):
            add("b" * 100_000)
        store._writer.execute("PRAGMA max_page_count = 1000000")
        add("b" * 100_000)
        assert list(store.version_numbers(orders)) == [1]


def test_a_registry_that_cannot_write_serves_what_it_has_and_says_so(
    tmp_path: Path, workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "r.db"
    store = SqliteStore(path)
    with closing(Registry(store, workers=workers)) as registry:

        def ask(method: str, path: str, body: object = None) -> tuple[int, object, str | None]:
            reply = perform(
                registry.exchange(Call(method, path, (), {}, b"" if body is None else json.dumps(body).encode()))
            )
            return reply.status, json.loads(reply.body), reply.headers.get("retry-after")

        assert ask("GET", "/health/ready") == (200, {"status": "ready", "writes": "accepted"}, None)
        pages = store._writer.execute("PRAGMA page_count").fetchone()[0]
        store._writer.execute(f"PRAGMA max_page_count = {pages}")
        long = {"defaultMetadata": {"properties": {"owner": "a" * 100_000}}}
        assert ask("PUT", "/config/orders", long) == (503, {"error_code": 503, "message": "the store is full"}, "1")
        assert ask("GET", "/subjects")[:2] == (200, [])
        assert ask("GET", "/health/ready") == (200, {"status": "ready", "writes": "failing"}, None)
        store._writer.execute("PRAGMA max_page_count = 1000000")
        assert ask("PUT", "/config/orders", {"compatibility": "NONE"})[0] == 200
        assert ask("GET", "/health/ready") == (200, {"status": "ready", "writes": "accepted"}, None)
    assert "database or disk is full" in caplog.text
    assert str(tmp_path) not in caplog.text


@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_WRITE])
def test_a_disk_that_fails_may_pass_and_is_never_the_client_s_matter(tmp_path: Path, code: int) -> None:
    failure = sqlite3.OperationalError("disk I/O error")
    failure.sqlite_errorcode = code
    with closing(SqliteStore(tmp_path / "r.db")) as store:
        with pytest.raises(StoreUnavailableError, match="disk I/O error"), store.writing():
            raise failure
        with pytest.raises(StoreUnavailableError, match="full"), store.writing():
            raise OSError(errno.ENOSPC, "No space left on device")
        with store.writing() as ledger:
            ledger.put_document("config", Subject("orders"), {})


def test_a_shared_store_names_the_extra_that_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("protopact.server.store.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError) as caught:
        open_store("postgresql://localhost/registry")
    assert "protopact[postgres]" in caught.value.hint


@pytest.mark.parametrize(
    "url", ["postgresql://u:secret@h/d?nonsense=secret", "postgres://u:secret@[h/d", "mysql://u:secret@h/d"]
)
def test_an_address_that_cannot_be_read_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        open_store(url)
    assert "secret" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
