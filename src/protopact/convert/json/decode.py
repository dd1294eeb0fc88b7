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

from protopact.convert import shapes
from protopact.convert.code import Child, Family, FillWriter, Keys, Scalar, attribute, kept
from protopact.convert.json import scalars, structs
from protopact.convert.json.enum_names import enum_numbers
from protopact.convert.json.named_types import Json, counts_levels
from protopact.convert.json.taker import LEAVES, Taker, takes_null
from protopact.convert.shapes import DEPTH_MAX
from protopact.convert.values import misfit, type_name

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor

    from protopact.convert.code import Source
    from protopact.convert.values import MisfitError

M = TypeVar("M", bound=Message)

JsonDecoder: TypeAlias = Callable[[str | bytes], M]


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

    def numbers(self, enum: EnumDescriptor) -> dict[str, int]:
        """Give the numbers of an enum's names, the same dict each time."""
        return self._numbers.setdefault(enum.full_name, enum_numbers(enum))

    def _write(self, family: Family, source: Source, descriptor: Descriptor, name: str, counts: bool) -> None:  # noqa: FBT001
        def passes_over(key: str) -> bool:
            return self.taker.ignore_unknown and not (descriptor.is_extendable and key.startswith("["))

        keys = Keys(descriptor, lambda field: field.json_name, lambda field: field.name, passes_over)
        _Writer(self, keys, family, source, descriptor, counts=counts).write(name)


class _Writer(FillWriter):
    """What dicts of JSON's values have of their own."""

    keys_may_meet = True

    def __init__(
        self, author: _Author, keys: Keys, family: Family, source: Source, descriptor: Descriptor, *, counts: bool
    ) -> None:
        super().__init__(author.taker, keys, family, source, descriptor, counts=counts)
        self._numbers = author.numbers

    def holds_none(self, field: FieldDescriptor) -> bool:
        return takes_null(field)

    def scalar(self, field: FieldDescriptor, value: str) -> Scalar:
        bind = self.source.bind
        if field.type == FieldDescriptor.TYPE_ENUM:
            enum = shapes.enum_type(field)
            numbers = bind(self._numbers(enum), f"numbers_of_{enum.name}")
            take = bind(scalars.taking(field), f"take_{enum.name}")
            return Scalar(f"type({value}) is str", f"{numbers}[{value}]", f"{take}({value})")
        taken = f"{bind(scalars.taking(field), f'take_{type_name(field)}')}({value})"
        if field.type == FieldDescriptor.TYPE_BYTES:
            return Scalar("", taken, taken)
        plain, plain_value = (text.format(value) for text in _PLAIN[field.cpp_type])
        return Scalar(plain, plain_value, taken)

    def map_key(self, field: FieldDescriptor) -> str:
        if field.type == FieldDescriptor.TYPE_STRING:
            return "key"
        return f"{self.source.bind(scalars.key_taking(field), f'take_{type_name(field)}_key')}(key)"

    def put_scalars(self, field: FieldDescriptor, _thoroughly: str) -> None:
        items = f"[{self.scalar(field, 'item')} for item in value]"
        self.source.line(f"{attribute('message', field.name)}.extend({items})")

    def child(self, field: FieldDescriptor, child: str, value: str, levels: int) -> Child | None:
        bind, descriptor = self.source.bind, shapes.message_type(field)
        known = shapes.well_known_name(descriptor)
        if known in LEAVES and known != shapes.FIELD_MASK:
            return Child("", (f"{bind(LEAVES[known], LEAVES[known].__name__)}({child}, {value})",))
        if known in shapes.WRAPPERS:
            return Child("", (f"{child}.value = {self.scalar(descriptor.fields_by_name['value'], value)}",))
        if known == shapes.VALUE:
            return Child("", (f"{bind(structs.put_value, 'put_value')}({child}, {value}, {self.room(levels)})",))
        if known is not None:
            return None  # what may stay empty is set thoroughly, too
        return Child(f"type({value}) is dict", (self.call(descriptor, f"{child}, {value}", levels),))


_MOST, _BELOW = scalars.DOUBLE_MAX, scalars.FLOAT_BELOW
_PLAIN: dict[int, tuple[str, str]] = {
    FieldDescriptor.CPPTYPE_INT32: ("type({0}) is int", "{0}"),
    FieldDescriptor.CPPTYPE_UINT32: ("type({0}) is int", "{0}"),
    FieldDescriptor.CPPTYPE_INT64: ("type({0}) is str and {0}.isdigit()", "int({0})"),
    FieldDescriptor.CPPTYPE_UINT64: ("type({0}) is str and {0}.isdigit()", "int({0})"),
    FieldDescriptor.CPPTYPE_DOUBLE: (f"type({{0}}) is float and {-_MOST!r} <= {{0}} <= {_MOST!r}", "{0}"),
    FieldDescriptor.CPPTYPE_FLOAT: (f"type({{0}}) is float and {-_BELOW!r} < {{0}} < {_BELOW!r}", "{0}"),
    FieldDescriptor.CPPTYPE_BOOL: ("type({0}) is bool", "{0}"),
    FieldDescriptor.CPPTYPE_STRING: ("type({0}) is str", "{0}"),
}
"""When the runtime takes a value, and as what; ranges and surrogates the runtime checks itself."""
