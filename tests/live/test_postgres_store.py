"""The store's contract on PostgreSQL, and what is PostgreSQL's own."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from postgres_service import running_postgres

from contract import test_registry_store as contract
from protopact.errors import InvalidSchemaError, StoreError, StoreUnavailableError
from protopact.registry import Subject
from protopact.server.store import open_store
from protopact.server.store.postgres import REMOVALS_SEEN_S, PostgresStore
from protopact.server.store.postgres_migrate import MIGRATIONS
from protopact.server.store.postgres_pool import CONNECTIONS_MAX, Pool

if TYPE_CHECKING:
    from postgres_service import PostgresService

WAIT_S = 15.0  # how long anything may take before the test has failed
# Every test of the contract, and its ways to open a store; `address` is ours.
globals().update({name: value for name, value in vars(contract).items() if name.startswith("test_")})
store = contract.store
add, content, ORDERS = contract.add, contract.content, contract.ORDERS


@pytest.fixture(scope="module")
def database(postgres: PostgresService) -> str:
    return postgres.new_database("store")


@pytest.fixture
def address(database: str) -> str:
    with psycopg.connect(database) as admin:
        admin.execute("DROP SCHEMA IF EXISTS protopact CASCADE")
    return database


def held_up(store: PostgresStore, entered: threading.Event, leave: threading.Event) -> threading.Thread:
    """Begin a write in a thread, and end it when told to."""

    def write() -> None:
        with store.writing() as ledger:
            entered.set()
            leave.wait(20)
            ledger.append(ORDERS, ledger.last_version(ORDERS) + 1, content(f"held {ledger.last_id('.')}"), ts=1)

    thread = threading.Thread(target=write)
    thread.start()
    assert entered.wait(WAIT_S)
    return thread


def test_every_commit_waits_for_the_disk_whatever_the_database_says(postgres: PostgresService) -> None:
    careless = postgres.new_database("careless")
    with psycopg.connect(careless, autocommit=True) as admin:
        admin.execute("ALTER DATABASE careless SET synchronous_commit = off")
    with closing(Pool(careless)) as pool, pool.connection() as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("10s",)
        assert connection.execute("SHOW lock_timeout").fetchone() == ("5s",)
        assert connection.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("10s",)


def test_a_server_that_does_not_synchronise_is_refused() -> None:
    with (
        running_postgres(settings={"fsync": "off"}, say=lambda _line: None) as unsafe,
        pytest.raises(StoreError, match="cannot be made durable: the database server's fsync is off"),
    ):
        open_store(unsafe.url())


def test_a_database_that_cannot_hold_every_text_is_refused(postgres: PostgresService) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(StoreError, match="server_encoding is LATIN1"):
        open_store(postgres.url("latin"))


def test_a_database_of_a_newer_version_is_refused_and_left_alone(address: str) -> None:
    open_store(address).close()
    newer = len(MIGRATIONS) + 1
    with psycopg.connect(address) as admin:
        admin.execute("UPDATE protopact.registry SET version = %s", (newer,))
    with pytest.raises(StoreError, match=f"is of version {newer}") as caught:
        open_store(address)
    assert "newer" in caught.value.hint
    with psycopg.connect(address) as admin:
        assert admin.execute("SELECT version FROM protopact.registry").fetchone() == (newer,)


def test_a_schema_of_another_program_is_left_alone(address: str) -> None:
    with psycopg.connect(address) as admin:
        admin.execute("CREATE SCHEMA protopact CREATE TABLE protopact.theirs (a INT)")
    with pytest.raises(StoreError, match="belongs to another program"):
        open_store(address)
    with psycopg.connect(address) as admin:
        assert admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'protopact'").fetchall() == [
            ("theirs",)
        ]


def test_a_role_needs_no_more_than_the_schema(postgres: PostgresService, address: str) -> None:
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute("CREATE ROLE registrar LOGIN")
        as_role = f"postgresql://registrar@127.0.0.1:{postgres.port}/store"
        with pytest.raises(StoreError, match="does not let this role") as caught:
            open_store(as_role)
        assert "CREATE SCHEMA protopact" in caught.value.hint
        admin.execute("CREATE SCHEMA protopact AUTHORIZATION registrar")
    with closing(open_store(as_role)) as store:
        assert add(store, ORDERS, "a").schema.id == 1


def test_many_processes_may_start_on_an_empty_database_at_once(address: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        stores = list(threads.map(lambda _: open_store(address), range(6)))
    for number, store in enumerate(stores, 1):
        assert add(store, ORDERS, str(number)).schema.id == number
        store.close()


def test_writers_of_all_stores_leave_dense_versions_and_one_id_per_content(address: str) -> None:
    def work(store: PostgresStore, worker: int) -> None:
        for number in range(10):
            add(store, ORDERS if number % 2 else Subject(f"s{worker}"), f"text {number}")

    with ExitStack() as opened, ThreadPoolExecutor(12) as threads:
        stores = [opened.enter_context(closing(PostgresStore(address))) for _ in range(3)]
        list(threads.map(work, stores * 4, range(12)))
        for store in stores:
            assert list(store.version_numbers(ORDERS)) == list(range(1, 61))
            assert store.last_id(".") == 10
            assert {s.content.text for n in range(1, 11) if (s := store.find_schema(".", n))} == {
                f"text {n}" for n in range(10)
            }


def test_a_write_in_which_a_statement_failed_is_never_acknowledged(address: str) -> None:
    def write(store: PostgresStore) -> None:
        with store.writing() as ledger:
            ledger.append(Subject("new"), 1, content("b"), ts=1)
            with pytest.raises(psycopg.errors.UniqueViolation):
                ledger.append(ORDERS, 1, content("c"), ts=1)

    with closing(PostgresStore(address)) as store:
        add(store, ORDERS, "a")
        with pytest.raises(StoreError, match="undid a write"):
            write(store)
        assert list(store.subjects(None)) == [ORDERS]
        assert add(store, ORDERS, "d").version == 2


def test_who_waits_too_long_for_its_turn_is_told_to_come_again(address: str) -> None:
    entered, leave = threading.Event(), threading.Event()
    with closing(PostgresStore(address)) as slow, closing(PostgresStore(address)) as other:
        thread = held_up(slow, entered, leave)
        start = time.monotonic()
        with ThreadPoolExecutor(2) as threads:
            asked = [threads.submit(add, store, ORDERS, "b") for store in (slow, other)]
            refused = [each.exception() for each in asked]
        assert [type(error) for error in refused] == [StoreUnavailableError] * 2
        assert time.monotonic() - start < 7
        assert list(other.version_numbers(ORDERS)) == []  # readers wait for nobody
        leave.set()
        thread.join()
        assert [add(store, ORDERS, "b").version for store in (slow, other)] == [2, 3]


def test_a_process_that_hangs_in_a_write_holds_up_the_others_ten_seconds_at_most(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "protopact.server.store.postgres_pool._PREPARE", "SET idle_in_transaction_session_timeout = 2000"
    )
    entered, leave = threading.Event(), threading.Event()
    failures: list[BaseException] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: failures.append(told.exc_value))
    with closing(PostgresStore(address + "?options=-csearch_path%3Dprotopact")) as hung:
        thread = held_up(hung, entered, leave)
        monkeypatch.undo()
        monkeypatch.setattr(threading, "excepthook", lambda told: failures.append(told.exc_value))
        with closing(PostgresStore(address)) as other:
            assert add(other, ORDERS, "a").version == 1
            leave.set()
            thread.join()
            assert [type(failure) for failure in failures] == [StoreUnavailableError]
            assert list(other.version_numbers(ORDERS)) == [1]


def test_connections_are_bounded_and_waited_for_a_moment(address: str) -> None:
    with closing(Pool(address)) as pool, ExitStack() as lent:
        for _ in range(CONNECTIONS_MAX):
            lent.enter_context(pool.connection())
        start = time.monotonic()
        with pytest.raises(StoreUnavailableError, match="busy"):
            lent.enter_context(pool.connection())
        assert 2 < time.monotonic() - start < 5
        lent.close()
        with pool.connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_an_outage_is_told_at_once_and_over_with_the_databases_return(
    postgres: PostgresService, address: str, how: str
) -> None:
    with closing(PostgresStore(address)) as store:
        kept = [add(store, ORDERS, str(number)) for number in range(3)]
        with ThreadPoolExecutor(8) as threads:  # so that several connections lie idle
            list(threads.map(lambda _: store.contexts(), range(50)))
        getattr(postgres, how)()
        try:
            start = time.monotonic()
            for _ in range(20):
                with pytest.raises(StoreUnavailableError) as caught:
                    store.find_version(ORDERS, 1)
                with pytest.raises(StoreUnavailableError):
                    add(store, ORDERS, "x")
            assert time.monotonic() - start < 2
            assert str(caught.value) == "the store does not answer"
        finally:
            postgres.start()
        time.sleep(0.3)
        assert list(store.versions(ORDERS)) == kept[::-1]
        assert add(store, ORDERS, "x").version == 4


def test_connections_that_the_server_ended_are_not_lent(address: str) -> None:
    with closing(PostgresStore(address)) as store:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda _: store.contexts(), range(50)))
        others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute(f"SELECT pg_terminate_backend(pid) {others}")
            while admin.execute(f"SELECT count(*) {others}").fetchone() != (0,):
                time.sleep(0.01)
        time.sleep(0.1)
        for _ in range(10):
            assert list(store.contexts()) == []


def test_others_are_told_of_what_was_removed_for_good(address: str) -> None:
    told = [threading.Event(), threading.Event()]
    with closing(PostgresStore(address)) as one, closing(PostgresStore(address)) as two:
        add(one, ORDERS, "a")
        add(one, ORDERS, "b")
        for store, event in zip((one, two), told, strict=True):
            store.when_removed(event.set)
            assert event.wait(WAIT_S)  # once at first
            event.clear()
        with one.writing() as ledger:
            ledger.soft_delete(ORDERS, [1])
        assert not told[1].wait(3 * REMOVALS_SEEN_S)
        with one.writing() as ledger:
            assert list(ledger.remove(ORDERS, [1])) == [1]
        assert all(event.wait(3 * REMOVALS_SEEN_S) for event in told)


def test_what_the_database_cannot_hold_is_refused_or_not_found(store: PostgresStore) -> None:
    with pytest.raises(InvalidSchemaError, match=r"U\+0000"):
        add(store, ORDERS, "a\0b")
    assert store.find_schema_by_guid("\0") is None
    assert list(store.standing(ORDERS, "\0").same_text) == list(store.subjects(None, "\0")) == []


def test_the_audit_log_is_final(address: str) -> None:
    open_store(address).close()
    for statement in ("DELETE FROM protopact.audit", "UPDATE protopact.audit SET who = ''", "TRUNCATE protopact.audit"):
        with psycopg.connect(address) as admin, pytest.raises(psycopg.Error, match="audit is final"):
            admin.execute(statement)


def test_a_database_that_is_not_there_is_told_with_its_reason(postgres: PostgresService) -> None:
    with pytest.raises(StoreUnavailableError) as caught:
        open_store(postgres.url("nowhere"))
    assert "nowhere" in caught.value.hint
