"""Parsing a large message in steps: upb holds the interpreter's lock all the while, and between steps others have it.

Protobuf's law of merging makes it possible: parsing `a + b` is parsing `a` and then merging `b`, wherever a field ends.
So bytes are cut between fields, and a message within that is larger than a step is merged field by field itself. Left
whole are texts and bytes, groups that the schema does not know, items of message sets, and entries of maps with unknown
fields; upb only copies most of these.
Source: https://protobuf.dev/programming-guides/encoding/#last-one-wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError as WireDecodeError, Message

from protopact.framing import encode_varint
from protopact.wire.cuts import elements_end, field_end, key_at, length_at, whole_fields
from protopact.wire.values import END_GROUP, FIXED32, FIXED64, GROUP, LENGTH, VARINT, WIRE_TYPE_BITS, WIRE_TYPE_OF

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from google.protobuf.descriptor import Descriptor

    from protopact.wire.cuts import Key

M = TypeVar("M", bound=Message)

_PACKED: Final = frozenset({VARINT, FIXED32, FIXED64})
_VALUE: Final = 2  # a map's entry is a message with the fields 1, its key, and 2, its value
_VALUE_HEAD: Final = b"\x12"
_NOTHING: Final = b"\x00"  # the length of what is empty


def parse_in_steps(message_class: type[M], payload: bytes, step_bytes: int) -> M:
    """Give the message that `message_class.FromString` gives, parsed so many bytes at a time; it errs when that errs.

    protobuf's DecodeError.
    """
    message = message_class()
    for _step in merge_in_steps(message, payload, step_bytes):
        pass  # and here another thread may have its turn
    return message


def merge_in_steps(message: Message, payload: bytes, step_bytes: int) -> Iterator[int]:
    """Merge a payload into a message, and give after each step how many of its bytes protobuf was handed.

    That is at most `step_bytes`, but for single values that are larger, and a few bytes for keys and lengths.
    """
    yield from _Steps(message, payload, step_bytes).fields(
        _Level(message, cast("Descriptor", type(message).DESCRIPTOR)), 0, len(payload)
    )


@dataclass(frozen=True, slots=True)
class _Wrap:
    """What stands before and behind a message within another: key and length, or the two marks of a group."""

    head: bytes
    tail: bytes = b""

    def around(self, size: int) -> bytes:
        """Give what stands before content of a size."""
        return self.head if self.tail else self.head + encode_varint(size)


@dataclass(frozen=True, slots=True)
class _Level:
    """A message that is being merged, and the way to it from the root.

    With `is_single`, all fields on the way are singular: what is merged into the root in the same wraps gets there.
    """

    message: Message
    descriptor: Descriptor
    wraps: tuple[_Wrap, ...] = ()
    is_single: bool = True
    group: int | None = None

    def wrapped(self, piece: bytes) -> bytes:
        """Give some of the message's fields as they stand in the root."""
        heads, tails, size = [], [], len(piece)
        for wrap in reversed(self.wraps):
            head = wrap.around(size)
            size += len(head) + len(wrap.tail)
            heads.append(head)
            tails.append(wrap.tail)
        return b"".join((*reversed(heads), piece, *tails))


