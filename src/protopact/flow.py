"""Flows: one body of code for synchronous and asynchronous callers.

A flow is a generator that decides and never does I/O. It yields an effect when something outside has to happen
and is resumed with the outcome; two drivers, `perform` and `perform_async`, make it happen.

    def greet() -> Flow[str]:
        reply = yield Send(Call("GET", "/name"))
        ...
        return "hello"

An effect's failure is thrown into the flow at its `yield`, so `try` and `except` read as in plain code.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: method, path (segments percent-encoded), query pairs, headers (lower-case names) and body."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: status, headers (lower-case names) and body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Send:
    """Effect: send the call to `server` (an index into the driver's addresses); the outcome is a Reply."""

    call: Call
    server: int = 0


@dataclass(frozen=True, slots=True)
class Sleep:
    """Effect: wait so many seconds; the outcome is None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Effect: wait for a future that another thread or task completes; the outcome is its result."""

    future: Future[object]


@dataclass(frozen=True, slots=True)
class Blocking:
    """Effect: run a function that may block (disk, child process); the outcome is what it returns."""

    run: Callable[[], object]


Effect: TypeAlias = Send | Sleep | Wait | Blocking
Flow: TypeAlias = Generator[Effect, object, T]


def blocking(run: Callable[[], T]) -> Flow[T]:
    """Have `run` called where blocking is allowed; `yield from` gives its result, typed."""
    return (yield Blocking(run))  # type: ignore[return-value]


def send(call: Call, server: int = 0) -> Flow[Reply]:
    """Have a call sent; `yield from` gives its reply, typed."""
    return (yield Send(call, server))  # type: ignore[return-value]


def wait(future: Future[T]) -> Flow[T]:
    """Have a future waited for; `yield from` gives its result, typed."""
    return (yield Wait(cast("Future[object]", future)))  # type: ignore[return-value]


def perform(
    flow: Flow[T],
    *,
    sender: Callable[[Call, int], Reply] | None = None,
    sleep: Callable[[float], object] = time.sleep,
) -> T:
    """Drive a flow to its end in this thread and give its result.

    `sender` performs `Send` effects; a flow that yields none needs none.
    """
    resume: Callable[[], Effect] = partial(next, flow)
    while True:
        try:
            effect = resume()
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        try:
            outcome = _do(effect, sender, sleep)
        except BaseException as error:  # noqa: BLE001  (whatever it is, the flow decides)
            resume = _throwing(flow, error)
        else:
            resume = _sending(flow, outcome)


def _do(effect: Effect, sender: Callable[[Call, int], Reply] | None, sleep: Callable[[float], object]) -> object:
    match effect:
        case Send(call, server):
            if sender is None:
                raise RuntimeError("this flow sends calls but its driver was given no sender")
            return sender(call, server)
        case Sleep(seconds):
            sleep(seconds)
            return None
        case Wait(future):
            return future.result()
        case Blocking(run):
            return run()


async def perform_async(
    flow: Flow[T],
    *,
    sender: Callable[[Call, int], Awaitable[Reply]] | None = None,
    sleep: Callable[[float], Awaitable[object]] | None = None,
) -> T:
    """Drive a flow to its end on the running event loop and give its result; blocking work goes to a thread."""
    resume: Callable[[], Effect] = partial(next, flow)
    while True:
        try:
            effect = resume()
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        try:
            outcome = await _do_async(effect, sender, sleep)
        except BaseException as error:  # noqa: BLE001  (whatever it is, the flow decides)
            resume = _throwing(flow, error)
        else:
            resume = _sending(flow, outcome)


async def _do_async(
    effect: Effect,
    sender: Callable[[Call, int], Awaitable[Reply]] | None,
    sleep: Callable[[float], Awaitable[object]] | None,
) -> object:
    import asyncio  # a synchronous program never loads it

    match effect:
        case Send(call, server):
            if sender is None:
                raise RuntimeError("this flow sends calls but its driver was given no sender")
            return await sender(call, server)
        case Sleep(seconds):
            return await (sleep or asyncio.sleep)(seconds)
        case Wait(future):
            # Shielded: a waiter that is cancelled must not cancel what the others wait for.
            return await asyncio.shield(asyncio.wrap_future(future))
        case Blocking(run):
            return await asyncio.to_thread(run)


def _throwing(flow: Flow[T], error: BaseException) -> Callable[[], Effect]:
    return lambda: flow.throw(error)


def _sending(flow: Flow[T], outcome: object) -> Callable[[], Effect]:
    return lambda: flow.send(outcome)
