"""Struct, Value and ListValue ⇄ plain values; they have no fixed shape, so these functions are written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.convert.dicts.walker import fill_value
from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import too_deep

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.struct_pb2 import ListValue, Struct, Value

    from protopact.convert.values import PlainValue


def read_struct(message: Struct, room: int = DEPTH_MAX) -> dict[str, PlainValue]:
    """Give a Struct as a dict; `room` is how many levels may still follow below it."""
    if room < 0:
        raise too_deep()
    fields, below = message.fields, room - 2
    return {key: read_value(fields[key], below) for key in fields}


def read_list_value(message: ListValue, room: int = DEPTH_MAX) -> list[PlainValue]:
    """Give a ListValue as a list."""
    if room < 0:
        raise too_deep()
    below = room - 1
    return [read_value(value, below) for value in message.values]


def read_value(message: Value, room: int = DEPTH_MAX) -> PlainValue:
    """Give what a Value holds; None for null, and for a Value that holds nothing."""
    kind = message.WhichOneof("kind")
    if kind == "string_value":
        return message.string_value
    read = _READERS.get(kind)
    return None if read is None else read(message, room)


_READERS: dict[str | None, Callable[[Value, int], PlainValue]] = {
    "number_value": lambda message, _room: message.number_value,
    "bool_value": lambda message, _room: message.bool_value,
    "struct_value": lambda message, room: read_struct(message.struct_value, room - 1),
    "list_value": lambda message, room: read_list_value(message.list_value, room - 1),
}


def write_struct(message: Struct, data: dict[str, object], room: int) -> None:
    """Fill a Struct from a dict."""
    fields, below = message.fields, room - 2
    if below < 0:
        raise too_deep()
    for key, value in data.items():
        write_value(fields[key], value, below)


def write_value(message: Value, value: object, room: int) -> None:
    """Fill a Value from what is not a message."""
    if type(value) is str:
        message.string_value = value
    elif type(value) is float:
        message.number_value = value
    elif type(value) is bool:
        message.bool_value = value
    elif type(value) is dict and value and room >= 1:
        write_struct(message.struct_value, value, room - 1)
    elif type(value) is list and value and room >= 1:
        write_list_value(message.list_value, value, room - 1)
    else:
        fill_value(message, value, room)


def write_list_value(message: ListValue, items: list[object], room: int) -> None:
    """Fill a ListValue from a list."""
    add, below = message.values.add, room - 1
    if below < 0:
        raise too_deep()
    for item in items:
        write_value(add(), item, below)
