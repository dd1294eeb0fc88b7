"""Messages → dicts: a function for each message type, generated from its descriptor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from protopact.convert import shapes, values
from protopact.convert.code import Family, TypeWriter, attribute, kept, literal
from protopact.convert.dicts import structs
from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import Enums, MisfitError, PlainValue, enum_names, too_deep
from protopact.errors import ConversionError, WrongTypeError

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor
    from google.protobuf.struct_pb2 import Struct

    from protopact.convert.code import Source

DictDecoder: TypeAlias = Callable[[Message], dict[str, PlainValue]]
Timestamps: TypeAlias = Literal["datetime", "rfc3339"]
"""Whether a Timestamp and a Duration are Python's own values, where these hold them exactly, or text always."""


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
    family, _ = _outer(message_class, enums, timestamps)
    return family.text()


def _outer(message_class: type[Message], enums: Enums, timestamps: Timestamps) -> tuple[Family, str]:
    """Give a family that begins with a message class, and the name of the function that takes its messages."""
    descriptor = shapes.descriptor_of(message_class)
    author = _Author(by_name=enums == "name", text_only=timestamps == "rfc3339")
    family = Family("read", author.write)
    source, name = family.source("decode", descriptor), family.namespace.fresh("decode")
    reader = _Reader(author, family, source, descriptor, counts=shapes.is_deep(descriptor))
    reader.write_outer(name, message_class)
    source.build()
    return family, name


def _decoder(message_class: type[Message], enums: Enums, timestamps: Timestamps) -> DictDecoder:
    descriptor = shapes.descriptor_of(message_class)
    if shapes.well_known_name(descriptor) == shapes.STRUCT:
        return _struct_decoder(message_class)
    family, name = _outer(message_class, enums, timestamps)
    return cast("DictDecoder", family.namespace[name])


def _struct_decoder(message_class: type[Message]) -> DictDecoder:
    not_of, refused_of = partial(_not_of, message_class), partial(_refused, shapes.STRUCT)

    def decode(message: Message) -> dict[str, PlainValue]:
        if type(message) is not message_class:
            raise not_of(message)
        try:
            return structs.read_struct(cast("Struct", message), DEPTH_MAX)
        except _REFUSALS as error:
            refused = refused_of(error)
        raise refused

    return decode


def _refused(full_name: str, error: Exception) -> ConversionError:
    """Word why a message of a type cannot be given as a dict."""
    if isinstance(error, UnicodeDecodeError):  # proto2 keeps keys that are no text
        misfit = values.misfit("the key of a map is not valid UTF-8")
    else:
        misfit = error if isinstance(error, MisfitError) else too_deep()
    return misfit.outward(full_name)


def _not_of(message_class: type[Message], message: Message) -> WrongTypeError:
    full_name = shapes.descriptor_of(message_class).full_name
    return WrongTypeError(f"needs a {full_name} message of this decoder's class, not {type(message).__name__}")


_REFUSALS = (MisfitError, RecursionError, UnicodeDecodeError)
_FEW_FIELDS = 20  # one call less is felt where so few are read


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

    def write_outer(self, name: str, message_class: type[Message]) -> None:
        """Add the function that takes messages of a class; where their fields are few, it reads them itself."""
        line, block, bind = self.source.line, self.source.block, self.source.bind
        own_class = bind(message_class, f"class_{self.descriptor.name}")
        with block(f"def {name}(message):"):
            with block(f"if type(message) is not {own_class}:"):
                line(f"raise {bind(partial(_not_of, message_class), 'not_of_this_class')}(message)")
            with block("try:"):
                if self.counts:
                    line(f"room = {DEPTH_MAX}")
                if len(self.fields) <= _FEW_FIELDS:
                    self._body()
                else:
                    line(f"return {self.call(self.descriptor, 'message', 0)}")
            refusals = bind(_REFUSALS, "refusals") if self.counts else UnicodeDecodeError.__name__
            with block(f"except {refusals} as error:"):
                line(f"refused = {bind(partial(_refused, self.descriptor.full_name), 'refused_of')}(error)")
            line("raise refused")

    def write(self, name: str) -> None:
        """Add the function of a type that others hold."""
        with self.function(name, "message"):
            self.refuse_below(0)
            self._body()

    def _body(self) -> None:
        line = self.source.line
        groups = [(bool(always), list(group)) for always, group in groupby(self.fields, _is_always_there)]
        first = groups.pop(0)[1] if groups and groups[0][0] else []
        line("values = {" if groups else "return {")
        for field in first:
            line(f"    {literal(field.name)}: {self._whole(field)},")
        line("}")
        for always, group in groups:
            self._put_always(group) if always else self._put_if_set(group)
        if groups:
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
