"""The time that the broker goes by: the system's, or one that a test moves."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Timer(Protocol):
    """A call that is yet to come."""

    def cancel(self) -> None:
        """Let it not come; cancelling it again, or after it came, does nothing."""
        ...


class Clock(Protocol):
    """What time it is, and calls at a later time, in the broker's event loop."""

    def now_ms(self) -> int:
        """Give the milliseconds since 1970 in UTC, as records carry them; the machine's clock may be set meanwhile."""
        ...

    def elapsed_ms(self) -> int:
        """Give the milliseconds since some moment; they pass evenly, whatever the machine's clock is set to."""
        ...

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Have `call` made once, `delay_s` seconds from now; callable only in the event loop's thread."""
        ...


class SystemClock:
    """The time of the machine and of the running event loop."""

    def now_ms(self) -> int:
        """Give the milliseconds since 1970 in UTC."""
        return time.time_ns() // 1_000_000

    def elapsed_ms(self) -> int:
        """Give the milliseconds that have passed."""
        return time.monotonic_ns() // 1_000_000

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Have the running event loop make the call."""
        return asyncio.get_running_loop().call_later(delay_s, call)


@dataclass(order=True, slots=True)
class _MovedTimer:
    due_ms: float
    order: int
    call: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class MovedClock:
    """A time that stands still until it is advanced; what is due then is called at once, in the order of its time."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        """Start at the given time."""
        self._now_ms: float = now_ms
        self._timers: list[_MovedTimer] = []
        self._order = itertools.count()

    def now_ms(self) -> int:
        """Give the time that was reached."""
        return int(self._now_ms)

    def elapsed_ms(self) -> int:
        """Give the time that was reached."""
        return int(self._now_ms)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Keep the call until the time is advanced so far."""
        timer = _MovedTimer(self._now_ms + delay_s * 1000, next(self._order), call)
        heapq.heappush(self._timers, timer)
        return timer

    def advance(self, seconds: float) -> None:
        """Move on, and make every call that is due on the way; callable only in the event loop's thread."""
        until_ms = self._now_ms + seconds * 1000
        while self._timers and self._timers[0].due_ms <= until_ms:
            timer = heapq.heappop(self._timers)
            self._now_ms = timer.due_ms
            if not timer.cancelled:
                timer.call()
        self._now_ms = until_ms


class ShiftedClock:
    """The system's time and whatever a test has added to it: it flows, and can be advanced."""

    def __init__(self) -> None:
        """Start at the system's time."""
        self._shift_s = 0.0
        self._timers: dict[int, _ShiftedTimer] = {}
        self._order = itertools.count()

    def now_ms(self) -> int:
        """Give the milliseconds since 1970 in UTC, with what was added."""
        return time.time_ns() // 1_000_000 + round(self._shift_s * 1000)

    def elapsed_ms(self) -> int:
        """Give the milliseconds that have passed, with what was added."""
        return time.monotonic_ns() // 1_000_000 + round(self._shift_s * 1000)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Have the running event loop make the call, sooner where the time is advanced meanwhile."""
        order = next(self._order)
        timer = _ShiftedTimer(self._reached_s() + delay_s, call, forget=lambda: self._timers.pop(order, None))
        timer.wait(delay_s)
        self._timers[order] = timer
        return timer

    def advance(self, seconds: float) -> None:
        """Move on, and make every call that is due then, in the order of its time; only in the event loop's thread."""
        self._shift_s += seconds
        for timer in sorted(self._timers.values(), key=lambda each: each.due_s):
            timer.wait(timer.due_s - self._reached_s())

    def _reached_s(self) -> float:
        return asyncio.get_running_loop().time() + self._shift_s


class _ShiftedTimer:
    def __init__(self, due_s: float, call: Callable[[], None], *, forget: Callable[[], object]) -> None:
        self.due_s = due_s
        self._call = call
        self._forget = forget
        self._handle: asyncio.TimerHandle | None = None
        self._over = False

    def wait(self, delay_s: float) -> None:
        """Have the call made so much later from now, and not as it was planned before; at once if it is due."""
        if self._handle is not None:
            self._handle.cancel()
        if self._over:
            return
        if delay_s > 0:
            self._handle = asyncio.get_running_loop().call_later(delay_s, self._fire)
        else:
            self._fire()

    def cancel(self) -> None:
        self._over = True
        self._forget()
        if self._handle is not None:
            self._handle.cancel()

    def _fire(self) -> None:
        if not self._over:
            self.cancel()
            self._call()
