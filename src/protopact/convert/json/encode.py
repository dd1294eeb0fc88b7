"""Messages → JSON: a function for each message type, generated from its descriptor, that puts the text together.

Generated code writes the plain case. When anything at all goes wrong it gives up, and the teller goes over the whole
message again to tell every misfit with its path.

Its author shares with that of messages → dicts what any function needs, and no more: a dict is made of expressions, and
JSON is text that grows by statements. One author of both would be a list of exceptions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import groupby
from math import copysign
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from protopact.convert import shapes
from protopact.convert.code import Family, TypeWriter, attribute, kept, literal
from protopact.convert.json import scalars, structs
from protopact.convert.json.named_types import counts_levels
from protopact.convert.json.teller import LEAVES, Form, Teller
from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import too_deep
from protopact.errors import ConfigError, WrongTypeError

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

    from protopact.convert.code import Source
    from protopact.convert.values import Enums

Names: TypeAlias = Literal["json", "proto"]
JsonEncoder: TypeAlias = Callable[[Message], str]


def to_json(
    message: Message,
    *,
    indent: int | None = None,
    names: Names = "json",
    enums: Enums = "name",
    defaults: bool = False,
) -> str:
    """Give a message as proto JSON (https://protobuf.dev/programming-guides/json/), ASCII alone.

    `indent` sets each value on a line of its own. `names` gives fields by their names in JSON or in the `.proto`,
    `enums` an enum's value by name or number. With `defaults`, fields without presence are written when they hold
    their default too. An Any is written when its type is known to the schema of the message, or is a well-known one.

    ConversionError, with the path of each value, for what JSON cannot hold: a Timestamp out of range, an infinity in
    a Struct, an Any of unknown type, text that is not UTF-8, messages nested more than 100 deep.
    """
    if not isinstance(message, Message):
        raise WrongTypeError(f"needs a message, not {type(message).__name__}")
    text = json_encoder(type(message), names=names, enums=enums, defaults=defaults)(message)
    return text if indent is None else _indented(text, indent, type(message))


def _indented(text: str, indent: int, message_class: type[Message]) -> str:
    try:
        return json.dumps(json.loads(text), indent=indent)
    except RecursionError:
        refused = too_deep()
    raise refused.outward(shapes.descriptor_of(message_class).full_name)


def json_encoder(
    message_class: type[Message], *, names: Names = "json", enums: Enums = "name", defaults: bool = False
) -> JsonEncoder:
    """Give the function that turns messages of one class into JSON, as `to_json` does."""
    key = ("to_json", names, enums, defaults)
    return kept(message_class, key, lambda: _encoder(message_class, _form(names, enums, defaults=defaults)))


def json_encoder_code(message_class: type[Message]) -> str:
    """Give the Python code that turns messages of one class, and all that they hold, into JSON."""
    author = _Author(shapes.descriptor_of(message_class), Form())
    author.name_of(shapes.descriptor_of(message_class))
    return author.family.text()


def _form(names: str, enums: str, *, defaults: bool) -> Form:
    for option, value, known in (("names", names, ("json", "proto")), ("enums", enums, ("name", "number"))):
        if value not in known:
            raise ConfigError(f"{option} is {known[0]!r} or {known[1]!r}", option=option)
    return Form(names == "json", enums == "name", defaults)


def _encoder(message_class: type[Message], form: Form) -> JsonEncoder:
    descriptor = shapes.descriptor_of(message_class)
    author = _Author(descriptor, form)
    tell = author.teller.whole

    def wrong(message: object) -> WrongTypeError:
        needed = f"a {descriptor.full_name} message of this encoder's class"
        return WrongTypeError(f"needs {needed}, not {type(message).__name__}")

    if shapes.well_known_name(descriptor) is not None:

        def encode_well_known(message: Message) -> str:
            if type(message) is not message_class:
                raise wrong(message)
            return tell(message)

        return encode_well_known
    name, functions = author.name_of(descriptor), cast("dict[str, Any]", author.family.namespace.globals)
    arguments = (DEPTH_MAX,) if counts_levels(descriptor) else ()

    def encode(message: Message) -> str:
        if type(message) is not message_class:
            raise wrong(message)
        try:
            text: str = functions[name](message, *arguments)
        except Exception:  # noqa: BLE001  (whatever went wrong, the teller finds it again and tells where)
            return tell(message)
        return text

    return encode


class _Author:
    """Writes the functions of message types, one at a time."""

    def __init__(self, root: Descriptor, form: Form) -> None:
        self.form, self.teller = form, Teller(root.file.pool, form)
        self.family = Family("json", self._write)
        self._texts: dict[str, dict[int, str]] = {}

    def name_of(self, descriptor: Descriptor) -> str:
        """Give the name of a type's function."""
        return self.family.name_of(descriptor, counts=counts_levels(descriptor))

    def texts(self, field: FieldDescriptor) -> dict[int, str]:
        """Give the texts of an enum's numbers, the same dict each time."""
        enum = shapes.enum_type(field)
        return self._texts.setdefault(enum.full_name, scalars.enum_texts(enum, by_name=self.form.by_enum_name))

    def _write(self, family: Family, source: Source, descriptor: Descriptor, name: str, counts: bool) -> None:  # noqa: FBT001
        _Writer(self, family, source, descriptor, counts=counts).write(name)


class _Writer(TypeWriter):
    """The function of one message type in the making.

    It adds to `text` a comma, the key and the value of each field. Keys are literals, which Python joins with the
    f-string that follows; f-strings themselves hold nothing from outside.
    """

    def __init__(
        self, author: _Author, family: Family, source: Source, descriptor: Descriptor, *, counts: bool
    ) -> None:
        super().__init__(family, source, descriptor, counts=counts)
        self._author = author

    def write(self, name: str) -> None:
        line = self.source.line
        with self.function(name, "message"):
            self.refuse_below(0)
            line("text = ''")
            for oneof, members in groupby(self.fields, shapes.contested_oneof):
                word = "if"
                for field in members:
                    self._put(field, word)
                    word = "if" if oneof is None else "elif"
            if self.descriptor.is_extendable:
                line(f"text += {self.source.bind(self._author.teller.extensions, 'extensions')}(message, room)")
            line("return f'{{{text[1:]}}}'")

    def _put(self, field: FieldDescriptor, word: str) -> None:
        line, block = self.source.line, self.source.block
        shown = self._author.form.is_shown(field)
        held = f"value = {attribute('message', field.name)}"
        if field.is_repeated or not field.has_presence:
            line(held)
            if shown:
                self._add(field)
                return
            with block(f"if {self._is_set(field)}:"):
                self._add(field)
        else:
            with block(f"{word} {self.has_field}(message, {literal(field.name)}):"):
                line(held)
                self._add(field)

    def _is_set(self, field: FieldDescriptor) -> str:
        if not field.is_repeated and field.cpp_type in {FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE}:
            return f"value or {self.source.bind(copysign, 'copysign')}(1.0, value) < 0.0"  # zero may be negative
        return "value"

    def _add(self, field: FieldDescriptor) -> None:
        line = self.source.line
        if shapes.is_map(field):
            entry = shapes.message_type(field)
            piece = f"{self._key(entry.fields_by_name['key'])}:{self._piece(entry.fields_by_name['value'], 'held', 2)}"
            self._refuse_entries()
            line(f"value = {self._join()}([f'{piece}' for key in value for held in (value[key],)])")
            piece = "{{{value}}}"
        elif field.is_repeated:
            item = self._piece(field, "item", 1)
            quick = f"map({self._string()}, value)" if item == f"{{{self._string()}(item)}}" else ""
            line(f"value = {self._join()}({quick or f'''[f'{item}' for item in value]'''})")
            piece = "[{value}]"
        else:
            piece = self._piece(field, "value", 1)
        line(f"text += {literal(f',{scalars.string_text(self._author.form.name(field))}:')} f'{piece}'")

    def _refuse_entries(self) -> None:
        if self.counts:
            with self.source.block("if room < 1 and value:"):
                self.source.line(f"raise {self.source.bind(too_deep, 'too_deep')}()")

    def _key(self, field: FieldDescriptor) -> str:
        if field.type == FieldDescriptor.TYPE_STRING:
            return f"{{{self._string()}(key)}}"
        if field.type == FieldDescriptor.TYPE_BOOL:
            return f'"{{{self._bool_text()}[key]}}"'
        return '"{key}"'

    def _piece(self, field: FieldDescriptor, held: str, levels: int) -> str:
        """Give what an f-string in single quotes has for a single value, `levels` below the message."""
        bind = self.source.bind
        if shapes.is_message(field):
            return self._message(shapes.message_type(field), held, levels)
        if field.type == FieldDescriptor.TYPE_ENUM:
            texts = bind(self._author.texts(field), f"texts_of_{shapes.enum_type(field).name}")
            return f"{{{texts}.get({held}, {held})}}"
        if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
            special, most = bind(scalars.special_text, "special_text"), scalars.DOUBLE_MAX
            return f"{{{held} if {-most!r} <= {held} <= {most!r} else {special}({held})}}"
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return f"{{{self._bool_text()}[{held}]}}"
        text = scalars.bytes_text if field.type == FieldDescriptor.TYPE_BYTES else _TEXTS.get(field.cpp_type)
        if text is not None:
            return f"{{{bind(text, text.__name__)}({held})}}"
        return f'"{{{held}}}"' if field.cpp_type in _QUOTED else f"{{{held}}}"

    def _message(self, descriptor: Descriptor, held: str, levels: int) -> str:
        bind, known = self.source.bind, shapes.well_known_name(descriptor)
        if known in shapes.WRAPPERS:
            return self._piece(descriptor.fields_by_name["value"], f"{held}.value", levels)
        if known in LEAVES:
            return f"{{{bind(LEAVES[known], LEAVES[known].__name__)}({held})}}"
        room = self.room(levels)
        if known == shapes.ANY:
            return f"{{{bind(self._author.teller.any, 'any_text')}({held}, {room})}}"
        if known in structs.TEXTS:
            write = structs.TEXTS[known]
            return f"{{{bind(write, write.__name__)}({held}, {room})}}"
        return f"{{{self.call(descriptor, held, levels)}}}"

    def _string(self) -> str:
        return self.source.bind(scalars.string_text, scalars.string_text.__name__)

    def _bool_text(self) -> str:
        return self.source.bind(scalars.BOOL_TEXT, "BOOL_TEXT")

    def _join(self) -> str:
        return self.source.bind(_JOIN, "join")


_JOIN = ",".join
_QUOTED = (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64)
_TEXTS: dict[int, Callable[..., str]] = {
    FieldDescriptor.CPPTYPE_STRING: scalars.string_text,
    FieldDescriptor.CPPTYPE_FLOAT: scalars.float_text,
}
