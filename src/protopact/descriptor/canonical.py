"""The canonical form of a file descriptor: one form for everything that means the same.

Fields stand by number, dependencies by name, a derived `json_name`, a written-out `syntax = "proto2"` and the source
information are gone. The order of messages and enums stays, because message indexes on the wire refer to it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from protopact.descriptor.wire_order import in_number_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from google.protobuf.message import Message

    WithOptions: TypeAlias = (
        descriptor_pb2.FileDescriptorProto
        | descriptor_pb2.DescriptorProto
        | descriptor_pb2.DescriptorProto.ExtensionRange
        | descriptor_pb2.FieldDescriptorProto
        | descriptor_pb2.OneofDescriptorProto
        | descriptor_pb2.EnumDescriptorProto
        | descriptor_pb2.EnumValueDescriptorProto
        | descriptor_pb2.ServiceDescriptorProto
        | descriptor_pb2.MethodDescriptorProto
    )


def derived_json_name(field_name: str) -> str:
    """Give the `json_name` that protoc derives: underscores go, the ASCII letter behind one becomes a capital.

    Source: `ToJsonName` in protobuf's descriptor.cc; the first letter stays as it is.
    """
    first, *rest = field_name.split("_")
    return first + "".join(_capital(part) for part in rest)


def canonical_file(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """Give the canonical form of `file` as a new descriptor, for comparing and hashing."""
    return descriptor_pb2.FileDescriptorProto.FromString(canonical_bytes(file))


def canonical_bytes(file: descriptor_pb2.FileDescriptorProto) -> bytes:
    """Give the canonical form of `file`, serialized. The bytes do not depend on what the process has imported.

    A process that has imported, say, `google.api.annotations_pb2` reads that option as a known extension, another one
    as an unknown field, and the two serialize in different places: so the work is done on a class of a pool without
    any extension.
    """
    canonical = _plain_file_class().FromString(file.SerializeToString(deterministic=True))
    canonical.ClearField("source_code_info")
    if canonical.syntax == "proto2":
        canonical.ClearField("syntax")
    _sort_dependencies(canonical)
    for message in _messages(canonical.message_type):
        _sort_fields(message)
    for field in _fields(canonical):
        if field.json_name == derived_json_name(field.name):
            field.ClearField("json_name")
    for holder in _option_holders(canonical):
        _sort_options(holder)
    return canonical.SerializeToString(deterministic=True)


def _capital(part: str) -> str:
    head = part[:1]
    return (head.upper() if head.isascii() else head) + part[1:]


@cache
def _plain_file_class() -> type[descriptor_pb2.FileDescriptorProto]:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(descriptor_pb2.DESCRIPTOR.serialized_pb)
    descriptor = pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto")
    plain = message_factory.GetMessageClass(descriptor)
    return cast("type[descriptor_pb2.FileDescriptorProto]", plain)


def _sort_dependencies(file: descriptor_pb2.FileDescriptorProto) -> None:
    before = list(file.dependency)
    after = sorted(before)
    place = {name: index for index, name in enumerate(after)}
    file.dependency[:] = after
    file.option_dependency.sort()
    for indexes in (file.public_dependency, file.weak_dependency):
        indexes[:] = sorted(place[before[index]] for index in indexes)


def _sort_fields(message: descriptor_pb2.DescriptorProto) -> None:
    """Sort fields by number, and with them what protoc lays down in the order of fields.

    That is: the synthetic oneofs of proto3's `optional`, which stand behind the written ones.
    """
    message.field.sort(key=lambda field: field.number)
    synthetic = [
        field.oneof_index for field in message.field if field.proto3_optional and field.HasField("oneof_index")
    ]
    if synthetic == sorted(synthetic):
        return
    behind = set(synthetic)
    order = [index for index in range(len(message.oneof_decl)) if index not in behind] + synthetic
    place = {old: new for new, old in enumerate(order)}
    declared = [_copy(message.oneof_decl[index]) for index in order]
    del message.oneof_decl[:]
    message.oneof_decl.extend(declared)
    for field in message.field:
        if field.HasField("oneof_index"):
            field.oneof_index = place[field.oneof_index]


def _copy(oneof: descriptor_pb2.OneofDescriptorProto) -> descriptor_pb2.OneofDescriptorProto:
    copied = type(oneof)()
    copied.CopyFrom(oneof)
    return copied


def _sort_options(holder: WithOptions) -> None:
    if not holder.HasField("options"):
        return
    options = holder.options
    if "features" in options.DESCRIPTOR.fields_by_name and options.HasField("features"):
        _sort_numbers(options.features)
    _sort_numbers(options)
    if not options.ByteSize():
        holder.ClearField("options")


def _sort_numbers(message: Message) -> None:
    message.ParseFromString(in_number_order(message.SerializeToString(deterministic=True)))


def _messages(roots: Iterable[descriptor_pb2.DescriptorProto]) -> Iterator[descriptor_pb2.DescriptorProto]:
    for message in roots:
        yield message
        yield from _messages(message.nested_type)


def _fields(file: descriptor_pb2.FileDescriptorProto) -> Iterator[descriptor_pb2.FieldDescriptorProto]:
    yield from file.extension
    for message in _messages(file.message_type):
        yield from message.field
        yield from message.extension


def _option_holders(file: descriptor_pb2.FileDescriptorProto) -> Iterator[WithOptions]:
    yield file
    yield from _fields(file)
    for enum in file.enum_type:
        yield from _enum_holders(enum)
    for message in _messages(file.message_type):
        yield message
        yield from message.oneof_decl
        yield from message.extension_range
        for enum in message.enum_type:
            yield from _enum_holders(enum)
    for service in file.service:
        yield service
        yield from service.method


def _enum_holders(enum: descriptor_pb2.EnumDescriptorProto) -> Iterator[WithOptions]:
    yield enum
    yield from enum.value
