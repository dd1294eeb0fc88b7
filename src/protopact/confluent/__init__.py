"""The names of confluent_kafka's serializers, over protopact's: changing the import is the migration.

`confluent_kafka.serialization` becomes `protopact.confluent.serialization`, `confluent_kafka.schema_registry` and what
is below it `protopact.confluent.schema_registry`; everything also stands here. Producers and consumers stay
confluent_kafka's own. The configuration keys are in one table, `conf`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.confluent.schema_registry.client import SchemaRegistryClient
    from protopact.confluent.schema_registry.error import SchemaRegistryError
    from protopact.confluent.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
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
    from protopact.confluent.serialization import (
        ConfigurationError,
        Deserializer,
        DoubleDeserializer,
        DoubleSerializer,
        IntegerDeserializer,
        IntegerSerializer,
        MessageField,
        SerializationContext,
        SerializationError,
        Serializer,
        StringDeserializer,
        StringSerializer,
    )

__all__ = [
    "ConfigurationError",
    "Deserializer",
    "DoubleDeserializer",
    "DoubleSerializer",
    "IntegerDeserializer",
    "IntegerSerializer",
    "MessageField",
    "ProtobufDeserializer",
    "ProtobufSerializer",
    "RegisteredSchema",
    "Schema",
    "SchemaReference",
    "SchemaRegistryClient",
    "SchemaRegistryError",
    "SerializationContext",
    "SerializationError",
    "Serializer",
    "StringDeserializer",
    "StringSerializer",
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
        "ConfigurationError": "serialization",
        "Deserializer": "serialization",
        "DoubleDeserializer": "serialization",
        "DoubleSerializer": "serialization",
        "IntegerDeserializer": "serialization",
        "IntegerSerializer": "serialization",
        "MessageField": "serialization",
        "ProtobufDeserializer": "protopact.confluent.schema_registry.protobuf",
        "ProtobufSerializer": "protopact.confluent.schema_registry.protobuf",
        "RegisteredSchema": "protopact.confluent.schema_registry.schemas",
        "Schema": "protopact.confluent.schema_registry.schemas",
        "SchemaReference": "protopact.confluent.schema_registry.schemas",
        "SchemaRegistryClient": "protopact.confluent.schema_registry.client",
        "SchemaRegistryError": "protopact.confluent.schema_registry.error",
        "SerializationContext": "serialization",
        "SerializationError": "serialization",
        "Serializer": "serialization",
        "StringDeserializer": "serialization",
        "StringSerializer": "serialization",
        "dual_schema_id_deserializer": "protopact.confluent.schema_registry.strategies",
        "header_schema_id_serializer": "protopact.confluent.schema_registry.strategies",
        "prefix_schema_id_deserializer": "protopact.confluent.schema_registry.strategies",
        "prefix_schema_id_serializer": "protopact.confluent.schema_registry.strategies",
        "record_subject_name_strategy": "protopact.confluent.schema_registry.strategies",
        "reference_subject_name_strategy": "protopact.confluent.schema_registry.strategies",
        "topic_record_subject_name_strategy": "protopact.confluent.schema_registry.strategies",
        "topic_subject_name_strategy": "protopact.confluent.schema_registry.strategies",
    },
)
