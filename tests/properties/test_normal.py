"""The laws of normal text on random descriptors: order and spelling do not show in it, meaning and indexes stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto
from hypothesis import given, strategies as st

from properties.test_printer import file_sets
from protopact.compiler import compile_text, normal_text
from protopact.compiler.normal import normal_file
from protopact.descriptor import FileSet, canonical_file, message_index, message_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableSequence


def all_messages(messages: Iterable[DescriptorProto]) -> Iterator[DescriptorProto]:
    for message in messages:
        yield message
        yield from all_messages(message.nested_type)


def shuffled(file: FileDescriptorProto, draw: st.DataObject) -> FileDescriptorProto:
    """Give the file with fields, oneofs, later enum values and reserved numbers in another order."""
    mixed = FileDescriptorProto.FromString(file.SerializeToString())
    for message in all_messages(mixed.message_type):
        if message.options.map_entry:
            continue
        shuffle(message.reserved_range, draw)
        shuffle_fields(message, draw)
        for enum in message.enum_type:
            shuffle_enum(enum, draw)
    for enum in mixed.enum_type:
        shuffle_enum(enum, draw)
    return mixed


def shuffle(items: MutableSequence[object], draw: st.DataObject, first: int = 0) -> None:
    order = [*range(first), *draw.draw(st.permutations(range(first, len(items))))]
    copies = [type(items[place]).FromString(items[place].SerializeToString()) for place in order]
    del items[:]
    items.extend(copies)


def shuffle_enum(enum: EnumDescriptorProto, draw: st.DataObject) -> None:
    shuffle(enum.value, draw, first=1)
    shuffle(enum.reserved_range, draw)


def shuffle_fields(message: DescriptorProto, draw: st.DataObject) -> None:
    """Mix the fields outside of oneofs, which protoc wants side by side, and the members of each oneof."""
    grouped: dict[int, list[bytes]] = {}
    for place, field in enumerate(message.field):
        in_oneof = field.HasField("oneof_index") and not field.proto3_optional
        grouped.setdefault(field.oneof_index if in_oneof else -1 - place, []).append(field.SerializeToString())
    members = [draw.draw(st.permutations(group)) for group in draw.draw(st.permutations(list(grouped.values())))]
    kind = type(message.field[0]) if message.field else None
    del message.field[:]
    message.field.extend(kind.FromString(data) for group in members for data in group)
    optional = [field for field in message.field if field.proto3_optional]
    for index, field in enumerate(optional, len(message.oneof_decl) - len(optional)):
        field.oneof_index = index
        message.oneof_decl[index].name = f"_{field.name}"


@given(file_sets(), st.data())
def test_normal_text_is_stable_keeps_the_meaning_and_shows_no_order(file_set: FileSet, draw: st.DataObject) -> None:
    dependencies = file_set.files[:-1]
    mixed = FileSet.link("root.proto", [*dependencies, shuffled(file_set.root_file, draw)])

    normal = normal_text(file_set)

    assert normal_text(mixed) == normal
    again = compile_text(normal, file_name="root.proto", dependencies=dependencies)
    assert normal_text(again) == normal
    assert str(canonical_file(normal_file(again.root_file))) == str(canonical_file(normal_file(file_set.root_file)))
    for name in message_names(file_set.root_file):
        if not name.endswith("Entry"):  # map entries are nobody's message
            assert message_index(again.root_file, name) == message_index(file_set.root_file, name)
