"""Which descriptors are the well-known types.

A name is not enough: a schema from outside may define its own `google.protobuf.Timestamp` with other fields, which
is then converted as the plain message that it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from google.protobuf import any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor import FieldDescriptor

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor
    from google.protobuf.message import Message

ANY = any_pb2.Any.DESCRIPTOR.full_name
FIELD_MASK = field_mask_pb2.FieldMask.DESCRIPTOR.full_name
TIMESTAMP = timestamp_pb2.Timestamp.DESCRIPTOR.full_name
DURATION = duration_pb2.Duration.DESCRIPTOR.full_name
STRUCT = struct_pb2.Struct.DESCRIPTOR.full_name
VALUE = struct_pb2.Value.DESCRIPTOR.full_name
LIST_VALUE = struct_pb2.ListValue.DESCRIPTOR.full_name
WRAPPERS = frozenset(descriptor.full_name for descriptor in wrappers_pb2.DESCRIPTOR.message_types_by_name.values())

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


def descriptor_of(message_class: type[Message]) -> Descriptor:
    """Give a class's descriptor; from the class, since a message may have a field called DESCRIPTOR."""
    return cast("Descriptor", message_class.DESCRIPTOR)


def message_type(field: FieldDescriptor) -> Descriptor:
    """Give the message type of a field that has one."""
    assert field.message_type is not None
    return field.message_type


def enum_type(field: FieldDescriptor) -> EnumDescriptor:
    """Give the enum type of a field that has one."""
    assert field.enum_type is not None
    return field.enum_type


def is_map(field: FieldDescriptor) -> bool:
    """Tell whether a field is a map."""
    return field.is_repeated and field.message_type is not None and field.message_type.GetOptions().map_entry


def is_message(field: FieldDescriptor) -> bool:
    """Tell whether a field's single value is a message or a group."""
    return field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE


def takes_none(field: FieldDescriptor) -> bool:
    """Tell whether None is a value of a field's type, and not the absence of one."""
    return is_message(field) and well_known_name(message_type(field)) == VALUE


def contested_oneof(field: FieldDescriptor) -> str | None:
    """Give the name of the oneof in which a field is one of several members."""
    oneof = field.containing_oneof
    return oneof.name if oneof is not None and len(oneof.fields) > 1 else None
