"""What a field holds: one value or many, a message or a scalar, alone or as one of a oneof."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from google.protobuf.descriptor import FieldDescriptor

from protopact.convert.shapes.well_known import VALUE, well_known_name

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, EnumDescriptor
    from google.protobuf.message import Message


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
