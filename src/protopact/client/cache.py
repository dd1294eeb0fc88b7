"""A bounded cache in which one caller fetches a value and all others wait for it, threads and tasks alike."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from protopact.flow import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from protopact.flow import Flow

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Flight(Generic[V]):
    """A value on its way; whoever `leads` has to fetch it. A result of None says that the leader gave up."""

    future: Future[V | None]
    leads: bool


class Cache(Generic[V]):
    """The values used last, at most `entries_max`, each for at most `ttl_s` where that is said.

    Failures are never kept. None is no value. Time is the monotonic clock's, in seconds. What was asked for before
    its key was forgotten reaches those who wait for it, but is not kept: it may tell of a time that has passed.
    """

    def __init__(
        self, entries_max: int, *, ttl_s: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._entries: OrderedDict[Hashable, tuple[V, float | None]] = OrderedDict()
        self._flights: dict[Hashable, Future[V | None]] = {}
        self._lock = threading.Lock()
        self._clearings = 0
        self._entries_max, self._ttl_s, self._clock = entries_max, ttl_s, clock

    def __len__(self) -> int:
        """Count the values."""
        return len(self._entries)

    def find(self, key: Hashable) -> V | None:
        """Give the value, or None where there is none or it is too old."""
        with self._lock:
            return self._find(key)

    @property
    def clearings(self) -> int:
        """How often all values were forgotten."""
        return self._clearings

    def put(self, key: Hashable, value: V, *, clearings: int | None = None) -> None:
        """Keep a value, and let go of the one that was used longest ago when there is no room.

        With `clearings` as they were before the value was asked for, it is kept only if there was none since.
        """
        with self._lock:
            if clearings in {None, self._clearings}:
                self._put(key, value)

    def drop(self, key: Hashable) -> None:
        """Forget a value, here or on its way."""
        with self._lock:
            self._entries.pop(key, None)
            self._flights.pop(key, None)

    def discard(self, key: Hashable, value: V) -> None:
        """Forget this very value, but not another one that has taken its place."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[0] is value:
                del self._entries[key]

    def clear(self) -> None:
        """Forget all values, here or on their way."""
        with self._lock:
            self._clearings += 1
            self._entries.clear()
            self._flights.clear()

    def claim(self, key: Hashable) -> Flight[V]:
        """Join the flight that brings the value, or lead one; a leader ends it by `land` or `fail`."""
        with self._lock:
            future = self._flights.get(key)
            if future is not None:
                return Flight(future, leads=False)
            future = Future()
            value = self._find(key)
            if value is not None:
                future.set_result(value)
                return Flight(future, leads=False)
            self._flights[key] = future
            return Flight(future, leads=True)

    def land(self, key: Hashable, flight: Flight[V], value: V) -> None:
        """Keep the value, unless it was forgotten meanwhile, and give it to everyone who waits."""
        with self._lock:
            if self._ends(key, flight):
                self._put(key, value)
        flight.future.set_result(value)

    def fail(self, key: Hashable, flight: Flight[V], error: BaseException) -> None:
        """Give the error to everyone who waits; a leader that was merely stopped lets another one lead."""
        with self._lock:
            self._ends(key, flight)
        if isinstance(error, Exception):
            flight.future.set_exception(error)
        else:
            flight.future.set_result(None)

    def _ends(self, key: Hashable, flight: Flight[V]) -> bool:
        """End a flight and say whether it was still wanted."""
        wanted = self._flights.get(key) is flight.future
        if wanted:
            del self._flights[key]
        return wanted

    def _find(self, key: Hashable) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, expires_at = entry
        if expires_at is not None and self._clock() >= expires_at:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return value

    def _put(self, key: Hashable, value: V) -> None:
        expires_at = None if self._ttl_s is None else self._clock() + self._ttl_s
        self._entries[key] = (value, expires_at)
        self._entries.move_to_end(key)
        while len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)


def once(cache: Cache[V], key: Hashable, fetch: Callable[[], Flow[V]]) -> Flow[V]:
    """Give the cached value, or what one caller's `fetch` brings while all others wait for it."""
    value = cache.find(key)
    while value is None:
        flight = cache.claim(key)
        if flight.leads:
            value = yield from _lead(cache, key, flight, fetch)
        else:
            value = yield from wait(flight.future)
    return value


def _lead(cache: Cache[V], key: Hashable, flight: Flight[V], fetch: Callable[[], Flow[V]]) -> Flow[V]:
    try:
        value = yield from fetch()
    except BaseException as error:
        cache.fail(key, flight, error)
        raise
    cache.land(key, flight, value)
    return value
