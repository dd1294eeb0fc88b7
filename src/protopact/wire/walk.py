"""★ A walk over a message's bytes that never fails: what cannot be read is a part that says why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError as WireDecodeError
from google.protobuf.message_factory import GetMessageClass

from protopact.errors import FramingError
from protopact.framing import decode_prefix, decode_varint
from protopact.wire.parts import Part
from protopact.wire.values import (
    END_GROUP,
    FIXED32,
    FIXED64,
    GROUP,
    LENGTH,
    VARINT,
    WIRE_TYPE_BITS,
    WIRE_TYPE_OF,
    WIRE_TYPES,
    bytes_value,
    fixed_value,
    text_value,
    type_name,
    varint_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from google.protobuf.descriptor import Descriptor

_DEPTH_MAX: Final = 100  # what upb reads; deeper messages are refused (https://github.com/protocolbuffers/protobuf)
_VARINT_BYTES_MAX: Final = 10
_FIXED_BYTES: Final = {FIXED32: 4, FIXED64: 8}
_PREFIX_ID: Final = slice(1, 5)


def annotate(data: bytes, descriptor: Descriptor | None = None, *, start: int = 0) -> Iterator[Part]:
    """Explain the bytes of a message from `start` on, part by part; nothing is raised, whatever the bytes are.

        for part in annotate(payload, Order.DESCRIPTOR):
            print(part.offset, part.name, part.value, part.wrong)

    With a descriptor, fields have their names and types, and what does not fit is said. Without one, values are
    guessed: bytes that read as a message to their end are shown as one, else as text, else as bytes.
    """
    yield from _Walk(data).fields(start, len(data), descriptor, 0)


def annotate_prefix(data: bytes) -> tuple[list[Part], int]:
    """Explain the prefix of a record (magic byte, schema id, message indexes); give its parts and its size."""
    try:
        prefix = decode_prefix(data)
    except FramingError as error:
        rest = len(data) - error.offset
        return [Part(error.offset, rest, 0, "prefix", "", bytes_value(data[error.offset :]), wrong=str(error))], 0
    indexes = data[_PREFIX_ID.stop : prefix.size]
    return [
        Part(0, 1, 0, "magic byte", "", "0"),
        Part(1, 4, 0, "schema id", "32 bits, big-endian", str(prefix.schema_id)),
        Part(_PREFIX_ID.stop, len(indexes), 0, "message indexes", "varints", str(list(prefix.indexes))),
    ], prefix.size


@dataclass(frozen=True, slots=True)
class _Field:
    """A field's key, read: where it stands, and what it says."""

    offset: int
    number: int
    wire_type: int
    start: int
    declared: FieldDescriptor | None
    depth: int
    note: str

    @property
    def name(self) -> str:
        return self.declared.name if self.declared else f"[{self.number}]"

    @property
    def kind(self) -> str:
        return type_name(self.declared) if self.declared else WIRE_TYPES[self.wire_type]

    def part(self, end: int, value: str = "", *, note: str = "", wrong: str = "") -> Part:
        notes = "; ".join(filter(None, (self.note, note)))
        return Part(self.offset, end - self.offset, self.depth, self.name, self.kind, value, notes, wrong)


