"""The canonical form of a file descriptor: one form for everything that means the same.

Fields stand by number, extensions by extended message and number, dependencies by name; a derived `json_name`, a
written-out `syntax = "proto2"` and the source information are gone. The order of messages and enums stays, because
message indexes on the wire refer to it. Custom options keep their bytes: one written in several statements stays in
as many parts.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from protopact.descriptor.wire_order import in_number_order
from protopact.errors import SchemaLinkError

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
    """Give the canonical form of `file` as a new descriptor, for comparing and hashing.

    It is not for compiling against: protoc wants the members of a oneof side by side, and here fields are sorted.
    """
    return descriptor_pb2.FileDescriptorProto.FromString(canonical_bytes(file))


def canonical_bytes(file: descriptor_pb2.FileDescriptorProto) -> bytes:
    """Give the canonical form of `file`, serialized. The bytes do not depend on what the process has imported.

    A process that has imported, say, `google.api.annotations_pb2` reads that option as a known extension, another one
    as an unknown field, and the two serialize in different places: so the work is done on a class of a pool without
    any extension. Raises SchemaLinkError as `check_sound` does.
    """
    canonical = check_sound(file)
    canonical.ClearField("source_code_info")
    if canonical.syntax == "proto2":
        canonical.ClearField("syntax")
    if not canonical.package:
        canonical.ClearField("package")
    _sort_dependencies(canonical)
    canonical.extension.sort(key=_extension_place)
    for message in _messages(canonical.message_type):
        message.extension.sort(key=_extension_place)
        _sort_fields(message)
    for field in _fields(canonical):
        if field.json_name == derived_json_name(field.name):
            field.ClearField("json_name")
    for holder in _option_holders(canonical):
        _sort_options(holder)
    return canonical.SerializeToString(deterministic=True)


def check_sound(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """Give a copy of `file` on a class of a private pool, after the checks that protobuf leaves to its caller.

    A descriptor from outside may hold bytes that are no UTF-8 where a text belongs, and indexes of imports that it
    does not have. Raises SchemaLinkError for both.
    """
    try:
        copy = _plain_file_class().FromString(file.SerializeToString(deterministic=True))
    except DecodeError as error:
        raise SchemaLinkError(f"the descriptor of {file.name!r} holds a text that is not UTF-8") from error
    for index in (*copy.public_dependency, *copy.weak_dependency):
        if not 0 <= index < len(copy.dependency):
            raise SchemaLinkError(f"{copy.name} marks import {index}, but has {len(copy.dependency)} imports")
    return copy


def _capital(part: str) -> str:
    head = part[:1]
    return (head.upper() if head.isascii() else head) + part[1:]


@cache
def _plain_file_class() -> type[descriptor_pb2.FileDescriptorProto]:
    """Give a `FileDescriptorProto` without extensions that refuses texts which are not UTF-8, as editions do."""
    strict = descriptor_pb2.FileDescriptorProto.FromString(descriptor_pb2.DESCRIPTOR.serialized_pb)
    strict.syntax, strict.edition = "editions", descriptor_pb2.EDITION_2023
    strict.options.features.enum_type = descriptor_pb2.FeatureSet.CLOSED
    for field in _fields(strict):
        field.options.ClearField("packed")
        if field.label == descriptor_pb2.FieldDescriptorProto.LABEL_REQUIRED:
            field.label = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(strict.SerializeToString())
    descriptor = pool.FindMessageTypeByName("google.protobuf.FileDescriptorProto")
    return cast("type[descriptor_pb2.FileDescriptorProto]", message_factory.GetMessageClass(descriptor))


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
    written = set(range(len(message.oneof_decl)))
    optional = [field for field in message.field if field.proto3_optional and field.HasField("oneof_index")]
    synthetic = [field.oneof_index for field in optional if field.oneof_index in written]
    if synthetic == sorted(synthetic):
        return
    order = [*sorted(written.difference(synthetic)), *synthetic]
    place = {old: new for new, old in enumerate(order)}
    declared = [_copy(message.oneof_decl[index]) for index in order]
    del message.oneof_decl[:]
    message.oneof_decl.extend(declared)
    for field in message.field:
        if field.HasField("oneof_index"):
            field.oneof_index = place.get(field.oneof_index, field.oneof_index)


def _extension_place(extension: descriptor_pb2.FieldDescriptorProto) -> tuple[str, int]:
    return extension.extendee, extension.number


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
