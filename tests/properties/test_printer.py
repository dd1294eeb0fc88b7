"""The printer's law on random descriptors: printed and compiled again, a file is the same.

The names are few, so that scopes hide each other, and some are words of the grammar.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)
from hypothesis import assume, given, strategies as st

from protopact.compiler import compile_text, print_file
from protopact.descriptor import FileSet, canonical_file, pool_of
from protopact.errors import SchemaLinkError

Field = FieldDescriptorProto
PACKAGES = ["", "acme", "acme.shop", "acme.google", "google", "shop.acme", "Item"]
NAMES = ["acme", "google", "shop", "Item", "Order", "string", "message", "stream", "reserved", "option", "a", "b"]
SCALARS = [kind for kind in Field.Type.values() if kind not in {Field.TYPE_MESSAGE, Field.TYPE_ENUM, Field.TYPE_GROUP}]
INTEGERS = {
    Field.TYPE_INT32: (-(2**31), 2**31 - 1),
    Field.TYPE_SINT64: (-(2**63), 2**63 - 1),
    Field.TYPE_UINT64: (0, 2**64 - 1),
}
# Bytes as protoc writes them into a default value.
SHORT = {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t", 0x22: '\\"', 0x27: "\\'", 0x5C: "\\\\"}
ESCAPED = [SHORT.get(byte, chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}") for byte in range(256)]
MAP_KEYS = [Field.TYPE_STRING, Field.TYPE_INT32, Field.TYPE_BOOL, Field.TYPE_FIXED64]


@dataclass
class Types:
    """What has been defined so far, by full name."""

    messages: list[str] = field(default_factory=list)
    enums: list[str] = field(default_factory=list)
    defined: set[str] = field(default_factory=set)
    ticket: count[int] = field(default_factory=count)


@dataclass
class Scope:
    """One scope's full name, and the names that are taken in it."""

    name: str
    syntax: str
    taken: set[str] = field(default_factory=set)

    def full(self, name: str) -> str:
        return f"{self.name}.{name}" if self.name else name


def free_name(draw: st.DrawFn, scope: Scope, types: Types) -> str:
    name = draw(st.sampled_from(NAMES))
    if name in scope.taken:
        name = f"{name}{next(types.ticket)}"
    scope.taken.add(name)
    types.defined.add(scope.full(name))
    return name


def an_enum(draw: st.DrawFn, scope: Scope, types: Types) -> EnumDescriptorProto:
    name = free_name(draw, scope, types)
    made = EnumDescriptorProto(name=name)
    for number in range(draw(st.integers(1, 3))):
        value = made.value.add(name=f"V{next(types.ticket)}", number=number * 7)
        if draw(st.booleans()):
            value.options.deprecated = draw(st.booleans())
    if draw(st.booleans()):
        made.reserved_range.add(start=100, end=draw(st.sampled_from([100, 200, 2**31 - 1])))
    types.enums.append(scope.full(name))
    return made


def a_message(draw: st.DrawFn, outside: Scope, types: Types, depth: int = 0) -> DescriptorProto:
    """Draw a message without fields: they come when all types are known."""
    name = free_name(draw, outside, types)
    made = DescriptorProto(name=name)
    scope = Scope(outside.full(name), outside.syntax)
    types.messages.append(scope.name)
    if depth < 3:
        made.nested_type.extend(a_message(draw, scope, types, depth + 1) for _ in range(draw(st.integers(0, 2))))
    made.enum_type.extend(an_enum(draw, scope, types) for _ in range(draw(st.integers(0, 1))))
    if draw(st.booleans()):
        made.reserved_range.add(start=1000, end=draw(st.sampled_from([1001, 1010, 2**29])))
        made.reserved_name.append("gone")
    return made


def fill(draw: st.DrawFn, message: DescriptorProto, scope: Scope, types: Types) -> None:
    nested = list(message.nested_type)
    scope.taken.update(one.name for one in (*nested, *message.enum_type))
    numbers = draw(st.lists(st.integers(1, 900), unique=True, max_size=8))
    choice = len(numbers) // 2 if draw(st.booleans()) else len(numbers)
    optional = []
    for place, number in enumerate(numbers):
        made = a_field(draw, scope, types, number)
        message.field.append(made)
        if place >= choice:  # protoc wants the members of a oneof together
            into_oneof(draw, message.field[-1], message, scope, types)
        elif draw(st.booleans()):
            message.field[-1].label = Field.LABEL_REPEATED
            message.field[-1].ClearField("default_value")
            if scope.syntax == "proto3" and draw(st.booleans()):
                into_map(draw, message.field[-1], message, scope)
        elif scope.syntax == "proto3" and draw(st.booleans()):
            optional.append(message.field[-1])
    for one in optional:
        one.proto3_optional = True
        one.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{one.name}")
    for one in nested:
        body = next(inner for inner in message.nested_type if inner.name == one.name)
        fill(draw, body, Scope(scope.full(one.name), scope.syntax), types)


