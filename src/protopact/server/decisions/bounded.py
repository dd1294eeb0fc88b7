"""A cache with bounds."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedCache(Generic[K, V]):
    """Values that never change, by key: what was asked for least recently goes first. Safe for many threads."""

    def __init__(self, *, entries_max: int, bytes_max: int) -> None:
        """Hold at most so many values, of so many bytes together."""
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()
        self._age = 0

    @property
    def age(self) -> int:
        """How often the cache was cleared: what was read before belongs to an earlier age."""
        return self._age

    def find(self, key: K) -> V | None:
        """Find a value that was kept."""
        with self._lock:
            kept = self._values.get(key)
            if kept is None:
                return None
            self._values.move_to_end(key)
            return kept[0]

    def keep(self, key: K, value: V, size: int, *, age: int | None = None) -> None:
        """Keep a value that takes `size` bytes, and let go of others where there is no room.

        One of an earlier `age` is not kept.
        """
        with self._lock:
            if age not in (None, self._age):
                return
            _, freed = self._values.pop(key, (None, 0))
            self._values[key] = (value, size)
            self._bytes += size - freed
            while len(self._values) > self._entries_max or self._bytes > self._bytes_max:
                _, (_, dropped) = self._values.popitem(last=False)
                self._bytes -= dropped

    def clear(self) -> None:
        """Let go of all."""
        with self._lock:
            self._age += 1
            self._bytes = 0
            self._values.clear()
