"""Messages → JSON, the thorough way: whatever the message holds, extensions too, and with every misfit told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from protopact.convert import shapes
from protopact.convert.json import scalars, structs
from protopact.convert.json.named_types import TYPE_KEY, VALUE_KEY, class_in_any
from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import Misfit, MisfitError, field_step, key_step, misfit, too_deep

if TYPE_CHECKING:
    from google.protobuf.any_pb2 import Any as AnyMessage
    from google.protobuf.descriptor import Descriptor
    from google.protobuf.descriptor_pool import DescriptorPool

Tell: TypeAlias = Callable[[Any, int], str]
"""Gives a value's JSON; the number is how many levels of messages may follow below the message that holds it."""

LEAVES: dict[str | None, Callable[[Any], str]] = {
    shapes.TIMESTAMP: scalars.timestamp_text,
    shapes.DURATION: scalars.duration_text,
    shapes.FIELD_MASK: scalars.mask_text,
}
"""The types whose JSON is text that has nothing below it."""


class Form(NamedTuple):
    """How JSON is written: fields and enums by which names, and whether what is at its default is written too."""

    by_json_name: bool = True
    by_enum_name: bool = True
    defaults: bool = False

    def name(self, field: FieldDescriptor) -> str:
        """Give the key of a field."""
        if field.is_extension:
            return f"[{field.full_name}]"
        return field.json_name if self.by_json_name else field.name

    def is_shown(self, field: FieldDescriptor) -> bool:
        """Tell whether a field is written at its default."""
        return self.defaults and (field.is_repeated or not field.has_presence)


