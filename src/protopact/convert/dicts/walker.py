"""Dicts → messages, the thorough way: whatever the values' types, and with every misfit told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

from google.protobuf import struct_pb2
from google.protobuf.message import Error, Message
from google.protobuf.message_factory import GetMessageClass

from protopact.convert import shapes, values
from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import (
    Check,
    Misfit,
    MisfitError,
    check_of,
    field_step,
    key_step,
    misfit,
    nearest,
    too_deep,
    type_words,
)

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

Fill: TypeAlias = Callable[[Message, object, int], None]
"""Fills a message with a value; the number says how many levels of messages may still follow below it."""

Put: TypeAlias = Callable[[Message, object, int], None]
"""Puts a value into one field of a message; the number is the message's own room."""

_MAPPINGS = (dict, Mapping)  # the first of each is what comes, and the second slow to ask for
_LISTS = (list, tuple)
_HINTS_MAX = 5  # looking for near names is slow, and hostile input may hold many unknown ones


class _Slot(NamedTuple):
    """One key of a dict: the field's name, how to put a value, its oneof if any, and whether None is a value."""

    name: str
    put: Put
    oneof: str | None
    takes_none: bool


class Walker:
    """Fills messages field by field, as any value comes: mappings, sequences, messages, numbers of every kind.

    It is slower than generated code, which hands over to it what is not of the plainest types, and it goes on where a
    value does not fit, so that all misfits are told.
    """

    def __init__(self) -> None:
        """Begin with no type known."""
        self._fillers: dict[str, Fill] = {}

    def encoder(self, descriptor: Descriptor) -> Callable[[object], Message]:
        """Give the function that makes a message of anything, or raises the ConversionError that tells why not."""
        is_struct = shapes.well_known_name(descriptor) == shapes.STRUCT
        fill = _fill_struct if is_struct else self.filler(descriptor)
        message_class = GetMessageClass(descriptor)

        def encode(data: object) -> Message:
            message = message_class()
            try:
                if isinstance(data, Message):
                    raise misfit(f"needs a mapping, not {type_words(data)}", hint="it is a message already")
                fill(message, data, DEPTH_MAX)
            except MisfitError as error:
                raise error.outward(descriptor.full_name) from None
            except RecursionError:
                raise too_deep().outward(descriptor.full_name) from None
            return message

        return encode

    def put(self, field: FieldDescriptor) -> Put:
        """Give the function that puts a value into a field of a message."""
        if shapes.is_map(field):
            key, value = (shapes.message_type(field).fields_by_name[part] for part in ("key", "value"))
            if shapes.is_message(value):
                return _put_message_map(field.name, check_of(key), self.filler_of(value))
            return _put_scalar_map(field.name, check_of(key), check_of(value))
        if shapes.is_message(field):
            put_message = _put_message_list if field.is_repeated else _put_message
            return put_message(field.name, self.filler_of(field))
        put_scalar = _put_scalar_list if field.is_repeated else _put_scalar
        return put_scalar(field.name, check_of(field))

    def filler_of(self, field: FieldDescriptor) -> Fill:
        """Give the function that fills a message of a field's type."""
        descriptor = shapes.message_type(field)
        name = shapes.well_known_name(descriptor)
        if name in shapes.WRAPPERS:
            return _wrapper_filler(descriptor)
        if name == shapes.TIMESTAMP:
            return _time_filler(
                self.filler(descriptor), datetime, values.timestamp_of_datetime, values.timestamp_of_text
            )
        if name == shapes.DURATION:
            return _time_filler(
                self.filler(descriptor), timedelta, values.duration_of_timedelta, values.duration_of_text
            )
        fill = _VALUE_FILLERS.get(name or "")
        return self.filler(descriptor) if fill is None else _or_adopt(descriptor, fill)

    def filler(self, descriptor: Descriptor) -> Fill:
        """Give the filler of a message by its fields."""
        known = self._fillers.get(descriptor.full_name)
        if known is None:
            known = self._fillers[descriptor.full_name] = _plain_filler(descriptor, self._slot)
        return known

    def _slot(self, field: FieldDescriptor) -> _Slot:
        takes_none = not field.is_repeated and shapes.takes_none(field)
        return _Slot(field.name, self.put(field), shapes.contested_oneof(field), takes_none)


# ── a message by its fields ──────────────────────────────────────────────────────────────────────


