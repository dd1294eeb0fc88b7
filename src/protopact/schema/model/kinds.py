"""What kind of value a model's field holds: plain data, read once from the annotations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from enum import Enum

    from protopact.schema.model.annotations import MessageSettings, ProtoAnnotation


@dataclass(frozen=True, slots=True)
class PlainKind:
    """A single value: `python` names its row in the table of forms, `wire` its Protobuf type.

    `classes` are the classes of its values, by which a union tells its members apart; `annotation` is its type as the
    model says it.
    """

    python: str
    wire: str
    classes: tuple[type, ...]
    annotation: object = field(compare=False)


@dataclass(frozen=True, slots=True)
class EnumKind:
    """A value of an enum."""

    enum: type[Enum]


@dataclass(frozen=True, slots=True)
class MessageKind:
    """Another model."""

    model: type


SingleKind: TypeAlias = PlainKind | EnumKind | MessageKind


@dataclass(frozen=True, slots=True)
class ListKind:
    """Several values of one kind; `is_list` unless the model holds a set, a tuple or the like."""

    item: SingleKind
    is_list: bool


@dataclass(frozen=True, slots=True)
class MapKind:
    """Values by keys."""

    key: PlainKind
    value: SingleKind


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a union: its name and, where said, its number in the schema."""

    name: str
    kind: SingleKind
    said: ProtoAnnotation


@dataclass(frozen=True, slots=True)
class UnionKind:
    """One of several kinds: a oneof."""

    members: tuple[Member, ...]


Kind: TypeAlias = SingleKind | ListKind | MapKind | UnionKind


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One field of a model.

    `name` is the model's, `proto_name` the schema's. `default_is_zero` says that absence and the default are the same
    in Protobuf; `default_is_none` that the model itself makes None of absence. `description` is for people.
    """

    name: str
    proto_name: str
    kind: Kind
    said: ProtoAnnotation
    nullable: bool
    required: bool
    default_is_zero: bool
    default_is_none: bool
    description: str = ""

    @property
    def is_optional(self) -> bool:
        """Whether the field needs `optional` to keep absence and zero apart: messages, lists and oneofs do not."""
        holds_zero = isinstance(self.kind, EnumKind) or (isinstance(self.kind, PlainKind) and "." not in self.kind.wire)
        return holds_zero and (self.nullable or not (self.required or self.default_is_zero))


@dataclass(frozen=True, slots=True)
class ModelShape:
    """One model: its name as a message, its fields, and how its validator must be called."""

    model: type
    name: str
    settings: MessageSettings
    fields: tuple[FieldShape, ...]
    has_aliases: bool
    is_strict: bool

    def kinds(self) -> list[Kind]:
        """Give every kind in it in order, each with those inside it behind it: in lists, maps and unions."""
        return [kind for field in self.fields for kind in (field.kind, *_inner(field.kind))]

    def models(self) -> list[type]:
        """Give the models that its fields use."""
        return [kind.model for kind in self.kinds() if isinstance(kind, MessageKind)]

    def enums(self) -> list[type[Enum]]:
        """Give the enums that its fields use."""
        return [kind.enum for kind in self.kinds() if isinstance(kind, EnumKind)]


def _inner(kind: Kind) -> list[Kind]:
    if isinstance(kind, ListKind):
        return [kind.item]
    if isinstance(kind, MapKind):
        return [kind.key, kind.value]
    if isinstance(kind, UnionKind):
        return [member.kind for member in kind.members]
    return []
