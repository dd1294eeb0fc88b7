"""A dict with a bound: read without a lock, as dicts may be; written under one."""

from __future__ import annotations

from threading import Lock
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")

ENTRIES_MAX = 1000
"""How many closures a serializer or deserializer keeps in each of its tables."""

_lock = Lock()


def keep(table: dict[K, V], key: K, value: V) -> V:
    """Put a value into a table unless it is there; the oldest ones make room. Gives the value that is there."""
    with _lock:
        kept = table.setdefault(key, value)
        while len(table) > ENTRIES_MAX:
            del table[next(iter(table))]
        return kept
