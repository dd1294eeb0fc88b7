"""Which field of a message holds which field of a model, and every reason why one cannot.

Where a model's numbers are said or locked, its own message is matched by number, in every version: a field that was
renamed is still the same. Everything else is matched by name, for the numbers say nothing about other messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.errors import SchemaIssue
from protopact.schema.model.forms import FORMS
from protopact.schema.model.kinds import EnumKind, FieldShape, ListKind, MapKind, MessageKind, PlainKind, UnionKind
from protopact.schema.model.numbers import enum_names
from protopact.schema.syntax import SCALARS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from enum import Enum

    from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

    from protopact.schema.model.kinds import Member, ModelShape, SingleKind

_SCALAR_NAMES: dict[int, str] = {number: name for name, number in SCALARS.items()}


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of a model's own message, of this full name; `are_fixed` when they hold for every version of it."""

    full_name: str
    by_name: Mapping[str, int]
    are_fixed: bool


@dataclass(frozen=True, slots=True)
class Bound:
    """A field of a model with its field in the message, or, for a union, with one for each of its members.

    A member or field that the message does not have is left out.
    """

    shape: FieldShape
    field: FieldDescriptor | None
    members: tuple[tuple[Member, FieldDescriptor], ...] = ()

    def fields(self) -> list[FieldDescriptor]:
        """Give the message's fields that are used."""
        return [field for _, field in self.members] if self.field is None else [self.field]

    def single(self) -> tuple[SingleKind, FieldDescriptor]:
        """Give the kind of one value of a field that is no union, and the field that holds it: in maps, the entry's."""
        kind, field = self.shape.kind, self.field
        assert field is not None
        assert not isinstance(kind, UnionKind)
        if isinstance(kind, MapKind):
            return kind.value, entry_of(field)[1]
        return (kind.item if isinstance(kind, ListKind) else kind), field


class Binder:
    """Matches the models of a graph with messages and keeps what does not fit; `writing` also needs every field."""

    def __init__(self, shapes: Mapping[type, ModelShape], numbers: Mapping[type, Numbers], *, writing: bool) -> None:
        self._shapes = shapes
        self._numbers = numbers
        self._writing = writing
        self.issues: list[SchemaIssue] = []
        self.bound: dict[tuple[type, str], list[Bound]] = {}
        self.messages: dict[tuple[type, str], Descriptor] = {}

    def bind(self, model: type, descriptor: Descriptor) -> None:
        """Match a model and all that it uses with a message and all that that uses."""
        todo = [(model, descriptor)]
        for each, message in todo:  # grows while it is walked
            key = (each, message.full_name)
            if key not in self.bound:
                self.messages[key] = message
                self.bound[key] = found = list(self._fields(self._shapes[each], message))
                todo.extend(_nested(found))

    def _fields(self, shape: ModelShape, message: Descriptor) -> Iterator[Bound]:
        for field in shape.fields:
            path = f"{shape.name}.{field.name}"
            if isinstance(field.kind, UnionKind):
                pairs = [(member, self._find(shape.model, message, member.name)) for member in field.kind.members]
                for member, target in pairs:
                    self._check(f"{path} ({member.name})", member.kind, target, message, needed=self._writing)
                members = tuple((member, target) for member, target in pairs if target is not None)
                self._check_oneof(path, members)
                yield Bound(field, None, members)
                continue
            target = self._find(shape.model, message, field.proto_name)
            needed = self._writing or (field.required and not field.nullable)
            self._check(path, field.kind, target, message, needed=needed)
            if target is not None:
                self._check_presence(path, field, target)
                yield Bound(field, target)

    def _find(self, model: type, message: Descriptor, name: str) -> FieldDescriptor | None:
        numbers = self._numbers[model]
        if numbers.are_fixed and numbers.full_name == message.full_name:
            return message.fields_by_number.get(numbers.by_name[name])
        return message.fields_by_name.get(name)

    def _say(self, path: str, reason: str, hint: str) -> None:
        self.issues.append(SchemaIssue(path, reason, hint))

    def _check(
        self,
        path: str,
        kind: SingleKind | ListKind | MapKind | UnionKind,
        target: FieldDescriptor | None,
        message: Descriptor,
        *,
        needed: bool,
    ) -> None:
        if target is None:
            if needed:
                names = ", ".join(message.fields_by_name) or "none"
                self._say(
                    path, f"{message.full_name} has no such field", f"its fields are {names}; proto(name=…) says one"
                )
            return
        is_map = target.message_type is not None and target.message_type.GetOptions().map_entry
        wanted = "map" if isinstance(kind, MapKind) else "list" if isinstance(kind, ListKind) else "single value"
        found = "map" if is_map else "list" if target.is_repeated else "single value"
        if wanted != found:
            self._say(path, f"{target.full_name} is a {found}, the model's field a {wanted}", "change one of the two")
        elif isinstance(kind, MapKind):
            key, value = entry_of(target)
            self._check_single(path, kind.key, key)
            self._check_single(path, kind.value, value)
        else:
            self._check_single(path, kind.item if isinstance(kind, ListKind) else kind, target)

    def _check_single(self, path: str, kind: SingleKind | UnionKind, target: FieldDescriptor) -> None:
        found = wire_of(target)
        if isinstance(kind, EnumKind):
            if target.enum_type is None:
                self._say(path, f"{target.full_name} is {found}, no enum", 'proto(type="string") writes the value')
            elif missing := [
                member.name for member in kind.enum if member not in numbers_of(kind.enum, target.enum_type)
            ]:
                self._say(path, f"{found} has no value for {', '.join(missing)}", f"it has {_values(target.enum_type)}")
        elif isinstance(kind, MessageKind):
            if target.message_type is None:
                self._say(path, f"{target.full_name} is {found}, no message", "change one of the two")
        elif isinstance(kind, PlainKind) and not _takes(kind, found):
            forms = ", ".join(FORMS.get(kind.python, [kind.wire]))
            self._say(path, f"{target.full_name} is {found}", f"the model's type is written as one of {forms}")

    def _check_presence(self, path: str, shape: FieldShape, target: FieldDescriptor) -> None:
        if self._writing and shape.nullable and not target.has_presence:
            self._say(
                path,
                f"{target.full_name} cannot tell None from its zero value",
                "make it `optional` there, or drop `| None` here",
            )

    def _check_oneof(self, path: str, members: tuple[tuple[Member, FieldDescriptor], ...]) -> None:
        oneofs = {target.containing_oneof and target.containing_oneof.full_name for _, target in members}
        if len(oneofs) > 1 or None in oneofs:
            names = ", ".join(target.name for _, target in members)
            self._say(path, f"{names} are not members of one oneof", "make them one there, or single fields here")


