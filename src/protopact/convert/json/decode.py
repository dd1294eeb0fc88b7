"""JSON → messages: a function for each message type, generated from its descriptor, over what `json.loads` gives.

Generated code knows the plainest forms: fields by their names in JSON, `int64` as text, enums by name. Others it hands
over to the taker, value by value. When anything at all goes wrong it gives up, and the taker goes over the whole value
again to tell every misfit with its path.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from protopact.convert import shapes
from protopact.convert.code import Family, assignment, attribute, kept, literal
from protopact.convert.json import scalars, structs
from protopact.convert.json.named_types import Json, counts_levels
from protopact.convert.json.taker import LEAVES, Taker, takes_null
from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import misfit, too_deep, type_name

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

    from protopact.convert.code import Source
    from protopact.convert.values import MisfitError

M = TypeVar("M", bound=Message)

JsonDecoder: TypeAlias = Callable[[str | bytes], M]

_MANY_FIELDS = 64
_MANY_FIELDS_SHARE = 8  # about as much quicker is a field that is not there than a key that the taker takes


def from_json(data: str | bytes, message_class: type[M], *, ignore_unknown: bool = False) -> M:
    """Give the message that proto JSON describes (https://protobuf.dev/programming-guides/json/).

    Fields may have their names in JSON or in the `.proto`; bytes are UTF-8. `ignore_unknown` passes over fields and
    enum names that the schema does not have. A field, a key or a oneof that is given twice is refused. What an Any
    holds must be known to the schema of the class, or be a well-known type. Required fields may be missing, as the
    message may still be filled; inside an Any they may not.

    ConversionError for what is no JSON, and for values that do not fit: every one of them, each with its path.
    """
    return json_decoder(message_class, ignore_unknown=ignore_unknown)(data)


def json_decoder(message_class: type[M], *, ignore_unknown: bool = False) -> JsonDecoder[M]:
    """Give the function that turns JSON into messages of one class, as `from_json` does."""
    key = ("from_json", ignore_unknown)
    decoder = kept(message_class, key, lambda: _decoder(message_class, ignore_unknown=ignore_unknown))
    return cast("JsonDecoder[M]", decoder)


def json_decoder_code(message_class: type[Message]) -> str:
    """Give the Python code that turns JSON into messages of one class, and into all that they hold."""
    descriptor = shapes.descriptor_of(message_class)
    author = _Author(descriptor, ignore_unknown=False)
    author.name_of(descriptor)
    return author.family.text()


def _decoder(message_class: type[Message], *, ignore_unknown: bool) -> JsonDecoder[Message]:
    descriptor = shapes.descriptor_of(message_class)
    author = _Author(descriptor, ignore_unknown=ignore_unknown)
    take = author.taker.whole

    def parsed(data: str | bytes) -> Json:
        try:
            return _parsed(data)
        except _NoJsonError as error:
            raise error.misfit.outward(descriptor.full_name) from error.__cause__

    if shapes.well_known_name(descriptor) is not None:
        return lambda data: take(message_class, parsed(data))
    name, functions = author.name_of(descriptor), cast("dict[str, Any]", author.family.namespace.globals)
    arguments = (DEPTH_MAX,) if counts_levels(descriptor) else ()

    def decode(data: str | bytes) -> Message:
        value = parsed(data)
        if type(value) is dict:
            try:
                message = message_class()
                functions[name](message, value, *arguments)
            except Exception:  # noqa: BLE001, S110  (whatever went wrong, the taker finds it again and tells where)
                pass
            else:
                return message
        return take(message_class, value)

    return decode


# ── text → values ────────────────────────────────────────────────────────────────────────────────


class _NoJsonError(Exception):
    """The text is no JSON that can be read; `misfit` tells why."""

    def __init__(self, reason: str, *, hint: str = "") -> None:
        super().__init__(reason)
        self.misfit: MisfitError = misfit(reason, hint=hint)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _NoJsonError("an object has the same key twice")
    return value


def _constant(_name: str) -> NoReturn:
    raise _NoJsonError("NaN and Infinity are text in JSON, between quotes")


_WHITESPACE = " \t\n\r"
_PARSER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def _parsed(data: str | bytes) -> Json:
    if not isinstance(data, str):
        data = _decoded(data)
    start = len(data) - len(data.lstrip(_WHITESPACE))
    try:
        value, end = _PARSER.raw_decode(data, start)
    except json.JSONDecodeError as error:
        raise _NoJsonError(f"no JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _NoJsonError("the JSON is nested too deep") from None
    except ValueError:
        raise _NoJsonError("a number has too many digits") from None
    if end != len(data) and data[end:].strip(_WHITESPACE):
        raise _NoJsonError(f"no JSON: more text follows its end, from character {end}")
    return cast("Json", value)


def _decoded(data: object) -> str:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise _NoJsonError(f"needs JSON as str or bytes, not {type(data).__name__}")
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError as error:
        raise _NoJsonError(f"no JSON: the bytes are not UTF-8, from byte {error.start}") from None


# ── the code of a type ───────────────────────────────────────────────────────────────────────────


class _Author:
    """Writes the functions of message types, one at a time."""

    def __init__(self, root: Descriptor, *, ignore_unknown: bool) -> None:
        self.taker = Taker(root.file.pool, ignore_unknown=ignore_unknown)
        self.family = Family("take", self._write)
        self._numbers: dict[str, dict[str, int]] = {}

    def name_of(self, descriptor: Descriptor) -> str:
        """Give the name of a type's function."""
        return self.family.name_of(descriptor, counts=counts_levels(descriptor))

    def numbers(self, field: FieldDescriptor) -> dict[str, int]:
        """Give the numbers of an enum's names, the same dict each time."""
        enum = shapes.enum_type(field)
        return self._numbers.setdefault(enum.full_name, {value.name: value.number for value in enum.values})

    def _write(self, family: Family, source: Source, descriptor: Descriptor, name: str, counts: bool) -> None:  # noqa: FBT001
        _Writer(self, family, source, descriptor, counts=counts).write(name)


class _Writer:
    """The function of one message type in the making."""

    def __init__(
        self, author: _Author, family: Family, source: Source, descriptor: Descriptor, *, counts: bool
    ) -> None:
        self._author, self._family, self._source = author, family, source
        self._taker = author.taker
        self._descriptor, self._counts = descriptor, counts
        self._set_in_parent = source.bind(GetMessageClass(descriptor).SetInParent, "set_in_parent")
        names = {oneof for field in descriptor.fields if (oneof := shapes.contested_oneof(field)) is not None}
        self._chosen = {name: source.local(f"chosen_{name}") for name in sorted(names)}
        self._begun: set[str] = set()

    def write(self, name: str) -> None:
        line, block, fields = self._source.line, self._source.block, self._descriptor.fields
        keys = Keys(self._descriptor, ignore_unknown=self._taker.ignore_unknown)
        with block(f"def {name}(message, data{', room' if self._counts else ''}):"):
            if len(fields) >= _MANY_FIELDS:
                self._leave_few_keys(len(fields))
            line("absent = 0")
            for chosen in self._chosen.values():
                line(f"{chosen} = False")
            for field in sorted(fields, key=lambda field: field.number):
                self._put(field)
            with block(f"if len(data) != {len(fields)} - absent:"):
                line(f"left = {self._source.bind(keys.left, f'keys_left_of_{self._descriptor.name}')}(data)")
                with block("if left:"):
                    line(f"{name}(message, left{', room' if self._counts else ''})")
            with block(f"if absent == {len(fields)}:"):
                line(f"{self._set_in_parent}(message)")

    def _leave_few_keys(self, fields: int) -> None:
        """Have the taker fill what has few of many fields: it goes by keys, and generated code by fields."""
        with self._source.block(f"if len(data) < {fields // _MANY_FIELDS_SHARE}:"):
            fill = self._source.bind(self._taker.filler(self._descriptor), f"fill_{self._descriptor.name}")
            self._source.line(f"{self._set_in_parent}(message)")
            self._source.line(f"return {fill}(message, data, {self._room(0)})")

    def _put(self, field: FieldDescriptor) -> None:
        line, block = self._source.line, self._source.block
        key = literal(field.json_name)
        if not field.is_repeated and takes_null(field):
            head, value = f"if {key} in data:", f"value = data[{key}]"
        else:
            line(f"value = data.get({key})")
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
                child = attribute("message", field.name)
                self._fill(field, child, "value", 1, f"{self._bound_put(field)}(message, value, {self._room(0)})")
            else:
                self._put_scalar(field)
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

    def _put_scalar(self, field: FieldDescriptor) -> None:
        line, taken = self._source.line, self._taken(field, "value")
        line(assignment("message", field.name, taken))

    def _put_list(self, field: FieldDescriptor) -> None:
        line, block = self._source.line, self._source.block
        with block("if type(value) is not list:"):
            line("raise TypeError(value)")
        if not shapes.is_message(field):
            with block("if value:"):
                line(f"{attribute('message', field.name)}.extend([{self._taken(field, 'item')} for item in value])")
            with block("else:"):
                line(f"{self._set_in_parent}(message)")
            return
        with block("if value:"):
            self._refuse_below(1)
            line(f"add = {attribute('message', field.name)}.add")
            with block("for item in value:"):
                fill = self._source.bind(self._taker.filler_of(field), f"fill_{field.name}")
                self._fill(field, "add()", "item", 1, f"{fill}(add(), item, {self._room(1)})")
        with block("else:"):
            line(f"{self._set_in_parent}(message)")

    def _put_map(self, field: FieldDescriptor) -> None:
        line, block = self._source.line, self._source.block
        key, value = (shapes.message_type(field).fields_by_name[part] for part in ("key", "value"))
        with block("if type(value) is not dict:"):
            line("raise TypeError(value)")
        with block("if value:"):
            self._refuse_below(2 if shapes.is_message(value) else 1)
            line(f"entries = {attribute('message', field.name)}")
            with block("for key, item in value.items():"):
                if shapes.is_message(value):
                    fill = self._source.bind(self._taker.filler_of(value), f"fill_{field.name}")
                    entry = f"entries[{self._key(key)}]"
                    self._fill(value, entry, "item", 2, f"{fill}({entry}, item, {self._room(2)})")
                else:
                    line(f"entries[{self._key(key)}] = {self._taken(value, 'item')}")
            with block("if len(entries) != len(value):"):
                line("raise KeyError(value)")
        with block("else:"):
            line(f"{self._set_in_parent}(message)")

    def _key(self, field: FieldDescriptor) -> str:
        if field.type == FieldDescriptor.TYPE_STRING:
            return "key"
        take = self._source.bind(scalars.key_taking(field), f"take_{type_name(field)}_key")
        return f"{take}(key)"

    def _fill(self, field: FieldDescriptor, child: str, value: str, levels: int, otherwise: str) -> None:
        """Add the lines that fill a child, `levels` below the message, from a value that is not None."""
        line, block = self._source.line, self._source.block
        descriptor = shapes.message_type(field)
        known, room = shapes.well_known_name(descriptor), self._room(levels)
        if known in LEAVES and known != shapes.FIELD_MASK:
            put = self._source.bind(LEAVES[known], LEAVES[known].__name__)
            line(f"{put}({child}, {value})")
        elif known in shapes.WRAPPERS:
            line(f"{child}.value = {self._taken(descriptor.fields_by_name['value'], value)}")
        elif known == shapes.VALUE:
            line(f"{self._source.bind(structs.put_value, 'put_value')}({child}, {value}, {room})")
        elif known is not None:
            line(otherwise)  # which sets what may stay empty, too
        else:
            with block(f"if type({value}) is dict:"):
                name = self._family.name_of(descriptor, counts=self._counts)
                line(f"{name}({child}, {value}{f', {room}' if self._counts else ''})")
            with block("else:"):
                line(f"raise TypeError({value})")

    def _taken(self, field: FieldDescriptor, value: str) -> str:
        """Give the expression for a scalar that is good as it is, or else taken by its type's own function."""
        bind = self._source.bind
        if field.type == FieldDescriptor.TYPE_ENUM:
            name = shapes.enum_type(field).name
            numbers = bind(self._author.numbers(field), f"numbers_of_{name}")
            take = bind(scalars.taking(field), f"take_{name}")
            return f"{numbers}[{value}] if type({value}) is str else {take}({value})"
        take = f"{bind(scalars.taking(field), f'take_{type_name(field)}')}({value})"
        plain = "" if field.type == FieldDescriptor.TYPE_BYTES else _PLAIN[field.cpp_type]
        return f"{plain.format(value)} else {take}" if plain else take

    def _bound_put(self, field: FieldDescriptor) -> str:
        return self._source.bind(self._taker.put(field), f"put_{field.name}")

    def _refuse_below(self, levels: int) -> None:
        if self._counts:
            with self._source.block(f"if room < {levels}:"):
                self._source.line(f"raise {self._source.bind(too_deep, 'too_deep')}()")

    def _room(self, levels: int) -> str:
        if not self._counts:
            return str(DEPTH_MAX)
        return f"room - {levels}" if levels else "room"


_MOST, _BELOW = scalars.DOUBLE_MAX, scalars.FLOAT_BELOW
_PLAIN: dict[int, str] = {
    FieldDescriptor.CPPTYPE_INT32: "{0} if type({0}) is int",
    FieldDescriptor.CPPTYPE_UINT32: "{0} if type({0}) is int",
    FieldDescriptor.CPPTYPE_INT64: "int({0}) if type({0}) is str and {0}.isdigit()",
    FieldDescriptor.CPPTYPE_UINT64: "int({0}) if type({0}) is str and {0}.isdigit()",
    FieldDescriptor.CPPTYPE_DOUBLE: f"{{0}} if type({{0}}) is float and {-_MOST!r} <= {{0}} <= {_MOST!r}",
    FieldDescriptor.CPPTYPE_FLOAT: f"{{0}} if type({{0}}) is float and {-_BELOW!r} < {{0}} < {_BELOW!r}",
    FieldDescriptor.CPPTYPE_BOOL: "{0} if type({0}) is bool",
    FieldDescriptor.CPPTYPE_STRING: "{0} if type({0}) is str",
}
"""What a value must be for the runtime to take it as it is; ranges and surrogates the runtime checks itself."""


class Keys:
    """The keys that objects of a message type may have."""

    def __init__(self, descriptor: Descriptor, *, ignore_unknown: bool) -> None:
        """Read the names of all fields."""
        self._json_names = frozenset(field.json_name for field in descriptor.fields)
        self._by_name = {field.name: field.json_name for field in descriptor.fields}
        self._contested = frozenset(field.name for field in descriptor.fields if shapes.contested_oneof(field))
        self._extendable, self._ignore_unknown = descriptor.is_extendable, ignore_unknown

    def left(self, data: dict[str, object]) -> dict[str, object]:
        """Give what an object holds under names of the `.proto`, by the names in JSON.

        KeyError for a key that is no name, for a field given twice, and where members of a oneof may meet.
        """
        left: dict[str, object] = {}
        for key, value in data.items():
            if key not in self._json_names:
                name = self._by_name.get(key)
                if name is None:
                    if not self._ignore_unknown or (self._extendable and key.startswith("[")):
                        raise KeyError(key)
                elif name in data or key in self._contested:
                    raise KeyError(key)
                else:
                    left[name] = value
        return left
