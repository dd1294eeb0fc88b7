"""Base-128 varints and zig-zag integers, as in https://protobuf.dev/programming-guides/encoding/#varints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from protopact.errors import EncodeError, FramingError

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONTINUES = 0x80
_PAYLOAD = 0x7F


def encode_varint(value: int) -> bytes:
    """Write an unsigned integer of up to 64 bits; EncodeError when it is negative or larger."""
    if not 0 <= value < 1 << 64:
        raise EncodeError("a varint holds integers from 0 to 2^64-1")
    written = bytearray()
    while value > _PAYLOAD:
        written.append(value & _PAYLOAD | _CONTINUES)
        value >>= 7
    written.append(value)
    return bytes(written)


def decode_varint(data: Sequence[int], offset: int = 0, *, bits: Literal[32, 64] = 64) -> tuple[int, int]:
    """Read the unsigned integer at `offset`; give it and the offset of the byte behind it.

    At most 5 bytes are read for 32 bits and 10 for 64. FramingError, with the offset of the first byte that is
    wrong or missing, when the data ends within the varint or the value needs more bits.
    """
    value = shift = 0
    for position in range(offset, offset + (bits + 6) // 7):
        if position >= len(data):
            raise FramingError(f"the bytes end within the varint at byte {offset}", offset=position)
        byte = data[position]
        value |= (byte & _PAYLOAD) << shift
        if byte < _CONTINUES:
            if value >> bits:
                raise FramingError(f"the varint at byte {offset} needs more than {bits} bits", offset=position)
            return value, position + 1
        shift += 7
    raise FramingError(f"the varint at byte {offset} is longer than {position - offset + 1} bytes", offset=position)


def encode_zigzag(value: int) -> bytes:
    """Write a signed integer of up to 64 bits as a zig-zag varint: 0, -1, 1, -2 … become 0, 1, 2, 3 and so on."""
    return encode_varint(value * 2 if value >= 0 else -value * 2 - 1)


def decode_zigzag(data: Sequence[int], offset: int = 0, *, bits: Literal[32, 64] = 64) -> tuple[int, int]:
    """Read the signed integer at `offset`; give it and the offset of the byte behind it. Errors as decode_varint."""
    value, end = decode_varint(data, offset, bits=bits)
    return (value >> 1) ^ -(value & 1), end
