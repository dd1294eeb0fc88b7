"""Requests are read no faster than they are served: reading stops, and goes on when there is room again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from protopact.broker.budget import Budget
from protopact.broker.intake import Intake

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")
LARGE = 64 * 1024  # from here on a request counts


class Watched:
    """An intake, whether it reads, and what it refused."""

    def __init__(self, budget: Budget) -> None:
        self.reads = True
        self.refused: list[str] = []
        self.intake = Intake(budget, 10 * LARGE, read_on=self._read_on, refuse=self.refused.append)

    def _read_on(self, on: bool) -> None:  # noqa: FBT001  (the intake calls it so)
        self.reads = on

    def receive(self, *payloads: bytes) -> None:
        for payload in payloads:
            self.intake.receive(len(payload).to_bytes(4, "big") + payload)


def in_loop(work: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        async with asyncio.timeout(10):
            return await work()

    return asyncio.run(run())


def test_requests_come_in_their_order() -> None:
    async def work() -> list[bytes]:
        watched = Watched(Budget(LARGE))
        watched.receive(b"one", b"two")
        return [(await watched.intake.next())[0] for _ in range(2)]

    assert in_loop(work) == [b"one", b"two"]


def test_reading_stops_while_sixteen_requests_wait_and_goes_on_when_one_is_taken() -> None:
    async def work() -> None:
        watched = Watched(Budget(LARGE))
        watched.receive(*[b"small"] * 15)
        assert watched.reads
        watched.receive(b"small", b"after")
        assert not watched.reads
        await watched.intake.next()
        assert not watched.reads  # the one after took its place
        await watched.intake.next()
        assert watched.reads

    in_loop(work)


def test_a_large_request_waits_for_the_bytes_of_others_unread() -> None:
    async def work() -> None:
        budget = Budget(2 * LARGE)
        first, second = Watched(budget), Watched(budget)
        first.receive(bytes(LARGE + 1))
        _, taken = await first.intake.next()
        assert taken == LARGE + 1
        second.intake.receive((LARGE + 1).to_bytes(4, "big"))
        assert not second.reads
        budget.give(taken)
        assert second.reads
        second.intake.receive(bytes(LARGE + 1))
        assert (await second.intake.next())[1] == LARGE + 1

    in_loop(work)


def test_a_connection_that_ends_gives_back_its_bytes_and_its_place_in_the_line() -> None:
    async def work() -> None:
        budget = Budget(2 * LARGE)
        holder, gone, last = Watched(budget), Watched(budget), Watched(budget)
        holder.receive(bytes(LARGE + 1))
        gone.intake.receive((LARGE + 1).to_bytes(4, "big"))
        last.receive(bytes(LARGE))
        assert not last.reads
        gone.intake.close()
        holder.intake.close()
        assert (await last.intake.next())[1] == LARGE
        budget.give(LARGE)
        assert budget.take(2 * LARGE, lambda: None)  # everything has come back

    in_loop(work)


def test_a_frame_that_is_too_large_is_refused_and_those_before_it_served() -> None:
    async def work() -> None:
        watched = Watched(Budget(LARGE))
        watched.receive(b"good")
        watched.intake.receive((2**31 - 1).to_bytes(4, "big"))
        assert (await watched.intake.next())[0] == b"good"
        assert "announces 2147483647 bytes" in watched.refused[0]

    in_loop(work)


def test_a_request_is_owed_from_its_first_byte_until_it_has_come_whole() -> None:
    async def work() -> None:
        watched = Watched(Budget(LARGE))
        assert not watched.intake.is_owed
        watched.intake.receive(b"\x00")
        assert watched.intake.is_owed
        watched.intake.receive(b"\x00\x00\x01x")
        await watched.intake.next()
        assert not watched.intake.is_owed

    in_loop(work)
