"""Maps that a text writes out as messages with `option map_entry = true`, which protoc refuses.

Confluent's JVM client wrote a generated class's maps so until December 2024, where it did not normalize (pull request
3444 of confluentinc/schema-registry), and registries hold such texts. The option is exchanged for a mark that protoc
takes; the marked messages are then made the entries that they are meant to be.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OPTION = re.compile(r"\boption\s+map_entry\s*=\s*true\s*;")
_MARK = "map_entry"


def with_marks(schema: str) -> tuple[str, int]:
    """Give a text with marks for the options, and how many there are."""
    return _OPTION.subn(f'reserved "{_MARK}";', schema)


def with_maps(file: FileDescriptorProto, marks: int) -> FileDescriptorProto | None:
    """Give a file whose marked messages are map entries; None where a mark stands in what is none."""
    changed = FileDescriptorProto()
    changed.CopyFrom(file)
    marked = [
        entry
        for message in _all(changed.message_type)
        for entry in message.nested_type
        if _is_marked_entry(entry, message)
    ]
    if len(marked) != marks:
        return None
    for message in marked:
        del message.reserved_name[:]
        message.options.map_entry = True
    return changed


def _is_marked_entry(entry: DescriptorProto, message: DescriptorProto) -> bool:
    """Whether a message is marked and such as protoc makes of a map in the message around it."""
    shape = [(field.name, field.number) for field in entry.field]
    fields = (field for field in message.field if field.type_name.endswith(f".{entry.name}"))
    named = any(_entry_name(field.name) == entry.name for field in fields)
    return named and shape == [("key", 1), ("value", 2)] and list(entry.reserved_name) == [_MARK]


def _entry_name(field_name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in field_name.split("_")) + "Entry"


def _all(messages: Iterable[DescriptorProto]) -> Iterator[DescriptorProto]:
    for message in messages:
        yield message
        yield from _all(message.nested_type)