class _Steps:
    """The bytes, and how they are merged; each generator gives the sizes of its steps, and where it has come to."""

    def __init__(self, root: Message, data: bytes, step_bytes: int) -> None:
        self._root, self._data, self._step_bytes = root, data, step_bytes

    def fields(self, level: _Level, at: int, end: int) -> Stepping:
        """Merge a message's fields from `at` to `end`; a group's, to its end mark."""
        while at < end:
            cut = whole_fields(self._data, at, min(end, at + self._step_bytes))
            if cut > at:
                yield self._merge(level, self._data[at:cut])
                at = cut
                continue
            key = key_at(self._data, at, end)
            if key is not None and (key.wire_type, key.number) == (END_GROUP, level.group):
                return key.content
            at = yield from self._large(level, key, at, end)
        if level.group is not None:
            raise WireDecodeError("the bytes end within a group")
        return at

    def _large(self, level: _Level, key: Key | None, at: int, end: int) -> Stepping:
        """Merge a field that is larger than a step; or all that is left, where it is no field."""
        field = None if key is None else _declared(level.descriptor, key.number)
        if key is None or field is None:
            return (yield from self._whole(level, at, end))
        head, own_type = self._data[at : key.content], WIRE_TYPE_OF[field.type]
        if key.wire_type == own_type == GROUP:
            tail = encode_varint(field.number << WIRE_TYPE_BITS | END_GROUP)
            return (yield from self.fields(self._opened(level, field, _Wrap(head, tail)), key.content, end))
        content = length_at(self._data, key.content, end) if key.wire_type == LENGTH else None
        if content is None:
            return (yield from self._whole(level, at, end))
        if field.is_repeated and own_type in _PACKED:
            yield from self._packed(level, head, own_type, *content)
        elif field.type != FieldDescriptor.TYPE_MESSAGE:
            yield from self._whole(level, at, content[1])
        elif not _message_type(field).GetOptions().map_entry:
            yield from self.fields(self._opened(level, field, _Wrap(head)), *content)
        elif not (yield from self._entry(level, field, head, *content)):
            yield from self._whole(level, at, content[1])
        return content[1]

    def _whole(self, level: _Level, at: int, end: int) -> Stepping:
        """Merge a field in one step."""
        after = field_end(self._data, at, end) or end
        yield self._merge(level, self._data[at:after])
        return after

    def _packed(self, level: _Level, head: bytes, wire_type: int, at: int, end: int) -> Generator[int, None, None]:
        """Merge packed numbers: some are packed as well, behind a length of their own."""
        while True:
            limit = min(end, at + self._step_bytes)
            cut = elements_end(self._data, at, limit, wire_type)
            cut = end if cut == at else cut
            yield self._merge(level, _Wrap(head).around(cut - at) + self._data[at:cut])
            if cut == end:
                return
            at = cut

    def _entry(
        self, level: _Level, field: FieldDescriptor, head: bytes, at: int, end: int
    ) -> Generator[int, None, bool]:
        """Merge a map's entry: one without a value first, then the value where it is in the map.

        Nothing is merged, and False given, when the value is no message or upb puts the entry elsewhere.
        """
        value = _message_type(field).fields_by_number[_VALUE].message_type
        without = None if value is None else self._without_value(at, end)
        if value is None or without is None:
            return False
        entry = _Wrap(head).around(len(without)) + without
        keys = list(getattr(type(level.message).FromString(entry), field.name))
        if len(keys) != 1 or isinstance(keys[0], bytes):  # proto2 has texts that are none, which find nothing
            return False
        yield self._merge(level, entry)
        wraps = (*level.wraps, _Wrap(head), _Wrap(_VALUE_HEAD))
        opened = _Level(getattr(level.message, field.name)[keys[0]], value, wraps, is_single=False)
        while at < end:
            key, after = cast("Key", key_at(self._data, at, end)), cast("int", field_end(self._data, at, end))
            if (key.number, key.wire_type) == (_VALUE, LENGTH):
                yield from self.fields(opened, *cast("tuple[int, int]", length_at(self._data, key.content, end)))
            at = after
        return True

    def _without_value(self, at: int, end: int) -> bytes | None:
        """Give an entry's bytes with an empty value; None when they cannot be read."""
        kept = bytearray()
        while at < end:
            key, after = key_at(self._data, at, end), field_end(self._data, at, end)
            if key is None or after is None:
                return None
            if (key.number, key.wire_type) != (_VALUE, LENGTH):
                kept += self._data[at:after]
            at = after
        return bytes(kept + _VALUE_HEAD + _NOTHING)

    def _opened(self, level: _Level, field: FieldDescriptor, wrap: _Wrap) -> _Level:
        """Give the message that a field holds, a new one where it is repeated; empty as long as nothing is merged."""
        self._merge(level, wrap.around(0) + wrap.tail)
        value = _value(level.message, field)
        return _Level(
            value[-1] if field.is_repeated else value,
            _message_type(field),
            (*level.wraps, wrap),
            is_single=level.is_single and not field.is_repeated,
            group=field.number if wrap.tail else None,
        )

    def _merge(self, level: _Level, piece: bytes) -> int:
        """Have protobuf merge some of a message's fields, and give their size; nested as deep as they are in the root.

        Its parser counts from the message that it is called for. What cannot be reached from the root by merging is
        therefore parsed a second time, within all that stands around it.
        """
        root = self._root
        if level.is_single:
            type(root).MergeFromString(root, level.wrapped(piece))
        else:
            type(root).FromString(level.wrapped(piece))
            type(level.message).MergeFromString(level.message, piece)
        return len(piece)


Stepping: TypeAlias = "Generator[int, None, int]"


def _message_type(field: FieldDescriptor) -> Descriptor:
    return cast("Descriptor", field.message_type)


def _value(message: Message, field: FieldDescriptor) -> Any:
    if field.is_extension:
        extensions: Any = type(message).Extensions  # by the class: a field may be called so, too
        return extensions.__get__(message)[field]
    return getattr(message, field.name)


def _declared(descriptor: Descriptor, number: int) -> FieldDescriptor | None:
    field = descriptor.fields_by_number.get(number)
    if field is None and descriptor.is_extendable:
        try:
            return descriptor.file.pool.FindExtensionByNumber(descriptor, number)
        except KeyError:
            return None
    return field
