"""Flows: one body, two drivers that cannot be told apart."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

import pytest
from hypothesis import given, strategies as st

from protopact.flow import (
    Blocking,
    Call,
    Effect,
    Flow,
    Reply,
    Send,
    Sleep,
    Wait,
    blocking,
    perform,
    perform_async,
    send,
    wait,
)


class OutsideError(Exception):
    """What the outside of these tests raises."""


@dataclass(frozen=True)
class Step:
    """One effect of a made-up flow: which, whether the outside fails it, and whether the flow forgives that."""

    kind: str
    fails: bool
    forgiven: bool
    number: int


@dataclass
class Outside:
    """The world that both drivers act on; it remembers what was asked of it."""

    script: list[Step]
    seen: list[tuple[str, int]] = field(default_factory=list)

    def act(self, kind: str) -> Reply:
        step = self.script[len(self.seen)]
        assert kind == step.kind
        self.seen.append((kind, step.number))
        if step.fails:
            raise OutsideError(step.number)
        return Reply(200, {}, str(step.number).encode())

    def send(self, call: Call, server: int) -> Reply:
        assert (call, server) == (Call("GET", "/"), 1)
        return self.act("send")

    def sleep(self, seconds: float) -> None:
        self.act("sleep")

    async def send_later(self, call: Call, server: int) -> Reply:
        return self.send(call, server)

    async def sleep_later(self, seconds: float) -> None:
        self.sleep(seconds)

    def effect(self, kind: str) -> Effect:
        match kind:
            case "send":
                return Send(Call("GET", "/"), 1)
            case "sleep":
                return Sleep(5)
            case "block":
                return Blocking(lambda: self.act("block"))
        return Wait(self.completed_elsewhere())

    def completed_elsewhere(self) -> Future[object]:
        future: Future[object] = Future()

        def complete() -> None:
            try:
                future.set_result(self.act("wait"))
            except OutsideError as error:
                future.set_exception(error)

        threading.Thread(target=complete).start()
        return future


def follow(outside: Outside, log: list[object]) -> Flow[int]:
    """Ask for every step of the script, logging outcomes; an unforgiven failure ends the flow."""
    try:
        for step in outside.script:
            try:
                log.append((yield outside.effect(step.kind)))
            except OutsideError as error:
                log.append(("failed", error.args))
                if not step.forgiven:
                    raise
        return len(outside.script)
    finally:
        log.append("cleaned up")


def outcome_of(run: object) -> object:
    try:
        return run()  # type: ignore[operator]
    except OutsideError as error:
        return ("raised", error.args)


scripts = st.lists(
    st.builds(Step, st.sampled_from(["send", "sleep", "block", "wait"]), st.booleans(), st.booleans(), st.integers(0)),
    max_size=8,
)


@given(scripts)
def test_both_drivers_give_the_same_results_failures_and_effects(script: list[Step]) -> None:
    plain, later = Outside(script), Outside(script)
    plain_log: list[object] = []
    later_log: list[object] = []

    def run() -> int:
        return perform(follow(plain, plain_log), sender=plain.send, sleep=plain.sleep)

    def run_later() -> int:
        flow = follow(later, later_log)
        return asyncio.run(perform_async(flow, sender=later.send_later, sleep=later.sleep_later))

    assert outcome_of(run) == outcome_of(run_later)
    assert plain_log == later_log
    assert plain.seen == later.seen


def both(flow: object) -> list[object]:
    """Drive two fresh copies of a flow, one with each driver."""
    return [perform(flow()), asyncio.run(perform_async(flow()))]  # type: ignore[operator]


def test_a_flow_without_effects_gives_its_result() -> None:
    def flow() -> Flow[str]:
        return "done"
        yield

    assert both(flow) == ["done", "done"]


def test_blocking_work_gives_its_result_to_the_flow() -> None:
    def flow() -> Flow[int]:
        return (yield from blocking(lambda: 20)) + (yield from blocking(lambda: 22))

    assert both(flow) == [42, 42]


def test_flows_are_parts_of_flows_and_failures_pass_through_them() -> None:
    def inner() -> Flow[int]:
        return (yield from blocking(lambda: 1 // 0))

    def flow() -> Flow[str]:
        try:
            yield from inner()
        except ZeroDivisionError:
            return "caught outside"
        return "lost"

    assert both(flow) == ["caught outside", "caught outside"]


def test_a_long_flow_does_not_grow_the_stack() -> None:
    def flow() -> Flow[int]:
        total = 0
        for _ in range(20_000):
            yield Sleep(0)
            total += 1
        return total

    assert perform(flow(), sleep=lambda _: None) == 20_000


def test_a_driver_without_a_sender_says_so_to_a_flow_that_sends() -> None:
    def flow() -> Flow[Reply]:
        return (yield from send(Call("GET", "/")))

    with pytest.raises(RuntimeError, match="no sender"):
        perform(flow())
    with pytest.raises(RuntimeError, match="no sender"):
        asyncio.run(perform_async(flow()))


def test_blocking_work_leaves_the_event_loop_free() -> None:
    def flow() -> Flow[int]:
        return (yield from blocking(threading.get_ident))

    async def drive() -> bool:
        return await perform_async(flow()) != threading.get_ident()

    assert asyncio.run(drive())


def test_a_cancelled_flow_cleans_up_and_stays_cancelled() -> None:
    cleaned = []

    def flow() -> Flow[None]:
        try:
            yield Sleep(60)
        finally:
            cleaned.append(True)

    async def drive() -> None:
        task = asyncio.create_task(perform_async(flow()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(drive())
    assert cleaned == [True]


def test_an_interrupt_reaches_the_flow() -> None:
    cleaned = []

    def flow() -> Flow[None]:
        try:
            yield Sleep(60)
        finally:
            cleaned.append(True)

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        perform(flow(), sleep=interrupted)
    assert cleaned == [True]


def test_waiting_is_asynchronous_by_default() -> None:
    def flow() -> Flow[str]:
        yield Sleep(0)
        return "awake"

    assert both(flow) == ["awake", "awake"]


def test_both_drivers_wait_for_what_another_one_completes() -> None:
    future: Future[int] = Future()

    def flow() -> Flow[int]:
        return (yield from wait(future)) + 1

    threading.Timer(0.02, future.set_result, (41,)).start()
    assert perform(flow()) == 42
    assert asyncio.run(perform_async(flow())) == 42


def test_a_waiting_task_that_is_cancelled_leaves_the_future_to_the_others() -> None:
    future: Future[int] = Future()

    def flow() -> Flow[int]:
        return (yield from wait(future))

    async def two_wait_and_one_leaves() -> int:
        leaver, stayer = (asyncio.create_task(perform_async(flow())) for _ in range(2))
        await asyncio.sleep(0)
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        assert not future.cancelled()
        future.set_result(7)
        return await stayer

    assert asyncio.run(two_wait_and_one_leaves()) == 7
