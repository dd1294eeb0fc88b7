"""Schemas of pydantic models and dataclasses: derived from them, or checked against a schema that exists.

The way of a model: `reading` makes a shape of each class, `numbers` gives its fields their numbers (said, locked, or
in order), `derive` makes the file. The way of a value: `binding` matches a shape with a message, `values` makes the two
functions between them. Only this room knows pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door
from protopact.schema.model.installed import require_pydantic

if TYPE_CHECKING:
    from protopact.schema.model.annotations import (
        Fixed32,
        Fixed64,
        Float32,
        Int32,
        Int64,
        ProtoAnnotation,
        SFixed32,
        SFixed64,
        SInt32,
        SInt64,
        UInt32,
        UInt64,
        proto,
        proto_message,
    )
    from protopact.schema.model.derive import ModelSchema, derive_schema
    from protopact.schema.model.locking import LockChanges, lock_models, models_in
    from protopact.schema.model.values import model_decoder, model_encoder

__all__ = [
    "Fixed32",
    "Fixed64",
    "Float32",
    "Int32",
    "Int64",
    "LockChanges",
    "ModelSchema",
    "ProtoAnnotation",
    "SFixed32",
    "SFixed64",
    "SInt32",
    "SInt64",
    "UInt32",
    "UInt64",
    "derive_schema",
    "lock_models",
    "model_decoder",
    "model_encoder",
    "models_in",
    "proto",
    "proto_message",
]

require_pydantic()

__getattr__ = door(
    __name__,
    {
        "Fixed32": "annotations",
        "Fixed64": "annotations",
        "Float32": "annotations",
        "Int32": "annotations",
        "Int64": "annotations",
        "LockChanges": "locking",
        "ModelSchema": "derive",
        "ProtoAnnotation": "annotations",
        "SFixed32": "annotations",
        "SFixed64": "annotations",
        "SInt32": "annotations",
        "SInt64": "annotations",
        "UInt32": "annotations",
        "UInt64": "annotations",
        "derive_schema": "derive",
        "lock_models": "locking",
        "model_decoder": "values",
        "model_encoder": "values",
        "models_in": "locking",
        "proto": "annotations",
        "proto_message": "annotations",
    },
)
