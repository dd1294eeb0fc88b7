"""Frames come out of a stream whole, however it is cut; what announces too much is refused before it comes."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, strategies as st

from protopact.broker.frames import Frames
from protopact.errors import RefusedRequestError


def framed(*payloads: bytes) -> bytes:
    return b"".join(len(payload).to_bytes(4, "big") + payload for payload in payloads)


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(1, 50), max_size=30))
def test_a_stream_gives_the_same_frames_however_it_is_cut(payloads: list[bytes], cuts: list[int]) -> None:
    stream, frames, found = framed(*payloads), Frames(100), []
    while stream:
        size = cuts.pop() if cuts else len(stream)
        frames.receive(stream[:size])
        stream = stream[size:]
        while (frame := frames.take()) is not None:
            found.append(frame)
    assert found == payloads
    assert not frames.begun


@pytest.mark.parametrize("announced", [101, 2**31 - 1, -1, -(2**31)])
def test_a_length_that_is_not_allowed_is_refused_when_its_four_bytes_have_come(announced: int) -> None:
    frames = Frames(100)
    frames.receive(announced.to_bytes(4, "big", signed=True)[:3])
    assert frames.size() is None
    frames.receive(announced.to_bytes(4, "big", signed=True)[3:])
    with pytest.raises(RefusedRequestError, match=f"announces {announced} bytes; 0 to 100"):
        frames.take()


def test_announced_bytes_take_no_memory_before_they_come() -> None:
    tracemalloc.start()
    try:
        frames = Frames(2**31 - 1)
        frames.receive((2**31 - 1).to_bytes(4, "big"))
        assert frames.take() is None
        assert frames.begun
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
