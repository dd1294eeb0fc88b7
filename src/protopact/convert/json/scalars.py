"""Scalars and the well-known types of one scalar's form ⇄ proto JSON (https://protobuf.dev/programming-guides/json/).

Functions that end in `_text` give JSON text; the others take what `json.loads` gives, or raise MisfitError.
"""

from __future__ import annotations

import binascii
import re
import struct
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from datetime import datetime, timedelta
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any, TypeAlias

from google.protobuf.descriptor import FieldDescriptor

from protopact.convert import shapes, values
from protopact.convert.json.enum_names import enum_json_names, enum_numbers
from protopact.convert.values import INTEGERS, misfit, nearest, type_words

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.field_mask_pb2 import FieldMask
    from google.protobuf.timestamp_pb2 import Timestamp

Take: TypeAlias = Callable[[object], Any]
"""Gives the value to store in a message for a value of JSON, or raises MisfitError."""

DOUBLE_MAX = 1.7976931348623157e308
"""The greatest finite float of 64 bits."""

FLOAT_BELOW = 2.0**128 - 2.0**103
"""Where 32 bits end: what is below rounds to a finite float, so that the shortest form of the greatest one is read."""

NULL_VALUE = "google.protobuf.NullValue"
UNKNOWN = object()
"""What an enum's `Take` gives for a name that is to be ignored."""

_SPECIAL = {"inf": '"Infinity"', "-inf": '"-Infinity"', "nan": '"NaN"'}
_FLOAT32 = struct.Struct("<f")
_EPOCH = values.EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400
_NANOS_IN_SECOND = 1_000_000_000
_SECONDS_MIN, _SECONDS_MAX = -62_135_596_800, 253_402_300_799
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z\Z", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}\Z")
_UNDERSCORE = re.compile(r"_(.?)", re.DOTALL)

# ── values → text ────────────────────────────────────────────────────────────────────────────────

BOOL_TEXT = ("false", "true")

string_text = encode_basestring_ascii
"""Give text as JSON; TypeError for the bytes that stand for a string which is not UTF-8."""


def special_text(number: float) -> str:
    """Give the text of an infinity, or of what is no number."""
    return _SPECIAL[repr(number)]


def double_text(number: float) -> str:
    """Give the text of a double."""
    return repr(number) if -DOUBLE_MAX <= number <= DOUBLE_MAX else special_text(number)


def float_text(number: float) -> str:
    """Give the shortest text that is read as this float of 32 bits."""
    if not -DOUBLE_MAX <= number <= DOUBLE_MAX:
        return special_text(number)
    packed = _FLOAT32.pack(number)
    for digits in (6, 7, 8):
        short = float(f"{number:.{digits}g}")
        if _FLOAT32.pack(short) == packed:
            return repr(short)
    return repr(float(f"{number:.9g}"))


def bytes_text(value: bytes) -> str:
    """Give bytes as base64, between quotes."""
    return f'"{b2a_base64(value, newline=False).decode()}"'


