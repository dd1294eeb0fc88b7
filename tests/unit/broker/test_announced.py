"""What a request announces is walked through before kio reads it: nothing is set aside for what is not there."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from kio.index import load_request_schema
from kio.serial import entity_reader

from protopact.broker.announced import ENTRIES_MAX, sifted
from protopact.errors import RefusedRequestError
from unit.broker.newer_messages import FLEXIBLE, KNOWN, request

FETCH, METADATA = 1, 3
HEAD = bytes(8) + b"\xff\xff"  # up to the client's name, which is null
FURTHER = {0: b"", 1: b"one", 300: b"long" * 100, 2**31 - 1: b"last"}
TAG_NUMBERS = st.integers(0, 2**31 - 1) | st.integers(0, 20)


def sift(frame: bytes, key: int, version: int) -> bytes:
    return bytes(sifted(memoryview(frame), load_request_schema(key, version)))


# ── lists ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("key", "version"), KNOWN)
def test_every_request_is_gone_through_to_its_end_and_refused_when_it_is_cut(key: int, version: int) -> None:
    frame = request(key, version)
    assert sift(frame + b"behind", key, version) == frame
    for cut in range(len(frame)):
        with pytest.raises(RefusedRequestError):
            sift(frame[:cut], key, version)


@pytest.mark.parametrize("announced", [b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\xff\x07", b"\x10"])
def test_a_compact_list_that_the_frame_cannot_hold_is_refused(announced: bytes) -> None:
    with pytest.raises(RefusedRequestError, match="announces a list of"):
        sift(HEAD + b"\0" + announced, METADATA, 9)


def test_a_list_that_the_frame_cannot_hold_is_refused() -> None:
    with pytest.raises(RefusedRequestError, match="announces a list of 2147483647 entries"):
        sift(HEAD + b"\x7f\xff\xff\xff" + bytes(100), METADATA, 5)


def test_more_entries_than_all_lists_may_have_are_refused() -> None:
    """Each would be an object of some hundred bytes."""

    def asking(entries: int) -> bytes:
        return HEAD + entries.to_bytes(4, "big") + b"\0\x01a" * entries + b"\0"

    assert sift(asking(ENTRIES_MAX), METADATA, 5) == asking(ENTRIES_MAX)
    with pytest.raises(RefusedRequestError, match="more than 100000 entries"):
        sift(asking(ENTRIES_MAX + 1), METADATA, 5)


# ── tagged fields ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("key", "version"), FLEXIBLE)
def test_tagged_fields_that_are_not_known_are_left_out_wherever_they_stand(key: int, version: int) -> None:
    """In the header, in the message, in what it holds, and in the value of a tagged field that is known."""
    newer = request(key, version, FURTHER)
    assert len(newer) > len(request(key, version)) + 2 * 400
    assert sift(newer, key, version) == request(key, version)


@given(st.sampled_from(FLEXIBLE), st.dictionaries(TAG_NUMBERS, st.binary(max_size=300), max_size=5))
def test_a_request_is_the_same_with_tagged_fields_that_are_not_known(
    which: tuple[int, int], further: dict[int, bytes]
) -> None:
    assert sift(request(*which, further), *which) == request(*which)


def test_tagged_fields_that_are_known_are_kept() -> None:
    frame = sift(request(FETCH, 17, FURTHER), FETCH, 17)
    schema = load_request_schema(FETCH, 17)
    _, size = entity_reader(schema.__header_schema__)(frame, 0)
    message, _ = entity_reader(schema)(frame, size)
    assert (message.cluster_id, message.replica_state.replica_epoch) == ("ab", 5)
    assert message.topics[1].partitions[1].replica_directory_id.int == 7


def test_a_frame_in_which_all_is_known_is_not_copied() -> None:
    frame = request(FETCH, 17)
    assert sifted(memoryview(frame), load_request_schema(FETCH, 17)).obj is frame


@pytest.mark.parametrize("size", [0, 15, 17, 18])
def test_a_known_tagged_field_of_another_size_than_it_announces_is_refused(size: int) -> None:
    """kio reads the sixteen bytes whatever was announced: what follows would be read at a place that nobody counted."""
    frame = request(FETCH, 17)
    directory = b"\x01\x00\x10" + bytes(15) + b"\x07"
    assert directory in frame
    with pytest.raises(RefusedRequestError, match=f"16 bytes announces {size}"):
        sift(frame.replace(directory, b"\x01\x00" + bytes([size]) + directory[3:]), FETCH, 17)


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        (b"\xff\xff\xff\xff\x0f", "announces a list of 4294967295 entries"),
        (b"\xff\xff\xff\xff\xff\x0f", "more than five bytes"),
        (b"\x01\x09\xff\xff\xff\xff\x0f", "ends before"),
        (b"\x01\x09\x0b" + bytes(10), "ends before"),
        (b"\x01\xff\xff\xff\xff\xff\x01\x00", "more than five bytes"),
        (b"\x02\x09\x00", "ends before"),
        (b"\x02", "announces a list of 2 entries"),
    ],
)
def test_tagged_fields_that_the_frame_cannot_hold_are_refused(tags: bytes, why: str) -> None:
    with pytest.raises(RefusedRequestError, match=why):
        sift(HEAD + tags, METADATA, 12)


def test_more_tagged_fields_than_entries_are_allowed_are_refused() -> None:
    def asking(tags: int) -> bytes:
        count = bytes([tags & 0x7F | 0x80, tags >> 7 & 0x7F | 0x80, tags >> 14])
        return HEAD + count + b"\x09\x00" * tags + b"\x01\x00\x00\x00"

    assert sift(asking(ENTRIES_MAX), METADATA, 12) == HEAD + b"\x00\x01\x00\x00\x00"
    with pytest.raises(RefusedRequestError, match="more than 100000 entries"):
        sift(asking(ENTRIES_MAX + 1), METADATA, 12)
