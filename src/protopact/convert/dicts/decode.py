"""Messages → dicts: a function for each message type, generated from its descriptor."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from protopact.convert import shapes, values
from protopact.convert.code import Family, TypeWriter, attribute, kept, literal
from protopact.convert.dicts import structs
from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import Enums, MisfitError, PlainValue, enum_names, too_deep
from protopact.errors import WrongTypeError

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor

    from protopact.convert.code import Source

DictDecoder: TypeAlias = Callable[[Message], dict[str, PlainValue]]
Timestamps: TypeAlias = Literal["datetime", "rfc3339"]
"""Whether a Timestamp and a Duration are Python's own values, where these hold them exactly, or text always."""

_CountingReader: TypeAlias = Callable[[Any, int], dict[str, PlainValue]]


def to_dict(message: Message, *, enums: Enums = "name", timestamps: Timestamps = "datetime") -> dict[str, PlainValue]:
    """Give a message as a dict, keyed by the fields' names in the `.proto`, in the order of their numbers.

    `enums` gives an enum's value by its name (a number without a name stays an int) or by its number. `timestamps`
    gives a Timestamp as an aware UTC datetime and a Duration as a timedelta wherever these hold it exactly, else as
    text with nanoseconds; `rfc3339` gives text always. One that is out of its type's range is a dict of `seconds` and
    `nanos`. Unknown fields and extensions are left out. ConversionError when messages are nested more than 100 deep.
    """
    return dict_decoder(type(message), enums=enums, timestamps=timestamps)(message)


def dict_decoder(
    message_class: type[Message], *, enums: Enums = "name", timestamps: Timestamps = "datetime"
) -> DictDecoder:
    """Give the function that turns messages of one class into dicts, as `to_dict` does."""
    return kept(message_class, ("to_dict", enums, timestamps), lambda: _decoder(message_class, enums, timestamps))


def decoder_code(message_class: type[Message], *, enums: Enums = "name", timestamps: Timestamps = "datetime") -> str:
    """Give the Python code that turns messages of one class, and all that they hold, into dicts."""
    family = _family(enums, timestamps)
    descriptor = shapes.descriptor_of(message_class)
    family.name_of(descriptor, counts=shapes.is_deep(descriptor))
    return family.text()


def _family(enums: Enums, timestamps: Timestamps) -> Family:
    return Family("read", _Author(by_name=enums == "name", text_only=timestamps == "rfc3339").write)


def _decoder(message_class: type[Message], enums: Enums, timestamps: Timestamps) -> DictDecoder:
    descriptor = shapes.descriptor_of(message_class)
    if shapes.well_known_name(descriptor) == shapes.STRUCT:
        return _counting(message_class, lambda: structs.read_struct)
    family, counts = _family(enums, timestamps), shapes.is_deep(descriptor)
    name = family.name_of(descriptor, counts=counts)
    if counts:
        counting = cast("dict[str, _CountingReader]", family.namespace.globals)
        return _counting(message_class, lambda: counting[name])
    functions = cast("dict[str, DictDecoder]", family.namespace.globals)

    def decode(message: Message) -> dict[str, PlainValue]:
        if type(message) is not message_class:
            raise _not_of(message_class, message)
        try:
            return functions[name](message)
        except UnicodeDecodeError:
            refused = _no_text()
        raise refused.outward(descriptor.full_name)

    return decode


def _counting(message_class: type[Message], reader: Callable[[], _CountingReader]) -> DictDecoder:
    def decode(message: Message) -> dict[str, PlainValue]:
        if type(message) is not message_class:
            raise _not_of(message_class, message)
        try:
            return reader()(message, DEPTH_MAX)
        except MisfitError as error:
            refused = error
        except RecursionError:
            refused = too_deep()
        except UnicodeDecodeError:
            refused = _no_text()
        raise refused.outward(shapes.descriptor_of(message_class).full_name)

    return decode


def _no_text() -> MisfitError:
    """Give the error for a map whose value cannot be asked for: proto2 keeps keys that are no text."""
    return values.misfit("the key of a map is not valid UTF-8")


def _not_of(message_class: type[Message], message: Message) -> WrongTypeError:
    full_name = shapes.descriptor_of(message_class).full_name
    return WrongTypeError(f"needs a {full_name} message of this decoder's class, not {type(message).__name__}")


