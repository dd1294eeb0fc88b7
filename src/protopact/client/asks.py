"""What every route is made of: calls with their path, query and body, and readers of replies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar
from urllib.parse import quote

from protopact.errors import RegistryError, registry_error
from protopact.flow import Call
from protopact.registry import CONTENT_TYPE, LATEST, RESPONSE_TYPES, Subject, item_problem, parse_version, read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from protopact.flow import Reply
    from protopact.registry import JsonValue

    Query: TypeAlias = Mapping[str, str | bool | int | Iterable[str] | None]

T = TypeVar("T")

RETRIED = frozenset({408, 429, *range(500, 600)})
"""The statuses after which the same call is tried again."""

UNREADABLE_ANSWER = 50005
"""The error code of an answer that cannot be read."""

_ACCEPT = f"{RESPONSE_TYPES[0]}, {RESPONSE_TYPES[1]}; q=0.9, {RESPONSE_TYPES[2]}; q=0.5"
_ID_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """A call, how its reply is read, and the statuses after which it is tried again.

    `done` tells by error code what a refusal gives when an earlier try got no usable answer: that one may have done
    the work, and this one then finds it done. It gives a value, or what to ask whether it was this work; the refusal
    of that is then the refusal.
    """

    call: Call
    read: Callable[[Reply], T]
    retried: frozenset[int] = RETRIED
    done: Mapping[int, T | Ask[T]] = field(default_factory=dict)


# ── how calls are built ──────────────────────────────────────────────────────────────────────────


def get(*segments: str, query: Query | None = None) -> Call:
    """Give a GET of a path, each segment quoted."""
    return Call("GET", _path(segments), _pairs(query or {}), {"accept": _ACCEPT})


def delete(*segments: str, query: Query | None = None) -> Call:
    """Give a DELETE of a path, each segment quoted."""
    return Call("DELETE", _path(segments), _pairs(query or {}), {"accept": _ACCEPT})


def post(body: bytes, *segments: str, query: Query | None = None) -> Call:
    """Give a POST to a path, each segment quoted."""
    return Call("POST", _path(segments), _pairs(query or {}), _WITH_BODY, body)


def put(body: bytes, *segments: str, query: Query | None = None) -> Call:
    """Give a PUT to a path, each segment quoted."""
    return Call("PUT", _path(segments), _pairs(query or {}), _WITH_BODY, body)


def as_plain_json(call: Call) -> Call:
    """Give the call with the plain media type, the only one that the tag catalogue knows."""
    headers = dict.fromkeys(call.headers, "application/json")
    return Call(call.method, call.path, call.query, headers, call.body)


_WITH_BODY = {"accept": _ACCEPT, "content-type": CONTENT_TYPE}


def _path(segments: Iterable[str]) -> str:
    return "".join(f"/{_segment(segment)}" for segment in segments)


def _segment(text: str) -> str:
    # `.` and `..` would be taken out of the path on the way.
    return text.replace(".", "%2E") if text in {".", ".."} else quote(text, safe="")


def _pairs(wanted: Query) -> tuple[tuple[str, str], ...]:
    """Give the pairs of a query; what is None, false or an empty list is not sent."""
    pairs: list[tuple[str, str]] = []
    for name, value in wanted.items():
        if isinstance(value, bool):
            pairs += [(name, "true")] if value else []
        elif isinstance(value, str | int):
            pairs.append((name, str(value)))
        elif value is not None:
            pairs += [(name, item) for item in value]
    return tuple(pairs)


def subject_segment(text: str) -> str:
    """Give a subject as it travels; InvalidSubjectError for one that cannot be."""
    # An empty segment would be lost, so the empty subject travels qualified.
    return Subject.parse(text).qualified or ":.:"


def version_segment(version: int | str) -> str:
    """Give a version as it travels; InvalidVersionError for what is none."""
    number = parse_version(str(version))
    return "latest" if number == LATEST else str(number)


def id_segment(schema_id: int) -> str:
    """Give an id as it travels; SchemaNotFoundError for one that no schema can have."""
    if not 0 <= schema_id <= _ID_MAX:
        raise registry_error(40403, f"Schema {schema_id} not found")
    return str(schema_id)


def prefix(text: str) -> str:
    """Give the start of a subject's name; InvalidSubjectError for what no name starts with."""
    Subject.parse(text)
    return text


def page(offset: int, limit: int | None) -> dict[str, int | None]:
    """Give the query of a part of a list; nothing for the whole of it."""
    return {"offset": offset or None, "limit": limit}


# ── how replies are read ─────────────────────────────────────────────────────────────────────────


def read_nothing(reply: Reply) -> None:
    """Read an answer that says nothing but its status."""


def read_text(reply: Reply) -> str:
    """Read an answer that is a text itself, not JSON."""
    try:
        return reply.body.decode()
    except UnicodeDecodeError as error:
        raise RegistryError("the answer is not UTF-8") from error


def read_list(reply: Reply) -> list[JsonValue]:
    """Read a list."""
    found = read_json(reply.body)
    if not isinstance(found, list):
        raise RegistryError("the answer is no list")
    return found


def read_texts(reply: Reply) -> list[str]:
    """Read a list of texts."""
    found = read_list(reply)
    texts = [item for item in found if isinstance(item, str)]
    if len(texts) != len(found):
        raise RegistryError("the answer is no list of texts")
    return texts


def read_numbers(reply: Reply) -> list[int]:
    """Read a list of whole numbers."""
    found = read_list(reply)
    numbers = [item for item in found if isinstance(item, int) and not isinstance(item, bool)]
    if len(numbers) != len(found):
        raise RegistryError("the answer is no list of numbers")
    return numbers


def read_number(reply: Reply) -> int:
    """Read a whole number."""
    found = read_json(reply.body)
    if isinstance(found, bool) or not isinstance(found, int):
        raise RegistryError("the answer is no number")
    return found


def read_mode(reply: Reply) -> str | None:
    """Read a mode; None where the answer holds none."""
    found = read_json(reply.body)
    mode = found.get("mode") if isinstance(found, dict) else ""
    if mode is not None and not (mode and isinstance(mode, str)):
        raise RegistryError("the answer holds no mode")
    return mode


def read_items(reply: Reply, read: Callable[[JsonValue], T]) -> list[T]:
    """Read the answer to a call for many items; the first item's error is raised."""
    items = read_list(reply)
    for item in items:
        problem = item_problem(item)
        if problem is not None:
            raise RefusedError(*problem)
    return [read(item) for item in items]


class RefusedError(Exception):
    """An answer of status 200 that is a refusal: its code and its text.

    It is no error of ours and never leaves the client: the exchange raises the registry's in its place.
    """

    def __init__(self, error_code: int, message: str) -> None:
        super().__init__(message)
        self.error = registry_error(error_code, message)
