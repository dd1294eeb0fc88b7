"""Types that JSON names: those inside an Any, extensions, and those whose depth must be counted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from google.protobuf import (
    any_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.message_factory import GetMessageClass

from protopact.convert import shapes
from protopact.convert.values import misfit, type_words

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message import Message

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What JSON text holds."""

TYPE_KEY = "@type"
VALUE_KEY = "value"

_TYPE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,200}\Z", re.ASCII)
_WELL_KNOWN = {
    descriptor.full_name: descriptor
    for file in (any_pb2, duration_pb2, empty_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
    for descriptor in file.DESCRIPTOR.message_types_by_name.values()
}


def counts_levels(descriptor: Descriptor) -> bool:
    """Tell whether JSON of a type can be nested so deep that its levels must be counted.

    Types that reach an Any or can be extended hold any type at all.
    """
    return shapes.is_deep(descriptor) or _is_open(descriptor)


def _is_open(root: Descriptor) -> bool:
    seen: set[str] = set()
    todo = [root]
    while todo:
        descriptor = todo.pop()
        if descriptor.full_name in seen:
            continue
        if descriptor.is_extendable or shapes.well_known_name(descriptor) == shapes.ANY:
            return True
        seen.add(descriptor.full_name)
        todo.extend(field.message_type for field in descriptor.fields if field.message_type is not None)
    return False


def class_in_any(pool: DescriptorPool, type_url: object) -> type[Message]:
    """Give the class of the message inside an Any: of the pool, or a well-known type that the pool lacks."""
    if not isinstance(type_url, str):
        raise misfit(f"an Any's {TYPE_KEY!r} is text, not {type_words(type_url)}")
    name = type_url.rpartition("/")[2]
    named = _TYPE_NAME.match(name) is not None
    try:
        descriptor = pool.FindMessageTypeByName(name) if named else None
    except KeyError:
        descriptor = _WELL_KNOWN.get(name)
    if descriptor is None:
        raise misfit(
            f"the Any holds a {name}, which this schema does not define" if named else "the Any names no message type",
            hint="a schema defines what it imports too: import the file of the type that the Any holds",
        )
    return GetMessageClass(descriptor)


def extension(descriptor: Descriptor, key: str) -> FieldDescriptor | None:
    """Give the extension of a type that a key such as `[orders.v1.note]` names."""
    if not (descriptor.is_extendable and key.startswith("[") and key.endswith("]")):
        return None
    name = key[1:-1]
    # A message that extends a MessageSet may be named instead of the extension inside it.
    for candidate in (name, name.rpartition(".")[0]):
        if _TYPE_NAME.match(candidate):
            try:
                found = descriptor.file.pool.FindExtensionByName(candidate)
            except KeyError:
                continue
            if found.containing_type is not None and found.containing_type.full_name == descriptor.full_name:
                return found
    return None
