"""Dicts → messages: a function for each message type, generated from its descriptor.

Generated code knows values of the plainest types: a dict, a list, a str. Others (an int for a double, a mapping of
another type, a message) it hands over to the walker, value by value. When anything at all goes wrong it gives up, and
the walker goes over the whole value again to tell every misfit with its path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from protopact.convert import shapes, values
from protopact.convert.code import Child, Family, FillWriter, Keys, Scalar, attribute, kept
from protopact.convert.dicts import structs
from protopact.convert.dicts.walker import Walker
from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import FLOAT32_MAX, check_of, type_name

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

    from protopact.convert.code import Source

M = TypeVar("M", bound=Message)

_FEW_FIELDS = 8  # so few are filled in the time of some calls, and one call less is quicker by a twentieth

DictEncoder: TypeAlias = Callable[[Mapping[str, object]], M]

_PLAIN_TYPES: dict[int, str] = {
    FieldDescriptor.CPPTYPE_INT32: "type({0}) is int",
    FieldDescriptor.CPPTYPE_INT64: "type({0}) is int",
    FieldDescriptor.CPPTYPE_UINT32: "type({0}) is int",
    FieldDescriptor.CPPTYPE_UINT64: "type({0}) is int",
    FieldDescriptor.CPPTYPE_DOUBLE: "type({0}) is float",
    FieldDescriptor.CPPTYPE_FLOAT: f"type({{0}}) is float and {-FLOAT32_MAX!r} <= {{0}} <= {FLOAT32_MAX!r}",
    FieldDescriptor.CPPTYPE_BOOL: "type({0}) is bool",
    FieldDescriptor.CPPTYPE_ENUM: "type({0}) is str or type({0}) is int",
    FieldDescriptor.CPPTYPE_STRING: "type({0}) is str",
}
"""What a value must be for the runtime to take it as it is; ranges, names and surrogates the runtime checks itself."""


def from_dict(data: Mapping[str, object], message_class: type[M]) -> M:
    """Give the message that a dict describes; the dict and all that it holds stay untouched.

    Keys are the fields' names, in the `.proto` or in JSON; None leaves a field unset. Types are strict: a bool is no
    int, a str no bytes. An int is taken for a float field when exact; an enum by name or number; a Timestamp as an
    aware datetime or RFC 3339 text; a Duration as a timedelta or text (`1.5s`); a sub-message as a mapping or a
    message of the same full name, also one of another descriptor pool. ConversionError names every value that does
    not fit, with its path.
    """
    return dict_encoder(message_class)(data)


def dict_encoder(message_class: type[M]) -> DictEncoder[M]:
    """Give the function that turns dicts into messages of one class, as `from_dict` does."""
    return cast("DictEncoder[M]", kept(message_class, "from_dict", lambda: _encoder(message_class)))


def encoder_code(message_class: type[Message]) -> str:
    """Give the Python code that turns dicts into messages of one class, and into all that they hold."""
    family, _ = _outer(message_class)
    return family.text()


def _outer(message_class: type[Message]) -> tuple[Family, str]:
    """Give a family that begins with a message class, and the name of the function that makes its messages."""
    descriptor, author = shapes.descriptor_of(message_class), _Author()
    family = Family("write", author.write)
    source, name = family.source("encode", descriptor), family.namespace.fresh("encode")
    author.writer(family, source, descriptor, counts=shapes.is_deep(descriptor)).write_outer(
        name, message_class, explain=author.walker.encoder(descriptor)
    )
    source.build()
    return family, name


def _encoder(message_class: type[Message]) -> DictEncoder[Message]:
    descriptor = shapes.descriptor_of(message_class)
    if shapes.well_known_name(descriptor) == shapes.STRUCT:
        return Walker().encoder(descriptor)
    family, name = _outer(message_class)
    return cast("DictEncoder[Message]", family.namespace[name])


class _Author:
    """Writes the writers of message types, one at a time."""

    def __init__(self) -> None:
        self.walker = Walker()

    def writer(self, family: Family, source: Source, descriptor: Descriptor, *, counts: bool) -> _Writer:
        """Give the writer of one type, not yet written."""
        keys = Keys(descriptor, of=lambda field: field.name, other=lambda field: field.json_name)
        return _Writer(self.walker, keys, family, source, descriptor, counts=counts)

    def write(self, family: Family, source: Source, descriptor: Descriptor, name: str, *, counts: bool) -> None:
        """Write the writer of one type."""
        self.writer(family, source, descriptor, counts=counts).write(name)


class _Writer(FillWriter):
    """What dicts of Python's values have of their own."""

    needs_required = True

    def write_outer(self, name: str, message_class: type[Message], *, explain: Callable[[object], Message]) -> None:
        """Add the function that makes messages of a class; where their fields are few, it fills them itself."""
        line, block, bind = self.source.line, self.source.block, self.source.bind
        make = bind(message_class, f"new_{self.descriptor.name}")
        merge = bind(message_class.MergeFrom, "merge")  # unbound: a field may be called so
        with block(f"def {name}(data):"):
            with block("if type(data) is dict:"):
                with block("try:"):
                    if self.counts:
                        line(f"room = {DEPTH_MAX}")
                    line(f"message = {make}()")
                    if len(self.fields) <= _FEW_FIELDS:
                        self.body(f"{merge}(message, {name}(left))")
                    else:
                        line(self.call(self.descriptor, "message, data", 0))
                    line("return message")
                with block("except Exception:"):
                    line("pass")
            line(f"return {bind(explain, 'explain')}(data)")

    def holds_none(self, field: FieldDescriptor) -> bool:
        return shapes.takes_none(field)

    def scalar(self, field: FieldDescriptor, value: str) -> Scalar:
        check = self.source.bind(check_of(field), f"check_{type_name(field)}")
        return Scalar(_plainly(field, value), value, f"{check}({value})")

    def map_key(self, field: FieldDescriptor) -> str:
        return str(self.scalar(field, "key"))

    def put_scalars(self, field: FieldDescriptor, thoroughly: str) -> None:
        line, block = self.source.line, self.source.block
        with block("for item in value:"), block(f"if not ({_plainly(field, 'item')}):"):
            line(thoroughly)
            line("break")
        with block("else:"):
            line(f"{attribute('message', field.name)}.extend(value)")

    def child(self, field: FieldDescriptor, child: str, value: str, levels: int) -> Child:
        bind, descriptor = self.source.bind, shapes.message_type(field)
        known = shapes.well_known_name(descriptor)
        if known == shapes.VALUE:
            write = bind(structs.write_value, "write_value")
            foreign = f"isinstance({value}, {bind(Message, 'Message')})"
            return Child(f"not {foreign}", (f"{write}({child}, {value}, {self.room(levels)})",))
        if known == shapes.TIMESTAMP:
            lines = values.writing_timestamp(child, value, bind(values.EPOCH, "EPOCH"))
            return Child(f"type({value}) is {bind(datetime, 'datetime')}", lines)
        if known in _BY_HAND:
            kind, write_by_hand, takes_room = _BY_HAND[known]
            room = f", {self.room(levels)}" if takes_room else ""
            filled = f" and {value}" if takes_room else ""  # an empty one would not be set by filling it
            name = kind.__name__ if kind in _BUILTIN else bind(kind, kind.__name__)
            write = bind(write_by_hand, write_by_hand.__name__)
            return Child(f"type({value}) is {name}{filled}", (f"{write}({child}, {value}{room})",))
        if known in shapes.WRAPPERS:
            return Child(_plainly(descriptor.fields_by_name["value"], value), (f"{child}.value = {value}",))
        return Child(f"type({value}) is dict", (self.call(descriptor, f"{child}, {value}", levels),))


_BUILTIN = (dict, list)
_BY_HAND: dict[str | None, tuple[type, Callable[..., None], bool]] = {
    shapes.DURATION: (timedelta, values.write_duration, False),
    shapes.STRUCT: (dict, structs.write_struct, True),
    shapes.LIST_VALUE: (list, structs.write_list_value, True),
}


def _plainly(field: FieldDescriptor, value: str) -> str:
    """Give the condition under which the runtime takes a value as it is."""
    if field.type == FieldDescriptor.TYPE_BYTES:
        return f"type({value}) is bytes"
    return _PLAIN_TYPES[field.cpp_type].format(value)
