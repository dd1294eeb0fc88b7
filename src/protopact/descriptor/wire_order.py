"""Serialized fields in the order of their numbers, without knowing the message type."""

from __future__ import annotations

_VARINT, _FIXED64, _BYTES, _GROUP_START, _GROUP_END, _FIXED32 = range(6)
_CONTINUES = 0x80
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}


def in_number_order(data: bytes) -> bytes:
    """Give the same fields by ascending number; fields of one number keep their order. `data` must be well-formed."""
    fields = []
    at = 0
    while at < len(data):
        number, end = _skip_field(data, at)
        fields.append((number, data[at:end]))
        at = end
    return b"".join(part for _, part in sorted(fields, key=lambda field: field[0]))


def _skip_field(data: bytes, at: int) -> tuple[int, int]:
    """Give the field's number and the offset behind it."""
    tag, at = _varint(data, at)
    number, wire_type = tag >> 3, tag & 7
    if wire_type == _VARINT:
        return number, _varint(data, at)[1]
    if wire_type == _BYTES:
        size, at = _varint(data, at)
        return number, at + size
    if wire_type == _GROUP_START:
        return number, _skip_group(data, at)
    return number, at + _FIXED_SIZES[wire_type]


def _skip_group(data: bytes, at: int) -> int:
    depth = 1
    while depth:
        tag, behind = _varint(data, at)
        wire_type = tag & 7
        if wire_type in {_GROUP_START, _GROUP_END}:
            depth += 1 if wire_type == _GROUP_START else -1
            at = behind
        else:
            _, at = _skip_field(data, at)
    return at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & _CONTINUES:
            return value, at
        shift += 7
