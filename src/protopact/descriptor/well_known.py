"""The files that every schema may import without naming a reference.

Source of the list: Confluent Schema Registry's built-in imports. The descriptors of `google/protobuf/*`
come from the protobuf runtime, those of `google/type/*` from `googleapis-common-protos`, `confluent/*` are built here
from their facts (names, numbers and types as in confluent-kafka 2.16).
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2

from protopact.errors import SchemaLinkError

if TYPE_CHECKING:
    from collections.abc import Callable

_FileProto = descriptor_pb2.FileDescriptorProto
_Message = descriptor_pb2.DescriptorProto
_Field = descriptor_pb2.FieldDescriptorProto

_RUNTIME_STEMS = (
    "any",
    "api",
    "descriptor",
    "duration",
    "empty",
    "field_mask",
    "source_context",
    "struct",
    "timestamp",
    "type",
    "wrappers",
)
_TYPE_STEMS = (
    "calendar_period",
    "color",
    "date",
    "datetime",
    "dayofweek",
    "decimal",
    "expr",
    "fraction",
    "interval",
    "latlng",
    "money",
    "month",
    "phone_number",
    "postal_address",
    "quaternion",
    "timeofday",
)
_RUNTIME_FILES = {f"google/protobuf/{stem}.proto": f"google.protobuf.{stem}_pb2" for stem in _RUNTIME_STEMS}
_MODULE_OF = _RUNTIME_FILES | {f"google/type/{stem}.proto": f"google.type.{stem}_pb2" for stem in _TYPE_STEMS}

# Number of confluent's annotations on google.protobuf.*Options.
META_NUMBER = 1088
_META_EXTENDEES = {
    "file_meta": "FileOptions",
    "message_meta": "MessageOptions",
    "field_meta": "FieldOptions",
    "enum_meta": "EnumOptions",
    "enum_value_meta": "EnumValueOptions",
}


def is_built_in(file_name: str) -> bool:
    """Tell whether `file_name` may be imported without a reference."""
    return file_name in BUILT_IN_FILES


def is_runtime_file(file_name: str) -> bool:
    """Tell whether the protobuf runtime itself defines the file: `google/protobuf/*` of the built-in list."""
    return file_name in _RUNTIME_FILES


@cache
def built_in_file(file_name: str) -> descriptor_pb2.FileDescriptorProto:
    """Give the descriptor of a built-in file; treat it as immutable. `SchemaLinkError` when the file is not built in.

    Loads the generated module that holds it on first use.
    """
    build = _BUILDERS.get(file_name)
    if build is not None:
        return build()
    module_name = _MODULE_OF.get(file_name)
    if module_name is None:
        raise SchemaLinkError(f"{file_name} is not a built-in file")
    try:
        serialized: bytes = import_module(module_name).DESCRIPTOR.serialized_pb
    except (ImportError, TypeError) as error:
        raise SchemaLinkError(
            f"built-in file {file_name} cannot be loaded from {module_name}: {error}",
            hint="install googleapis-common-protos, and only one copy of it",
        ) from error
    return _FileProto.FromString(serialized)


def _meta_file() -> descriptor_pb2.FileDescriptorProto:
    meta = _Message(
        name="Meta",
        field=[
            _string("doc", 1),
            _message_field("params", 2, ".confluent.Meta.ParamsEntry", repeated=True),
            _string("tags", 3, repeated=True),
            _message_field("rules", 4, ".confluent.Rule", repeated=True),
        ],
        nested_type=[
            _Message(
                name="ParamsEntry",
                field=[_string("key", 1), _string("value", 2)],
                options=descriptor_pb2.MessageOptions(map_entry=True),
            )
        ],
    )
    rule = _Message(name="Rule", field=[_string(name, at) for at, name in enumerate(("name", "doc", "expr", "sql"), 1)])
    extensions = [_meta_extension(name, extendee) for name, extendee in _META_EXTENDEES.items()]
    return _FileProto(
        name="confluent/meta.proto",
        package="confluent",
        dependency=["google/protobuf/descriptor.proto"],
        message_type=[meta, rule],
        extension=extensions,
        options=descriptor_pb2.FileOptions(go_package="../confluent"),
        syntax="proto3",
    )


def _meta_extension(name: str, extendee: str) -> descriptor_pb2.FieldDescriptorProto:
    extension = _message_field(name, META_NUMBER, ".confluent.Meta")
    extension.extendee = f".google.protobuf.{extendee}"
    return extension


def _decimal_file() -> descriptor_pb2.FileDescriptorProto:
    fields = [
        _scalar("value", 1, _Field.TYPE_BYTES),
        _scalar("precision", 2, _Field.TYPE_UINT32),
        _scalar("scale", 3, _Field.TYPE_INT32),
    ]
    return _type_file("decimal", _Message(name="Decimal", field=fields))


def _variant_file() -> descriptor_pb2.FileDescriptorProto:
    fields = [_scalar("metadata", 1, _Field.TYPE_BYTES), _scalar("value", 2, _Field.TYPE_BYTES)]
    return _type_file("variant", _Message(name="Variant", field=fields))


def _type_file(stem: str, message: descriptor_pb2.DescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    return _FileProto(
        name=f"confluent/type/{stem}.proto", package="confluent.type", message_type=[message], syntax="proto3"
    )


def _string(name: str, number: int, *, repeated: bool = False) -> descriptor_pb2.FieldDescriptorProto:
    return _scalar(name, number, _Field.TYPE_STRING, repeated=repeated)


def _scalar(
    name: str, number: int, kind: descriptor_pb2.FieldDescriptorProto.Type.ValueType, *, repeated: bool = False
) -> descriptor_pb2.FieldDescriptorProto:
    label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    return _Field(name=name, number=number, label=label, type=kind)


def _message_field(
    name: str, number: int, type_name: str, *, repeated: bool = False
) -> descriptor_pb2.FieldDescriptorProto:
    field = _scalar(name, number, _Field.TYPE_MESSAGE, repeated=repeated)
    field.type_name = type_name
    return field


_BUILDERS: dict[str, Callable[[], descriptor_pb2.FileDescriptorProto]] = {
    "confluent/meta.proto": _meta_file,
    "confluent/type/decimal.proto": _decimal_file,
    "confluent/type/variant.proto": _variant_file,
}

BUILT_IN_FILES: frozenset[str] = frozenset(_MODULE_OF) | frozenset(_BUILDERS)
"""The names of all built-in files."""
