"""From descriptors to normal text: one text for all files that differ in spelling and order alone.

It is the text that Confluent's registry stores for `normalize=true`. Imports, fields, oneofs, enum values, reserved
numbers, extension ranges and options stand sorted; every type has its full name. Messages, services and rpcs keep
their order, because message indexes on the wire refer to it. Of several names of one enum number the alphabetically
first comes first.

It departs from Confluent's where that would change what the schema means: the first value of an enum, which is its
default, stays first; groups, which are messages, keep their order; no digit of a number is dropped. And an edition is
said, as without it the text could not be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from protopact.compiler.printer import printed
from protopact.compiler.printer_style import NORMAL
from protopact.descriptor import canonical_file, pool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Protocol

    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        EnumDescriptorProto,
        FileDescriptorProto,
    )

    from protopact.descriptor import FileSet

    class _Fields(Protocol):
        """The repeated field that holds extensions, as far as it is needed here."""

        def sort(self, *, key: Callable[[FieldDescriptorProto], tuple[int, int]]) -> None: ...


def normal_text(file_set: FileSet) -> str:
    """Give the normal `.proto` text of the root; compiled, it means what the root means.

    Raises SchemaLinkError when protobuf refuses the set, and when an option cannot be written because no file of the
    set defines it.
    """
    pool_of(file_set)  # protobuf vets the descriptors before anything is read from them
    return printed(file_set, normal_file(file_set.root_file), NORMAL)


def normal_file(file: FileDescriptorProto) -> FileDescriptorProto:
    """Give a copy of `file` in which all is sorted whose order means nothing; for printing and comparing."""
    normal = canonical_file(file)
    _sort_extensions(normal.extension, file.extension)
    for enum in normal.enum_type:
        _sort_enum(enum)
    for message, before in _messages(normal.message_type, file.message_type):
        _sort_message(message)
        _sort_extensions(message.extension, before.extension)
        for enum in message.enum_type:
            _sort_enum(enum)
    return normal


def _messages(
    messages: Iterable[DescriptorProto], originals: Iterable[DescriptorProto]
) -> Iterator[tuple[DescriptorProto, DescriptorProto]]:
    """Give each message with its original, inner ones first: the order of messages changes only after their visit."""
    for message, original in zip(messages, originals, strict=True):
        yield from _messages(message.nested_type, original.nested_type)
        yield message, original


def _sort_message(message: DescriptorProto) -> None:
    """Sort the parts of a message whose fields are sorted by number already."""
    message.reserved_name.sort()
    message.reserved_range.sort(key=lambda span: (span.start, span.end))
    message.extension_range.sort(key=lambda span: (span.start, span.end))
    _sort_oneofs(message)
    # Map entries are nobody's message: they follow their fields, in the places that they have together.
    entries = {nested.name for nested in message.nested_type if nested.options.map_entry}
    maps = [_type_of(field) for field in message.field if _type_of(field) in entries]
    places = _shared_out([nested.name for nested in message.nested_type], maps)
    message.nested_type.sort(key=lambda nested: places[nested.name])
    # Groups are messages: they stand in the order of these.
    groups = sorted(filter(_is_group, message.field), key=lambda field: places.get(_type_of(field), 0))
    slots = _shared_out([field.name for field in message.field], [field.name for field in groups])
    message.field.sort(key=lambda field: slots[field.name])


def _shared_out(names: Sequence[str], moved: Iterable[str]) -> dict[str, int]:
    """Give each name its place after the `moved` ones, in their new order, have shared out the places they had."""
    order = list(dict.fromkeys(moved))
    among = set(order)
    slots = [place for place, name in enumerate(names) if name in among]
    return {name: place for place, name in enumerate(names)} | dict(zip(order, slots, strict=True))


def _sort_oneofs(message: DescriptorProto) -> None:
    """Sort the written oneofs by their first member as it is printed; synthetic ones stand behind them."""
    first: dict[int, tuple[bool, int]] = {}
    for field in message.field:
        if field.HasField("oneof_index") and not field.proto3_optional:
            place = (_is_group(field), field.number)
            first[field.oneof_index] = min(place, first.get(field.oneof_index, place))
    order = sorted(first, key=lambda index: first[index])
    moved = dict(zip(order, sorted(first), strict=True))
    names = {oneof.name: moved.get(index, index) for index, oneof in enumerate(message.oneof_decl)}
    message.oneof_decl.sort(key=lambda oneof: names[oneof.name])
    for field in message.field:
        if field.HasField("oneof_index"):
            field.oneof_index = moved.get(field.oneof_index, field.oneof_index)


def _sort_enum(enum: EnumDescriptorProto) -> None:
    """Sort values by number and name, behind those of the first one's number: that one is the default."""
    default = enum.value[0].number if enum.value else 0
    enum.value.sort(key=lambda value: (value.number != default, value.number, value.name))
    enum.reserved_name.sort()
    enum.reserved_range.sort(key=lambda span: (span.start, span.end))


def _sort_extensions(extensions: _Fields, originals: Iterable[FieldDescriptorProto]) -> None:
    """Sort by number what extends one message; the messages stand in the order in which they are first extended."""
    places: dict[str, int] = {}
    for extension in originals:
        places.setdefault(extension.extendee, len(places))
    extensions.sort(key=lambda extension: (places[extension.extendee], extension.number))


def _type_of(field: FieldDescriptorProto) -> str:
    return field.type_name.rpartition(".")[2]


def _is_group(field: FieldDescriptorProto) -> bool:
    return field.type == FieldDescriptorProto.TYPE_GROUP
