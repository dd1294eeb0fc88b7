"""Caches do not grow without end."""

from __future__ import annotations

from protopact.server.decisions.bounded import BoundedCache


def kept(cache: BoundedCache[str, int], keys: str) -> str:
    return "".join(key for key in keys if cache.find(key) is not None)


def test_what_was_asked_for_least_recently_goes_first() -> None:
    cache: BoundedCache[str, int] = BoundedCache(entries_max=2, bytes_max=100)
    cache.keep("a", 1, 1)
    cache.keep("b", 2, 1)
    assert cache.find("a") == 1
    cache.keep("c", 3, 1)
    assert kept(cache, "abc") == "ac"


def test_bytes_are_bounded_as_well() -> None:
    cache: BoundedCache[str, int] = BoundedCache(entries_max=100, bytes_max=10)
    for key in "abc":
        cache.keep(key, 1, 4)
    assert kept(cache, "abc") == "bc"
    cache.keep("b", 2, 6)
    assert (kept(cache, "bc"), cache.find("b")) == ("bc", 2)
    cache.keep("d", 3, 11)
    assert kept(cache, "abcd") == ""
    cache.keep("e", 4, 10)
    assert kept(cache, "abcde") == "e"