def _plain_filler(descriptor: Descriptor, slot_of: Callable[[FieldDescriptor], _Slot]) -> Fill:
    message_class, full_name = GetMessageClass(descriptor), descriptor.full_name
    has_field = message_class.HasField  # unbound: a field may be called HasField
    required = [field.name for field in descriptor.fields if field.is_required]

    @cache  # when first wanted, since types may hold each other
    def all_slots() -> dict[str, _Slot]:
        own = {field.name: slot_of(field) for field in descriptor.fields}
        return {field.json_name: own[field.name] for field in descriptor.fields} | own

    def fill(message: Message, data: object, room: int) -> None:
        if not isinstance(data, _MAPPINGS):
            _adopt(message, data, message_class)
            return
        slots = all_slots()
        misfits: list[Misfit] = []
        chosen: dict[str, object] = {}
        for key, value in data.items():
            slot = slots.get(key)
            if slot is None:
                misfits.append(_unknown(key, full_name, slots if len(misfits) < _HINTS_MAX else {}))
            elif value is not None or slot.takes_none:
                if slot.oneof or key != slot.name:
                    misfits.extend(_clash(key, slot, data, chosen))
                try:
                    slot.put(message, value, room)
                except MisfitError as error:
                    misfits.extend(error.below(field_step(key)))
        misfits.extend(_missing(name for name in required if not has_field(message, name) and data.get(name) is None))
        if misfits:
            raise MisfitError(*misfits)

    return fill


def _missing(paths: Iterable[str]) -> Iterator[Misfit]:
    return (Misfit(f".{path}", "the required field is missing") for path in paths)


def _unknown(key: object, full_name: str, slots: dict[str, _Slot]) -> Misfit:
    if not isinstance(key, str):
        return Misfit(key_step(key), f"a field's name is a str, not {type_words(key)}")
    return Misfit(field_step(key), f"{full_name} has no such field{nearest(key, slots)}")


def _clash(key: str, slot: _Slot, data: Mapping[str, object], chosen: dict[str, object]) -> Iterator[Misfit]:
    if key != slot.name and data.get(slot.name) is not None:
        yield Misfit(field_step(key), f"the field is given twice, also as {slot.name!r}")
    elif slot.oneof:
        other = chosen.setdefault(slot.oneof, slot.name)
        if other != slot.name:
            yield Misfit(field_step(key), f"oneof {slot.oneof!r} is set already, by {other!r}")


def _adopt(message: Message, value: object, message_class: type[Message]) -> None:
    """Copy a message of the same full name: directly, or by bytes when it comes from another descriptor pool."""
    full_name = message_class.DESCRIPTOR.full_name
    if not isinstance(value, Message):
        raise misfit(f"needs a mapping or a {full_name} message, not {type_words(value)}")
    given = type(value)
    if given.DESCRIPTOR.full_name != full_name:
        raise misfit(f"needs a {full_name} message, not {given.DESCRIPTOR.full_name}")
    if given is message_class:
        message_class.CopyFrom(message, value)
    else:
        try:
            message_class.MergeFromString(message, given.SerializePartialToString(value))
        except Error:
            raise misfit(f"the {full_name} message of another descriptor pool cannot be read as this one") from None
    if not message_class.IsInitialized(message):
        missing = cast("Any", message_class).FindInitializationErrors(message)
        raise MisfitError(*_missing(missing))


# ── fields ───────────────────────────────────────────────────────────────────────────────────────


def _put_scalar(name: str, check: Check) -> Put:
    def put(message: Message, value: object, _room: int) -> None:
        setattr(message, name, check(value))

    return put


def _put_scalar_list(name: str, check: Check) -> Put:
    def put(message: Message, value: object, _room: int) -> None:
        items = _items(value)
        try:
            getattr(message, name).extend([check(item) for item in items])
        except MisfitError:
            raise MisfitError(*_item_misfits(items, check)) from None

    return put


def _put_scalar_map(name: str, check_key: Check, check: Check) -> Put:
    def put(message: Message, value: object, room: int) -> None:
        entries = getattr(message, name)
        misfits: list[Misfit] = []
        for key, item in _entries(value, room - 1):
            try:
                entries[check_key(key)] = check(item)
            except MisfitError as error:
                misfits.extend(error.below(key_step(key)))
        if misfits:
            raise MisfitError(*misfits)

    return put


def _put_message(name: str, fill: Fill) -> Put:
    def put(message: Message, value: object, room: int) -> None:
        if room < 1:
            raise too_deep()
        child = getattr(message, name)
        type(child).SetInParent(child)
        fill(child, value, room - 1)

    return put