class _Walk:
    """The bytes, and what explains each kind of place in them.

    Each explanation is a generator that gives parts, and in the end where the next field begins; None where that
    cannot be known.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    def fields(self, at: int, end: int, descriptor: Descriptor | None, depth: int, group: int = 0) -> Explained:
        """Explain the fields from `at` to `end`; of a group, to its end mark."""
        if depth >= _DEPTH_MAX:
            wrong = f"messages are nested more than {_DEPTH_MAX} deep"
            yield Part(at, end - at, depth, "", "", bytes_value(self._data[at:end]), wrong=wrong)
            return None
        while at < end:
            field = self._key(at, end, descriptor, depth)
            if isinstance(field, Part):
                yield field
                return None
            if field.wire_type == END_GROUP:
                wrong = "" if field.number == group else "a group ends here that has not begun"
                yield replace(field.part(field.start, wrong=wrong), kind=WIRE_TYPES[END_GROUP])
                return None if wrong else field.start
            after = yield from _EXPLAIN[field.wire_type](self, field, end)
            if after is None:
                return None
            at = after
        if group:
            yield Part(end, 0, depth, f"[{group}]", "", wrong="the bytes end within the group")
            return None
        return at

    def _key(self, at: int, end: int, descriptor: Descriptor | None, depth: int) -> _Field | Part:
        try:
            key, start = self._varint(at, end, 32)
        except FramingError as error:
            return Part(at, end - at, depth, "", "", bytes_value(self._data[at:end]), wrong=f"no field key: {error}")
        number, wire_type = key >> WIRE_TYPE_BITS, key & (1 << WIRE_TYPE_BITS) - 1
        if number == 0 or wire_type >= len(WIRE_TYPES):
            wrong = "field number 0" if number == 0 else f"wire type {wire_type} does not exist"
            return Part(at, end - at, depth, f"[{number}]", "", bytes_value(self._data[at:end]), wrong=wrong)
        declared = descriptor.fields_by_number.get(number) if descriptor else None
        note = "the schema has no such field" if descriptor and not declared and wire_type != END_GROUP else ""
        if declared is not None and not _fits(declared, wire_type):
            note = f"{declared.name} is of type {type_name(declared)}, which is written otherwise: read as unknown"
            declared = None
        return _Field(at, number, wire_type, start, declared, depth, note)

    def _varint(self, at: int, end: int, bits: Literal[32, 64]) -> tuple[int, int]:
        """Read a varint that ends before `end`; give it and where it ends."""
        data = self._data[at : min(end, at + _VARINT_BYTES_MAX)]
        try:
            value, size = decode_varint(data, bits=bits)
        except FramingError as error:
            why = "the bytes end within a varint" if error.offset >= len(data) else f"a varint of more than {bits} bits"
            raise FramingError(why, offset=at + error.offset) from error
        return value, at + size

    def varint(self, field: _Field, end: int) -> Explained:
        """Explain a number of up to 64 bits."""
        try:
            value, after = self._varint(field.start, end, 64)
        except FramingError as error:
            yield field.part(end, bytes_value(self._data[field.start : end]), wrong=str(error))
            return None
        yield field.part(after, varint_value(value, field.declared), note=_enum_note(value, field.declared))
        return after

    def fixed(self, field: _Field, end: int) -> Explained:
        """Explain four or eight bytes."""
        after = field.start + _FIXED_BYTES[field.wire_type]
        if after > end:
            wrong = f"{after - field.start} bytes are needed, {end - field.start} are there"
            yield field.part(end, bytes_value(self._data[field.start : end]), wrong=wrong)
            return None
        yield field.part(after, fixed_value(self._data[field.start : after], field.declared))
        return after

    def group(self, field: _Field, end: int) -> Explained:
        """Explain a group: its fields stand between two marks."""
        yield field.part(field.start)
        inner = field.declared.message_type if field.declared else None
        return (yield from self.fields(field.start, end, inner, field.depth + 1, field.number))

    def delimited(self, field: _Field, end: int) -> Explained:
        """Explain what stands behind a length: a message, text, bytes, or packed numbers."""
        try:
            size, start = self._varint(field.start, end, 32)
        except FramingError as error:
            yield field.part(end, bytes_value(self._data[field.start : end]), wrong=f"no length: {error}")
            return None
        after = start + size
        if after > end:
            wrong = f"the length says {size} bytes, {end - start} are there"
            yield field.part(end, bytes_value(self._data[start:end]), wrong=wrong)
            return None
        yield from self._content(field, start, after)
        return after

    def _content(self, field: _Field, start: int, end: int) -> Iterator[Part]:
        declared, data = field.declared, self._data[start:end]
        if declared is None:
            yield from self._guessed(field, start, end)
        elif declared.message_type is not None:
            yield field.part(start, f"{end - start} bytes")
            yield from self.fields(start, end, declared.message_type, field.depth + 1)
        elif declared.type == FieldDescriptor.TYPE_STRING:
            yield self._text(field, start, end)
        elif declared.type == FieldDescriptor.TYPE_BYTES:
            yield field.part(end, bytes_value(data))
        else:
            yield from self._packed(field, declared, start, end)

    def _guessed(self, field: _Field, start: int, end: int) -> Iterator[Part]:
        data = self._data[start:end]
        inside = list(self.fields(start, end, None, field.depth + 1)) if data else []
        if inside and not any(part.wrong for part in inside):
            yield field.part(start, f"{len(data)} bytes", note="reads as a message")
            yield from inside
            return
        try:
            value = text_value(data.decode())
        except UnicodeDecodeError:
            value = bytes_value(data)
        yield field.part(end, value)

    def _text(self, field: _Field, start: int, end: int) -> Part:
        data = self._data[start:end]
        try:
            return field.part(end, text_value(data.decode()))
        except UnicodeDecodeError as error:
            why = f"not UTF-8 at byte {start + error.start}"
            refused = _is_refused(self._data[field.offset : end], field.declared)
            return field.part(end, bytes_value(data), **{"wrong" if refused else "note": why})

    def _packed(self, field: _Field, declared: FieldDescriptor, at: int, end: int) -> Iterator[Part]:
        """Explain packed numbers, each as a part of its own."""
        yield field.part(at, f"{end - at} bytes, packed")
        element = replace(field, wire_type=WIRE_TYPE_OF[declared.type], depth=field.depth + 1, note="")
        while at < end:
            after = yield from _EXPLAIN[element.wire_type](self, replace(element, offset=at, start=at), end)
            if after is None:
                return
            at = after


Explained: TypeAlias = "Generator[Part, None, int | None]"

_EXPLAIN: Final[dict[int, Callable[[_Walk, _Field, int], Explained]]] = {
    VARINT: _Walk.varint,
    FIXED64: _Walk.fixed,
    LENGTH: _Walk.delimited,
    GROUP: _Walk.group,
    FIXED32: _Walk.fixed,
}


def _fits(field: FieldDescriptor, wire_type: int) -> bool:
    """Whether a field may be written so; repeated numbers may be packed whatever the schema says."""
    own = WIRE_TYPE_OF[field.type]
    return wire_type == own or (wire_type == LENGTH and field.is_repeated and own in {VARINT, FIXED32, FIXED64})


def _enum_note(value: int, field: FieldDescriptor | None) -> str:
    known = field is None or field.enum_type is None or value in field.enum_type.values_by_number
    return "" if known else "the enum has no such value"


def _is_refused(data: bytes, field: FieldDescriptor | None) -> bool:
    """Whether protobuf refuses a field's bytes: some schemas do without the check for UTF-8."""
    if field is None or field.containing_type is None:
        return False
    try:
        GetMessageClass(field.containing_type).FromString(data)
    except WireDecodeError:
        return True
    return False
