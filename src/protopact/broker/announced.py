"""Lists that a request announces, walked through before kio reads them.

kio sets room aside for as many entries as are announced: five bytes that announce four milliard of them make it ask for
32 GiB, which ends the process. And a few bytes of each entry become an object of some hundred, so all the lists of a
request together have a bound as well.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, TypeAlias, Union, get_args, get_origin

from protopact.broker.codes import Code
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from dataclasses import Field

ENTRIES_MAX = 100_000
_MORE, _SHIFT_MAX = 0x80, 28  # of a varint: the bit that says so, and where the last of five bytes stands

# The bytes of each type that has always as many (https://kafka.apache.org/protocol.html#protocol_types).
_BYTES = {
    "bool": 1,
    "int8": 1,
    "int16": 2,
    "uint16": 2,
    "error_code": 2,
    "int32": 4,
    "uint32": 4,
    "timedelta_i32": 4,
    "int64": 8,
    "timedelta_i64": 8,
    "datetime_i64": 8,
    "float64": 8,
    "uuid": 16,
}
# The bytes that hold the length of each type that has one, where lengths are no varints.
_LENGTH_BYTES = {"string": 2, "bytes": 4, "records": 4}


@dataclass(slots=True)
class _Walk:
    """How far a frame was walked through, and how many entries its lists may still have."""

    frame: memoryview
    position: int
    entries_left: int

    def number(self, size: int) -> int:
        self.position += size
        return int.from_bytes(self.frame[self.position - size : self.position], "big", signed=True)

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.frame[self.position]
            self.position += 1
            value |= (byte & 0x7F) << shift
            if not byte & _MORE:
                return value
            shift += 7
            if shift > _SHIFT_MAX:
                raise _refused("a varint has more than five bytes")

    def skip(self, size: int) -> None:
        self.position += max(0, size)
        if self.position > len(self.frame):
            raise _refused(f"it ends before byte {self.position}")

    def count(self, entries: int) -> int:
        """Count a list's entries, each of which has a byte at least."""
        if entries > len(self.frame) - self.position:
            raise _refused(f"it announces a list of {entries} entries, and {len(self.frame)} bytes are all it has")
        self.entries_left -= max(0, entries)
        if self.entries_left < 0:
            raise _refused(f"its lists have more than {ENTRIES_MAX} entries")
        return entries


_Step: TypeAlias = "Callable[[_Walk], None]"


def check_announced(frame: memoryview, schema: type) -> int:
    """Walk through the header and the message of a request, and give the position behind it.

    `schema` is kio's class of the message. RefusedRequestError when the frame cannot hold the lists that it announces,
    when it ends early, or when its lists have more than 100,000 entries.
    """
    walk = _Walk(frame, 0, ENTRIES_MAX)
    try:
        for step in _request_steps(schema):
            step(walk)
    except IndexError:
        raise _refused(f"it ends before byte {walk.position + 1}") from None
    walk.skip(0)
    return walk.position


def _refused(why: str) -> RefusedRequestError:
    return RefusedRequestError(why, error_code=Code.INVALID_REQUEST)


@cache
def _request_steps(schema: type) -> tuple[_Step, ...]:
    header = schema.__header_schema__  # type: ignore[attr-defined]  # every class of kio's has one
    # The client's name is no compact string in any version of the header (KIP-511).
    head = (_skipping(8), _text(2), *((_skip_tags,) if header.__flexible__ else ()))
    return (*head, *_steps(schema))


@cache
def _steps(schema: type) -> tuple[_Step, ...]:
    """Give the steps through an object of kio's class; a flexible one ends with tagged fields."""
    compact: bool = schema.__flexible__  # type: ignore[attr-defined]  # every class of kio's has it
    return (*_joined(schema, compact=compact), *((_skip_tags,) if compact else ()))


def _joined(schema: type, *, compact: bool) -> Iterator[_Step]:
    """Give a step for each field; what has always as many bytes is gone over in one step with its neighbours."""
    size = 0
    for field in fields(schema):
        if "tag" in field.metadata:
            continue
        fixed = 0 if _is_list(field.type) else _BYTES.get(field.metadata.get("kafka_type", ""), 0)
        size += fixed
        if not fixed:
            if size:
                yield _skipping(size)
            yield _step(field, compact=compact)
            size = 0
    if size:
        yield _skipping(size)


def _step(field: Field[object], *, compact: bool) -> _Step:
    kind = field.metadata.get("kafka_type", "")
    if not _is_list(field.type):
        return _compact_text if compact else _text(_LENGTH_BYTES[kind])
    entry = _plain(get_args(_plain(field.type))[0])
    if isinstance(entry, type) and is_dataclass(entry):
        each = _steps(entry)
    elif kind in _BYTES:
        each = (_skipping(_BYTES[kind]),)
    else:
        each = (_compact_text if compact else _text(_LENGTH_BYTES[kind]),)
    return _list(each, compact=compact)


def _skipping(size: int) -> _Step:
    def step(walk: _Walk) -> None:
        walk.position += size

    return step


def _text(length_bytes: int) -> _Step:
    def step(walk: _Walk) -> None:
        walk.skip(walk.number(length_bytes))

    return step


def _compact_text(walk: _Walk) -> None:
    walk.skip(walk.varint() - 1)


def _list(each: tuple[_Step, ...], *, compact: bool) -> _Step:
    def step(walk: _Walk) -> None:
        for _ in range(walk.count(walk.varint() - 1 if compact else walk.number(4))):
            for part in each:
                part(walk)

    return step


def _skip_tags(walk: _Walk) -> None:
    """Go over tagged fields; no request's has a list (Kafka 4.1's messages)."""
    for _ in range(walk.count(walk.varint())):
        walk.varint()
        walk.skip(walk.varint())


def _is_list(kind: object) -> bool:
    return get_origin(_plain(kind)) is tuple


def _plain(kind: object) -> object:
    """Give the type without None."""
    if get_origin(kind) in {UnionType, Union}:
        return next(part for part in get_args(kind) if part is not NoneType)
    return kind