class Teller:
    """Writes messages field by field; generated code hands over to it extensions, Anys, and what it cannot write."""

    def __init__(self, pool: DescriptorPool, form: Form) -> None:
        """Begin with no type known; messages inside Anys are of the pool."""
        self._pool, self._form = pool, form
        self._tells: dict[tuple[str, int], Tell] = {}

    def whole(self, message: Message) -> str:
        """Give a message's JSON, or raise the ConversionError that tells why there is none."""
        descriptor = shapes.descriptor_of(type(message))
        try:
            return self.message(descriptor, message, DEPTH_MAX)
        except MisfitError as error:
            refused = error
        except RecursionError:
            refused = too_deep()
        raise refused.outward(descriptor.full_name)

    def message(self, descriptor: Descriptor, message: Message, room: int) -> str:
        """Give the JSON of a message of any type; `room` is how many levels may follow below it."""
        if room < 0:
            raise too_deep()
        held: Any = message
        known = shapes.well_known_name(descriptor)
        if known in LEAVES:
            return LEAVES[known](held)
        if known in structs.TEXTS:
            return self._struct(known, held, room)
        if known in shapes.WRAPPERS:
            return self._tell(descriptor.fields_by_name["value"])(held.value, room)
        if known == shapes.ANY:
            return self.any(held, room)
        return f"{{{','.join(self._told(self._pieces(descriptor, message, room)))}}}"

    def any(self, message: AnyMessage, room: int) -> str:
        """Give the JSON of an Any; of an empty one, an empty object."""
        if room < 0:
            raise too_deep()
        url, payload = message.type_url, message.value
        if not url and not payload:
            return "{}"
        inner_class = class_in_any(self._pool, url)
        descriptor = shapes.descriptor_of(inner_class)
        try:
            inner = inner_class.FromString(payload)
        except DecodeError:
            raise misfit(f"the bytes in the Any are no {descriptor.full_name}") from None
        text = self.message(descriptor, inner, room - 1)
        head = f'"{TYPE_KEY}":{scalars.string_text(url)}'
        if shapes.well_known_name(descriptor) is not None:
            return f'{{{head},"{VALUE_KEY}":{text}}}'
        return f"{{{head}{',' if text != '{}' else ''}{text[1:]}"

    def extensions(self, message: Message, room: int) -> str:
        """Give the pieces of JSON for a message's extensions, each after a comma."""
        set_ones = ((field, value) for field, value in type(message).ListFields(message) if field.is_extension)
        return "".join(f",{piece}" for piece in self._told((field, value, room) for field, value in set_ones))

    def _pieces(self, descriptor: Descriptor, message: Any, room: int) -> Iterator[tuple[FieldDescriptor, Any, int]]:
        listed = type(message).ListFields(message)
        found = {field.number: value for field, value in listed}
        for field in sorted(descriptor.fields, key=lambda field: field.number):
            if field.number in found:
                yield field, found[field.number], room
            elif self._form.is_shown(field):
                yield field, getattr(message, field.name), room
        yield from ((field, value, room) for field, value in listed if field.is_extension)

    def _told(self, pieces: Iterable[tuple[FieldDescriptor, Any, int]]) -> list[str]:
        texts: list[str] = []
        misfits: list[Misfit] = []
        for field, value, room in pieces:
            name = self._form.name(field)
            try:
                texts.append(f"{scalars.string_text(name)}:{self._field(field, value, room)}")
            except MisfitError as error:
                misfits.extend(error.below(field_step(name)))
        if misfits:
            raise MisfitError(*misfits)
        return texts

    def _field(self, field: FieldDescriptor, value: Any, room: int) -> str:
        if shapes.is_map(field):
            entry = shapes.message_type(field)
            tell = self._tell(entry.fields_by_name["value"])
            entries = [(key_step(key), partial(_entry, tell, key, value, room - 1)) for key in value]
            return f"{{{','.join(_all(entries))}}}"
        tell = self._tell(field)
        if field.is_repeated:
            items = ((key_step(index), partial(tell, item, room)) for index, item in enumerate(value))
            return f"[{','.join(_all(items))}]"
        return tell(value, room)

    def _tell(self, field: FieldDescriptor) -> Tell:
        if shapes.is_message(field):
            descriptor = shapes.message_type(field)
            return lambda value, room: self.message(descriptor, value, room - 1)
        kind: Any = field.enum_type.full_name if field.enum_type is not None else field.type
        key = (str(kind), field.type)
        known = self._tells.get(key)
        if known is None:
            known = self._tells[key] = self._scalar(field)
        return known

    def _scalar(self, field: FieldDescriptor) -> Tell:
        if field.type == FieldDescriptor.TYPE_ENUM:
            texts = scalars.enum_texts(shapes.enum_type(field), by_name=self._form.by_enum_name)
            return lambda value, _room: texts.get(value) or str(value)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return lambda value, _room: scalars.bytes_text(value)
        tell = _SCALARS[field.cpp_type]
        return lambda value, _room: tell(value)

    def _struct(self, known: str | None, message: Any, room: int) -> str:
        try:
            return structs.TEXTS[known](message, room)
        except TypeError:
            raise _no_utf8() from None


def _all(items: Iterable[tuple[str, Callable[[], str]]]) -> list[str]:
    texts: list[str] = []
    misfits: list[Misfit] = []
    for step, text in items:
        try:
            texts.append(text())
        except MisfitError as error:
            misfits.extend(error.below(step))
    if misfits:
        raise MisfitError(*misfits)
    return texts


def _entry(tell: Tell, key: Any, entries: Any, room: int) -> str:
    if room < 0:
        raise too_deep()
    if isinstance(key, bytes):
        raise _no_utf8()
    return f"{scalars.key_text(key)}:{tell(entries[key], room)}"


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise _no_utf8()
    return scalars.string_text(value)


def _no_utf8() -> MisfitError:
    return misfit("the text is not valid UTF-8, which JSON needs")


_SCALARS: dict[int, Callable[[Any], str]] = {
    FieldDescriptor.CPPTYPE_INT32: str,
    FieldDescriptor.CPPTYPE_UINT32: str,
    FieldDescriptor.CPPTYPE_INT64: lambda value: f'"{value}"',
    FieldDescriptor.CPPTYPE_UINT64: lambda value: f'"{value}"',
    FieldDescriptor.CPPTYPE_BOOL: lambda value: scalars.BOOL_TEXT[value],
    FieldDescriptor.CPPTYPE_DOUBLE: scalars.double_text,
    FieldDescriptor.CPPTYPE_FLOAT: scalars.float_text,
    FieldDescriptor.CPPTYPE_STRING: _string,
}
