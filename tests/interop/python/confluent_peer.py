"""Confluent's Python client on the other end of a pipe: a JSON line in, a JSON line out.

    python confluent_peer.py DIRECTORY-OF-GENERATED-CODE MODULE...

Every serializer, deserializer and client here has Confluent's default settings, but for what a call says of its login.
Bytes travel as hex.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from confluent_kafka.schema_registry import (
    AsyncSchemaRegistryClient,
    Schema,
    SchemaRegistryClient,
    ServerConfig,
)
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from google.protobuf import json_format

if TYPE_CHECKING:
    from google.protobuf.message import Message

Call = dict[str, Any]

sys.path.insert(0, sys.argv[1])
generated = [importlib.import_module(name) for name in sys.argv[2:]]
loop = asyncio.new_event_loop()


def message_class(path: str) -> type[Message]:
    """Give the generated class of `Order` or `Order.Line`."""
    first, *nested = path.split(".")
    found = next(getattr(module, first) for module in generated if hasattr(module, first))
    for name in nested:
        found = getattr(found, name)
    return found


LOGINS = {
    "password": "basic.auth.user.info",
    "token": "bearer.auth.token",
    "token_endpoint": "bearer.auth.issuer.endpoint.url",
    "client_id": "bearer.auth.client.id",
    "client_secret": "bearer.auth.client.secret",
    "authority": "ssl.ca.location",
    "certificate": "ssl.certificate.location",
    "key": "ssl.key.location",
}


def settings(registry: str, login: str) -> dict[str, Any]:
    """Give the settings of a client that logs in so; one that does is not to try again."""
    said = json.loads(login)
    found: dict[str, Any] = {"url": registry} | {LOGINS[name]: value for name, value in said.items()}
    if "token" in said:
        found |= {"bearer.auth.credentials.source": "STATIC_TOKEN", "bearer.auth.logical.cluster": "lsrc-1"}
    if "token_endpoint" in said:
        found |= {"bearer.auth.credentials.source": "OAUTHBEARER", "bearer.auth.scope": "registry"}
        found |= {"bearer.auth.logical.cluster": "lsrc-1", "bearer.auth.identity.pool.id": "pool-1"}
    return found | ({"max.retries": 0} if said else {})


@lru_cache
def client(registry: str, login: str = "{}") -> SchemaRegistryClient:
    return SchemaRegistryClient(settings(registry, login))


@lru_cache
def async_client(registry: str, login: str = "{}") -> AsyncSchemaRegistryClient:
    return AsyncSchemaRegistryClient(settings(registry, login))


@lru_cache
def serializer(registry: str, message: str) -> ProtobufSerializer:
    return ProtobufSerializer(message_class(message), client(registry))


@lru_cache
def deserializer(registry: str | None, message: str) -> ProtobufDeserializer:
    if registry is None:
        return ProtobufDeserializer(message_class(message))
    return ProtobufDeserializer(message_class(message), schema_registry_client=client(registry))


def forget(_call: Call) -> None:
    """Have every client be a new one: another registry may listen where an earlier one did."""
    for kept in (client, async_client, serializer, deserializer):
        kept.cache_clear()


def context(call: Call) -> SerializationContext:
    return SerializationContext(call["topic"], MessageField.KEY if call.get("is_key") else MessageField.VALUE)


def serialize(call: Call) -> str:
    message = json_format.ParseDict(call["json"], message_class(call["message"])())
    return serializer(call["registry"], call["message"])(message, context(call)).hex()


def deserialize(call: Call) -> dict[str, Any] | None:
    raw = None if call["bytes"] is None else bytes.fromhex(call["bytes"])
    message = deserializer(call["registry"], call["message"])(raw, context(call))
    return None if message is None else json_format.MessageToDict(message, preserving_proto_field_name=True)


def ask(call: Call) -> Any:
    """Call a method of the registry client, the plain one or the asynchronous one."""
    arguments = {name: taken(name, value) for name, value in call["arguments"].items()}
    place = (call["registry"], json.dumps(call.get("login", {})))
    if not call["is_async"]:
        return given(getattr(client(*place), call["method"])(**arguments))
    return given(loop.run_until_complete(getattr(async_client(*place), call["method"])(**arguments)))


def taken(name: str, value: Any) -> Any:
    """Give an argument as their client wants it."""
    classes = {"schema": Schema, "config": ServerConfig}
    return classes[name].from_dict(value) if name in classes else value


def given(value: Any) -> Any:
    """Give an answer of their client as JSON."""
    if isinstance(value, list):
        return [given(item) for item in value]
    if type(value).__name__ == "SchemaVersion":  # which their door does not give
        return [value.subject, value.version]
    return value.to_dict() if hasattr(value, "to_dict") else value


OPERATIONS = {"serialize": serialize, "deserialize": deserialize, "client": ask, "forget": forget}


def answer(call: Call) -> dict[str, Any]:
    try:
        return {"result": OPERATIONS[call["op"]](call)}
    except SchemaRegistryError as error:
        return {
            "error": type(error).__name__,
            "code": error.error_code,
            "status": error.http_status_code,
            "text": str(error),
        }
    except Exception as error:  # noqa: BLE001  (whatever it is, the test on the other side judges it)
        return {"error": type(error).__name__, "text": str(error)}


for line in sys.stdin:
    sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
    sys.stdout.flush()
