"""Values as a reader of annotated bytes wants them: by the declared type, or by guess where none is known."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from google.protobuf.descriptor import FieldDescriptor

if TYPE_CHECKING:
    from collections.abc import Callable

VARINT, FIXED64, LENGTH, GROUP, END_GROUP, FIXED32 = range(6)
WIRE_TYPE_BITS: Final = 3
"""A key holds a field's number above the bits of its wire type."""
WIRE_TYPES: Final = ("varint", "64 bits", "length", "group", "end of group", "32 bits")

_SHOWN_BYTES: Final = 32
_SHOWN_TEXT: Final = 80
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\"}
_SIGN_32, _SIGN_64 = 1 << 31, 1 << 63

_TYPE_NAMES: Final = {
    getattr(FieldDescriptor, name): name.removeprefix("TYPE_").lower()
    for name in dir(FieldDescriptor)
    if name.startswith("TYPE_")
}

_OTHER_THAN_VARINT: Final = {
    FIXED64: (FieldDescriptor.TYPE_FIXED64, FieldDescriptor.TYPE_SFIXED64, FieldDescriptor.TYPE_DOUBLE),
    FIXED32: (FieldDescriptor.TYPE_FIXED32, FieldDescriptor.TYPE_SFIXED32, FieldDescriptor.TYPE_FLOAT),
    LENGTH: (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE),
    GROUP: (FieldDescriptor.TYPE_GROUP,),
}
WIRE_TYPE_OF: Final = dict.fromkeys(_TYPE_NAMES, VARINT) | {
    declared: wire_type for wire_type, group in _OTHER_THAN_VARINT.items() for declared in group
}
"""The wire type that each declared type is written in (https://protobuf.dev/programming-guides/encoding/#structure)."""


def type_name(field: FieldDescriptor) -> str:
    """Give a field's type as its schema writes it."""
    kind = field.message_type or field.enum_type
    return kind.full_name if kind else _TYPE_NAMES[field.type]


def _signed(bits: int) -> Callable[[int], int]:
    return lambda value: ((value & (1 << bits) - 1) ^ 1 << bits - 1) - (1 << bits - 1)


def _unsigned_32(value: int) -> int:
    return value & 0xFFFFFFFF


def _zigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


_VARINTS: Final[dict[int, Callable[[int], object]]] = {
    FieldDescriptor.TYPE_INT32: _signed(32),
    FieldDescriptor.TYPE_INT64: _signed(64),
    FieldDescriptor.TYPE_ENUM: _signed(32),
    FieldDescriptor.TYPE_UINT32: _unsigned_32,
    FieldDescriptor.TYPE_SINT32: lambda value: _zigzag(_unsigned_32(value)),
    FieldDescriptor.TYPE_SINT64: _zigzag,
    FieldDescriptor.TYPE_BOOL: lambda value: "true" if value else "false",
}
_FIXED: Final = {
    FieldDescriptor.TYPE_FIXED32: "<I",
    FieldDescriptor.TYPE_SFIXED32: "<i",
    FieldDescriptor.TYPE_FLOAT: "<f",
    FieldDescriptor.TYPE_FIXED64: "<Q",
    FieldDescriptor.TYPE_SFIXED64: "<q",
    FieldDescriptor.TYPE_DOUBLE: "<d",
}

_GUESSED: Final = {4: ("<I", "<f"), 8: ("<Q", "<d")}


def varint_value(value: int, field: FieldDescriptor | None) -> str:
    """Show a varint: as the field's type reads it, else unsigned, and negative where that is likelier."""
    if field is None:
        return f"{value} ({_signed(64)(value)} if signed)" if value >= _SIGN_64 else str(value)
    shown = _VARINTS.get(field.type, int)(value)
    if field.enum_type is not None and isinstance(shown, int):
        known = field.enum_type.values_by_number.get(shown)
        return f"{known.name} ({shown})" if known else str(shown)
    return str(shown)


def fixed_value(data: bytes, field: FieldDescriptor | None) -> str:
    """Show four or eight bytes: as the field's type reads them, else as an integer and as a float."""
    if field is not None:
        (value,) = struct.unpack(_FIXED[field.type], data)
        return repr(value)
    whole, real = _GUESSED[len(data)]
    return f"{struct.unpack(whole, data)[0]} ({struct.unpack(real, data)[0]!r} if a float)"


def text_value(text: str) -> str:
    """Show text in quotes, with escapes for what a terminal must not get; shortened when long."""
    return quoted(text[:_SHOWN_TEXT]) + (f"… {len(text)} characters" if len(text) > _SHOWN_TEXT else "")


def quoted(text: str) -> str:
    """Quote text; control characters are escaped, letters of all languages stay."""
    return '"' + "".join(_ESCAPES.get(c) or (c if c.isprintable() else repr(c)[1:-1]) for c in text) + '"'


def bytes_value(data: bytes) -> str:
    """Show bytes in hexadecimal; shortened when long."""
    return data[:_SHOWN_BYTES].hex(" ") + (f"… {len(data)} bytes" if len(data) > _SHOWN_BYTES else "")
