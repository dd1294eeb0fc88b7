"""Random pairs of schemas: one and its update, by changes of which every kind of difference comes."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from protopact.descriptor import FileSet, derived_json_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

NUMBERS = ["int32", "int64", "uint32", "uint64", "bool"]
OTHERS = ["sint32", "sint64", "fixed32", "sfixed32", "fixed64", "sfixed64", "float", "double"]
SCALARS = [*NUMBERS, *OTHERS, "string", "bytes"]
GROUPS = [NUMBERS, OTHERS[:2], OTHERS[2:4], OTHERS[4:6], ["string", "bytes"]]
DEFAULTS = ["", "1", "5"]


@dataclass
class Field:
    name: str
    number: int
    type: str  # a scalar, or the dotted local name of a message or an enum, `dep.` before an imported one
    label: str = ""
    oneof: str = ""
    map_key: str = ""
    json_name: str = ""
    default: str = ""


@dataclass
class Enum:
    name: str
    values: list[tuple[str, int]]
    reserved: list[int] = field(default_factory=list)
    reserved_names: list[str] = field(default_factory=list)


@dataclass
class Message:
    name: str
    fields: list[Field] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    enums: list[Enum] = field(default_factory=list)
    reserved: list[int] = field(default_factory=list)
    reserved_names: list[str] = field(default_factory=list)


@dataclass
class File:
    package: str
    syntax: str
    messages: list[Message]
    enums: list[Enum]

    def all_messages(self) -> list[tuple[str, Message]]:
        found = [(message.name, message) for message in self.messages]
        for name, message in found:
            found += [(f"{name}.{nested.name}", nested) for nested in message.messages]
        return found

    def all_enums(self) -> list[tuple[str, Enum]]:
        nested = [(f"{name}.{enum.name}", enum) for name, message in self.all_messages() for enum in message.enums]
        return [(enum.name, enum) for enum in self.enums] + nested


@dataclass
class Schema:
    """A root file and a file that it imports."""

    root: File
    imported: File
    folder: str

    def type_names(self) -> tuple[list[str], list[str]]:
        """The messages and the enums that a field of the root may hold."""
        messages = [name for name, _ in self.root.all_messages()]
        imported = [f"dep.{name}" for name, _ in self.imported.all_messages()]
        return messages + imported, [name for name, _ in self.root.all_enums()]

    def file_set(self) -> FileSet:
        return FileSet.link(f"{self.folder}/root.proto", self.files())

    def files(self) -> list[FileDescriptorProto]:
        dependency = FileDescriptorProto(name=f"{self.folder}/dep.proto")
        root = FileDescriptorProto(name=f"{self.folder}/root.proto", dependency=[dependency.name])
        for proto, file in ((dependency, self.imported), (root, self.root)):
            proto.package = file.package
            if file.syntax != "proto2":
                proto.syntax = file.syntax
            proto.message_type.extend(self._message(message, file, (message.name,)) for message in file.messages)
            proto.enum_type.extend(enum_proto(enum) for enum in file.enums)
        return [dependency, root]

    def _message(self, message: Message, file: File, names: tuple[str, ...]) -> DescriptorProto:
        proto = DescriptorProto(name=message.name, reserved_name=message.reserved_names)
        for number in sorted(set(message.reserved)):
            proto.reserved_range.add(start=number, end=number + 1)
        enums = {name for name, _ in file.all_enums()}
        # protoc wants the members of a oneof side by side
        for one in sorted(message.fields, key=lambda each: each.oneof):
            made = proto.field.add(name=one.name, number=one.number, label=FieldDescriptorProto.LABEL_OPTIONAL)
            made.json_name = one.json_name or derived_json_name(one.name)
            made.proto3_optional = file.syntax == "proto3" and one.label == "optional" and not one.oneof
            if one.label in {"repeated", "required"}:
                made.label = FieldDescriptorProto.Label.Value(f"LABEL_{one.label.upper()}")
            if one.default:
                made.default_value = one.default
            if one.map_key:
                proto.nested_type.append(self._entry(one, file, made, names, enums))
            else:
                self._set_type(made, one.type, file, enums)
        add_oneofs(proto, {each.name: each.oneof for each in message.fields})
        proto.nested_type.extend(self._message(each, file, (*names, each.name)) for each in message.messages)
        proto.enum_type.extend(enum_proto(each) for each in message.enums)
        return proto

    def _entry(
        self, one: Field, file: File, made: FieldDescriptorProto, names: tuple[str, ...], enums: set[str]
    ) -> DescriptorProto:
        camel = "".join(part.capitalize() for part in one.name.split("_"))
        entry = DescriptorProto(name=f"{camel}Entry")
        entry.options.map_entry = True
        for name, number, type_ in (("key", 1, one.map_key), ("value", 2, one.type)):
            part = entry.field.add(name=name, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL, json_name=name)
            self._set_type(part, type_, file, enums)
        made.label = FieldDescriptorProto.LABEL_REPEATED
        made.type = FieldDescriptorProto.TYPE_MESSAGE
        made.type_name = "." + ".".join((file.package, *names, entry.name))
        return entry

    def _set_type(self, made: FieldDescriptorProto, type_: str, file: File, enums: set[str]) -> None:
        if type_ in SCALARS:
            made.type = FieldDescriptorProto.Type.Value(f"TYPE_{type_.upper()}")
            return
        made.type = FieldDescriptorProto.TYPE_ENUM if type_ in enums else FieldDescriptorProto.TYPE_MESSAGE
        package = self.imported.package if type_.startswith("dep.") else file.package
        made.type_name = f".{package}.{type_.removeprefix('dep.')}"


def add_oneofs(proto: DescriptorProto, oneof_of: dict[str, str]) -> None:
    """Declare the written oneofs, and behind them one for each optional field, as protoc does."""
    oneofs: list[str] = []
    for made in sorted(proto.field, key=lambda each: each.proto3_optional):
        name = f"_{made.name}" if made.proto3_optional else oneof_of[made.name]
        if name and name not in oneofs:
            oneofs.append(name)
        if name:
            made.oneof_index = oneofs.index(name)
        if not made.proto3_optional:
            made.ClearField("proto3_optional")
    for name in oneofs:
        proto.oneof_decl.add(name=name)


def enum_proto(enum: Enum) -> EnumDescriptorProto:
    proto = EnumDescriptorProto(name=enum.name, reserved_name=enum.reserved_names)
    for name, number in enum.values:
        proto.value.add(name=name, number=number)
    for number in sorted(set(enum.reserved)):
        proto.reserved_range.add(start=number, end=number)
    return proto


# ── one schema ───────────────────────────────────────────────────────────────────────────────────


class Maker:
    """Makes schemas and changes them; names are never taken twice, so that everything stays valid."""

    def __init__(self, random: Random, place: str) -> None:
        self.random = random
        self._place = place
        self._taken = 0

    def name(self, prefix: str) -> str:
        self._taken += 1
        return f"{prefix}{self._taken}"

    def schema(self) -> Schema:
        syntax = self.random.choice(["proto2", "proto3"])
        imported = File(f"d{self._place}", syntax, [Message(self.name("D")), Message(self.name("D"))], [])
        root = File(f"p{self._place}", syntax, [], [self.enum()])
        root.messages = [Message(self.name("M")) for _ in range(3)]
        root.messages[0].messages = [Message(self.name("N"))]
        root.messages[1].enums = [self.enum()]
        schema = Schema(root, imported, self._place)
        for message in imported.messages:
            message.fields = [Field(self.name("f"), number, self.scalar()) for number in (1, 2)]
        for _, message in root.all_messages():
            self.fill(schema, message)
        self.label_all(schema)
        return schema

    def fill(self, schema: Schema, message: Message) -> None:
        for number in range(1, self.random.randint(3, 7)):
            message.fields.append(Field(self.name("f"), number, self.type(schema), self.label(schema)))
        if schema.root.syntax == "proto2" and self.random.random() < 0.4:
            message.fields.append(Field(self.name("f"), 8, self.scalar(), "required"))
        if self.random.random() < 0.6:
            oneof = self.name("o")
            for number in range(10, self.random.randint(12, 14)):
                message.fields.append(Field(self.name("f"), number, self.scalar(), oneof=oneof))
        if self.random.random() < 0.3:
            key = self.random.choice(["int32", "string"])
            message.fields.append(Field(self.name("f"), 20, self.type(schema), map_key=key))
        if self.random.random() < 0.3:
            message.reserved, message.reserved_names = [30, 31], [self.name("r")]

    def label_all(self, schema: Schema) -> None:
        """Give proto2 its labels."""
        for file in (schema.root, schema.imported):
            for _, message in file.all_messages():
                for each in message.fields:
                    if file.syntax == "proto2" and not each.oneof and not each.map_key:
                        each.label = each.label or "optional"

    def enum(self) -> Enum:
        return Enum(self.name("E"), [(self.name("V"), number) for number in range(self.random.randint(2, 4))])

    def scalar(self) -> str:
        return self.random.choice([*SCALARS, *NUMBERS, "string"])

    def type(self, schema: Schema) -> str:
        messages, enums = schema.type_names()
        kind = self.random.random()
        return self.scalar() if kind < 0.6 else self.random.choice(messages if kind < 0.85 else enums)

    def label(self, schema: Schema) -> str:
        proto2 = ["optional", "optional", "optional", "repeated"]
        return self.random.choice(proto2 if schema.root.syntax == "proto2" else ["", "", "optional", "repeated"])


# ── changes ──────────────────────────────────────────────────────────────────────────────────────


def versions(random: Random, place: str, count: int) -> list[Schema]:
    """A schema and its updates, oldest first.

    Of the updates a third are made of changes that nobody minds, a quarter of changes that Confluent accepts.
    """
    maker = Maker(random, place)
    made = [maker.schema()]
    while len(made) < count:
        made.append(updated(maker, made[-1]))
    return made


def updated(maker: Maker, original: Schema) -> Schema:
    random, update = maker.random, deepcopy(original)
    change = Change(maker, update)
    pools = [BENIGN, HARMLESS, HARMFUL]
    pool = random.choices(pools, weights=[35, 23, 42])[0]
    for _ in range(random.choice([1, 1, 2, 3])):
        for attempt in random.sample(pool, k=min(len(pool), 8)):
            if attempt(change):
                break
        if pool is HARMFUL:
            pool = random.choice(pools)
    change.repair()
    return update


class Change:
    """Changes to one schema; each says whether there was something to change."""

    def __init__(self, maker: Maker, schema: Schema) -> None:
        self.maker, self.schema, self.random = maker, schema, maker.random

    def message(self) -> Message:
        return self.random.choice([message for _, message in self.schema.root.all_messages()])

    def pick(self, wanted: Callable[[Field], bool]) -> tuple[Message, Field] | None:
        found = [
            (message, each) for _, message in self.schema.root.all_messages() for each in message.fields if wanted(each)
        ]
        return self.random.choice(found) if found else None

    def new_field(self, message: Message, **more: str) -> Field:
        number = max([0, *(each.number for each in message.fields), *message.reserved]) + 1
        made = Field(self.maker.name("f"), number, self.maker.scalar(), **more)
        message.fields.append(made)
        return made

    def repair(self) -> None:
        """Give fields whose type has gone another one, and proto2 its labels; drop defaults that do not fit."""
        for file in (self.schema.root, self.schema.imported):
            own = {name for name, _ in (*file.all_messages(), *file.all_enums())}
            messages, _ = self.schema.type_names()
            for _, message in file.all_messages():
                for each in message.fields:
                    if each.type not in {*SCALARS, *own, *(messages if file is self.schema.root else [])}:
                        each.type = self.random.choice(messages) if self.random.random() < 0.5 else "int32"
                    if each.type not in {"int32", "int64"} or each.label == "repeated" or each.oneof:
                        each.default = ""
        self.maker.label_all(self.schema)


def _plain(each: Field) -> bool:
    return not each.oneof and not each.map_key


def add_field(change: Change) -> bool:
    change.new_field(change.message(), label=change.maker.label(change.schema))
    return True


def remove_field(change: Change) -> bool:
    found = change.pick(lambda each: not each.oneof and each.label != "required")
    if found:
        _drop(change, *found)
    return found is not None


def _drop(change: Change, message: Message, each: Field) -> None:
    message.fields.remove(each)
    reserve = change.random.random()
    if reserve < 0.7:
        message.reserved.append(each.number)
    if reserve < 0.6:
        message.reserved_names.append(each.name)


def rename_field(change: Change) -> bool:
    found = change.pick(lambda each: not each.map_key)
    if found:
        found[1].name = change.maker.name("f")
    return found is not None


def rename_in_json(change: Change) -> bool:
    found = change.pick(lambda each: True)
    if found:
        found[1].json_name = change.maker.name("j")
    return found is not None


def add_message(change: Change) -> bool:
    message = Message(change.maker.name("M"))
    change.maker.fill(change.schema, message)
    place = change.random.randint(0, len(change.schema.root.messages))
    change.schema.root.messages.insert(place, message)
    return True


def swap_messages(change: Change) -> bool:
    change.random.shuffle(change.schema.root.messages)
    return True


def add_enum(change: Change) -> bool:
    change.random.choice([change.schema.root.enums, change.message().enums]).append(change.maker.enum())
    return True


def remove_enum(change: Change) -> bool:
    if not change.schema.root.enums:
        return False
    gone = change.schema.root.enums.pop()
    for _, message in change.schema.root.all_messages():
        for each in message.fields:
            if each.type == gone.name:
                each.type = "int32"
    return True


def _enum(change: Change) -> Enum | None:
    enums = [enum for _, enum in change.schema.root.all_enums()]
    return change.random.choice(enums) if enums else None


def add_value(change: Change) -> bool:
    enum = _enum(change)
    if enum:
        enum.values.append((change.maker.name("V"), max(number for _, number in enum.values) + 40))
    return enum is not None


def rename_value(change: Change) -> bool:
    enum = _enum(change)
    if enum:
        enum.values[-1] = (change.maker.name("V"), enum.values[-1][1])
    return enum is not None


def remove_value(change: Change) -> bool:
    enum = _enum(change)
    if enum is None or len(enum.values) < 2:
        return False
    name, number = enum.values.pop()
    reserve = change.random.random()
    if reserve < 0.7:
        enum.reserved.append(number)
    if reserve < 0.6:
        enum.reserved_names.append(name)
    return True


def retype_within_group(change: Change) -> bool:
    found = change.pick(lambda each: any(each.type in group for group in GROUPS))
    if found:
        group = next(group for group in GROUPS if found[1].type in group)
        found[1].type = change.random.choice(group)
    return found is not None


def retype_to_enum_or_back(change: Change) -> bool:
    _, enums = change.schema.type_names()
    found = change.pick(lambda each: each.type in {*NUMBERS, *enums})
    if found:
        found[1].type = change.random.choice([*NUMBERS, *enums])
    return found is not None


def relabel(change: Change) -> bool:
    found = change.pick(lambda each: _plain(each) and each.label != "required")
    if found:
        found[1].label = change.random.choice(["optional", "repeated", ""])
    return found is not None


def relabel_text(change: Change) -> bool:
    found = change.pick(lambda each: _plain(each) and each.type in {"string", "bytes"} and bool(each.label))
    if found:
        found[1].label = "repeated" if found[1].label == "optional" else "optional"
    return found is not None


def add_oneof(change: Change) -> bool:
    message, oneof = change.message(), change.maker.name("o")
    for _ in range(2):
        change.new_field(message, oneof=oneof)
    return True


def _member(change: Change) -> tuple[Message, Field, list[Field]] | None:
    found = change.pick(lambda each: bool(each.oneof))
    if found is None:
        return None
    message, member = found
    return message, member, [each for each in message.fields if each.oneof == member.oneof]


def remove_oneof(change: Change) -> bool:
    found = _member(change)
    for member in found[2] if found else ():
        _drop(change, found[0], member)
    return found is not None


def add_member(change: Change) -> bool:
    found = _member(change)
    if found:
        change.new_field(found[0], oneof=found[1].oneof)
    return found is not None


def move_member_out(change: Change) -> bool:
    found = _member(change)
    if found:
        found[1].oneof = ""
    return found is not None


def split_oneof(change: Change) -> bool:
    found = _member(change)
    if found:
        found[1].oneof = change.maker.name("o")
    return found is not None


def rename_oneof(change: Change) -> bool:
    found = _member(change)
    name = change.maker.name("o")
    for member in found[2] if found else ():
        member.oneof = name
    return found is not None


def _free(each: Field) -> bool:
    return _plain(each) and each.label not in {"repeated", "required"}


def move_into_new_oneof(change: Change) -> bool:
    found = change.pick(_free)
    if found:
        found[1].oneof, found[1].label = change.maker.name("o"), ""
        change.new_field(found[0], oneof=found[1].oneof)
    return found is not None


def reserve(change: Change) -> bool:
    message = change.message()
    message.reserved.append(40 + change.random.randint(0, 5))
    message.reserved_names.append(change.maker.name("r"))
    return True


def unreserve(change: Change) -> bool:
    found = [message for _, message in change.schema.root.all_messages() if message.reserved]
    if found:
        message = change.random.choice(found)
        if change.random.random() < 0.5:
            message.reserved.pop()
        else:
            message.reserved_names.clear()
    return bool(found)


def set_default(change: Change) -> bool:
    if change.schema.root.syntax != "proto2":
        return False
    found = change.pick(lambda each: _plain(each) and each.type in {"int32", "int64"} and each.label != "repeated")
    if found:
        found[1].default = change.random.choice(DEFAULTS)
    return found is not None


def change_nothing(change: Change) -> bool:
    return True


def change_package(change: Change) -> bool:
    change.schema.root.package += "x"
    return True


def remove_message(change: Change) -> bool:
    if len(change.schema.root.messages) < 2:
        return False
    change.schema.root.messages.pop(change.random.randrange(len(change.schema.root.messages)))
    return True


def nest_message(change: Change) -> bool:
    if len(change.schema.root.messages) < 2:
        return False
    moved = change.schema.root.messages.pop()
    change.schema.root.messages[0].messages.append(moved)
    return True


def retype(change: Change) -> bool:
    found = change.pick(lambda each: not each.oneof)
    if found:
        found[1].type = change.maker.type(change.schema)
    return found is not None


def retype_scalar(change: Change) -> bool:
    found = change.pick(lambda each: each.type in SCALARS)
    if found:
        found[1].type = change.maker.scalar()
    return found is not None


def rename_held_message(change: Change) -> bool:
    messages, _ = change.schema.type_names()
    found = change.pick(lambda each: each.type in messages)
    if found:
        found[1].type = change.random.choice(messages)
    return found is not None


def relabel_number(change: Change) -> bool:
    found = change.pick(lambda each: _plain(each) and each.type in {*NUMBERS, *OTHERS} and bool(each.label))
    if found:
        found[1].label = "repeated" if found[1].label == "optional" else "optional"
    return found is not None


def remove_reserved(change: Change) -> bool:
    found = change.pick(lambda each: not each.oneof and each.label != "required")
    if found:
        message, each = found
        message.fields.remove(each)
        message.reserved.append(each.number)
        message.reserved_names.append(each.name)
    return found is not None


def remove_required(change: Change) -> bool:
    found = change.pick(lambda each: each.label == "required")
    if found:
        _drop(change, *found)
    return found is not None


def add_required(change: Change) -> bool:
    if change.schema.root.syntax == "proto2":
        change.new_field(change.message(), label="required")
    return change.schema.root.syntax == "proto2"


def remove_member(change: Change) -> bool:
    found = _member(change)
    if found is None or len(found[2]) < 2:
        return False
    _drop(change, found[0], found[1])
    return True


def gather_in_oneof(change: Change) -> bool:
    found = change.pick(_free)
    others = [each for each in found[0].fields if _free(each)] if found else []
    oneof = change.maker.name("o")
    for each in others[:2]:
        each.oneof, each.label = oneof, ""
    return len(others) > 1


def move_into_oneof(change: Change) -> bool:
    found = _member(change)
    others = [each for each in found[0].fields if _free(each)] if found else []
    if found and others:
        others[0].oneof, others[0].label = found[1].oneof, ""
    return bool(found and others)


def change_imported(change: Change) -> bool:
    message = change.random.choice(change.schema.imported.messages)
    each = change.random.choice(message.fields)
    each.type = change.maker.scalar()
    return True


BENIGN = [
    add_field, add_message, swap_messages, add_enum, add_value, add_oneof, add_member, reserve, remove_reserved,
    change_nothing,
]  # fmt: skip
HARMLESS = [
    add_field, remove_field, rename_field, rename_in_json, add_message, swap_messages, add_enum, remove_enum,
    add_value, rename_value, remove_value, retype_within_group, retype_to_enum_or_back, relabel_text, add_oneof,
    remove_oneof, add_member, move_member_out, split_oneof, rename_oneof, move_into_new_oneof, reserve, unreserve,
    set_default, change_nothing, relabel_text, move_member_out, remove_value, rename_value,
]  # fmt: skip
HARMFUL = [
    change_package, remove_message, nest_message, retype, retype_scalar, rename_held_message, relabel,
    relabel_number, add_required, add_required, remove_required, remove_required, remove_member, gather_in_oneof,
    move_into_oneof, change_imported,
]  # fmt: skip
