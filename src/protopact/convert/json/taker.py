"""JSON → messages, the thorough way: every form that JSON may have, extensions too, and with every misfit told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from google.protobuf.message_factory import GetMessageClass

from protopact.convert import shapes
from protopact.convert.json import scalars, structs
from protopact.convert.json.named_types import TYPE_KEY, VALUE_KEY, class_in_any, extension
from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import Misfit, MisfitError, field_step, key_step, misfit, nearest, too_deep

if TYPE_CHECKING:
    from google.protobuf.any_pb2 import Any as AnyMessage
    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message import Message

Fill: TypeAlias = Callable[[Any, object, int], None]
"""Fills a message with what JSON holds; the number says how many levels of messages may still follow below it."""

Put: TypeAlias = Fill
"""Puts a value into one field of a message; the number is the message's own room."""

LEAVES: dict[str | None, Callable[[Any, object], None]] = {
    shapes.TIMESTAMP: scalars.put_timestamp,
    shapes.DURATION: scalars.put_duration,
    shapes.FIELD_MASK: scalars.put_mask,
}
"""What fills the types whose JSON is text that has nothing below it."""

_HINTS_MAX = 5  # looking for near names is slow, and hostile input may hold many unknown ones


class Slot(NamedTuple):
    """One key of an object: the field's name, how to put a value, its oneof if any, and whether null is a value."""

    name: str
    put: Put
    oneof: str | None
    takes_null: bool


def takes_null(field: FieldDescriptor) -> bool:
    """Tell whether null is a value of a field's type, and not the absence of one."""
    if shapes.is_message(field):
        return shapes.well_known_name(shapes.message_type(field)) == shapes.VALUE
    return field.enum_type is not None and field.enum_type.full_name == scalars.NULL_VALUE


