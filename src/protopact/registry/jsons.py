"""Reading and writing JSON that came from outside: whatever is wrong with it becomes one clear RegistryError (400)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn, TypeAlias, TypeVar

from protopact.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What a JSON document holds."""

T = TypeVar("T")

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
INT64_MAX = 2**63 - 1
_DIGITS_MAX = 20
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}


def bad_request(message: str) -> RegistryError:
    """Give the error for a body that is no JSON, or JSON of the wrong shape."""
    return RegistryError(message, error_code=400)


def read_json(data: bytes) -> JsonValue:
    """Give the value of a JSON document in UTF-8.

    RegistryError 400 for anything else: other encodings, NaN and Infinity, whole numbers beyond 64 bits, documents
    nested deeper than the parser goes.
    """
    try:
        value: JsonValue = _STRICT.decode(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise bad_request(f"the body is not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise bad_request("the body is nested too deep") from error
    except ValueError as error:
        raise bad_request(f"the body is not JSON: {error}") from error
    return value


def read_object(data: bytes, what: str) -> dict[str, JsonValue]:
    """Give the fields of a JSON object; `what` names it in errors. RegistryError 422 where nothing or null came."""
    value = read_json(data) if data.strip() else None
    if value is None:
        raise RegistryError(f"{what} must not be null", error_code=422)
    return as_object(value, what)


def write_json(value: object) -> bytes:
    """Give compact JSON in UTF-8; RegistryError 400 for a text with lone surrogates, which UTF-8 cannot carry."""
    try:
        return _COMPACT.encode(value).encode()
    except UnicodeEncodeError as error:
        raise bad_request("a text holds a lone surrogate, which cannot be sent as UTF-8") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise bad_request(f"the value cannot be written as JSON: {error}") from error


def without_empty(fields: Mapping[str, object]) -> dict[str, object]:
    """Leave out what the dialect never writes: null, empty texts, lists and objects (Jackson's NON_EMPTY)."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {}, ())}


# Typed access: each takes the value and the name that errors show.


def as_object(value: JsonValue, where: str) -> dict[str, JsonValue]:
    """Give an object; its names are checked to be sendable."""
    if not isinstance(value, dict):
        raise _wrong_type(value, where, "an object")
    for name in value:
        as_text(name, where)
    return value


def as_list(value: JsonValue, where: str) -> list[JsonValue]:
    """Give a list; null stands for the empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong_type(value, where, "a list")
    return value


def as_text(value: JsonValue, where: str) -> str:
    """Give a text without lone surrogates."""
    if not isinstance(value, str):
        raise _wrong_type(value, where, "a text")
    if not value.isascii():
        try:
            value.encode()  # several times as quick as a search
        except UnicodeEncodeError as error:
            raise bad_request(f"{where} holds a lone surrogate, which is no character") from error
    return value


def as_texts(value: JsonValue, where: str) -> tuple[str, ...]:
    """Give a list of texts."""
    return tuple(as_text(item, where) for item in as_list(value, where))


def as_text_map(value: JsonValue, where: str) -> dict[str, str]:
    """Give an object whose values are texts; null stands for the empty one."""
    fields = {} if value is None else as_object(value, where)
    return {name: as_text(item, f"{where}.{name}") for name, item in fields.items()}


def as_int(value: JsonValue, where: str, *, maximum: int = INT32_MAX) -> int:
    """Give a whole number of 32 bits, or up to `maximum`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(value, where, "a whole number")
    if not INT32_MIN <= value <= maximum:
        raise bad_request(f"{where} is out of range: {value}")
    return value


def as_bool(value: JsonValue, where: str) -> bool:
    """Give a boolean."""
    if not isinstance(value, bool):
        raise _wrong_type(value, where, "a boolean")
    return value


def optional(value: JsonValue, read: Callable[[JsonValue, str], T], where: str) -> T | None:
    """Give None for null, else what `read` makes of the value."""
    return None if value is None else read(value, where)


def _wrong_type(value: JsonValue, where: str, wanted: str) -> RegistryError:
    return bad_request(f"{where} must be {wanted}, not {_KINDS[type(value)]}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS_MAX or not -INT64_MAX - 1 <= int(digits) <= INT64_MAX:
        raise ValueError("a whole number is beyond 64 bits")
    return int(digits)


_STRICT = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_whole)