def timestamp_text(message: Timestamp) -> str:
    """Give a Timestamp as RFC 3339 text with 0, 3, 6 or 9 decimals."""
    seconds, nanos = message.seconds, message.nanos
    if nanos % 1000 == 0 and 0 <= nanos < _NANOS_IN_SECOND and _SECONDS_MIN <= seconds <= _SECONDS_MAX:
        text = (_EPOCH + _MICROSECOND * (seconds * 1_000_000 + nanos // 1000)).isoformat()
        return f'"{text}Z"' if nanos == 0 or nanos % 1_000_000 else f'"{text[:-3]}Z"'
    exact = values.timestamp_text(seconds, nanos)
    if exact is None:
        raise misfit("the Timestamp is outside the years 1 to 9999, or its nanos outside a second")
    return f'"{exact}"'


def duration_text(message: Duration) -> str:
    """Give a Duration as seconds with 0, 3, 6 or 9 decimals."""
    text = values.duration_text(message.seconds, message.nanos)
    if text is None:
        raise misfit("the Duration is longer than 10,000 years, or its nanos do not fit its seconds")
    return f'"{text}"'


def mask_text(message: FieldMask) -> str:
    """Give a FieldMask as its paths in lowerCamelCase, between commas."""
    paths = list(message.paths)
    text = ",".join(_UNDERSCORE.sub(lambda match: match[1].upper(), path) for path in paths)
    if _paths(text) != paths:
        raise misfit("a path of the FieldMask has no form in JSON that would be read as the same path")
    return string_text(text)


def enum_texts(enum: EnumDescriptor, *, by_name: bool) -> dict[int, str]:
    """Give the text of each number that has a form of its own; others are written as numbers."""
    if not by_name:
        return {}
    if enum.full_name == NULL_VALUE:
        return {0: "null"}
    return {number: string_text(name) for number, name in enum_json_names(enum).items()}


def key_text(key: object) -> str:
    """Give a map's key, which JSON has as text always."""
    if isinstance(key, bool):
        return f'"{BOOL_TEXT[key]}"'
    return string_text(key) if isinstance(key, str) else f'"{key}"'


# ── JSON → values ────────────────────────────────────────────────────────────────────────────────


def taking(field: FieldDescriptor, *, ignore_unknown: bool = False) -> Take:
    """Give the function that takes a scalar or enum field's single value."""
    if field.type == FieldDescriptor.TYPE_ENUM:
        return _enum_taker(shapes.enum_type(field), ignore_unknown=ignore_unknown)
    return _TAKERS[field.type]


def key_taking(field: FieldDescriptor) -> Callable[[str], object]:
    """Give the function that takes a map's key."""
    return _take_bool_key if field.type == FieldDescriptor.TYPE_BOOL else _TAKERS[field.type]


def _integer_taker(kind: str, low: int, high: int) -> Take:
    def take(value: object) -> int:
        number = value if type(value) is int else _integer(value, kind)
        if not low <= number <= high:
            raise misfit(f"the number is out of range for {kind} ({low} to {high})")
        return number

    return take


def _integer(value: object, kind: str) -> int:
    """Give the integer that a float, or text, is; text as Python reads it, but without spaces."""
    number = value
    if isinstance(value, str) and " " not in value:
        try:
            return int(value)
        except ValueError:
            number = _number_or_none(value)
    if isinstance(number, float) and number.is_integer():
        return int(number)
    raise misfit(f"needs an integer for {kind}, as a number or as text, not {json_words(value)}")


def _number_or_none(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def take_double(value: object) -> float:
    """Take a number, or text that is one, or one of the three special names."""
    number = _number(value)
    if isinstance(value, str) or -DOUBLE_MAX <= number <= DOUBLE_MAX:
        return number
    raise misfit("the number is out of range for double", hint="infinity is the text Infinity or -Infinity")


def _take_float(value: object) -> float:
    number = _number(value)
    if -FLOAT_BELOW < number < FLOAT_BELOW or (isinstance(value, str) and not -DOUBLE_MAX <= number <= DOUBLE_MAX):
        return number
    raise misfit("the number is out of range for float (32 bits)")


def _number(value: object) -> float:
    if type(value) is float:
        return value
    if (isinstance(value, str) and value != "nan") or (isinstance(value, int) and not isinstance(value, bool)):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            pass
        else:
            if -DOUBLE_MAX <= number <= DOUBLE_MAX or not any(digit in "0123456789" for digit in str(value)):
                return number
            raise misfit("the number is out of range for double")
    raise misfit(f"needs a number, not {json_words(value)}")


def _take_bool(value: object) -> bool:
    if value is True or value is False:
        return value
    raise misfit(f"needs true or false, not {json_words(value)}")


def _take_bool_key(key: str) -> bool:
    if key in BOOL_TEXT:
        return key == "true"
    raise misfit("a key of this map is true or false, between quotes")


def take_string(value: object) -> str:
    """Take text that UTF-8 can write."""
    if not isinstance(value, str):
        raise misfit(f"needs text, not {json_words(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise misfit(f"the text holds a lone surrogate at {error.start}, which UTF-8 cannot write") from None
    return value


def take_bytes(value: object) -> bytes:
    """Take base64 of the standard or of the URL-safe alphabet, with or without padding."""
    if not isinstance(value, str):
        raise misfit(f"needs bytes as base64 text, not {json_words(value)}")
    try:
        return a2b_base64(value, strict_mode=True)
    except ValueError:
        pass
    if _BASE64.match(value):
        bare = value.rstrip("=").translate(_STANDARD)
        try:
            return a2b_base64(bare + "=" * (-len(bare) % 4))
        except binascii.Error:
            pass
    raise misfit("the text is no base64")


_STANDARD = str.maketrans("-_", "+/")


def put_timestamp(message: Timestamp, value: object) -> None:
    """Fill a Timestamp from RFC 3339 text."""
    match = _TIMESTAMP.match(value) if type(value) is str else None
    if match is not None:
        try:
            since = datetime.fromisoformat(match[1]) - _EPOCH
        except ValueError:
            raise misfit("the text names no moment of the calendar") from None
        message.seconds = since.days * _DAY + since.seconds
        message.nanos = int(match[2].ljust(9, "0")) if match[2] else 0
    elif isinstance(value, str) and not ("t" in value or "z" in value):
        message.seconds, message.nanos = values.timestamp_of_text(value)
    else:
        raise misfit(f"needs an RFC 3339 time such as 2026-01-31T12:00:00Z, not {json_words(value)}")


def put_duration(message: Duration, value: object) -> None:
    """Fill a Duration from text such as `1.5s`."""
    if not isinstance(value, str):
        raise misfit(f"needs a duration such as 1.5s, not {json_words(value)}")
    message.seconds, message.nanos = values.duration_of_text(value)


def put_mask(message: FieldMask, value: object) -> None:
    """Fill a FieldMask from its paths in lowerCamelCase."""
    if not isinstance(value, str):
        raise misfit(f"needs paths between commas, not {json_words(value)}")
    if "_" in value:
        raise misfit("the paths of a FieldMask are in lowerCamelCase in JSON, without underscores")
    message.paths.extend(_paths(take_string(value)))


def _paths(text: str) -> list[str]:
    spelled = "".join([f"_{letter.lower()}" if letter.isupper() else letter for letter in text])
    return spelled.split(",") if text else []


def _enum_taker(enum: EnumDescriptor, *, ignore_unknown: bool) -> Take:
    numbers = enum_numbers(enum)
    known, closed, full_name = frozenset(numbers.values()), enum.is_closed, enum.full_name
    take_number = _integer_taker("an enum", -(1 << 31), (1 << 31) - 1)

    def take(value: object) -> object:
        number = numbers.get(value) if isinstance(value, str) else None
        if number is not None:
            return number
        if value is None and full_name == NULL_VALUE:
            return 0
        if isinstance(value, str) and not _is_number(value):
            if ignore_unknown:
                return UNKNOWN
            raise misfit(f"{full_name} has no such name{nearest(value, numbers)}")
        number = take_number(value)
        if closed and number not in known:
            raise misfit(f"{full_name} is closed and has no such number")
        return number

    return take


def _is_number(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def json_words(value: object) -> str:
    """Give `a text`, `a number`, `null`: what a value of JSON is, without the value."""
    return _WORDS.get(type(value)) or type_words(value)


_WORDS = {
    str: "this text",
    int: "this number",
    float: "this number",
    bool: "a bool",
    list: "an array",
    dict: "an object",
    type(None): "null",
}

_TAKERS: dict[int, Take] = {
    **{kind: _integer_taker(*limits) for kind, limits in INTEGERS.items()},
    FieldDescriptor.TYPE_DOUBLE: take_double,
    FieldDescriptor.TYPE_FLOAT: _take_float,
    FieldDescriptor.TYPE_BOOL: _take_bool,
    FieldDescriptor.TYPE_STRING: take_string,
    FieldDescriptor.TYPE_BYTES: take_bytes,
}
