"""What a field and an enum may say in each syntax: tables first, then the few functions that read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import Edition, FieldDescriptorProto

from protopact.errors import SchemaModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.schema.parts import ProtoField

NUMBER_MAX = 536_870_911
_RESERVED_BY_PROTOBUF = range(19_000, 20_000)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

SCALARS = {
    name: FieldDescriptorProto.Type.Value(f"TYPE_{name.upper()}")
    for name in (
        "double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64",
        "fixed32", "fixed64", "sfixed32", "sfixed64", "bool", "string", "bytes",
    )
}  # fmt: skip
MAP_KEYS = frozenset(SCALARS) - {"double", "float", "bytes"}
PACKABLE = frozenset(SCALARS) - {"string", "bytes"}
WORDS_OF_OTHERS = {
    "int": "int64", "long": "int64", "str": "string", "text": "string", "boolean": "bool",
    "number": "double", "decimal": "confluent.type.Decimal", "datetime": "google.protobuf.Timestamp",
    "timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration", "dict": "google.protobuf.Struct",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Syntax:
    """One syntax of `.proto` files: its name and what sets it apart; `edition` is None for proto2 and proto3."""

    name: str
    edition: Edition.ValueType | None
    has_required: bool
    has_defaults: bool
    has_packed: bool
    has_open_enums: bool
    marks_optional: bool


SYNTAXES = {
    "proto2": Syntax(
        "proto2",
        None,
        has_required=True,
        has_defaults=True,
        has_packed=True,
        has_open_enums=False,
        marks_optional=False,
    ),
    "proto3": Syntax(
        "proto3",
        None,
        has_required=False,
        has_defaults=False,
        has_packed=True,
        has_open_enums=True,
        marks_optional=True,
    ),
    "2023": Syntax(
        "2023",
        Edition.EDITION_2023,
        has_required=False,
        has_defaults=True,
        has_packed=False,
        has_open_enums=True,
        marks_optional=False,
    ),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands: its path for errors, the file's syntax, and whether it is a oneof's member."""

    path: str
    syntax: Syntax
    in_oneof: bool = False


def is_identifier(name: object) -> bool:
    """Tell whether protobuf takes the name; keywords of languages are fine."""
    return isinstance(name, str) and _IDENTIFIER.fullmatch(name) is not None


def check_identifier(name: object, path: str, what: str) -> None:
    """Refuse what is no identifier."""
    if not is_identifier(name):
        raise SchemaModelError(
            f"{path}: {name!r} is no name for {what}",
            path=path,
            hint="use letters, digits and underscores, and no digit first",
        )


# Each rule: when it is broken, what to say, what to do about it.
_RULES: tuple[tuple[Callable[[ProtoField, Place], bool], str, str], ...] = (
    (
        lambda f, _: not isinstance(f.number, int) or isinstance(f.number, bool),
        "the number {f.number!r} is no integer",
        "give the field a number from 1",
    ),
    (
        lambda f, _: not 1 <= f.number <= NUMBER_MAX,
        "the number {f.number} is out of range",
        f"field numbers go from 1 to {NUMBER_MAX}",
    ),
    (
        lambda f, _: f.number in _RESERVED_BY_PROTOBUF,
        "the number {f.number} is reserved by protobuf itself",
        "leave out the numbers 19000 to 19999",
    ),
    (
        lambda f, p: p.in_oneof and (f.repeated or f.map_key is not None),
        "a member of a oneof cannot be a list or a map",
        "put the list into a message of its own and make that the member",
    ),
    (
        lambda f, p: p.in_oneof and (f.optional or f.required),
        "a member of a oneof cannot be optional or required",
        "leave it out: a oneof already knows which member is set",
    ),
    (
        lambda f, _: f.map_key is not None and f.repeated,
        "a map cannot be repeated",
        "drop repeated=True, or make a repeated message that holds the map",
    ),
    (
        lambda f, _: f.map_key is not None and (f.optional or f.required),
        "a map cannot be optional or required",
        "leave it out: an empty map stands for absence",
    ),
    (
        lambda f, _: f.map_key is not None and f.map_key not in MAP_KEYS,
        "{f.map_key!r} cannot be the key of a map",
        f"a key is one of {', '.join(sorted(MAP_KEYS))}",
    ),
    (
        lambda f, _: f.repeated and (f.optional or f.required),
        "a repeated field cannot be optional or required",
        "leave it out: an empty list stands for absence",
    ),
    (
        lambda f, _: f.optional and f.required,
        "a field cannot be optional and required",
        "choose one",
    ),
    (
        lambda f, p: f.required and not p.syntax.has_required,
        "required fields are of proto2",
        'drop required=True, or build the message with syntax="proto2"',
    ),
    (
        lambda f, _: isinstance(f.tags, str) or not all(isinstance(tag, str) and tag for tag in f.tags),
        "tags {f.tags!r} are no sequence of texts",
        'write tags=("PII",)',
    ),
)


def check_field(field: ProtoField, place: Place) -> None:
    """Refuse a field that cannot be, whatever the rest of the message says."""
    check_identifier(field.name, place.path, "a field")
    for broken, message, hint in _RULES:
        if broken(field, place):
            raise SchemaModelError(f"{place.path}: {message.format(f=field)}", path=place.path, hint=hint)


def map_entry_name(field_name: str) -> str:
    """Give the name of a map field's entry message: protoc's camel case with `Entry` behind it."""
    return "".join(part[:1].upper() + part[1:] for part in field_name.split("_")) + "Entry"
