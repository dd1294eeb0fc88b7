"""Enums built in Python, and what messages and enums reserve."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from protopact.errors import SchemaModelError
from protopact.schema.names import qualified
from protopact.schema.syntax import check_identifier, is_identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto

    from protopact.schema.parts import ProtoEnum, Reserved
    from protopact.schema.syntax import Syntax

ENUM_NUMBERS = range(-(2**31), 2**31)
# protoc takes these words for the begin of a statement; every other keyword is a name like any other.
_UNWRITABLE = {"option", "reserved"}


def build_enum(enum: ProtoEnum, proto: EnumDescriptorProto) -> None:
    """Write a checked enum into its descriptor."""
    proto.name = enum.name
    values = enum.numbered()
    for name, number in values:
        proto.value.add(name=name, number=number)
    if len({number for _, number in values}) < len(values):  # protoc refuses the option where no value needs it
        proto.options.allow_alias = True
    for entry in enum.reserved:
        if isinstance(entry, str):
            proto.reserved_name.append(entry)
        elif isinstance(entry, range):  # an enum's ranges include their end (descriptor.proto)
            proto.reserved_range.add(start=entry.start, end=entry.stop - 1)
        else:
            proto.reserved_range.add(start=entry, end=entry)


def check_enum_values(values: list[tuple[str, int]], path: str, syntax: Syntax, *, allow_alias: bool) -> None:
    """Refuse an enum without values, with numbers that are no int32 or given twice, or that does not start at 0."""
    if not values:
        raise SchemaModelError(f"{path}: an enum needs a value", path=path, hint="begin with NAME_UNSPECIFIED = 0")
    taken: dict[int, str] = {}
    for name, number in values:
        place = f"{path}.{name}"
        check_identifier(name, place, "an enum's value")
        if name in _UNWRITABLE:
            raise SchemaModelError(
                f"{place}: no .proto text can hold this name in an enum",
                path=place,
                hint=f"put the enum's name before it: {_constant_case(path)}_{name.upper()}",
            )
        if not isinstance(number, int) or isinstance(number, bool) or number not in ENUM_NUMBERS:
            raise SchemaModelError(f"{place}: {number!r} is no int32", path=place, hint="use a number from -2^31")
        if number in taken and not allow_alias:
            raise SchemaModelError(
                f"{place}: the number {number} is {taken[number]}'s",
                path=place,
                hint="choose a free number, or say allow_alias=True when both names mean the same",
            )
        taken.setdefault(number, name)
    if syntax.has_open_enums and values[0][1] != 0:
        raise SchemaModelError(
            f"{path}: the first value of an enum is 0 in {syntax.name}",
            path=path,
            hint=f"put a value such as {_constant_case(path)}_UNSPECIFIED = 0 first, or use syntax='proto2'",
        )
    _check_value_styles(values, path)


def _check_value_styles(values: list[tuple[str, int]], path: str) -> None:
    # protoc refuses names that languages which strip the enum's name as a prefix could not tell apart.
    styles: dict[str, tuple[str, int]] = {}
    for name, number in values:
        other, other_number = styles.setdefault(_stripped(name, path.rpartition(".")[2]), (name, number))
        if other != name and other_number != number:
            place = f"{path}.{name}"
            raise SchemaModelError(
                f"{place}: {name} and {other} are the same without the enum's name, ignoring case",
                path=place,
                hint="rename one of them",
            )


def _stripped(value_name: str, enum_name: str) -> str:
    prefix = "_*".join(enum_name.replace("_", ""))
    found = re.match(rf"_*{prefix}_*+(?=.)", value_name, re.IGNORECASE)
    return (value_name[found.end() :] if found else value_name).replace("_", "").lower()


def _constant_case(path: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", path.rpartition(".")[2]).upper()


def check_reserved(reserved: Sequence[Reserved], used: Iterable[tuple[str, int]], path: str, numbers: range) -> None:
    """Refuse reservations outside `numbers` or made twice, and names and numbers that are used although reserved."""
    taken: list[range | str] = []
    for entry in reserved:
        span = range(entry, entry + 1) if isinstance(entry, int) else entry
        if not _can_be_reserved(span, numbers) or any(_overlap(span, other) for other in taken):
            raise SchemaModelError(
                f"{path}: {entry!r} cannot be reserved, or is already",
                path=path,
                hint=f"write 5, range(7, 9) or 'name', each once; numbers go from {numbers[0]} to {numbers[-1]}",
            )
        taken.append(span)
    for name, number in used:
        if any(name == span or (isinstance(span, range) and number in span) for span in taken):
            place = qualified(path, name)
            raise SchemaModelError(
                f"{place}: {name} = {number} is reserved", path=place, hint="choose a name and number never used"
            )


def _can_be_reserved(span: object, numbers: range) -> bool:
    if isinstance(span, range):
        return span.step == 1 and len(span) > 0 and span[0] in numbers and span[-1] in numbers
    return is_identifier(span)


def _overlap(one: range | str, other: range | str) -> bool:
    if isinstance(one, range) and isinstance(other, range):
        return one.start < other.stop and other.start < one.stop
    return one == other


def build_reserved(reserved: Iterable[Reserved], proto: DescriptorProto) -> None:
    """Write a message's checked reservations into its descriptor."""
    for entry in reserved:
        if isinstance(entry, str):
            proto.reserved_name.append(entry)
        elif isinstance(entry, range):
            proto.reserved_range.add(start=entry.start, end=entry.stop)
        else:
            proto.reserved_range.add(start=entry, end=entry + 1)
