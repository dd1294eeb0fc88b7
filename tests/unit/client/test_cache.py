from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from protopact.client.cache import Cache, once
from protopact.errors import SchemaNotFoundError
from protopact.flow import Sleep, blocking, perform, perform_async

if TYPE_CHECKING:
    from protopact.flow import Flow


def test_the_value_used_longest_ago_makes_room() -> None:
    cache: Cache[str] = Cache(2)
    cache.put(1, "a")
    cache.put(2, "b")
    assert cache.find(1) == "a"
    cache.put(3, "c")

    assert (cache.find(1), cache.find(2), cache.find(3)) == ("a", None, "c")
    assert len(cache) == 2


def test_a_value_is_believed_for_its_time_alone() -> None:
    now = [100.0]
    cache: Cache[str] = Cache(10, ttl_s=60, clock=lambda: now[0])
    cache.put("s", "v1")

    now[0] += 59.9
    assert cache.find("s") == "v1"
    now[0] += 0.1
    assert cache.find("s") is None


class Source:
    """Fetches 7, after a while, and counts; the first outcomes may be told."""

    def __init__(self, *outcomes: Exception) -> None:
        self.outcomes = list(outcomes)
        self.fetched = 0

    def fetch(self) -> Flow[int]:
        self.fetched += 1
        yield Sleep(0.02)
        if self.outcomes:
            raise self.outcomes.pop(0)
        return 7


def test_eight_threads_fetch_once() -> None:
    cache: Cache[int] = Cache(10)
    start, source = threading.Barrier(8), Source()

    def work(_: int) -> int:
        start.wait()
        return perform(once(cache, "k", source.fetch))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [7] * 8
    assert source.fetched == 1


def test_many_tasks_fetch_once_and_leave_the_threads_to_the_leader() -> None:
    cache: Cache[int] = Cache(10)
    fetched = []

    def fetch() -> Flow[int]:
        fetched.append(1)
        yield from blocking(lambda: time.sleep(0.02))
        yield from blocking(lambda: time.sleep(0.02))
        return 7

    async def work() -> list[int]:
        return await asyncio.gather(*[perform_async(once(cache, "k", fetch)) for _ in range(200)])

    assert asyncio.run(work()) == [7] * 200
    assert len(fetched) == 1


def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    cache: Cache[int] = Cache(10)
    source = Source(SchemaNotFoundError("no"))

    async def work() -> None:
        asks = [perform_async(once(cache, "k", source.fetch)) for _ in range(5)]
        failed = await asyncio.gather(*asks, return_exceptions=True)
        assert all(isinstance(error, SchemaNotFoundError) for error in failed)
        assert source.fetched == 1
        assert await perform_async(once(cache, "k", source.fetch)) == 7

    asyncio.run(work())


def test_a_cancelled_leader_lets_another_task_lead() -> None:
    cache: Cache[int] = Cache(10)
    source = Source()

    async def work() -> None:
        leader = asyncio.create_task(perform_async(once(cache, "k", source.fetch)))
        await asyncio.sleep(0)
        others = [asyncio.create_task(perform_async(once(cache, "k", source.fetch))) for _ in range(5)]
        await asyncio.sleep(0)
        leader.cancel()
        assert await asyncio.gather(*others) == [7] * 5
        with pytest.raises(asyncio.CancelledError):
            await leader

    asyncio.run(work())
    assert source.fetched == 2


def test_a_leader_that_is_thrown_away_lets_another_lead() -> None:
    cache: Cache[int] = Cache(10)
    source = Source()
    leader = once(cache, "k", source.fetch)
    next(leader)
    leader.close()

    assert perform(once(cache, "k", source.fetch)) == 7


def test_a_cancelled_waiter_disturbs_nobody() -> None:
    cache: Cache[int] = Cache(10)
    source = Source()

    async def work() -> None:
        tasks = [asyncio.create_task(perform_async(once(cache, "k", source.fetch))) for _ in range(4)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        await asyncio.sleep(0)
        assert [await tasks[n] for n in (0, 1, 3)] == [7] * 3

    asyncio.run(work())


def test_a_value_that_landed_meanwhile_is_not_fetched_again() -> None:
    cache: Cache[int] = Cache(10)
    cache.put("k", 7)

    flight = cache.claim("k")

    assert not flight.leads
    assert flight.future.result() == 7


def test_a_value_is_discarded_only_while_it_is_that_very_one() -> None:
    cache: Cache[list[int]] = Cache(2)
    old, new = [1], [1]
    cache.put("a", old)
    cache.put("a", new)

    cache.discard("a", old)
    assert cache.find("a") is new
    cache.discard("a", new)
    assert cache.find("a") is None
    cache.discard("nowhere", new)


def test_what_was_on_its_way_when_its_key_was_forgotten_is_told_and_not_kept() -> None:
    cache: Cache[int] = Cache(10)
    first = cache.claim("a")
    cache.drop("a")
    second = cache.claim("a")
    assert second.leads
    cache.land("a", second, 2)
    cache.land("a", first, 1)

    assert (first.future.result(), cache.find("a")) == (1, 2)
    other = cache.claim("b")
    cache.clear()
    cache.land("b", other, 3)
    assert cache.find("b") is None


def test_an_old_flight_that_fails_does_not_end_a_new_one() -> None:
    cache: Cache[int] = Cache(10)
    first = cache.claim("a")
    cache.drop("a")
    second = cache.claim("a")
    cache.fail("a", first, ValueError("late"))

    assert not cache.claim("a").leads
    cache.land("a", second, 2)
    assert cache.find("a") == 2


def test_a_value_that_was_asked_for_before_everything_was_forgotten_is_not_kept() -> None:
    cache: Cache[int] = Cache(10)
    before = cache.clearings
    cache.put("a", 1, clearings=before)
    cache.clear()
    cache.put("b", 2, clearings=before)

    assert (cache.find("a"), cache.find("b")) == (None, None)
