"""From an annotation to a kind of value, or to the reason why there is none, with what to write instead."""

from __future__ import annotations

import re
import types
import typing
from collections import abc, deque
from dataclasses import dataclass, is_dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeGuard, TypeVar, cast
from uuid import UUID

import pydantic
from pydantic import BaseModel, RootModel, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError
from pydantic.networks import AnyUrl, EmailStr, IPvAnyAddress

from protopact.schema.model.annotations import ProtoAnnotation
from protopact.schema.model.forms import FORMS
from protopact.schema.model.kinds import (
    EnumKind,
    Kind,
    ListKind,
    MapKind,
    Member,
    MessageKind,
    PlainKind,
    SingleKind,
    UnionKind,
)
from protopact.schema.syntax import MAP_KEYS, SCALARS

if TYPE_CHECKING:
    from collections.abc import Iterable

_ADDRESSES = (IPv4Address, IPv6Address, IPv4Interface, IPv6Interface, IPv4Network, IPv6Network)
# By class, the nearest in a class's line wins: the row in the table of forms.
_PLAIN: dict[type, str] = {
    bool: "bool", int: "int", float: "float", str: "str", bytes: "bytes", datetime: "datetime", date: "date",
    time: "time", timedelta: "timedelta", Decimal: "decimal", UUID: "uuid", PurePath: "text", AnyUrl: "text",
    **dict.fromkeys(_ADDRESSES, "text"),
}  # fmt: skip
# Names of pydantic that stand for a class although they are none of its line.
_STANDING_FOR: dict[object, type] = {
    pydantic.AwareDatetime: datetime, pydantic.PastDatetime: datetime, pydantic.FutureDatetime: datetime,
    pydantic.PastDate: date, pydantic.FutureDate: date, EmailStr: str, IPvAnyAddress: PurePath,
}  # fmt: skip
_REFUSED: dict[object, tuple[str, str]] = {
    pydantic.NaiveDatetime: (
        "a datetime without a time zone is no moment",
        'use AwareDatetime, or Annotated[NaiveDatetime, proto(type="string")]',
    ),
    complex: ("complex numbers have no Protobuf type", "use a model with two floats"),
    pydantic.SecretStr: ("a secret would be written in the clear", "use str, with tags that have it encrypted"),
    pydantic.SecretBytes: ("a secret would be written in the clear", "use bytes, with tags that have it encrypted"),
}
_LISTS = {
    list, tuple, set, frozenset, deque, abc.Sequence, abc.MutableSequence, abc.Set, abc.MutableSet, abc.Collection,
    abc.Iterable,
}  # fmt: skip
_MAPS = {dict, abc.Mapping, abc.MutableMapping}
_ANYTHING: tuple[object, ...] = (Any, object, pydantic.JsonValue)
_NONE = type(None)


class NotMappedError(Exception):
    """A type that has no Protobuf form, and what to write instead; stays in this room, which reports it."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Reading:
    """What an annotation says: the kind, whether None is a value, and what `proto` said of it."""

    kind: Kind
    nullable: bool
    said: ProtoAnnotation


def read_type(annotation: object, metadata: Iterable[object] = (), *, field_name: str) -> Reading:
    """Read a field's annotation; NotMappedError when it has no Protobuf form."""
    inner, said = _unwrapped(annotation, _said(metadata))
    arguments = _members(inner) if _is_union(inner) else [annotation]
    others = [argument for argument in arguments if argument is not _NONE]
    nullable = len(others) < len(arguments)
    if len(others) == 1:
        # `Annotated[int, proto(…)] | None`: what the member says, it says of the field
        alone, inner_said = _unwrapped(others[0], ProtoAnnotation())
        said = said.over(inner_said)
        kind, more = _read_one(alone, said, others[0])
        return Reading(kind, nullable or more, said)
    return _read_union(others, said, nullable=nullable, field_name=field_name)


def is_model(annotation: object) -> TypeGuard[type]:
    """Tell whether an annotation is a pydantic model or a dataclass."""
    if not isinstance(annotation, type):
        return False
    return (issubclass(annotation, BaseModel) and annotation is not BaseModel) or is_dataclass(annotation)


def _said(metadata: Iterable[object]) -> ProtoAnnotation:
    said = ProtoAnnotation()
    for each in metadata:
        if isinstance(each, ProtoAnnotation):  # the later one is the outer one
            said = each.over(said)
    return said


