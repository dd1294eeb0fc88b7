"""The broker's time: it stands or flows, a test moves it, and what is due is done in the order of its time."""

from __future__ import annotations

import asyncio
import time

from protopact.broker import MovedClock, ShiftedClock, SystemClock


def test_a_moved_clock_stands_until_it_is_advanced() -> None:
    clock = MovedClock(1_000)
    assert clock.now_ms() == clock.now_ms() == 1_000
    clock.advance(1.5)
    assert clock.now_ms() == 2_500


def test_what_is_due_is_called_in_the_order_of_its_time_and_sees_that_time() -> None:
    clock, seen = MovedClock(0), []
    for delay in (3, 1, 2, 1):
        clock.call_later(delay, lambda delay=delay: seen.append((delay, clock.now_ms())))
    clock.advance(2.5)
    assert seen == [(1, 1000), (1, 1000), (2, 2000)]
    clock.advance(0.5)
    assert seen[3:] == [(3, 3000)]


def test_a_call_may_plan_the_next_and_both_are_made_on_the_way() -> None:
    clock, seen = MovedClock(0), []

    def again() -> None:
        seen.append(clock.now_ms())
        clock.call_later(1, again)

    clock.call_later(1, again)
    clock.advance(3)
    assert seen == [1000, 2000, 3000]


def test_a_cancelled_call_does_not_come() -> None:
    clock, seen = MovedClock(0), []
    clock.call_later(1, lambda: seen.append("cancelled")).cancel()
    clock.advance(2)
    assert seen == []


def test_a_shifted_clock_flows_and_can_be_advanced() -> None:
    async def work() -> None:
        clock, seen = ShiftedClock(), []
        before = time.time_ns() // 1_000_000
        assert clock.now_ms() >= before
        soon = asyncio.Event()
        clock.call_later(0.01, soon.set)
        clock.call_later(7200, lambda: seen.append("two hours"))
        clock.call_later(3600, lambda: seen.append("one hour"))
        gone = clock.call_later(1800, lambda: seen.append("cancelled"))
        gone.cancel()
        async with asyncio.timeout(10):
            await soon.wait()
        clock.advance(3600)
        assert seen == ["one hour"]
        assert clock.now_ms() >= before + 3_600_000
        clock.advance(3600)
        assert seen == ["one hour", "two hours"]

    asyncio.run(work())


def test_a_call_of_a_shifted_clock_that_plans_the_next_does_not_go_on_for_ever() -> None:
    async def work() -> None:
        clock, seen = ShiftedClock(), []

        def again() -> None:
            seen.append("called")
            clock.call_later(10, again)

        clock.call_later(10, again)
        clock.advance(3600)
        assert seen == ["called"]
        clock.advance(10)
        assert seen == ["called", "called"]

    asyncio.run(work())


def test_the_system_clock_has_the_systems_time_and_the_loops_timers() -> None:
    async def work() -> None:
        clock, called = SystemClock(), asyncio.Event()
        assert abs(clock.now_ms() - time.time_ns() // 1_000_000) < 60_000
        clock.call_later(0, called.set)
        async with asyncio.timeout(10):
            await called.wait()

    asyncio.run(work())
