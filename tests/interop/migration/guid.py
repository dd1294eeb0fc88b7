"""Write an order with its schema's GUID in a header, then read one, as Confluent's client has it: bytes as hex."""

import json
import sys

from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext


def main(registry, generated, payload, header):
    sys.path.insert(0, generated)
    from shop import order_pb2

    client = SchemaRegistryClient({"url": registry})
    headers = []
    context = SerializationContext("guid", MessageField.VALUE, headers)
    conf = {"schema.id.serializer": header_schema_id_serializer}
    written = ProtobufSerializer(order_pb2.Order.Line, client, conf)(order_pb2.Order.Line(sku="b", count=3), context)
    context.headers = {"__value_schema_id": bytes.fromhex(header)}
    read = ProtobufDeserializer(order_pb2.Order.Line, None, client)(bytes.fromhex(payload), context)
    print(json.dumps({"payload": written.hex(), "headers": [[k, v.hex()] for k, v in headers], "sku": read.sku}))


if __name__ == "__main__":
    main(*sys.argv[1:])
