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
    from protopact.convert import from_dict, to_dict
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
        schema_of,
    )
    from protopact.serdes import Deserializer, Serializer, SubjectNameStrategy

__version__ = "0.1.0"

__all__ = [
    "AsyncSchemaRegistryClient",
    "CompiledProtoMessage",
    "Deserializer",
    "ProtoEnum",
    "ProtoField",
    "ProtoMessage",
    "ProtoSchema",
    "SchemaRegistryClient",
    "Serializer",
    "SubjectNameStrategy",
    "__version__",
    "check_compatibility",
    "compile_protos",
    "connect_registry",
    "connect_registry_async",
    "from_dict",
    "load_compiled_message",
    "load_schema",
    "schema_of",
    "to_dict",
]

__getattr__ = door(
    __name__,
    {
        "AsyncSchemaRegistryClient": "protopact.client",
        "CompiledProtoMessage": "protopact.schema",
        "Deserializer": "protopact.serdes",
        "ProtoEnum": "protopact.schema",
        "ProtoField": "protopact.schema",
        "ProtoMessage": "protopact.schema",
        "ProtoSchema": "protopact.schema",
        "SchemaRegistryClient": "protopact.client",
        "Serializer": "protopact.serdes",
        "SubjectNameStrategy": "protopact.serdes",
        "check_compatibility": "protopact.schema",
        "compile_protos": "protopact.schema",
        "connect_registry": "protopact.connect",
        "connect_registry_async": "protopact.connect",
        "from_dict": "protopact.convert",
        "load_compiled_message": "protopact.schema",
        "load_schema": "protopact.schema",
        "schema_of": "protopact.schema",
        "to_dict": "protopact.convert",
    },
)
