"""Confluent's Python client on the other end of a pipe: a JSON line in, a JSON line out.

    python confluent_peer.py DIRECTORY-OF-GENERATED-CODE MODULE

Every serializer, deserializer and client here has Confluent's default settings. Bytes travel as hex.
"""

from __future__ import annotations

import importlib
import json
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry import RegisteredSchema, Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import json_format

if TYPE_CHECKING:
    from google.protobuf.message import Message

Call = dict[str, Any]

sys.path.insert(0, sys.argv[1])
generated = importlib.import_module(sys.argv[2])


def message_class(path: str) -> type[Message]:
    """Give the generated class of `Order` or `Order.Line`."""
    found = generated
    for name in path.split("."):
        found = getattr(found, name)
    return found


@lru_cache
def client(registry: str) -> SchemaRegistryClient:
    return SchemaRegistryClient({"url": registry})


@lru_cache
def serializer(registry: str, message: str) -> ProtobufSerializer:
    return ProtobufSerializer(message_class(message), client(registry))


@lru_cache
def deserializer(registry: str | None, message: str) -> ProtobufDeserializer:
    if registry is None:
        return ProtobufDeserializer(message_class(message))
    return ProtobufDeserializer(message_class(message), schema_registry_client=client(registry))


def context(call: Call) -> SerializationContext:
    return SerializationContext(call["topic"], MessageField.KEY if call.get("is_key") else MessageField.VALUE)


def serialize(call: Call) -> str:
    message = json_format.ParseDict(call["json"], message_class(call["message"])())
    return serializer(call["registry"], call["message"])(message, context(call)).hex()


def deserialize(call: Call) -> dict[str, Any] | None:
    raw = None if call["bytes"] is None else bytes.fromhex(call["bytes"])
    message = deserializer(call["registry"], call["message"])(raw, context(call))
    return None if message is None else json_format.MessageToDict(message, preserving_proto_field_name=True)


def schema_of(call: Call) -> Schema:
    references = [SchemaReference(*reference) for reference in call.get("references", [])]
    return Schema(call["schema"], "PROTOBUF", references)


def described(schema: Schema) -> dict[str, Any]:
    references = [[each.name, each.subject, each.version] for each in schema.references or []]
    return {"schema": schema.schema_str, "type": schema.schema_type, "references": references}


def registered(found: RegisteredSchema) -> dict[str, Any]:
    return {
        "subject": found.subject,
        "version": found.version,
        "id": found.schema_id,
        "guid": found.guid,
        **(described(found.schema) if found.schema else {}),
    }


OPERATIONS = {
    "serialize": serialize,
    "deserialize": deserialize,
    "register": lambda call: client(call["registry"]).register_schema(call["subject"], schema_of(call)),
    "register_full": lambda call: registered(
        client(call["registry"]).register_schema_full_response(call["subject"], schema_of(call))
    ),
    "lookup": lambda call: registered(client(call["registry"]).lookup_schema(call["subject"], schema_of(call))),
    "by_id": lambda call: described(client(call["registry"]).get_schema(call["id"], fmt=call.get("format"))),
    "subjects": lambda call: client(call["registry"]).get_subjects(),
    "versions": lambda call: client(call["registry"]).get_versions(call["subject"]),
    "version": lambda call: registered(client(call["registry"]).get_version(call["subject"], call["version"])),
    "latest": lambda call: registered(client(call["registry"]).get_latest_version(call["subject"])),
    "types": lambda call: client(call["registry"]).get_schema_types(),
    "usage": lambda call: [
        [each.subject, each.version] for each in client(call["registry"]).get_schema_versions(call["id"])
    ],
}


def answer(call: Call) -> dict[str, Any]:
    try:
        return {"result": OPERATIONS[call["op"]](call)}
    except SchemaRegistryError as error:
        return {"error": type(error).__name__, "code": error.error_code, "status": error.http_status_code}
    except Exception as error:  # noqa: BLE001  (whatever it is, the test on the other side judges it)
        return {"error": type(error).__name__, "text": str(error)}


for line in sys.stdin:
    sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
    sys.stdout.flush()