def _unwrapped(annotation: object, said: ProtoAnnotation) -> tuple[object, ProtoAnnotation]:
    """Take off `Annotated`, new types and aliases; what stands further out wins."""
    while annotation not in _ANYTHING:
        if typing.get_origin(annotation) is Annotated:
            inner, *metadata = typing.get_args(annotation)
            annotation, said = inner, said.over(_said(metadata))
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":  # of typing or of typing_extensions
            annotation = cast("Any", annotation).__value__
        else:
            break
    return annotation, said


def _is_union(annotation: object) -> bool:
    return typing.get_origin(annotation) in {typing.Union, types.UnionType}


def _members(union: object) -> list[object]:
    """Give a union's members, those of unions within it included."""
    found: list[object] = []
    for argument in typing.get_args(union):
        inner, _ = _unwrapped(argument, ProtoAnnotation())
        found.extend(_members(inner) if _is_union(inner) else [argument])
    return found


def _read_one(inner: object, said: ProtoAnnotation, annotation: object) -> tuple[Kind, bool]:
    """Read what is no union; also tell whether None is a value of it, as of a `Literal[None, "a"]`."""
    origin, arguments = typing.get_origin(inner) or inner, typing.get_args(inner)
    if origin is Literal:
        return _read_literal([each for each in arguments if each is not None], said), None in arguments
    if origin in _MAPS and not _is_object(arguments):
        return _read_map(arguments), False
    if origin in _LISTS and not (origin is tuple and arguments[1:] != (...,)):
        return ListKind(_read_item(arguments[0] if arguments else Any, said), is_list=origin is list), False
    return _read_single(inner, said, annotation), False


def _is_object(arguments: tuple[object, ...]) -> bool:
    """Tell whether a dict of these types is a JSON object: with names, and whatever values."""
    return not arguments or (arguments[0] is str and arguments[1] in _ANYTHING)


def _read_single(inner: object, said: ProtoAnnotation, annotation: object) -> SingleKind:
    origin = typing.get_origin(inner) or inner
    if inner in _ANYTHING:
        return _plain("json", said, (object,), annotation)
    _refuse(inner, said)
    if origin in _MAPS:
        return _plain("struct", said, (dict,), annotation)
    if is_model(inner):
        return MessageKind(inner)
    if isinstance(origin, type):
        if issubclass(origin, Enum):
            return _read_enum(origin, said, annotation)
        line = _STANDING_FOR.get(origin, origin).__mro__
        row = next((_PLAIN[cls] for cls in line if cls in _PLAIN), None)
        if row is not None:
            return _plain(row, said, (line[0] if row in {"text", "uuid"} else _base(line),), annotation)
    if said.type in SCALARS and _is_known_to_pydantic(annotation):  # which turns it into such a value and back
        return PlainKind("other", str(said.type), (origin,) if isinstance(origin, type) else (), annotation)
    raise NotMappedError(
        f"{_words(inner)} has no Protobuf type",
        'say which type it is written as: Annotated[…, proto(type="string")]; pydantic converts it as for JSON',
    )


def _is_known_to_pydantic(annotation: object) -> bool:
    try:
        TypeAdapter(cast("Any", annotation))
    except PydanticSchemaGenerationError:
        return False
    return True


def _base(line: tuple[type, ...]) -> type:
    return next(cls for cls in line if cls in _PLAIN)


def _refuse(inner: object, said: ProtoAnnotation) -> None:
    """Refuse the types for which there is a better remedy than naming a Protobuf type."""
    if isinstance(inner, TypeVar):
        raise NotMappedError(f"the type {inner} is open", "give the model its types, such as Page[Item]")
    if inner is _NONE:
        raise NotMappedError("None alone holds nothing", "drop the field, or give it a type")
    if isinstance(inner, type) and issubclass(inner, RootModel):
        raise NotMappedError(
            "a root model is no message", "use the type of its root, or a model with a field that holds it"
        )
    if said.type is None and inner in _REFUSED:
        raise NotMappedError(*_REFUSED[inner])


def _plain(row: str, said: ProtoAnnotation, classes: tuple[type, ...], annotation: object) -> PlainKind:
    forms = FORMS[row]
    wire = said.type or next(iter(forms))
    if wire in forms:
        return PlainKind(row, wire, classes, annotation)
    if wire in SCALARS and row not in {"str", "bytes", "int", "bool", "float"}:
        return PlainKind("other", wire, classes, annotation)
    raise NotMappedError(f"{_words(annotation)} cannot be written as {wire}", f"use one of {', '.join(forms)}")


def _read_enum(enum: type[Enum], said: ProtoAnnotation, annotation: object) -> SingleKind:
    if issubclass(enum, Flag):
        raise NotMappedError(f"{enum.__name__} is a set of flags", "use a list of an Enum, or an int")
    if said.type is None:
        return EnumKind(enum)
    return PlainKind("other", said.type, (enum,), annotation)


