"""The routes of the registry, each with its call and the reader of its reply. Nothing here sends anything.

A reader raises RegistryError for a body that is not what the route promises.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import quote

from protopact.errors import RegistryError
from protopact.flow import Call
from protopact.registry import (
    CONTENT_TYPE,
    LATEST,
    RESPONSE_TYPES,
    RegisteredSchema,
    Subject,
    SubjectVersion,
    parse_version,
    read_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from protopact.flow import Reply
    from protopact.registry import JsonValue, SchemaRequest

T = TypeVar("T")

RETRIED = frozenset({408, 429, *range(500, 600)})
"""The statuses after which the same call is tried again."""

_ACCEPT = f"{RESPONSE_TYPES[0]}, {RESPONSE_TYPES[1]}; q=0.9, {RESPONSE_TYPES[2]}; q=0.5"
_SERIALIZED = "serialized"
_ID_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Ask(Generic[T]):
    """A call, how its reply is read, and the statuses after which it is tried again."""

    call: Call
    read: Callable[[Reply], T]
    retried: frozenset[int] = RETRIED


def get_types() -> Ask[list[str]]:
    """GET /schemas/types."""
    return Ask(_get("schemas", "types"), _texts)


def get_subjects(prefix: str | None = None, *, deleted: bool = False) -> Ask[list[str]]:
    """GET /subjects; without a prefix the subjects of every context."""
    wanted = None if prefix is None else _checked_prefix(prefix)
    return Ask(_get("subjects", query={"subjectPrefix": wanted, "deleted": deleted}), _texts)


def get_versions(subject: str, *, deleted: bool = False) -> Ask[list[int]]:
    """GET /subjects/{subject}/versions."""
    return Ask(_get("subjects", _subject(subject), "versions", query={"deleted": deleted}), _numbers)


def get_version(
    subject: str, version: int | str, *, deleted: bool = False, serialized: bool = False
) -> Ask[RegisteredSchema]:
    """GET /subjects/{subject}/versions/{version}; the reply must be of that version."""
    number = parse_version(str(version))
    word = "latest" if number == LATEST else str(number)
    query = {"deleted": deleted, "format": _SERIALIZED if serialized else None}

    def read(reply: Reply) -> RegisteredSchema:
        found = _schema_with_text(reply)
        if number not in {LATEST, found.version or number}:
            raise RegistryError(f"version {number} was asked for and the answer holds {found.version}")
        return replace(found, subject=found.subject or subject)

    return Ask(
        _get("subjects", _subject(subject), "versions", word, query=query), read, _retried(serialized=serialized)
    )


def get_schema_by_id(schema_id: int, *, subject: str | None = None, serialized: bool = False) -> Ask[RegisteredSchema]:
    """GET /schemas/ids/{id}; the reply must not be of another id."""
    query = {"subject": None if subject is None else _subject(subject), "format": _SERIALIZED if serialized else None}

    def read(reply: Reply) -> RegisteredSchema:
        found = _schema_with_text(reply)
        if found.id not in {None, schema_id}:
            raise RegistryError(f"id {schema_id} was asked for and the answer holds {found.id}")
        return replace(found, id=schema_id)

    return Ask(_get("schemas", "ids", _id(schema_id), query=query), read, _retried(serialized=serialized))


def get_versions_for_schema(schema_id: int, *, deleted: bool = False) -> Ask[list[SubjectVersion]]:
    """GET /schemas/ids/{id}/versions."""

    def read(reply: Reply) -> list[SubjectVersion]:
        return [SubjectVersion.from_object(item) for item in _list(reply)]

    return Ask(_get("schemas", "ids", _id(schema_id), "versions", query={"deleted": deleted}), read)


def register(subject: str, request: SchemaRequest, *, normalize: bool = False) -> Ask[RegisteredSchema]:
    """POST /subjects/{subject}/versions. Registering twice gives one id, so it may be tried again."""
    call = _post(request.to_json(), "subjects", _subject(subject), "versions", query={"normalize": normalize})
    return Ask(call, lambda reply: _registered(reply, subject, request))


def lookup(
    subject: str, request: SchemaRequest, *, normalize: bool = False, deleted: bool = False
) -> Ask[RegisteredSchema]:
    """POST /subjects/{subject}."""
    query = {"normalize": normalize, "deleted": deleted}
    call = _post(request.to_json(), "subjects", _subject(subject), query=query)
    return Ask(call, lambda reply: _registered(reply, subject, request))


# ── how calls are built ──────────────────────────────────────────────────────────────────────────


def _get(*segments: str, query: Mapping[str, str | bool | None] | None = None) -> Call:
    return Call("GET", _path(segments), _query(query or {}), {"accept": _ACCEPT})


def _post(body: bytes, *segments: str, query: Mapping[str, str | bool | None] | None = None) -> Call:
    headers = {"accept": _ACCEPT, "content-type": CONTENT_TYPE}
    return Call("POST", _path(segments), _query(query or {}), headers, body)


def _path(segments: Iterable[str]) -> str:
    return "".join(f"/{_segment(segment)}" for segment in segments)


def _segment(text: str) -> str:
    # `.` and `..` would be taken out of the path on the way.
    return text.replace(".", "%2E") if text in {".", ".."} else quote(text, safe="")


def _query(wanted: Mapping[str, str | bool | None]) -> tuple[tuple[str, str], ...]:
    said = {name: "true" if value is True else value for name, value in wanted.items()}
    return tuple((name, value) for name, value in said.items() if isinstance(value, str))


def _subject(text: str) -> str:
    # An empty segment would be lost, so the empty subject travels qualified.
    return Subject.parse(text).qualified or ":.:"


def _checked_prefix(prefix: str) -> str:
    Subject.parse(prefix)
    return prefix


def _id(schema_id: int) -> str:
    if not 0 <= schema_id <= _ID_MAX:
        raise RegistryError(f"Schema {schema_id} not found", error_code=40403)
    return str(schema_id)


def _retried(*, serialized: bool) -> frozenset[int]:
    # Karapace answers 500 to `format=serialized` and always will: the text is asked for instead.
    return RETRIED - {500, 501} if serialized else RETRIED


# ── how replies are read ─────────────────────────────────────────────────────────────────────────


def _registered(reply: Reply, subject: str, request: SchemaRequest) -> RegisteredSchema:
    found = RegisteredSchema.from_json(reply.body)
    if found.id is None:
        raise RegistryError("the answer holds no id")
    return replace(
        found,
        subject=found.subject or subject,
        schema_type=request.schema_type,
        schema=found.schema or request.schema,
        references=found.references or request.references,
    )


def _schema_with_text(reply: Reply) -> RegisteredSchema:
    found = RegisteredSchema.from_json(reply.body)
    if not found.schema:
        raise RegistryError("the answer holds no schema")
    return found


def _list(reply: Reply) -> list[JsonValue]:
    found = read_json(reply.body)
    if not isinstance(found, list):
        raise RegistryError("the answer is no list")
    return found


def _texts(reply: Reply) -> list[str]:
    found = _list(reply)
    texts = [item for item in found if isinstance(item, str)]
    if len(texts) != len(found):
        raise RegistryError("the answer is no list of texts")
    return texts


def _numbers(reply: Reply) -> list[int]:
    found = _list(reply)
    numbers = [item for item in found if isinstance(item, int) and not isinstance(item, bool)]
    if len(numbers) != len(found):
        raise RegistryError("the answer is no list of numbers")
    return numbers
