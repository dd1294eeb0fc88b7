"""`protopact bench` with Confluent's client beside it, in the environment that has it.

    just bench-confluent [the options of `protopact bench`]

Its serializers and deserializers have a registry of ours over HTTP, and their default settings, but for the row that
names the latest version; its schemas are registered before the clock starts. Both clients get the same message classes.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from protopact.cli import bench
from protopact.server import background_registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message


class Confluent:
    name = "Confluent"

    def __init__(self, registry_url: str) -> None:
        self._client = SchemaRegistryClient({"url": registry_url})

    def writer(self, message: Message, *, names_latest: bool = False) -> Callable[[Message], bytes]:
        write, context = ProtobufSerializer(type(message), self._client), self._context(message)
        write(message, context)
        if names_latest:
            conf = {"auto.register.schemas": False, "use.latest.version": True}
            write = ProtobufSerializer(type(message), self._client, conf)
            write(message, context)
        return lambda message: write(message, context)

    def reader(self, message: Message) -> Callable[[bytes], Message]:
        read, context = ProtobufDeserializer(type(message), {}, self._client), self._context(message)
        assert read(self.writer(message)(message), context) == message
        return lambda raw: read(raw, context)

    @staticmethod
    def _context(message: Message) -> SerializationContext:
        return SerializationContext(message.DESCRIPTOR.file.name, MessageField.VALUE)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    bench.configure(parser)
    with background_registry() as registry_url:
        parser.set_defaults(rival=Confluent(registry_url))
        options = parser.parse_args()
        options.run(options)


if __name__ == "__main__":
    main()
