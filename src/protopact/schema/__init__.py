"""Schemas of every origin behind one protocol: built in Python, compiled, or taken from text and files.

`load_schema` takes text or a file, `ProtoMessage` builds one in Python, `CompiledProtoMessage` wraps a generated
class, `schema_of` derives one from a model; each is a `ProtoSchema`, and code that uses schemas does not care which
one it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.schema.check import check_compatibility
    from protopact.schema.compiled import CompiledProtoMessage, load_compiled_message
    from protopact.schema.described import DescribedSchema
    from protopact.schema.dynamic import ProtoMessage
    from protopact.schema.generated import GeneratedFiles, compile_protos
    from protopact.schema.load import load_schema, schema_of
    from protopact.schema.model import (
        Fixed32,
        Fixed64,
        Float32,
        Int32,
        Int64,
        LockChanges,
        ModelSchema,
        ProtoAnnotation,
        SFixed32,
        SFixed64,
        SInt32,
        SInt64,
        UInt32,
        UInt64,
        lock_models,
        model_decoder,
        model_encoder,
        models_in,
        proto,
        proto_message,
    )
    from protopact.schema.parts import ProtoEnum, ProtoField
    from protopact.schema.protocol import ProtoSchema
    from protopact.schema.saving import save_texts

__all__ = [
    "CompiledProtoMessage",
    "DescribedSchema",
    "Fixed32",
    "Fixed64",
    "Float32",
    "GeneratedFiles",
    "Int32",
    "Int64",
    "LockChanges",
    "ModelSchema",
    "ProtoAnnotation",
    "ProtoEnum",
    "ProtoField",
    "ProtoMessage",
    "ProtoSchema",
    "SFixed32",
    "SFixed64",
    "SInt32",
    "SInt64",
    "UInt32",
    "UInt64",
    "check_compatibility",
    "compile_protos",
    "load_compiled_message",
    "load_schema",
    "lock_models",
    "model_decoder",
    "model_encoder",
    "models_in",
    "proto",
    "proto_message",
    "save_texts",
    "schema_of",
]

__getattr__ = door(
    __name__,
    {
        "CompiledProtoMessage": "compiled",
        "DescribedSchema": "described",
        "Fixed32": "protopact.schema.model",
        "Fixed64": "protopact.schema.model",
        "Float32": "protopact.schema.model",
        "GeneratedFiles": "generated",
        "Int32": "protopact.schema.model",
        "Int64": "protopact.schema.model",
        "LockChanges": "protopact.schema.model",
        "ModelSchema": "protopact.schema.model",
        "ProtoAnnotation": "protopact.schema.model",
        "ProtoEnum": "parts",
        "ProtoField": "parts",
        "ProtoMessage": "dynamic",
        "ProtoSchema": "protocol",
        "SFixed32": "protopact.schema.model",
        "SFixed64": "protopact.schema.model",
        "SInt32": "protopact.schema.model",
        "SInt64": "protopact.schema.model",
        "UInt32": "protopact.schema.model",
        "UInt64": "protopact.schema.model",
        "check_compatibility": "check",
        "compile_protos": "generated",
        "load_compiled_message": "compiled",
        "load_schema": "load",
        "lock_models": "protopact.schema.model",
        "model_decoder": "protopact.schema.model",
        "model_encoder": "protopact.schema.model",
        "models_in": "protopact.schema.model",
        "proto": "protopact.schema.model",
        "proto_message": "protopact.schema.model",
        "save_texts": "saving",
        "schema_of": "load",
    },
)
