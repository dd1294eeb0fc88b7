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
from google.protobuf.message_factory import GetMessageClass

from protopact.convert import shapes, values
from protopact.convert.code import Family, assignment, attribute, kept, literal
from protopact.convert.dicts import structs
from protopact.convert.dicts.walker import Walker
from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import FLOAT32_MAX, check_of, too_deep, type_name

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

    from protopact.convert.code import Source

M = TypeVar("M", bound=Message)

DictEncoder: TypeAlias = Callable[[Mapping[str, object]], M]

_MANY_FIELDS = 64
_MANY_FIELDS_SHARE = 8  # about as much quicker is a field that is not there than a key that the walker takes

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
    counts = shapes.is_deep(descriptor)
    write = family.name_of(descriptor, counts=counts)
    source = family.source("encode", descriptor)
    name = family.namespace.fresh("encode")
    make, explain = (
        source.bind(message_class, f"new_{descriptor.name}"),
        source.bind(author.walker.encoder(descriptor), "explain"),
    )
    line, block = source.line, source.block
    with block(f"def {name}(data):"):
        with block("if type(data) is dict:"):
            with block("try:"):
                line(f"message = {make}()")
                line(f"{write}(message, data{f', {DEPTH_MAX}' if counts else ''})")
                line("return message")
            with block("except Exception:"):
                line("pass")
        line(f"return {explain}(data)")
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

    def write(self, family: Family, source: Source, descriptor: Descriptor, name: str, *, counts: bool) -> None:
        """Write the writer of one type."""
        _Writer(self.walker, family, source, descriptor, counts=counts).write(name)