def _put_message_list(name: str, fill: Fill) -> Put:
    def put(message: Message, value: object, room: int) -> None:
        if room < 1:
            raise too_deep()
        add = getattr(message, name).add
        misfits: list[Misfit] = []
        for index, item in enumerate(_items(value)):
            try:
                fill(add(), item, room - 1)
            except MisfitError as error:
                misfits.extend(error.below(key_step(index)))
        if misfits:
            raise MisfitError(*misfits)

    return put


def _put_message_map(name: str, check_key: Check, fill: Fill) -> Put:
    def put(message: Message, value: object, room: int) -> None:
        entries, below = getattr(message, name), room - 2
        misfits: list[Misfit] = []
        for key, item in _entries(value, below):
            try:
                fill(entries[check_key(key)], item, below)
            except MisfitError as error:
                misfits.extend(error.below(key_step(key)))
        if misfits:
            raise MisfitError(*misfits)

    return put


def _items(value: object) -> Sequence[object]:
    if isinstance(value, _LISTS):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray | memoryview):
        return value
    raise misfit(f"needs a list, not {type_words(value)}")


def _item_misfits(items: Sequence[object], check: Check) -> Iterator[Misfit]:
    for index, item in enumerate(items):
        try:
            check(item)
        except MisfitError as error:
            yield from error.below(key_step(index))


def _entries(value: object, room: int) -> Iterable[tuple[object, object]]:
    if not isinstance(value, _MAPPINGS):
        raise misfit(f"needs a mapping, not {type_words(value)}")
    if value and room < 0:
        raise too_deep()
    return value.items()


# ── well-known types ─────────────────────────────────────────────────────────────────────────────

T = TypeVar("T")


def _time_filler(
    plain: Fill, kind: type[T], of_value: Callable[[T], tuple[int, int]], of_text: Callable[[str], tuple[int, int]]
) -> Fill:
    def fill(message: Any, value: object, room: int) -> None:
        if isinstance(value, kind):
            message.seconds, message.nanos = of_value(value)
        elif isinstance(value, str):
            message.seconds, message.nanos = of_text(value)
        elif isinstance(value, Mapping | Message):
            plain(message, value, room)
        else:
            raise misfit(f"needs a {kind.__name__}, text or a message, not {type_words(value)}")

    return fill


def _wrapper_filler(descriptor: Descriptor) -> Fill:
    check = check_of(descriptor.fields_by_name["value"])

    def fill(message: Any, value: object, _room: int) -> None:
        message.value = check(value)

    return _or_adopt(descriptor, fill)


def _or_adopt(descriptor: Descriptor, fill: Fill) -> Fill:
    message_class = GetMessageClass(descriptor)

    def fill_or_adopt(message: Message, value: object, room: int) -> None:
        if isinstance(value, Message):
            _adopt(message, value, message_class)
        else:
            fill(message, value, room)

    return fill_or_adopt


def fill_value(message: Message, value: object, room: int) -> None:
    """Fill a Value from what is not a message."""
    for kind, put in _KINDS:
        if isinstance(value, kind):
            put(message, value, room)
            return
    raise misfit(f"needs None, a bool, number, str, list or mapping, not {type_words(value)}")


def _put_null(message: Any, _value: object, _room: int) -> None:
    message.null_value = 0


def _refuse_bytes(_message: Message, _value: object, _room: int) -> None:
    raise misfit("a Value holds no bytes", hint="encode them as base64 text")


_check_key = check_of(struct_pb2.Struct.FieldsEntry.DESCRIPTOR.fields_by_name["key"])
_value_fields = struct_pb2.Value.DESCRIPTOR.fields_by_name
_fill_struct: Fill = _put_message_map("fields", _check_key, fill_value)
_fill_list_value: Fill = _put_message_list("values", fill_value)
_VALUE_FILLERS = {shapes.STRUCT: _fill_struct, shapes.VALUE: fill_value, shapes.LIST_VALUE: _fill_list_value}

# The order matters: a bool is an int for isinstance, a str a Sequence.
_KINDS: tuple[tuple[type | tuple[type, ...], Put], ...] = (
    (str, _put_scalar("string_value", check_of(_value_fields["string_value"]))),
    (bool, _put_scalar("bool_value", check_of(_value_fields["bool_value"]))),
    ((int, float), _put_scalar("number_value", check_of(_value_fields["number_value"]))),
    (type(None), _put_null),
    (Mapping, _put_message("struct_value", _fill_struct)),
    ((bytes, bytearray, memoryview), _refuse_bytes),
    (Sequence, _put_message("list_value", _fill_list_value)),
)
