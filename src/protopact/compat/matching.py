"""The messages and enums of two schemas side by side, whichever file they stand in.

A type of the root file is matched by its name within the package, so that a new package hides nothing; a type of an
imported file by its full name, and without its package if nothing else matches. Built-in files do not change and are
left out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from protopact.descriptor import is_built_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf.descriptor_pb2 import EnumDescriptorProto

    from protopact.compat.shapes import FieldShape, MessageShape, SchemaShape


class Key(NamedTuple):
    """A type's place: the package, empty for the root file's own, and the names down to it."""

    package: str
    names: tuple[str, ...]

    def path(self, *further: str) -> str:
        """Give the path of a part of the type, as Confluent writes paths."""
        return "#/" + "/".join((*self.names, *further))


def messages_of(schema: SchemaShape) -> dict[Key, MessageShape]:
    """Give all messages of a schema by key, map entries left out."""
    found: dict[Key, MessageShape] = {}
    own = schema.root.package
    for file in schema.files:
        if is_built_in(file.proto.name):
            continue
        package = "" if file.package == own else file.package
        waiting = list(file.messages.values())
        while waiting:
            message = waiting.pop()
            found.setdefault(Key(package, message.names), message)
            waiting += message.messages.values()
    return found


def enums_of(schema: SchemaShape) -> dict[Key, EnumDescriptorProto]:
    """Give all enums of a schema by key."""
    found: dict[Key, EnumDescriptorProto] = {}
    own = schema.root.package
    for file in schema.files:
        if not is_built_in(file.proto.name):
            package = "" if file.package == own else file.package
            found.update({Key(package, (enum.name,)): enum for enum in file.enums})
    for key, message in messages_of(schema).items():
        found.update({Key(key.package, (*key.names, enum.name)): enum for enum in message.enums})
    return found


def changed_messages(original: SchemaShape, update: SchemaShape) -> Iterator[tuple[Key, MessageShape, MessageShape]]:
    """Give the messages that both schemas have, those that are known to be equal left out."""
    for key, before, after in _matched(messages_of(original), messages_of(update)):
        if before.proto is not after.proto:
            yield key, before, after


def changed_enums(
    original: SchemaShape, update: SchemaShape
) -> Iterator[tuple[Key, EnumDescriptorProto, EnumDescriptorProto]]:
    """Give the enums that both schemas have, those that are known to be equal left out."""
    for key, before, after in _matched(enums_of(original), enums_of(update)):
        if before is not after:
            yield key, before, after


_Shape = TypeVar("_Shape")


def _matched(before: Mapping[Key, _Shape], after: Mapping[Key, _Shape]) -> Iterator[tuple[Key, _Shape, _Shape]]:
    """Match by key; what is left over, by names alone where these belong to one type on either side."""
    gone, new = before.keys() - after.keys(), after.keys() - before.keys()
    lonely = Counter(key.names for key in gone)
    arrived = {key.names: key for key in new}
    arrivals = Counter(key.names for key in new)
    for key, shape in before.items():
        if key in after:
            yield key, shape, after[key]
        elif lonely[key.names] == arrivals[key.names] == 1:
            yield key, shape, after[arrived[key.names]]


class Fields(NamedTuple):
    """Two fields of one number: the writer's and the reader's."""

    key: Key
    writer: FieldShape
    reader: FieldShape

    @property
    def path(self) -> str:
        """Where the reader has it."""
        return self.key.path(*self.reader.path)


def fields_in_both(original: SchemaShape, update: SchemaShape) -> Iterator[Fields]:
    """Give the fields that both schemas have, matched by message and number."""
    for key, before, after in changed_messages(original, update):
        fields = after.fields
        for number, field in before.fields.items():
            if number in fields:
                yield Fields(key, field, fields[number])
