"""Schemas of every origin behind one protocol: built in Python, compiled, or taken from text and files.

`load_schema` takes text or a file, `ProtoMessage` builds one in Python, `CompiledProtoMessage` wraps a generated
class; each is a `ProtoSchema`, and code that uses schemas does not care which one it holds.
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
    from protopact.schema.parts import ProtoEnum, ProtoField
    from protopact.schema.protocol import ProtoSchema
    from protopact.schema.saving import save_texts

__all__ = [
    "CompiledProtoMessage",
    "DescribedSchema",
    "GeneratedFiles",
    "ProtoEnum",
    "ProtoField",
    "ProtoMessage",
    "ProtoSchema",
    "check_compatibility",
    "compile_protos",
    "load_compiled_message",
    "load_schema",
    "save_texts",
    "schema_of",
]

__getattr__ = door(
    __name__,
    {
        "CompiledProtoMessage": "compiled",
        "DescribedSchema": "described",
        "GeneratedFiles": "generated",
        "ProtoEnum": "parts",
        "ProtoField": "parts",
        "ProtoMessage": "dynamic",
        "ProtoSchema": "protocol",
        "check_compatibility": "check",
        "compile_protos": "generated",
        "load_compiled_message": "compiled",
        "load_schema": "load",
        "save_texts": "saving",
        "schema_of": "load",
    },
)
