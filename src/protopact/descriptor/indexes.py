"""Message indexes: the place of a message in its file, as Confluent's wire format names it.

Every nested type of the descriptor counts, map entries included, as in Confluent's clients that work on descriptors
(confluent-kafka's protobuf serializer walks `nested_types`).
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from protopact.errors import MessageNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from google.protobuf import descriptor_pb2

_NAMES_SHOWN = 5


def message_index(file: descriptor_pb2.FileDescriptorProto, full_name: str) -> tuple[int, ...]:
    """Give the index path of a message: `(1,)` for the second of the file, `(0, 2)` for the third inside the first.

    `MessageNotFoundError` when the file does not define it.
    """
    prefix = f"{file.package}." if file.package else ""
    indexes: list[int] = []
    level: Sequence[descriptor_pb2.DescriptorProto] = file.message_type
    if not full_name.startswith(prefix):
        raise not_found(full_name, (file,))
    for part in full_name[len(prefix) :].split("."):
        found = next(((at, message) for at, message in enumerate(level) if message.name == part), None)
        if found is None:
            raise not_found(full_name, (file,))
        indexes.append(found[0])
        level = found[1].nested_type
    return tuple(indexes)


def message_at(file: descriptor_pb2.FileDescriptorProto, indexes: Sequence[int]) -> str:
    """Give the full name of the message at an index path; `MessageNotFoundError` when the path leads nowhere.

    Writers count the entry messages of maps, as they stand in a descriptor. Confluent's JVM serializer leaves them out
    under `normalize.schemas=true` (`ProtobufSchema.toMessageIndexes` of confluentinc/schema-registry, pull request
    2359). No record is an entry of a map, so a path that leads to one, or nowhere, is walked once more without them.
    """
    found = _walked(file, indexes, entries=True)
    if not found or any(message.options.map_entry for message in found):
        found = _walked(file, indexes, entries=False)
    if not found:
        raise _no_such_path(file, indexes)
    return ".".join([*([file.package] if file.package else []), *(message.name for message in found)])


def message_names(file: descriptor_pb2.FileDescriptorProto) -> tuple[str, ...]:
    """Give the full names of all messages, outer ones first, in file order; map entries are left out."""
    return tuple(_names(file.message_type, f"{file.package}." if file.package else ""))


def _walked(
    file: descriptor_pb2.FileDescriptorProto, indexes: Sequence[int], *, entries: bool
) -> Sequence[descriptor_pb2.DescriptorProto]:
    """Give the messages along an index path, map entries counted or not; none where it leads nowhere."""
    found: list[descriptor_pb2.DescriptorProto] = []
    level: Iterable[descriptor_pb2.DescriptorProto] = file.message_type
    for index in indexes:
        counted = [message for message in level if entries or not message.options.map_entry]
        if not 0 <= index < len(counted):
            return ()
        found.append(counted[index])
        level = counted[index].nested_type
    return found


def not_found(full_name: str, files: Iterable[descriptor_pb2.FileDescriptorProto]) -> MessageNotFoundError:
    """Build the error for a name that none of `files` defines, with the nearest name as its hint."""
    files = tuple(files)
    names = [name for file in files for name in message_names(file)]
    nearest = get_close_matches(full_name, names, n=1)
    listed = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
    hint = f"did you mean {nearest[0]}?" if nearest else f"defined are: {listed or 'none'}"
    return MessageNotFoundError(f"{files[-1].name} defines no message {full_name}", hint=hint)


def _no_such_path(file: descriptor_pb2.FileDescriptorProto, indexes: Sequence[int]) -> MessageNotFoundError:
    shown = ", ".join(map(str, indexes[:20]))
    return MessageNotFoundError(f"{file.name} has no message at index [{shown}]")


def _names(messages: Iterable[descriptor_pb2.DescriptorProto], prefix: str) -> Iterator[str]:
    for message in messages:
        if not message.options.map_entry:
            name = f"{prefix}{message.name}"
            yield name
            yield from _names(message.nested_type, f"{name}.")
