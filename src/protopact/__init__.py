"""Schema-governed Protobuf messaging: a model, a `.proto` or a registry subject in, typed records out.

The names below are the front door. Each is loaded when it is first used, so that `import protopact` alone loads
neither protobuf nor an HTTP client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.client import AsyncSchemaRegistryClient, SchemaRegistryClient
    from protopact.connect import connect_registry, connect_registry_async
    from protopact.convert import from_dict, from_json, to_dict, to_json
    from protopact.schema import (
        CompiledProtoMessage,
        ProtoEnum,
        ProtoField,
        ProtoMessage,
        ProtoSchema,
        check_compatibility,
        compile_protos,
        load_compiled_message,
        load_schema,
        proto,
        proto_message,
        schema_of,
    )
    from protopact.serdes import (
        AsyncDeserializer,
        AsyncSerializer,
        Deserializer,
        ReferenceSubjectNameStrategy,
        Serializer,
        SubjectNameStrategy,
    )
    from protopact.stream import DelimitedWriter, read_delimited, write_delimited

__version__ = "0.1.0"

__all__ = [
    "AsyncDeserializer",
    "AsyncSchemaRegistryClient",
    "AsyncSerializer",
    "CompiledProtoMessage",
    "DelimitedWriter",
    "Deserializer",
    "ProtoEnum",
    "ProtoField",
    "ProtoMessage",
    "ProtoSchema",
    "ReferenceSubjectNameStrategy",
    "SchemaRegistryClient",
    "Serializer",
    "SubjectNameStrategy",
    "__version__",
    "check_compatibility",
    "compile_protos",
    "connect_registry",
    "connect_registry_async",
    "from_dict",
    "from_json",
    "load_compiled_message",
    "load_schema",
    "proto",
    "proto_message",
    "read_delimited",
    "schema_of",
    "to_dict",
    "to_json",
    "write_delimited",
]

__getattr__ = door(
    __name__,
    {
        "AsyncDeserializer": "protopact.serdes",
        "AsyncSchemaRegistryClient": "protopact.client",
        "AsyncSerializer": "protopact.serdes",
        "CompiledProtoMessage": "protopact.schema",
        "DelimitedWriter": "protopact.stream",
        "Deserializer": "protopact.serdes",
        "ProtoEnum": "protopact.schema",
        "ProtoField": "protopact.schema",
        "ProtoMessage": "protopact.schema",
        "ProtoSchema": "protopact.schema",
        "ReferenceSubjectNameStrategy": "protopact.serdes",
        "SchemaRegistryClient": "protopact.client",
        "Serializer": "protopact.serdes",
        "SubjectNameStrategy": "protopact.serdes",
        "check_compatibility": "protopact.schema",
        "compile_protos": "protopact.schema",
        "connect_registry": "protopact.connect",
        "connect_registry_async": "protopact.connect",
        "from_dict": "protopact.convert",
        "from_json": "protopact.convert",
        "load_compiled_message": "protopact.schema",
        "load_schema": "protopact.schema",
        "proto": "protopact.schema",
        "proto_message": "protopact.schema",
        "read_delimited": "protopact.stream",
        "schema_of": "protopact.schema",
        "to_dict": "protopact.convert",
        "to_json": "protopact.convert",
        "write_delimited": "protopact.stream",
    },
)
