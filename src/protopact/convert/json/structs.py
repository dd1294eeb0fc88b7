"""Struct, Value and ListValue ⇄ JSON; they have no fixed shape, so these functions are written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import NULL_VALUE as NULL

from protopact.convert import shapes
from protopact.convert.json.scalars import BOOL_TEXT, DOUBLE_MAX, json_words, string_text, take_string
from protopact.convert.values import Misfit, MisfitError, field_step, key_step, misfit, too_deep

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.struct_pb2 import ListValue, Struct, Value


# ── messages → text ──────────────────────────────────────────────────────────────────────────────


def struct_text(message: Struct, room: int) -> str:
    """Give a Struct as JSON; `room` is how many levels may still follow below it."""
    fields, below = message.fields, room - 2
    if room < 0 or (below < 0 and fields):
        raise too_deep()
    return f"{{{','.join([f'{string_text(key)}:{value_text(fields[key], below)}' for key in fields])}}}"


def list_text(message: ListValue, room: int) -> str:
    """Give a ListValue as JSON."""
    values, below = message.values, room - 1
    if room < 0 or (below < 0 and values):
        raise too_deep()
    return f"[{','.join([value_text(value, below) for value in values])}]"


def value_text(message: Value, room: int) -> str:
    """Give a Value as JSON; null for one that holds nothing."""
    if room < 0:
        raise too_deep()
    kind = message.WhichOneof("kind")
    if kind == "string_value":
        return string_text(message.string_value)
    return _TEXTS[kind](message, room)


def _number_text(message: Any, _room: int) -> str:
    number: float = message.number_value
    if -DOUBLE_MAX <= number <= DOUBLE_MAX:
        return repr(number)
    raise misfit("JSON has no infinity and no NaN, and a Value would take their names for text")


_TEXTS: dict[str | None, Callable[[Any, int], str]] = {
    None: lambda _message, _room: "null",
    "null_value": lambda _message, _room: "null",
    "bool_value": lambda message, _room: BOOL_TEXT[message.bool_value],
    "number_value": _number_text,
    "struct_value": lambda message, room: struct_text(message.struct_value, room - 1),
    "list_value": lambda message, room: list_text(message.list_value, room - 1),
}

# ── JSON → messages ──────────────────────────────────────────────────────────────────────────────


def put_struct(message: Struct, data: object, room: int) -> None:
    """Fill a Struct from an object."""
    if type(data) is not dict:
        raise misfit(f"needs an object, not {json_words(data)}")
    fields, below = message.fields, room - 2
    if room < 0 or (below < 0 and data):
        raise too_deep()
    misfits: list[Misfit] = []
    for key, value in data.items():
        try:
            put_value(fields[key if key.isascii() else take_string(key)], value, below)
        except MisfitError as error:
            misfits.extend(error.below(field_step(key)))
    if misfits:
        raise MisfitError(*misfits)


def put_list(message: ListValue, data: object, room: int) -> None:
    """Fill a ListValue from an array."""
    if type(data) is not list:
        raise misfit(f"needs an array, not {json_words(data)}")
    add, below = message.values.add, room - 1
    if room < 0 or (below < 0 and data):
        raise too_deep()
    misfits: list[Misfit] = []
    for index, value in enumerate(data):
        try:
            put_value(add(), value, below)
        except MisfitError as error:
            misfits.extend(error.below(key_step(index)))
    if misfits:
        raise MisfitError(*misfits)


def put_value(message: Value, value: object, room: int) -> None:
    """Fill a Value from whatever JSON holds."""
    if type(value) is str:
        message.string_value = value if value.isascii() else take_string(value)
    elif type(value) is bool:
        message.bool_value = value
    elif type(value) is float or type(value) is int:
        message.number_value = _finite(value)
    elif value is None:
        message.null_value = NULL
    elif type(value) is dict:
        struct = message.struct_value
        struct.SetInParent()
        put_struct(struct, value, room - 1)
    else:
        items = message.list_value
        items.SetInParent()
        put_list(items, value, room - 1)


def _finite(value: float) -> float:
    if -DOUBLE_MAX <= value <= DOUBLE_MAX:
        return float(value)
    raise misfit("the number is out of range for double")


TEXTS: dict[str | None, Callable[[Any, int], str]] = {
    shapes.STRUCT: struct_text,
    shapes.VALUE: value_text,
    shapes.LIST_VALUE: list_text,
}
"""What gives each type's text."""

PUTS: dict[str | None, Callable[[Any, object, int], None]] = {
    shapes.STRUCT: put_struct,
    shapes.VALUE: put_value,
    shapes.LIST_VALUE: put_list,
}
"""What fills each type."""