def a_field(draw: st.DrawFn, scope: Scope, types: Types, number: int) -> FieldDescriptorProto:
    made = Field(name=free_name(draw, scope, types), number=number, label=Field.LABEL_OPTIONAL)
    made.type = draw(st.sampled_from([*SCALARS, Field.TYPE_MESSAGE, Field.TYPE_MESSAGE, Field.TYPE_ENUM]))
    if made.type == Field.TYPE_ENUM and not types.enums:
        made.type = Field.TYPE_MESSAGE
    if made.type in {Field.TYPE_MESSAGE, Field.TYPE_ENUM}:
        known = types.messages if made.type == Field.TYPE_MESSAGE else types.enums
        made.type_name = f".{draw(st.sampled_from(known))}"
    if draw(st.booleans()):
        made.options.deprecated = draw(st.booleans())
    if draw(st.booleans()):
        made.json_name = f"json{number}"
    if scope.syntax == "proto2" and draw(st.booleans()):
        a_default(draw, made)
    return made


def a_default(draw: st.DrawFn, made: FieldDescriptorProto) -> None:
    if made.type in INTEGERS:
        made.default_value = str(draw(st.integers(*INTEGERS[made.type])))
    elif made.type == Field.TYPE_STRING:
        made.default_value = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
    elif made.type == Field.TYPE_BYTES:
        made.default_value = "".join(ESCAPED[byte] for byte in draw(st.binary(max_size=8)))
    elif made.type == Field.TYPE_BOOL:
        made.default_value = draw(st.sampled_from(["true", "false"]))


def into_oneof(
    draw: st.DrawFn, made: FieldDescriptorProto, message: DescriptorProto, scope: Scope, types: Types
) -> None:
    if not message.oneof_decl or draw(st.booleans()):
        message.oneof_decl.add(name=free_name(draw, scope, types))
    made.oneof_index = len(message.oneof_decl) - 1


def into_map(draw: st.DrawFn, made: FieldDescriptorProto, message: DescriptorProto, scope: Scope) -> None:
    name = f"{made.name[0].upper()}{made.name[1:]}Entry"
    assume(name not in scope.taken)
    scope.taken.add(name)
    place = draw(st.integers(0, len(message.nested_type)))
    entry = DescriptorProto(name=name)
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=Field.LABEL_OPTIONAL, type=draw(st.sampled_from(MAP_KEYS)))
    value = entry.field.add(name="value", number=2, label=Field.LABEL_OPTIONAL, type=made.type)
    if made.type_name:
        value.type_name = made.type_name
    nested = [*message.nested_type[:place], entry, *message.nested_type[place:]]
    copies = [DescriptorProto.FromString(one.SerializeToString()) for one in nested]
    del message.nested_type[:]
    message.nested_type.extend(copies)
    made.type, made.type_name = Field.TYPE_MESSAGE, f".{scope.full(name)}"


@st.composite
def file_sets(draw: st.DrawFn) -> FileSet:
    types = Types()
    first = a_file(draw, "first.proto", types, [])
    root = a_file(draw, "root.proto", types, ["first.proto"])
    linked = FileSet.link("root.proto", [first, root])
    assume(types.defined.isdisjoint(f"{file.package}."[:at] for file in linked.files for at in dots(file.package)))
    assume(is_accepted(linked))
    return linked


def dots(package: str) -> list[int]:
    return [at for at, letter in enumerate(f"{package}.") if letter == "."]


def is_accepted(file_set: FileSet) -> bool:
    try:
        pool_of(file_set)
    except SchemaLinkError:
        return False
    return True


def a_file(draw: st.DrawFn, name: str, types: Types, imports: list[str]) -> FileDescriptorProto:
    syntax = draw(st.sampled_from(["proto3"] if imports == [] else ["proto2", "proto3"]))
    file = FileDescriptorProto(name=name, package=draw(st.sampled_from(PACKAGES)), syntax=syntax, dependency=imports)
    scope = Scope(file.package, syntax)
    file.message_type.extend(a_message(draw, scope, types) for _ in range(draw(st.integers(1, 3))))
    file.enum_type.extend(an_enum(draw, scope, types) for _ in range(draw(st.integers(0, 2))))
    for message in file.message_type:
        fill(draw, message, Scope(scope.full(message.name), syntax), types)
    if draw(st.booleans()):
        file.service.append(a_service(draw, scope, types))
    return file


def a_service(draw: st.DrawFn, scope: Scope, types: Types) -> ServiceDescriptorProto:
    made = ServiceDescriptorProto(name=free_name(draw, scope, types))
    inside = Scope(scope.full(made.name), scope.syntax)
    kinds = st.sampled_from(types.messages)
    made.method.extend(
        MethodDescriptorProto(
            name=free_name(draw, inside, types), input_type=f".{draw(kinds)}", output_type=f".{draw(kinds)}"
        )
        for _ in range(draw(st.integers(1, 3)))
    )
    for method in made.method:
        if draw(st.booleans()):
            method.server_streaming = True
    return made


@given(file_sets())
def test_printed_and_compiled_again_a_file_is_the_same(file_set: FileSet) -> None:
    printed = print_file(file_set)

    again = compile_text(printed, file_name="root.proto", dependencies=file_set.files[:-1])
    assert str(canonical_file(again.root_file)) == str(canonical_file(file_set.root_file)), printed
    assert print_file(again) == printed
