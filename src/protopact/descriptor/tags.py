"""Options as the schema's own pool knows them, and the tags that stand in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from google.protobuf import message_factory
from google.protobuf.descriptor import (
    EnumValueDescriptor,
    FileDescriptor,
    MethodDescriptor,
    OneofDescriptor,
)
from google.protobuf.message import DecodeError

from protopact.descriptor.well_known import META_NUMBER
from protopact.errors import SchemaLinkError

if TYPE_CHECKING:
    from typing import TypeAlias

    from google.protobuf.descriptor import (
        Descriptor,
        EnumDescriptor,
        FieldDescriptor,
        ServiceDescriptor,
    )
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message import Message

    class _InFile(Protocol):
        """A descriptor that knows its file; the stubs forget that a field does."""

        file: FileDescriptor

    AnyDescriptor: TypeAlias = (
        Descriptor
        | EnumDescriptor
        | EnumValueDescriptor
        | FieldDescriptor
        | FileDescriptor
        | MethodDescriptor
        | OneofDescriptor
        | ServiceDescriptor
    )

_FIELD_META = "confluent.field_meta"


def field_tags(field: FieldDescriptor) -> tuple[str, ...]:
    """Give the tags of a field, such as `("PII",)`, in the order written; empty when it has none.

    They are `(confluent.field_meta).tags`, extension 1088 of `google.protobuf.FieldOptions` in `confluent/meta.proto`.
    """
    try:
        extension = _pool(field).FindExtensionByName(_FIELD_META)
    except KeyError:
        return ()
    options: Any = reparsed_options(field)
    if extension.number != META_NUMBER or extension.containing_type is not options.DESCRIPTOR:
        return ()
    return tuple(options.Extensions[extension].tags)


def reparsed_options(descriptor: AnyDescriptor) -> Message:
    """Give the options of a descriptor, parsed with its own pool's options class, so that custom options are visible.

    `GetOptions()` parses with the default pool's class, which leaves custom options among the unknown fields.
    """
    return options_in_pool(descriptor.GetOptions(), _pool(descriptor))


def options_in_pool(options: Message, pool: DescriptorPool) -> Message:
    """Give `options` parsed with the class of the same name in `pool`.

    A pool without `google/protobuf/descriptor.proto` can hold no custom option: `options` come back as they are.
    `SchemaLinkError` when the bytes of a custom option do not fit its definition.
    """
    try:
        descriptor = pool.FindMessageTypeByName(options.DESCRIPTOR.full_name)
    except KeyError:
        return options
    if descriptor is options.DESCRIPTOR:
        return options
    try:
        reparsed: Message = message_factory.GetMessageClass(descriptor).FromString(
            options.SerializeToString(deterministic=True)
        )
    except DecodeError as error:
        raise SchemaLinkError(
            f"a custom option in {descriptor.full_name} does not fit its definition: {error}"
        ) from error
    return reparsed


def _pool(descriptor: AnyDescriptor) -> DescriptorPool:
    if isinstance(descriptor, FileDescriptor):
        return descriptor.pool
    if isinstance(descriptor, EnumValueDescriptor):
        return descriptor.type.file.pool
    if isinstance(descriptor, MethodDescriptor):
        return descriptor.containing_service.file.pool
    if isinstance(descriptor, OneofDescriptor):
        return descriptor.containing_type.file.pool
    return cast("_InFile", descriptor).file.pool