class Taker:
    """Fills messages key by key; generated code hands over to it what is not in the plainest form."""

    def __init__(self, pool: DescriptorPool, *, ignore_unknown: bool) -> None:
        """Begin with no type known; messages inside Anys are of the pool."""
        self._pool, self.ignore_unknown = pool, ignore_unknown
        self._fillers: dict[str, Fill] = {}

    def whole(self, message_class: type[Message], data: object) -> Message:
        """Make a message, or raise the ConversionError that tells why there is none."""
        descriptor, message = shapes.descriptor_of(message_class), message_class()
        try:
            self.filler(descriptor)(message, data, DEPTH_MAX)
        except MisfitError as error:
            refused = error
        except RecursionError:
            refused = too_deep()
        else:
            return message
        raise refused.outward(descriptor.full_name)

    def filler(self, descriptor: Descriptor) -> Fill:
        """Give the function that fills messages of a type."""
        known = self._fillers.get(descriptor.full_name)
        if known is None:
            known = self._fillers[descriptor.full_name] = self._filler(descriptor)
        return known

    def _filler(self, descriptor: Descriptor) -> Fill:
        name = shapes.well_known_name(descriptor)
        if name in LEAVES:
            put = LEAVES[name]
            return lambda message, data, _room: put(message, data)
        if name in shapes.WRAPPERS:
            return _put_scalar(descriptor.fields_by_name["value"], ignore_unknown=False)
        if name == shapes.ANY:
            return self.fill_any
        return structs.PUTS.get(name) or self._plain_filler(descriptor)

    def put(self, field: FieldDescriptor) -> Put:
        """Give the function that puts a value into a field of a message."""
        if shapes.is_map(field):
            return _put_map(field, self._item_put(shapes.message_type(field).fields_by_name["value"]))
        if shapes.is_message(field):
            fill = self.filler_of(field)
            return _put_message_list(field, fill) if field.is_repeated else _put_message(field, fill)
        put_scalar = _put_scalar_list if field.is_repeated else _put_scalar
        return put_scalar(field, ignore_unknown=self.ignore_unknown)

    def filler_of(self, field: FieldDescriptor) -> Fill:
        """Give the function that fills messages of a field's type."""
        return self.filler(shapes.message_type(field))

    def _item_put(self, field: FieldDescriptor) -> Callable[[Any, Any, object, int], None]:
        if shapes.is_message(field):
            fill = self.filler_of(field)
            return lambda entries, key, item, room: fill(entries[key], item, room - 1)
        take = scalars.taking(field, ignore_unknown=self.ignore_unknown)

        def put(entries: Any, key: Any, item: object, _room: int) -> None:
            taken = take(item)
            if taken is not scalars.UNKNOWN:
                entries[key] = taken

        return put

    def fill_any(self, message: AnyMessage, data: object, room: int) -> None:
        """Fill an Any with the message that it holds."""
        if type(data) is not dict:
            raise misfit(f"needs an object, not {scalars.json_words(data)}")
        if not data:
            return
        if TYPE_KEY not in data:
            raise misfit(f"{TYPE_KEY!r} is missing, which names the type that the Any holds")
        if room < 1:
            raise too_deep()
        inner_class = class_in_any(self._pool, data[TYPE_KEY])
        inner, descriptor = inner_class(), shapes.descriptor_of(inner_class)
        rest = {key: value for key, value in data.items() if key != TYPE_KEY}
        if shapes.well_known_name(descriptor) is None:
            self.filler(descriptor)(inner, rest, room - 1)
        else:
            self._fill_well_known(inner, rest, room - 1)
        if not inner_class.IsInitialized(inner):
            raise misfit(f"a required field is missing in the {descriptor.full_name} that the Any holds")
        message.type_url = scalars.take_string(data[TYPE_KEY])
        message.value = inner_class.SerializeToString(inner, deterministic=True)

    def _fill_well_known(self, inner: Message, rest: dict[str, object], room: int) -> None:
        descriptor = shapes.descriptor_of(type(inner))
        if VALUE_KEY not in rest:
            raise misfit(f"{VALUE_KEY!r} is missing, which holds the {descriptor.full_name}")
        others = [] if self.ignore_unknown else [key for key in rest if key != VALUE_KEY]
        if others:
            raise MisfitError(*(Misfit(field_step(key), "an Any has no such key here") for key in others))
        try:
            self.filler(descriptor)(inner, rest[VALUE_KEY], room)
        except MisfitError as error:
            raise MisfitError(*error.below(field_step(VALUE_KEY))) from None

    def _plain_filler(self, descriptor: Descriptor) -> Fill:
        full_name = descriptor.full_name

        @cache  # when first wanted, since types may hold each other
        def all_slots() -> dict[str, Slot]:
            own = {field.name: self.slot(field) for field in descriptor.fields}
            return own | {field.json_name: own[field.name] for field in descriptor.fields}

        def fill(message: Any, data: object, room: int) -> None:
            if type(data) is not dict:
                raise misfit(f"needs an object, not {scalars.json_words(data)}")
            slots = all_slots()
            misfits: list[Misfit] = []
            given: dict[str, str] = {}
            for key, value in data.items():
                slot = slots.get(key) or self._extension_slot(descriptor, key)
                if slot is not None:
                    misfits.extend(_clash(key, slot, value, given))
                    misfits.extend(_put_misfits(slot, message, key, value, room))
                elif not self.ignore_unknown:
                    misfits.append(_unknown(key, full_name, slots if len(misfits) < _HINTS_MAX else {}))
            if misfits:
                raise MisfitError(*misfits)

        return fill

    def _extension_slot(self, descriptor: Descriptor, key: str) -> Slot | None:
        field = extension(descriptor, key)
        return None if field is None else self.slot(field)

    def slot(self, field: FieldDescriptor) -> Slot:
        """Give what a field's key stands for."""
        name = f"[{field.full_name}]" if field.is_extension else field.name
        return Slot(name, self.put(field), shapes.contested_oneof(field), not field.is_repeated and takes_null(field))


def _unknown(key: str, full_name: str, slots: dict[str, Slot]) -> Misfit:
    return Misfit(field_step(key), f"{full_name} has no such field{nearest(key, slots)}")


def _clash(key: str, slot: Slot, value: object, given: dict[str, str]) -> Iterator[Misfit]:
    """Tell of a field, or a member of its oneof, that was given before; a oneof's place is kept under `.NAME`."""
    other = given.setdefault(slot.name, key)
    if other != key:
        yield Misfit(field_step(key), f"the field is given twice, also as {other!r}")
    elif slot.oneof and value is not None:
        other = given.setdefault(f".{slot.oneof}", key)
        if other != key:
            yield Misfit(field_step(key), f"oneof {slot.oneof!r} is set already, by {other!r}")


