"""Where a message's bytes can be cut: between its fields, each found by its key and its length, as upb reads them.

Nothing is judged here. Bytes that are no field have no end, and are left for Protobuf's own parser to refuse.
Sources: https://protobuf.dev/programming-guides/encoding/; for the sizes of varints, upb's `wire/reader.h`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from protopact.wire.values import END_GROUP, FIXED32, FIXED64, GROUP, LENGTH, VARINT, WIRE_TYPE_BITS

DEPTH_MAX: Final = 100
"""How deep upb reads messages and groups that are nested."""

_WIRE_TYPE: Final = (1 << WIRE_TYPE_BITS) - 1
_CONTINUES: Final = 0x80
_KEY_BYTES_MAX: Final = 5
_KEY_MAX: Final = (1 << 32) - 1
_SIZE_BYTES_MAX: Final = 5
_VARINT_BYTES_MAX: Final = 10
_FIXED_BYTES: Final = {FIXED32: 4, FIXED64: 8}
_SHORT_BYTES: Final = 128  # longer fields, whose lengths take two bytes, are few enough to be found one by one
_SHORT_DEPTH: Final = 3  # deeper groups are found one by one, too


class Key(NamedTuple):
    """A field's key, and where its content begins."""

    number: int
    wire_type: int
    content: int


def whole_fields(data: bytes, at: int, limit: int) -> int:
    """Give where the last of the fields ends that stand whole between `at` and `limit`; `at` when none does."""
    while at < limit:
        at = _short_fields(data, at, limit)
        end = field_end(data, at, limit)
        if end is None:
            return at
        at = end
    return at


def field_end(data: bytes, at: int, limit: int) -> int | None:
    """Give where a field ends, a group with all that it holds; None for no field, or for one that ends beyond `limit`.

    Whether the marks of a group are those of the same group is not looked at.
    """
    read = _varint(data, at, limit, _KEY_BYTES_MAX)
    if read is None:
        return None
    wire_type = read[0] & _WIRE_TYPE
    return (_group_end if wire_type == GROUP else _content_end)(data, wire_type, read[1], limit)


def key_at(data: bytes, at: int, limit: int) -> Key | None:
    """Give the key of the field that begins at `at`; None for bytes that are none, or go on beyond `limit`."""
    read = _varint(data, at, limit, _KEY_BYTES_MAX)
    if read is None or read[0] > _KEY_MAX:
        return None
    return Key(read[0] >> WIRE_TYPE_BITS, read[0] & _WIRE_TYPE, read[1])


def length_at(data: bytes, at: int, limit: int) -> tuple[int, int] | None:
    """Give where the content behind a length at `at` begins and ends; None where either is beyond `limit`."""
    read = _varint(data, at, limit, _SIZE_BYTES_MAX)
    if read is None:
        return None
    size, start = read
    return None if start + size > limit else (start, start + size)


def elements_end(data: bytes, at: int, limit: int, wire_type: int) -> int:
    """Give where the last of the packed numbers ends that stand whole between `at` and `limit`; `at` when none does."""
    width = _FIXED_BYTES.get(wire_type)
    if width is not None:
        return limit - (limit - at) % width
    while limit > at and data[limit - 1] >= _CONTINUES:
        limit -= 1
    return limit


def _content_end(data: bytes, wire_type: int, at: int, limit: int) -> int | None:
    if wire_type == LENGTH:
        content = length_at(data, at, limit)
        return None if content is None else content[1]
    if wire_type == VARINT:
        read = _varint(data, at, limit, _VARINT_BYTES_MAX)
        return None if read is None else read[1]
    width = _FIXED_BYTES.get(wire_type)
    return None if width is None or at + width > limit else at + width


def _group_end(data: bytes, _wire_type: int, at: int, limit: int) -> int | None:
    open_groups = 1
    while 0 < open_groups <= DEPTH_MAX:
        at = _short_fields(data, at, limit)
        key = key_at(data, at, limit)
        if key is None:
            return None
        end: int | None = key.content
        if key.wire_type == GROUP:
            open_groups += 1
        elif key.wire_type == END_GROUP:
            open_groups -= 1
        else:
            end = _content_end(data, key.wire_type, key.content, limit)
        if end is None:
            return None
        at = end
    return None if open_groups else at


def _varint(data: bytes, at: int, limit: int, bytes_max: int) -> tuple[int, int] | None:
    """Give a varint and where it ends; None for one that goes on beyond `limit`, or for more bytes than it may."""
    value = shift = 0
    for place in range(at, min(limit, at + bytes_max)):
        byte = data[place]
        if byte < _CONTINUES:
            return value | byte << shift, place + 1
        value |= (byte - _CONTINUES) << shift
        shift += 7
    return None


def _short_pattern() -> re.Pattern[bytes]:
    """Give the pattern of any number of short fields: a bomb has millions of them, too many for a loop in Python."""

    def keys(wire_type: int) -> bytes:
        codes = [b"\\x%02x" % code for code in range(256) if code & _WIRE_TYPE == wire_type]
        last, first = b"".join(codes[: len(codes) // 2]), b"".join(codes[len(codes) // 2 :])
        return b"(?:[%b]|[%b][\\x80-\\xff]{0,%d}+[\\x00-\\x7f])" % (last, first, _KEY_BYTES_MAX - 2)

    lengths = b"|".join(b"\\x%02x.{%d}" % (size, size) for size in range(_SHORT_BYTES))
    contents = {
        VARINT: b"[\\x80-\\xff]{0,%d}+[\\x00-\\x7f]" % (_VARINT_BYTES_MAX - 1),
        LENGTH: b"(?:%b)" % lengths,
        **{wire_type: b".{%d}" % width for wire_type, width in _FIXED_BYTES.items()},
    }
    plain = b"|".join(keys(wire_type) + content for wire_type, content in contents.items())
    fields = b"(?:%b)*+" % plain
    for _ in range(_SHORT_DEPTH):
        fields = b"(?:%b|%b%b%b)*+" % (plain, keys(GROUP), fields, keys(END_GROUP))
    return re.compile(fields, re.DOTALL)


_match_short = _short_pattern().match


def _short_fields(data: bytes, at: int, limit: int) -> int:
    found = _match_short(data, at, limit)
    return at if found is None else found.end()
