"""Scalar values: what a dict holds, and the table of checks by field type."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, TypeAlias

from google.protobuf.descriptor import FieldDescriptor

from protopact.convert import shapes
from protopact.convert.values.misfits import misfit, type_words

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from google.protobuf.descriptor import EnumDescriptor

PlainValue: TypeAlias = (
    "bool | int | float | str | bytes | datetime | timedelta | list[PlainValue]"
    " | dict[str, PlainValue] | dict[int, PlainValue] | dict[bool, PlainValue] | None"
)
"""What a dict of a message holds."""

Enums: TypeAlias = Literal["name", "number"]
"""Whether an enum's value is told by its name or by its number."""

Check: TypeAlias = Callable[[object], object]
"""Gives the value to store in a message, or raises MisfitError."""

FLOAT32_MAX = 3.4028234663852886e38
"""The greatest finite float of 32 bits."""

_FLOAT32 = struct.Struct("<f")
INTEGERS = {
    FieldDescriptor.TYPE_INT32: ("int32", -(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_SINT32: ("sint32", -(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_SFIXED32: ("sfixed32", -(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_UINT32: ("uint32", 0, (1 << 32) - 1),
    FieldDescriptor.TYPE_FIXED32: ("fixed32", 0, (1 << 32) - 1),
    FieldDescriptor.TYPE_INT64: ("int64", -(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_SINT64: ("sint64", -(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_SFIXED64: ("sfixed64", -(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_UINT64: ("uint64", 0, (1 << 64) - 1),
    FieldDescriptor.TYPE_FIXED64: ("fixed64", 0, (1 << 64) - 1),
}
"""The name and the range of each integer type."""


def type_name(field: FieldDescriptor) -> str:
    """Give the name of a scalar field's type, as a `.proto` has it; `enum` for enums."""
    return INTEGERS[field.type][0] if field.type in INTEGERS else _OTHER_TYPES[field.type]


def check_of(field: FieldDescriptor) -> Check:
    """Give the check of a scalar or enum field's single value."""
    if field.type == FieldDescriptor.TYPE_ENUM:
        return _enum_check(shapes.enum_type(field))
    return _CHECKS[field.type]


def _integer_check(kind: str, low: int, high: int) -> Check:
    def check(value: object) -> int:
        if type(value) is int and low <= value <= high:
            return value
        if not isinstance(value, int) or value is True or value is False:
            raise misfit(f"needs an int for {kind}, not {type_words(value)}")
        if not low <= value <= high:
            raise misfit(f"the int is out of range for {kind} ({low} to {high})")
        return value

    return check


def _check_double(value: object) -> float:
    if isinstance(value, float):
        return value
    return _exact_float(value, "double")


def _check_float(value: object) -> float:
    number = value if isinstance(value, float) else _exact_float(value, "float")
    try:
        stored: float = _FLOAT32.unpack(_FLOAT32.pack(number))[0]
    except OverflowError:
        raise misfit("the number is out of range for float (32 bits)") from None
    if number is not value and stored != number:
        raise misfit("the int has no exact float (32 bits)", hint="give a float to have it rounded")
    return number


def _exact_float(value: object, kind: str) -> float:
    if not isinstance(value, int) or isinstance(value, bool):
        raise misfit(f"needs a float for {kind}, not {type_words(value)}")
    try:
        number = float(value)
    except OverflowError:
        raise misfit(f"the int is out of range for {kind}") from None
    if number != value:
        raise misfit(f"the int has no exact {kind}", hint="give a float to have it rounded")
    return number


def _check_bool(value: object) -> bool:
    if value is True or value is False:
        return value
    raise misfit(f"needs a bool, not {type_words(value)}")


def _check_string(value: object) -> str:
    if not isinstance(value, str):
        raise misfit(f"needs a str, not {type_words(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise misfit(f"the str holds a lone surrogate at {error.start}, which UTF-8 cannot write") from None
    return value


def _check_bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    hint = "encode the text, or decode its base64" if isinstance(value, str) else ""
    raise misfit(f"needs bytes, not {type_words(value)}", hint=hint)


_CHECKS: dict[int, Check] = {
    **{kind: _integer_check(*limits) for kind, limits in INTEGERS.items()},
    FieldDescriptor.TYPE_DOUBLE: _check_double,
    FieldDescriptor.TYPE_FLOAT: _check_float,
    FieldDescriptor.TYPE_BOOL: _check_bool,
    FieldDescriptor.TYPE_STRING: _check_string,
    FieldDescriptor.TYPE_BYTES: _check_bytes,
}


_OTHER_TYPES = {
    FieldDescriptor.TYPE_ENUM: "enum",
    FieldDescriptor.TYPE_DOUBLE: "double",
    FieldDescriptor.TYPE_FLOAT: "float",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
}


def enum_names(enum: EnumDescriptor) -> dict[int, str]:
    """Give the name of each number, the first one where several share it."""
    names: dict[int, str] = {}
    for value in enum.values:
        names.setdefault(value.number, value.name)
    return names


def _enum_check(enum: EnumDescriptor) -> Check:
    numbers = {value.name: value.number for value in enum.values}
    known = frozenset(numbers.values())
    closed, full_name, check_number = (
        enum.is_closed,
        enum.full_name,
        _integer_check("an enum", -(1 << 31), (1 << 31) - 1),
    )

    def check(value: object) -> object:
        if isinstance(value, str):
            named = numbers.get(value)
            if named is None:
                raise misfit(f"{full_name} has no such name{nearest(value, numbers)}")
            return named
        number = check_number(value)
        if closed and number not in known:
            raise misfit(f"{full_name} is closed and has no such number")
        return number

    return check


def nearest(name: str, known: Iterable[str]) -> str:
    """Give `; did you mean 'x'?`, or nothing when no known name is near."""
    near = get_close_matches(name[:100], list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