class _Writer:
    """The writer of one message type in the making."""

    def __init__(self, walker: Walker, family: Family, source: Source, descriptor: Descriptor, *, counts: bool) -> None:
        self._walker, self._family, self._source = walker, family, source
        self._descriptor, self._counts = descriptor, counts
        message_class = GetMessageClass(descriptor)
        self._has_field = source.bind(message_class.HasField, "has_field")  # unbound: a field may be called so
        self._set_in_parent = source.bind(message_class.SetInParent, "set_in_parent")
        names = {oneof.name for field in descriptor.fields if (oneof := field.containing_oneof) is not None}
        self._begun: set[str] = set()
        self._chosen = {name: source.local(f"chosen_{name}") for name in sorted(names)}

    def write(self, name: str) -> None:
        line, block, fields = self._source.line, self._source.block, self._descriptor.fields
        keys = self._source.bind(Keys(self._descriptor), f"keys_of_{self._descriptor.name}")
        contested = dict.fromkeys(shapes.contested_oneof(field) for field in fields)
        with block(f"def {name}(message, data{', room' if self._counts else ''}):"):
            if len(fields) >= _MANY_FIELDS:
                self._leave_few_keys(len(fields))
            line("absent = 0")
            for oneof in contested:
                if oneof is not None:
                    line(f"{self._chosen[oneof]} = False")
            for field in sorted(fields, key=lambda field: field.number):
                self._put(field)
            with block(f"if len(data) != {len(fields)} - absent:"):
                line(f"left = {keys}.left(data)")
                with block("if left:"):
                    line(f"{name}(message, left{', room' if self._counts else ''})")
            with block(f"if absent == {len(fields)}:"):
                line(f"{self._set_in_parent}(message)")
            for field in fields:
                if field.is_required:
                    with block(f"if not {self._has_field}(message, {literal(field.name)}):"):
                        line(f"raise KeyError({literal(field.name)})")

    def _leave_few_keys(self, fields: int) -> None:
        """Have the walker fill what has few of many fields: it goes by keys, and generated code by fields."""
        with self._source.block(f"if len(data) < {fields // _MANY_FIELDS_SHARE}:"):
            fill = self._source.bind(self._walker.filler(self._descriptor), f"fill_{self._descriptor.name}")
            self._source.line(f"{self._set_in_parent}(message)")
            self._source.line(f"return {fill}(message, data, {self._room(0)})")

    def _put(self, field: FieldDescriptor) -> None:
        line, block = self._source.line, self._source.block
        if not field.is_repeated and shapes.takes_none(field):
            head = f"if {literal(field.name)} in data:"
            value = f"value = data[{literal(field.name)}]"
        else:
            line(f"value = data.get({literal(field.name)})")
            head, value = "if value is not None:", ""
        with block(head):
            self._choose(field)
            if value:
                line(value)
            if shapes.is_map(field):
                self._put_map(field)
            elif field.is_repeated:
                self._put_list(field)
            elif shapes.is_message(field):
                self._refuse_below(1)
                otherwise = f"{self._bound_put(field)}(message, value, {self._room(0)})"
                self._fill(field, attribute("message", field.name), "value", 1, otherwise)
            else:
                line(assignment("message", field.name, self._checked(field, "value")))
        with block("else:"):
            line("absent += 1")

    def _choose(self, field: FieldDescriptor) -> None:
        oneof = shapes.contested_oneof(field)
        if oneof is None:
            return
        if oneof in self._begun:
            with self._source.block(f"if {self._chosen[oneof]}:"):
                self._source.line(f"raise KeyError({literal(field.name)})")
        self._begun.add(oneof)
        self._source.line(f"{self._chosen[oneof]} = True")

    def _put_list(self, field: FieldDescriptor) -> None:
        line, block = self._source.line, self._source.block
        otherwise = f"{self._bound_put(field)}(message, value, {self._room(0)})"
        with block("if type(value) is not list:"):
            line(otherwise)
        if shapes.is_message(field):
            with block("elif value:"):
                self._refuse_below(1)
                line(f"add = {attribute('message', field.name)}.add")
                with block("for item in value:"):
                    fill = self._source.bind(self._walker.fill(field), f"fill_{field.name}")
                    self._fill(field, "add()", "item", 1, f"{fill}(add(), item, {self._room(1)})")
            with block("else:"):
                line(f"{self._set_in_parent}(message)")
            return
        with block("else:"):
            with block("for item in value:"), block(f"if not ({_plainly(field, 'item')}):"):
                line(otherwise)
                line("break")
            with block("else:"):
                line(f"{attribute('message', field.name)}.extend(value)")

    def _put_map(self, field: FieldDescriptor) -> None:
        line, block = self._source.line, self._source.block
        key, value = (shapes.message_type(field).fields_by_name[part] for part in ("key", "value"))
        with block("if type(value) is not dict:"):
            line(f"{self._bound_put(field)}(message, value, {self._room(0)})")
        with block("elif value:"):
            self._refuse_below(2 if shapes.is_message(value) else 1)
            line(f"entries = {attribute('message', field.name)}")
            with block("for key, item in value.items():"):
                entry = f"entries[{self._checked(key, 'key')}]"
                if shapes.is_message(value):
                    fill = self._source.bind(self._walker.fill(value), f"fill_{field.name}")
                    self._fill(value, entry, "item", 2, f"{fill}({entry}, item, {self._room(2)})")
                else:
                    line(f"{entry} = {self._checked(value, 'item')}")
        with block("else:"):
            line(f"{self._set_in_parent}(message)")

    def _fill(self, field: FieldDescriptor, child: str, value: str, levels: int, otherwise: str) -> None:
        """Add the lines that fill a child, `levels` below the message, from a value that is not None."""
        line, block = self._source.line, self._source.block
        descriptor = shapes.message_type(field)
        known = shapes.well_known_name(descriptor)
        lines: tuple[str, ...]
        if known == shapes.VALUE:
            head = f"if not isinstance({value}, {self._source.bind(Message, 'Message')}):"
            lines = (
                f"{self._source.bind(structs.write_value, 'write_value')}({child}, {value}, {self._room(levels)})",
            )
        elif known == shapes.TIMESTAMP:
            head = f"if type({value}) is {self._source.bind(datetime, 'datetime')}:"
            lines = values.writing_timestamp(child, value, self._source.bind(values.EPOCH, "EPOCH"))
        elif known in _BY_HAND:
            kind, write, takes_room = _BY_HAND[known]
            room = f", {self._room(levels)}" if takes_room else ""
            filled = f" and {value}" if takes_room else ""  # an empty one would not be set by filling it
            name = kind.__name__ if kind in _BUILTIN else self._source.bind(kind, kind.__name__)
            head = f"if type({value}) is {name}{filled}:"
            lines = (f"{self._source.bind(write, write.__name__)}({child}, {value}{room})",)
        elif known in shapes.WRAPPERS:
            head = f"if {_plainly(descriptor.fields_by_name['value'], value)}:"
            lines = (f"{child}.value = {value}",)
        else:
            head = f"if type({value}) is dict:"
            room = f", {self._room(levels)}" if self._counts else ""
            lines = (f"{self._family.name_of(descriptor, counts=self._counts)}({child}, {value}{room})",)
        with block(head):
            for text in lines:
                line(text)
        with block("else:"):
            line(otherwise)

    def _checked(self, field: FieldDescriptor, value: str) -> str:
        """Give the expression for a scalar that is good as it is, or else checked."""
        check = self._source.bind(check_of(field), f"check_{type_name(field)}")
        return f"{value} if {_plainly(field, value)} else {check}({value})"

    def _bound_put(self, field: FieldDescriptor) -> str:
        return self._source.bind(self._walker.put(field), f"put_{field.name}")

    def _refuse_below(self, levels: int) -> None:
        if self._counts:
            with self._source.block(f"if room < {levels}:"):
                self._source.line(f"raise {self._source.bind(too_deep, 'too_deep')}()")

    def _room(self, levels: int) -> str:
        if not self._counts:
            return str(DEPTH_MAX)
        return f"room - {levels}" if levels else "room"


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


class Keys:
    """The keys that dicts of a message type may have."""

    def __init__(self, descriptor: Descriptor) -> None:
        """Read the names of all fields, and their names in JSON."""
        self._names = frozenset(field.name for field in descriptor.fields)
        self._by_json_name = {field.json_name: field.name for field in descriptor.fields}
        self._oneofs = {field.name: shapes.contested_oneof(field) for field in descriptor.fields}

    def left(self, data: dict[str, object]) -> dict[str, object]:
        """Give what a dict holds under names of JSON, by the fields' own names.

        KeyError for a key that is no name, for a field given twice, and where members of a oneof may meet.
        """
        left: dict[str, object] = {}
        for key, value in data.items():
            if key not in self._names:
                name = self._by_json_name[key]
                if data.get(name) is not None or self._oneofs[name] is not None:
                    raise KeyError(key)
                left[name] = value
        return left
