"""The measuring itself: rounds in which every way is timed once, one right after the other.

The machine's speed changes from second to second, and with it all figures of a round. A ratio is therefore taken within
each round, and the median of all rounds is given. What is timed is the steady state: each call is made once before its
clock starts, since the calls before it have filled the processor's caches with other things.
"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Call: TypeAlias = "Callable[[], object]"

_SAMPLE_NS: Final = 400_000
_LOOPS_MAX: Final = 1000
_EMPTY_LOOPS: Final = 2000
_TRIES: Final = 20
_WARM_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Way:
    """One way of values: protopact's call, bare upb's for the same message, and those of others.

    A call may handle many `messages`; figures are for one of them.
    """

    path: str
    message: str
    payload_bytes: int
    bare: Call
    ours: Call
    goal: float | None = None
    peers: Mapping[str, Call] = field(default_factory=dict)
    messages: int = 1


@dataclass(frozen=True, slots=True)
class TimeRow:
    """What one way costs: nanoseconds for a message, and multiples of what bare upb needs for it."""

    path: str
    message: str
    payload_bytes: int
    bare_ns: float
    ns: float
    ratio: float
    goal: float | None
    peers: Mapping[str, float]

    @property
    def is_missed(self) -> bool:
        """Whether the ratio is above its goal."""
        return self.goal is not None and self.ratio > self.goal


def time_ways(ways: Iterable[Way], rounds: int) -> list[TimeRow]:
    """Time every way in every round."""
    empty_ns = min(_timed_ns(_nothing, _EMPTY_LOOPS) for _ in range(_TRIES))
    races = [_Race(way) for way in ways]
    # What the run itself holds would else be searched by the collector within the timed calls.
    gc.collect()
    gc.freeze()
    try:
        for _ in range(rounds):
            for race in races:
                race.run(empty_ns)
    finally:
        gc.unfreeze()
    return [race.row() for race in races]


class _Race:
    """The calls of one way, and their times in each round: bare upb, protopact, the others."""

    def __init__(self, way: Way) -> None:
        self._way = way
        calls = (way.bare, way.ours, *way.peers.values())
        self._runners = [(call, _loops(call)) for call in calls]
        self._times: list[list[float]] = []

    def run(self, empty_ns: float) -> None:
        times = [_timed_ns(call, loops) - empty_ns for call, loops in self._runners]
        self._times.append([max(time, 1.0) / self._way.messages for time in times])

    def row(self) -> TimeRow:
        way = self._way
        bare, ours, *_ = (median(side) for side in zip(*self._times, strict=True))
        own, *others = (
            median(times[place] / times[0] for times in self._times) for place in range(1, len(self._runners))
        )
        peers: Sequence[tuple[str, float]] = list(zip(way.peers, others, strict=True))
        return TimeRow(way.path, way.message, way.payload_bytes, bare, ours, own, way.goal, dict(peers))


def _nothing() -> None:
    """Cost what the loop around a call and entering it cost: that is taken off every time."""


def _loops(call: Call) -> int:
    """Say how often a call is made in a round: quick ones often, so that the clock's own cost does not count."""
    once_ns = min(_timed_ns(call, 1) for _ in range(_WARM_UP))
    return max(1, min(_LOOPS_MAX, int(_SAMPLE_NS / max(once_ns, 1.0))))


def _timed_ns(call: Call, loops: int) -> float:
    call()
    started = time.perf_counter_ns()
    for _ in range(loops):
        call()
    return (time.perf_counter_ns() - started) / loops
