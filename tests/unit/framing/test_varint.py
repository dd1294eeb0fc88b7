from __future__ import annotations

from typing import Literal

import pytest

from protopact.errors import EncodeError, FramingError
from protopact.framing import decode_varint, decode_zigzag, encode_varint, encode_zigzag


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**64 - 1, "ffffffffffffffffff01")],
)
def test_a_varint_is_written_and_read_as_protobuf_writes_it(value: int, encoded: str) -> None:
    assert encode_varint(value).hex() == encoded
    assert decode_varint(bytes.fromhex(encoded)) == (value, len(encoded) // 2)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (-1, "01"), (1, "02"), (-2, "03"), (2**31 - 1, "feffffff0f"), (-(2**63), "ffffffffffffffffff01")],
)
def test_a_zigzag_integer_keeps_its_sign(value: int, encoded: str) -> None:
    assert encode_zigzag(value).hex() == encoded
    assert decode_zigzag(bytes.fromhex(encoded)) == (value, len(encoded) // 2)


def test_a_varint_is_read_at_an_offset() -> None:
    assert decode_varint(b"\xff\xff\xac\x02\xff", 2) == (300, 4)


@pytest.mark.parametrize("value", [-1, 2**64])
def test_a_value_outside_64_bits_is_not_written(value: int) -> None:
    with pytest.raises(EncodeError):
        encode_varint(value)


@pytest.mark.parametrize(("data", "offset"), [("", 0), ("80", 1), ("ffff", 2)])
def test_a_truncated_varint_is_refused_with_the_offset_of_the_missing_byte(data: str, offset: int) -> None:
    with pytest.raises(FramingError) as refused:
        decode_varint(bytes.fromhex(data))
    assert refused.value.offset == offset


@pytest.mark.parametrize(
    ("data", "bits", "offset"),
    [
        ("ffffffffff01", 32, 4),  # a sixth byte
        ("ffffffff1f", 32, 4),  # 33 bits in five bytes
        ("80808080808080808080808000", 64, 9),  # an eleventh byte
        ("ffffffffffffffffff02", 64, 9),  # 65 bits in ten bytes
    ],
)
def test_a_varint_longer_than_its_bits_is_refused(data: str, bits: Literal[32, 64], offset: int) -> None:
    with pytest.raises(FramingError) as refused:
        decode_varint(bytes.fromhex(data), bits=bits)
    assert refused.value.offset == offset
