"""The names of `confluent_kafka.schema_registry`: the client, what it gives, and the naming of subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.confluent.schema_registry.client import SchemaRegistryClient
    from protopact.confluent.schema_registry.error import SchemaRegistryError
    from protopact.confluent.schema_registry.schemas import RegisteredSchema, Schema, SchemaReference
    from protopact.confluent.schema_registry.strategies import (
        dual_schema_id_deserializer,
        header_schema_id_serializer,
        prefix_schema_id_deserializer,
        prefix_schema_id_serializer,
        record_subject_name_strategy,
        reference_subject_name_strategy,
        topic_record_subject_name_strategy,
        topic_subject_name_strategy,
    )

__all__ = [
    "RegisteredSchema",
    "Schema",
    "SchemaReference",
    "SchemaRegistryClient",
    "SchemaRegistryError",
    "dual_schema_id_deserializer",
    "header_schema_id_serializer",
    "prefix_schema_id_deserializer",
    "prefix_schema_id_serializer",
    "record_subject_name_strategy",
    "reference_subject_name_strategy",
    "topic_record_subject_name_strategy",
    "topic_subject_name_strategy",
]

__getattr__ = door(
    __name__,
    {
        "RegisteredSchema": "schemas",
        "Schema": "schemas",
        "SchemaReference": "schemas",
        "SchemaRegistryClient": "client",
        "SchemaRegistryError": "error",
        "dual_schema_id_deserializer": "strategies",
        "header_schema_id_serializer": "strategies",
        "prefix_schema_id_deserializer": "strategies",
        "prefix_schema_id_serializer": "strategies",
        "record_subject_name_strategy": "strategies",
        "reference_subject_name_strategy": "strategies",
        "topic_record_subject_name_strategy": "strategies",
        "topic_subject_name_strategy": "strategies",
    },
)