def message_of(field: FieldDescriptor) -> Descriptor:
    """Give the message type of a field that has one."""
    assert field.message_type is not None
    return field.message_type


def enum_of(field: FieldDescriptor) -> EnumDescriptor:
    """Give the enum type of a field that has one."""
    assert field.enum_type is not None
    return field.enum_type


def entry_of(field: FieldDescriptor) -> tuple[FieldDescriptor, FieldDescriptor]:
    """Give the fields of a map's key and value."""
    fields = message_of(field).fields_by_name
    return fields["key"], fields["value"]


def wire_of(field: FieldDescriptor) -> str:
    """Give a field's type as a `.proto` says it."""
    if field.message_type is not None:
        return field.message_type.full_name
    return field.enum_type.full_name if field.enum_type is not None else _SCALAR_NAMES[field.type]


def numbers_of(enum: type[Enum], descriptor: EnumDescriptor) -> dict[Enum, int]:
    """Give the number in a schema of each member of an enum, found by its name there with or without the prefix."""
    names, values = enum_names(enum).by_member, descriptor.values_by_name
    found = {member: values.get(names[member]) or values.get(member.name) for member in enum}
    return {member: value.number for member, value in found.items() if value is not None}


def _takes(kind: PlainKind, wire: str) -> bool:
    return wire == kind.wire if kind.python == "other" else wire in FORMS[kind.python]


def _values(enum: EnumDescriptor) -> str:
    return ", ".join(enum.values_by_name)


def _nested(bound: list[Bound]) -> Iterator[tuple[type, Descriptor]]:
    """Give the models in some fields with their messages."""
    for each in bound:
        pairs = [(member.kind, field) for member, field in each.members] if each.field is None else [each.single()]
        for kind, field in pairs:
            if isinstance(kind, MessageKind) and field.message_type is not None:
                yield kind.model, field.message_type
