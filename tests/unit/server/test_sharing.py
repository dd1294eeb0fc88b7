"""Writes that share a transaction, on the embedded store."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from protopact.errors import StoreError, StoreUnavailableError
from protopact.registry import Subject, content_guid
from protopact.server.store import Content, SqliteStore
from protopact.server.store.sharing import SharedWrites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from protopact.server.store import Ledger, StoredVersion

S = Subject("s")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "r.db")) as opened:
        yield opened


def add(ledger: Ledger) -> StoredVersion:
    number = ledger.last_version(S) + 1
    return ledger.append(S, number, Content(content_guid(f"{number}"), f"{number}", b""), ts=1)


def at_once(store: SqliteStore, works: Sequence[Callable[[Ledger], object]]) -> list[Future[Any]]:
    """Have writes come while another one is made, so that they wait for their turn together; gives what came of all."""
    leave = threading.Event()

    def write(work: Callable[[Ledger], object]) -> object:
        with store.writing() as ledger:
            return work(ledger)

    with ThreadPoolExecutor(len(works) + 1) as threads:
        first = threads.submit(write, lambda ledger: (add(ledger), leave.wait(10))[0])
        while store._writes._group is None:
            time.sleep(0.001)
        others = [threads.submit(write, work) for work in works]
        while store._writes._waiting < len(works):
            time.sleep(0.001)
        leave.set()
        return [first, *others]


def test_writers_who_wait_at_the_same_time_share_one_commit(store: SqliteStore) -> None:
    statements: list[str] = []
    store._writer.set_trace_callback(statements.append)
    done = at_once(store, [add] * 5)
    assert sorted(each.result().version for each in done) == [1, 2, 3, 4, 5, 6]
    assert statements.count("COMMIT") == 1


def test_a_group_has_a_bound(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store._writes, "_writes_max", 2)
    statements: list[str] = []
    store._writer.set_trace_callback(statements.append)
    at_once(store, [add] * 5)
    assert statements.count("COMMIT") == 3
    assert list(store.version_numbers(S)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("position", [0, 2, 4])
def test_a_write_that_fails_in_company_is_undone_alone(store: SqliteStore, position: int) -> None:
    def failing(ledger: Ledger) -> None:
        add(ledger)
        raise KeyError("mine")

    works: list[Callable[[Ledger], object]] = [add] * 4
    works.insert(position, failing)
    done = at_once(store, works)
    assert [type(each.exception()) for each in done].count(KeyError) == 1
    assert sorted(each.result().version for each in done if not each.exception()) == [1, 2, 3, 4, 5]
    assert list(store.version_numbers(S)) == [1, 2, 3, 4, 5]
    assert store.last_id(".") == 5


def test_nobody_is_told_of_a_write_before_the_commit_that_it_shares(store: SqliteStore) -> None:
    seen: list[Sequence[int]] = []
    done = at_once(store, [lambda _ledger: seen.append(store.version_numbers(S))])
    assert seen == [[]]
    assert done[0].result().version == 1


def test_a_commit_that_fails_fails_for_all_who_share_it_and_leaves_nothing(store: SqliteStore) -> None:
    def poison(ledger: Ledger) -> None:
        add(ledger)
        store._writer.execute("PRAGMA defer_foreign_keys = ON")
        store._writer.execute(
            "INSERT INTO versions (context, subject, version, schema_id, ts) VALUES ('x', 'y', 1, 1, 1)"
        )

    done = at_once(store, [add, poison, add])
    assert [type(each.exception()) for each in done] == [StoreError] * 4
    assert list(store.version_numbers(S)) == []
    with store.writing() as ledger:
        assert (add(ledger).version, ledger.last_id(".")) == (1, 1)


def test_a_failure_that_undoes_the_transaction_is_told_to_all_who_share_it(store: SqliteStore) -> None:
    def lose(ledger: Ledger) -> None:
        add(ledger)
        store._writer.execute("ROLLBACK")
        raise KeyError("mine")

    done = at_once(store, [lose, add])
    failed = [type(each.exception()) for each in done]
    assert failed[:2] == [StoreUnavailableError, KeyError]
    kept = [each.result().version for each in done if not each.exception()]
    assert kept == list(store.version_numbers(S))  # none, where the third had its turn before the one that failed


def test_who_was_to_commit_and_did_not_come_keeps_nobody_waiting(store: SqliteStore) -> None:
    store._writes._waiting += 1  # somebody who is interrupted before the turn is theirs
    with store.writing() as ledger:
        add(ledger)
    assert list(store.version_numbers(S)) == [1]


def test_closing_a_store_commits_what_others_wait_for(store: SqliteStore) -> None:
    store._writes._waiting += 1
    with ThreadPoolExecutor(1) as threads:
        written = threads.submit(lambda: at_last(store))
        while not written.done() and not ((group := store._writes._group) and group.writes):
            time.sleep(0.0005)
        store.close()
        assert written.result().version == 1


def at_last(store: SqliteStore) -> StoredVersion:
    with store.writing() as ledger:
        return add(ledger)


def test_a_turn_is_not_waited_for_without_an_end(store: SqliteStore) -> None:
    writes = SharedWrites(store._begun, writes_max=2, wait_s=0.01)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with writes.write():
            entered.set()
            leave.wait(10)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(hold)
        entered.wait(10)
        with pytest.raises(StoreUnavailableError, match="busy"), writes.write():
            pass
        leave.set()