def _put_misfits(slot: Slot, message: Any, key: str, value: object, room: int) -> Iterator[Misfit]:
    if value is not None or slot.takes_null:
        try:
            slot.put(message, value, room)
        except MisfitError as error:
            yield from error.below(field_step(key))


# ── fields ───────────────────────────────────────────────────────────────────────────────────────


def _getter(field: FieldDescriptor) -> Callable[[Any], Any]:
    return (lambda message: message.Extensions[field]) if field.is_extension else attrgetter(field.name)


def _setter(field: FieldDescriptor) -> Callable[[Any, Any], None]:
    if field.is_extension:
        return lambda message, value: message.Extensions.__setitem__(field, value)
    name = field.name
    return lambda message, value: setattr(message, name, value)


def _put_scalar(field: FieldDescriptor, *, ignore_unknown: bool) -> Put:
    take, put_value = scalars.taking(field, ignore_unknown=ignore_unknown), _setter(field)

    def put(message: Any, value: object, _room: int) -> None:
        taken = take(value)
        if taken is not scalars.UNKNOWN:
            put_value(message, taken)

    return put


def _put_scalar_list(field: FieldDescriptor, *, ignore_unknown: bool) -> Put:
    take, get = scalars.taking(field, ignore_unknown=ignore_unknown), _getter(field)

    def put(message: Any, value: object, _room: int) -> None:
        items = _items(value)
        try:
            taken = [take(item) for item in items]
        except MisfitError:
            parts = ((key_step(index), partial(take, item)) for index, item in enumerate(items))
            raise MisfitError(*_misfits(parts)) from None
        get(message).extend([item for item in taken if item is not scalars.UNKNOWN])

    return put


def _put_message(field: FieldDescriptor, fill: Fill) -> Put:
    get, set_in_parent = _getter(field), GetMessageClass(shapes.message_type(field)).SetInParent

    def put(message: Any, value: object, room: int) -> None:
        if room < 1:
            raise too_deep()
        child = get(message)
        set_in_parent(child)
        fill(child, value, room - 1)

    return put


def _put_message_list(field: FieldDescriptor, fill: Fill) -> Put:
    get = _getter(field)

    def put(message: Any, value: object, room: int) -> None:
        if room < 1:
            raise too_deep()
        add = get(message).add
        items = enumerate(_items(value))
        _raise_any((key_step(index), partial(_added, add, fill, item, room - 1)) for index, item in items)

    return put


def _added(add: Callable[[], Any], fill: Fill, item: object, room: int) -> None:
    fill(add(), item, room)


def _put_map(field: FieldDescriptor, put_item: Callable[[Any, Any, object, int], None]) -> Put:
    get, take_key = _getter(field), scalars.key_taking(shapes.message_type(field).fields_by_name["key"])
    levels = 2 if shapes.is_message(shapes.message_type(field).fields_by_name["value"]) else 1

    def put(message: Any, value: object, room: int) -> None:
        if type(value) is not dict:
            raise misfit(f"needs an object, not {scalars.json_words(value)}")
        if value and room < levels:
            raise too_deep()
        entries, taken = get(message), set()

        def put_entry(text: str, item: object) -> None:
            key = take_key(text)
            if key in taken:
                raise misfit("the key is given twice, spelled otherwise")
            taken.add(key)
            put_item(entries, key, item, room - 1)

        _raise_any((key_step(text), partial(put_entry, text, item)) for text, item in value.items())

    return put


def _items(value: object) -> list[object]:
    if type(value) is not list:
        raise misfit(f"needs an array, not {scalars.json_words(value)}")
    return value


def _raise_any(parts: Iterable[tuple[str, Callable[[], object]]]) -> None:
    misfits = list(_misfits(parts))
    if misfits:
        raise MisfitError(*misfits)


def _misfits(parts: Iterable[tuple[str, Callable[[], object]]]) -> Iterator[Misfit]:
    for step, part in parts:
        try:
            part()
        except MisfitError as error:
            yield from error.below(step)
