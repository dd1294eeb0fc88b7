"""The table of forms: in which Protobuf types a Python value can be written, and the functions between the two.

Where no function stands, the value is written as it is, and pydantic makes the model's type of what is read: it reads
dates, decimals and UUIDs from text faster than any function here would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Context, Decimal
from typing import TYPE_CHECKING, TypeAlias, cast
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Mapping

Function: TypeAlias = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Form:
    """How a value is written to and read from a type; None where it passes as it is."""

    write: Callable[..., object] | None = None
    read: Callable[..., object] | None = None


_AS_IT_IS = Form()
_EXACT = Context(prec=1_000_000)
_INTEGERS = (
    "int64", "int32", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64",
)  # fmt: skip


def _write_date(value: date) -> dict[str, int]:
    return {"year": value.year, "month": value.month, "day": value.day}


def _read_date(value: Mapping[str, int]) -> object:
    try:
        return date(value["year"], value["month"], value["day"])
    except ValueError:  # a Date may leave parts out, which the model's validator refuses
        return value


def _write_decimal(value: Decimal) -> dict[str, object]:
    """Give the parts of a `confluent.type.Decimal`: the unscaled integer, big-endian, and how many digits follow."""
    sign, digits, exponent = value.as_tuple()
    scale = -cast("int", exponent)
    unscaled = int("".join(map(str, digits))) * (-1 if sign else 1)
    if scale < 0:
        unscaled, scale = unscaled * 10**-scale, 0
    size = unscaled.bit_length() // 8 + 1
    return {
        "value": unscaled.to_bytes(size, "big", signed=True),
        "precision": len(str(abs(unscaled))),
        "scale": scale,
    }


def _read_decimal(value: Mapping[str, object]) -> Decimal:
    unscaled = int.from_bytes(cast("bytes", value["value"]), "big", signed=True)
    return Decimal(unscaled).scaleb(-cast("int", value["scale"]), _EXACT)


def _read_uuid(value: bytes) -> object:
    try:
        return UUID(bytes=value)
    except ValueError:
        return value


def _wrapped(scalars: tuple[str, ...]) -> dict[str, Form]:
    """Give wrapper messages too, whose values convert bare."""
    names = {"bool": "Bool", "bytes": "Bytes", "string": "String", "double": "Double", "float": "Float"}
    names |= {"int64": "Int64", "int32": "Int32", "uint32": "UInt32", "uint64": "UInt64"}
    wrappers = [f"google.protobuf.{names[scalar]}Value" for scalar in scalars if scalar in names]
    return dict.fromkeys([*scalars, *wrappers], _AS_IT_IS)


# By the kind of Python value: the types it can be written in, the usual one first.
FORMS: dict[str, dict[str, Form]] = {
    "bool": _wrapped(("bool",)),
    "int": _wrapped(_INTEGERS),
    "float": _wrapped(("double", "float")),
    "str": _wrapped(("string",)),
    "bytes": _wrapped(("bytes",)),
    "datetime": {"google.protobuf.Timestamp": _AS_IT_IS, "string": Form(datetime.isoformat)},
    "timedelta": {"google.protobuf.Duration": _AS_IT_IS},
    "date": {"string": Form(date.isoformat), "google.type.Date": Form(_write_date, _read_date)},
    "time": {"string": Form(time.isoformat)},
    "decimal": {
        "string": Form(str),
        "confluent.type.Decimal": Form(_write_decimal, _read_decimal),
        "google.type.Decimal": Form(lambda value: {"value": str(value)}, lambda value: value["value"]),
    },
    "uuid": {"string": Form(str), "bytes": Form(lambda value: value.bytes, _read_uuid)},
    "text": {"string": Form(str)},
    "json": {"google.protobuf.Value": _AS_IT_IS},
    "struct": {"google.protobuf.Struct": _AS_IT_IS},
}

# Kinds whose values come out of the converter as what they are; a union needs no function to tell these apart.
NATIVE = {"bool", "int", "float", "str", "bytes", "datetime", "timedelta"}
