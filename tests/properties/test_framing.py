from __future__ import annotations

import contextlib

from hypothesis import example, given, strategies as st

from protopact.errors import FramingError
from protopact.framing import (
    decode_prefix,
    decode_varint,
    decode_zigzag,
    encode_prefix,
    encode_varint,
    encode_zigzag,
)

UINT64 = st.integers(0, 2**64 - 1)
INDEXES = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=64)


@given(UINT64, st.binary(max_size=4), st.binary(max_size=4))
def test_a_varint_comes_back_from_between_other_bytes(value: int, before: bytes, behind: bytes) -> None:
    written = encode_varint(value)
    assert decode_varint(before + written + behind, len(before)) == (value, len(before) + len(written))


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_zigzag_integer_comes_back(value: int) -> None:
    written = encode_zigzag(value)
    assert decode_zigzag(written) == (value, len(written))


@given(st.integers(0, 2**31 - 1), INDEXES, st.binary(max_size=8))
@example(1, [0], b"")
def test_a_prefix_comes_back(schema_id: int, indexes: list[int], payload: bytes) -> None:
    written = encode_prefix(schema_id, indexes)
    read = decode_prefix(written + payload)
    assert (read.schema_id, read.indexes, read.size) == (schema_id, tuple(indexes), len(written))


@given(st.integers(0, 2**31 - 1), INDEXES, st.integers(0, 400))
def test_every_truncated_prefix_is_refused_where_it_ends(schema_id: int, indexes: list[int], cut: int) -> None:
    written = encode_prefix(schema_id, indexes)
    cut %= len(written)
    try:
        decode_prefix(written[:cut])
    except FramingError as refused:
        assert refused.offset == cut  # noqa: PT017  (the offset is the point)
    else:
        raise AssertionError("a truncated prefix was read")


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=80).map(lambda tail: bytes(5) + tail)))
@example(b"")
@example(bytes.fromhex("000000000180808080808080"))
def test_random_bytes_raise_nothing_but_framing_errors(data: bytes) -> None:
    for decode in (decode_prefix, decode_varint, decode_zigzag):
        with contextlib.suppress(FramingError):
            decode(data)
