"""Which descriptors are the well-known types.

A name is not enough: a schema from outside may define its own `google.protobuf.Timestamp` with other fields, which
is then converted as the plain message that it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

# The full names, as `well_known_name` gives them.
ANY = any_pb2.Any.DESCRIPTOR.full_name  # any message, with its type's name
FIELD_MASK = field_mask_pb2.FieldMask.DESCRIPTOR.full_name  # paths of fields
TIMESTAMP = timestamp_pb2.Timestamp.DESCRIPTOR.full_name  # a datetime
DURATION = duration_pb2.Duration.DESCRIPTOR.full_name  # a timedelta
STRUCT = struct_pb2.Struct.DESCRIPTOR.full_name  # an object of JSON
VALUE = struct_pb2.Value.DESCRIPTOR.full_name  # anything that JSON can say
LIST_VALUE = struct_pb2.ListValue.DESCRIPTOR.full_name  # an array of JSON

WRAPPERS = frozenset(descriptor.full_name for descriptor in wrappers_pb2.DESCRIPTOR.message_types_by_name.values())
"""The types that hold one scalar, which may be missing: `StringValue`, `Int64Value` and their like."""

_ORIGINALS: dict[str, Descriptor] = {
    descriptor.full_name: descriptor
    for file in (any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
    for descriptor in file.DESCRIPTOR.message_types_by_name.values()
}
_RECURSIVE = frozenset((STRUCT, VALUE, LIST_VALUE))


def well_known_name(descriptor: Descriptor) -> str | None:
    """Give the full name of a well-known type that has a plain form of its own, else None."""
    name = descriptor.full_name
    if name not in _ORIGINALS:
        return None
    if name not in _RECURSIVE:
        return name if _same(descriptor, _ORIGINALS[name]) else None
    defined = {message.full_name: message for message in descriptor.file.message_types_by_name.values()}
    return name if all(part in defined and _same(defined[part], _ORIGINALS[part]) for part in _RECURSIVE) else None


def _same(one: Descriptor, other: Descriptor) -> bool:
    return one is other or _shape(one) == _shape(other)


def _shape(descriptor: Descriptor) -> object:
    fields = [(field.name, field.number, field.type, field.is_repeated, *_links(field)) for field in descriptor.fields]
    return fields, [_shape(nested) for nested in descriptor.nested_types]


def _links(field: FieldDescriptor) -> tuple[str, str, str]:
    linked = (field.message_type, field.enum_type, field.containing_oneof)
    message, enum, oneof = ("" if part is None else part.full_name for part in linked)
    return message, enum, oneof
