"""What a request announces, walked through before kio reads it: lists are counted, tagged fields that are new left out.

kio sets room aside for as many entries as are announced: five bytes that announce four milliard of them make it ask for
32 GiB, which ends the process. And a few bytes of each entry become an object of some hundred, so all the lists of a
request together have a bound as well.

A client may send tagged fields of a version of Kafka that is newer than kio, which knows no way past them; brokers are
to skip them (KIP-482). And kio reads a field that it knows without a look at the size that is announced for it: where
that is another, it would go on at a place where nothing was counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, TypeAlias, Union, get_args, get_origin

from protopact.broker.codes import Code
from protopact.errors import RefusedRequestError
from protopact.framing import encode_varint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
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
    """How far a frame was walked through, how many entries its lists may still have, and what is to be changed in it.

    A change is the place where it begins, the one where it ends, and what is to stand there. `shorter`: by how many
    bytes all changes make the frame shorter.
    """

    frame: memoryview
    position: int
    entries_left: int
    changes: list[tuple[int, int, bytes]] = field(default_factory=list)
    shorter: int = 0

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

    def change(self, start: int, end: int, by: bytes = b"") -> None:
        """Have `by` stand there instead of what stands from `start` to `end`."""
        self.shorter += end - start - len(by)
        if not by and self.changes and self.changes[-1][1:] == (start, b""):
            start = self.changes.pop()[0]
        self.changes.append((start, end, by))

    def changed(self) -> memoryview:
        """Give what was walked through, changed."""
        kept = bytearray()
        done = 0
        for start, end, by in sorted(self.changes):
            kept += self.frame[done:start]
            kept += by
            done = end
        kept += self.frame[done : self.position]
        return memoryview(kept).toreadonly()


_Step: TypeAlias = "Callable[[_Walk], None]"


def sifted(frame: memoryview, schema: type) -> memoryview:
    """Walk through the header and the message of a request, and give them without tagged fields that are not known.

    `schema` is kio's class of the message. RefusedRequestError when the frame cannot hold the lists that it announces,
    when it ends early, when its lists have more than 100,000 entries, or when a tagged field has not the size that it
    announces. A frame in which all is known is not copied.
    """
    walk = _Walk(frame, 0, ENTRIES_MAX)
    try:
        for step in _request_steps(schema):
            step(walk)
    except IndexError:
        raise _refused(f"it ends before byte {walk.position + 1}") from None
    walk.skip(0)
    return walk.changed() if walk.changes else frame[: walk.position]


def _refused(why: str) -> RefusedRequestError:
    return RefusedRequestError(why, error_code=Code.INVALID_REQUEST)


@cache
def _request_steps(schema: type) -> tuple[_Step, ...]:
    header = schema.__header_schema__  # type: ignore[attr-defined]  # every class of kio's has one
    # The client's name is no compact string in any version of the header (KIP-511).
    head = (_skipping(8), _text(2), *((_tags({}),) if header.__flexible__ else ()))
    return (*head, *_steps(schema))


@cache
def _steps(schema: type) -> tuple[_Step, ...]:
    """Give the steps through an object of kio's class; a flexible one ends with tagged fields."""
    compact: bool = schema.__flexible__  # type: ignore[attr-defined]  # every class of kio's has it
    plain = [each for each in fields(schema) if "tag" not in each.metadata]
    tagged = {each.metadata["tag"]: _joined([each], compact=True) for each in fields(schema) if "tag" in each.metadata}
    return (*_joined(plain, compact=compact), *((_tags(tagged),) if compact else ()))


def _joined(parts: Iterable[Field[object]], *, compact: bool) -> tuple[_Step, ...]:
    """Give a step for each field; what has always as many bytes is gone over in one step with its neighbours."""
    steps = []
    size = 0
    for each in parts:
        fixed = 0 if _is_list(each.type) else _BYTES.get(each.metadata.get("kafka_type", ""), 0)
        size += fixed
        if not fixed:
            if size:
                steps.append(_skipping(size))
            steps.append(_step(each.type, each.metadata.get("kafka_type", ""), compact=compact))
            size = 0
    if size:
        steps.append(_skipping(size))
    return tuple(steps)


def _step(kind: object, kafka_type: str, *, compact: bool) -> _Step:
    """Give the step through a value of a type: a list, an object, or what has a length or a size of its own."""
    plain = _plain(kind)
    if _is_list(plain):
        return _list(_step(get_args(plain)[0], kafka_type, compact=compact), compact=compact)
    if isinstance(plain, type) and is_dataclass(plain):
        return _object(_steps(plain))
    if kafka_type in _BYTES:
        return _skipping(_BYTES[kafka_type])
    return _compact_text if compact else _text(_LENGTH_BYTES[kafka_type])


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


def _list(entry: _Step, *, compact: bool) -> _Step:
    def step(walk: _Walk) -> None:
        for _ in range(walk.count(walk.varint() - 1 if compact else walk.number(4))):
            entry(walk)

    return step


def _object(parts: tuple[_Step, ...]) -> _Step:
    def step(walk: _Walk) -> None:
        for part in parts:
            part(walk)

    return step


def _tags(known: Mapping[int, tuple[_Step, ...]]) -> _Step:
    def step(walk: _Walk) -> None:
        start = walk.position
        announced = walk.count(walk.varint())
        if not announced:
            return
        counted = walk.position
        kept = sum(_is_kept(walk, known) for _ in range(announced))
        if kept < announced:
            walk.change(start, counted, encode_varint(kept))

    return step


def _is_kept(walk: _Walk, known: Mapping[int, tuple[_Step, ...]]) -> bool:
    """Go over a tagged field and say whether it is known; what is not is left out, inside of one that is as well."""
    start = walk.position
    steps = known.get(walk.varint())
    sized = walk.position
    size = walk.varint()
    begun = walk.position
    if steps is None:
        walk.skip(size)
        walk.change(start, walk.position)
        return False
    shorter = walk.shorter
    for part in steps:
        part(walk)
    if walk.position - begun != size:
        raise _refused(f"a tagged field of {walk.position - begun} bytes announces {size}")
    if walk.shorter > shorter:
        walk.change(sized, begun, encode_varint(size - (walk.shorter - shorter)))
    return True


def _is_list(kind: object) -> bool:
    return get_origin(_plain(kind)) is tuple


def _plain(kind: object) -> object:
    """Give the type without None."""
    if get_origin(kind) in {UnionType, Union}:
        return next(part for part in get_args(kind) if part is not NoneType)
    return kind
