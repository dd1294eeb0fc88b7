"""What both states promise, and what the one on the disk still knows after a restart."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from protopact.broker.state import Committed, MemoryState, SqliteState, TopicRecord
from protopact.errors import RefusedRequestError, StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from protopact.broker.state import State

ORDERS = TopicRecord("orders", uuid4(), 3, {"retention.ms": "5"}, 1_700_000_000_000)


@pytest.fixture(params=["memory", "sqlite", "sqlite, durable"])
def new_state(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], State]:
    if request.param == "memory":
        return MemoryState
    return lambda: SqliteState.open(tmp_path / "broker.db", durable="durable" in request.param)


@asynccontextmanager
async def opened(state: State) -> AsyncIterator[State]:
    try:
        yield state
    finally:
        await state.close()


def test_topics_are_remembered_until_they_are_removed(new_state: Callable[[], State]) -> None:
    async def work() -> None:
        async with opened(new_state()) as state:
            await state.put_topic(ORDERS)
            assert list(state.topics()) == [ORDERS]
            await state.remove_topic("orders")
            assert list(state.topics()) == []

    asyncio.run(work())


def test_offsets_go_with_their_topic(new_state: Callable[[], State]) -> None:
    async def work() -> None:
        async with opened(new_state()) as state:
            await state.put_topic(ORDERS)
            await state.put_offsets("group", {("orders", 0): Committed(5, 0, "note", 7), ("other", 1): Committed(6)})
            await state.remove_topic("orders")
            assert list(state.offsets()) == [("group", ("other", 1), Committed(6))]

    asyncio.run(work())


def test_a_groups_offsets_are_forgotten_by_place_or_all(new_state: Callable[[], State]) -> None:
    async def work() -> None:
        async with opened(new_state()) as state:
            await state.put_offsets("group", {("t", number): Committed(number) for number in range(3)})
            await state.put_offsets("other", {("t", 0): Committed(9)})
            await state.remove_offsets("group", [("t", 1)])
            assert sorted(place for group, place, _ in state.offsets() if group == "group") == [("t", 0), ("t", 2)]
            await state.remove_offsets("group")
            assert [group for group, *_ in state.offsets()] == ["other"]

    asyncio.run(work())


def test_producer_ids_are_given_once_to_however_many_ask_at_a_time(new_state: Callable[[], State]) -> None:
    async def work() -> None:
        async with opened(new_state()) as state:
            ids = await asyncio.gather(*(state.next_producer_id() for _ in range(2500)))
            assert len(set(ids)) == len(ids)

    asyncio.run(work())


def test_everything_is_known_after_a_restart_and_no_producer_id_comes_again(tmp_path: Path) -> None:
    async def first() -> tuple[str, int]:
        async with opened(SqliteState.open(tmp_path / "broker.db", durable=False)) as state:
            await state.put_topic(ORDERS)
            await state.put_offsets("group", {("orders", 2): Committed(5, 0, "note", 7)})
            return state.cluster_id(), await state.next_producer_id()

    async def then() -> tuple[str, int]:
        async with opened(SqliteState.open(tmp_path / "broker.db", durable=False)) as state:
            assert list(state.topics()) == [ORDERS]
            assert list(state.offsets()) == [("group", ("orders", 2), Committed(5, 0, "note", 7))]
            return state.cluster_id(), await state.next_producer_id()

    (cluster, given), (same, later) = asyncio.run(first()), asyncio.run(then())
    assert cluster == same
    assert later > given


def test_changes_that_come_together_are_all_written(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(SqliteState.open(tmp_path / "broker.db", durable=True)) as state:
            await asyncio.gather(*(state.put_offsets(f"g{n}", {("t", 0): Committed(n)}) for n in range(200)))
        async with opened(SqliteState.open(tmp_path / "broker.db", durable=True)) as state:
            assert sorted(each.offset for _, _, each in state.offsets()) == list(range(200))

    asyncio.run(work())


def test_a_change_that_the_disk_does_not_take_is_refused_and_the_next_is_taken(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(SqliteState.open(tmp_path / "broker.db", durable=False)) as state:
            with closing(sqlite3.connect(tmp_path / "broker.db")) as other:
                other.execute("DROP TABLE committed")
                with pytest.raises(RefusedRequestError, match="cannot be written"):
                    await state.put_offsets("group", {("t", 0): Committed(1)})
            await state.put_topic(ORDERS)
            assert list(state.topics()) == [ORDERS]

    asyncio.run(work())


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be taken for one" * 50, b""])
def test_a_damaged_file_is_refused_and_an_empty_one_begun(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broker.db"
    path.write_bytes(content)
    if content:
        with pytest.raises(StoreError):
            SqliteState.open(path, durable=False)
        assert path.read_bytes() == content
    else:
        asyncio.run(SqliteState.open(path, durable=False).close())


def test_another_programs_file_and_one_of_a_newer_version_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "broker.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreError, match="no state of a broker"):
        SqliteState.open(path, durable=False)
    path.unlink()
    asyncio.run(SqliteState.open(path, durable=False).close())
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="version 99"):
        SqliteState.open(path, durable=False)