class _Author:
    """Writes the readers of message types, one at a time."""

    def __init__(self, *, by_name: bool, text_only: bool) -> None:
        self.by_name = by_name
        self.leaves: dict[str, Callable[..., PlainValue]] = {
            shapes.TIMESTAMP: values.read_timestamp_text if text_only else values.read_timestamp,
            shapes.DURATION: values.read_duration_text if text_only else values.read_duration,
        }
        self._names: dict[str, dict[int, str]] = {}

    def names(self, enum: EnumDescriptor) -> dict[int, str]:
        """Give the names of an enum's numbers, the same dict each time."""
        return self._names.setdefault(enum.full_name, enum_names(enum))

    def write(self, family: Family, source: Source, descriptor: Descriptor, name: str, *, counts: bool) -> None:
        """Write the reader of one type."""
        _Reader(self, family, source, descriptor, counts=counts).write(name)


_STRUCTS: dict[str, Callable[..., PlainValue]] = {
    shapes.STRUCT: structs.read_struct,
    shapes.VALUE: structs.read_value,
    shapes.LIST_VALUE: structs.read_list_value,
}


class _Reader(TypeWriter):
    """The reader of one message type in the making."""

    def __init__(
        self, author: _Author, family: Family, source: Source, descriptor: Descriptor, *, counts: bool
    ) -> None:
        super().__init__(family, source, descriptor, counts=counts)
        self._author = author

    def write(self, name: str) -> None:
        line = self.source.line
        with self.function(name, "message"):
            self.refuse_below(0)
            groups = [(bool(always), list(group)) for always, group in groupby(self.fields, _is_always_there)]
            first = groups.pop(0)[1] if groups and groups[0][0] else []
            line("values = {")
            for field in first:
                line(f"    {literal(field.name)}: {self._whole(field)},")
            line("}")
            for always, group in groups:
                self._put_always(group) if always else self._put_if_set(group)
            line("return values")

    def _put_always(self, fields: list[FieldDescriptor]) -> None:
        for field in fields:
            self.source.line(f"values[{literal(field.name)}] = {self._whole(field)}")

    def _put_if_set(self, fields: list[FieldDescriptor]) -> None:
        for oneof, members in groupby(fields, shapes.contested_oneof):
            word = "if"
            for field in members:
                with self.source.block(f"{word} {self.has_field}(message, {literal(field.name)}):"):
                    self.source.line(f"values[{literal(field.name)}] = {self._whole(field)}")
                word = "if" if oneof is None else "elif"

    def _whole(self, field: FieldDescriptor) -> str:
        """Give the expression for all that a field holds."""
        held = attribute("message", field.name)
        if shapes.is_map(field):
            value = shapes.message_type(field).fields_by_name["value"]
            return f"{{key: {self._one(value, 'held[key]', 2)} for held in ({held},) for key in held}}"
        if not field.is_repeated:
            return self._one(field, held, 1)
        if self._is_itself(field):
            return f"{held}[:]"
        return f"[{self._one(field, 'item', 1)} for item in {held}]"

    def _is_itself(self, field: FieldDescriptor) -> bool:
        return not shapes.is_message(field) and not (self._author.by_name and field.type == FieldDescriptor.TYPE_ENUM)

    def _one(self, field: FieldDescriptor, held: str, levels: int) -> str:
        """Give the expression for a single value, `levels` below the message."""
        if self._is_itself(field):
            return held
        bind = self.source.bind
        if field.type == FieldDescriptor.TYPE_ENUM:
            enum = shapes.enum_type(field)
            return f"{bind(self._author.names(enum), f'names_of_{enum.name}')}.get(number := {held}, number)"
        descriptor = shapes.message_type(field)
        known = shapes.well_known_name(descriptor)
        if known in shapes.WRAPPERS:
            return f"{held}.value"
        if known in self._author.leaves:
            read = self._author.leaves[known]
            return f"{bind(read, read.__name__)}({held})"
        if known in _STRUCTS:
            read, room = _STRUCTS[known], f", {self.room(levels)}" if self.counts else ""
            return f"{bind(read, read.__name__)}({held}{room})"
        return self.call(descriptor, held, levels)


def _is_always_there(field: FieldDescriptor) -> bool:
    return field.is_repeated or not field.has_presence