def _read_literal(values: list[object], said: ProtoAnnotation) -> SingleKind:
    classes = {type(value) for value in values}
    if len(classes) == 1:
        (cls,) = classes
        if issubclass(cls, Enum):
            return EnumKind(cls)
        if cls in {str, int, bool, bytes}:
            return _plain(_PLAIN[cls], said, (cls,), cls)
    raise NotMappedError("a Literal needs values of one type", "use values of one type, or a union of Literals")


def _read_item(annotation: object, outer: ProtoAnnotation | None = None) -> SingleKind:
    """Read what stands in a list or map: one value, never None, and no list again."""
    inner, said = _unwrapped(annotation, ProtoAnnotation(type=outer.type if outer else None))
    nested = typing.get_origin(inner) or inner
    if _is_union(inner):
        what = "None" if _NONE in typing.get_args(inner) else "a union"
        raise NotMappedError(
            f"{what} cannot stand in a list or map", "put it into a model with one field, and list those"
        )
    if nested in _LISTS or (nested in _MAPS and not _is_object(typing.get_args(inner))):
        raise NotMappedError("a list or map cannot stand in another", "put the inner one into a model with one field")
    if nested is Literal:
        return _read_literal(list(typing.get_args(inner)), said)
    return _read_single(inner, said, annotation)


def _read_map(arguments: tuple[object, ...]) -> MapKind:
    key = _read_item(arguments[0])
    if not isinstance(key, PlainKind) or key.wire not in MAP_KEYS:
        raise NotMappedError(f"{_words(arguments[0])} cannot be the key of a map", "use str, int, bool or UUID as keys")
    return MapKind(key, _read_item(arguments[1]))


def _read_union(members: list[object], said: ProtoAnnotation, *, nullable: bool, field_name: str) -> Reading:
    found: list[Member] = []
    for annotation in members:
        inner, member_said = _unwrapped(annotation, ProtoAnnotation())
        kind, _ = _read_one(inner, member_said, annotation)
        if isinstance(kind, ListKind | MapKind | UnionKind):
            raise NotMappedError("a list or map cannot be a member of a union", "put it into a model with one field")
        member = Member(member_said.name or f"{field_name}_{_word(kind)}", kind, member_said)
        same = next((place for place, other in enumerate(found) if other.kind == kind), None)
        if same is None:
            found.append(member)
        else:  # Literal["a"] | Literal["b"] is one member, and pydantic tells the two apart
            found[same] = replace(found[same], kind=_of_its_class(kind))
    if len(found) == 1:
        return Reading(found[0].kind, nullable, said.over(found[0].said))
    _check_members(found)
    return Reading(UnionKind(tuple(found)), nullable, said)


def _of_its_class(kind: SingleKind) -> SingleKind:
    return replace(kind, annotation=kind.classes[0]) if isinstance(kind, PlainKind) else kind


def _check_members(members: list[Member]) -> None:
    """Refuse a union whose values do not tell which member they are, or whose members share a name."""
    owners: dict[type, str] = {}
    for member in members:
        for cls in classes_of(member.kind):
            if cls is object or cls in owners:
                raise NotMappedError(
                    f"a {cls.__name__} in this union may be {owners.get(cls, member.name)} or {member.name}",
                    "use one of the two, or wrap one in a model",
                )
            owners[cls] = member.name
    names = [member.name for member in members]
    if doubled := next((name for name in names if names.count(name) > 1), None):
        raise NotMappedError(
            f"two members of this union are called {doubled}", 'name one: Annotated[…, proto(name="card")] | …'
        )


def classes_of(kind: SingleKind) -> tuple[type, ...]:
    """Give the classes of a kind's values."""
    if isinstance(kind, EnumKind):
        return (kind.enum,)
    return (kind.model,) if isinstance(kind, MessageKind) else kind.classes


def _word(kind: SingleKind) -> str:
    """Give the word that stands for a kind in the name of a oneof's member."""
    classes = classes_of(kind)
    return snake_case(pascal_case(classes[0].__name__)) if classes else "value"


def pascal_case(name: str) -> str:
    """Give a class's name as a message's: `Page[Item]` is `PageItem`."""
    first, *others = [part for part in re.split(r"\W+", name) if part]
    return first + "".join(part[:1].upper() + part[1:] for part in others)


def snake_case(name: str) -> str:
    """Give `order_line` for `OrderLine`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _words(annotation: object) -> str:
    name = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    return name.replace("typing.", "")
