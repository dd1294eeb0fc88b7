"""A consumer of orders, as written for Confluent's client: a plain consumer, then one that deserializes itself."""

import argparse
import json
import sys
import time

from confluent_kafka import Consumer, DeserializingConsumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext, StringDeserializer


def shown(order):
    """Give what a test can compare."""
    return [order.id, order.buyer.name, [line.count for line in order.lines], dict(order.notes), order.gift]


def main(args):
    sys.path.insert(0, args.generated)
    from shop import order_pb2

    topic = args.topic
    alone = ProtobufDeserializer(order_pb2.Order, {"use.deprecated.format": False})
    with_registry = ProtobufDeserializer(
        order_pb2.Order, {"use.deprecated.format": False}, SchemaRegistryClient({"url": args.schema_registry})
    )
    conf = {"bootstrap.servers": args.bootstrap_servers, "auto.offset.reset": "earliest"}

    consumer = Consumer({**conf, "group.id": args.group + "-plain"})
    consumer.subscribe([topic])
    records = []
    while len(records) < args.count:
        msg = consumer.poll(1.0)
        if msg is None:
            continue
        order = alone(msg.value(), SerializationContext(topic, MessageField.VALUE))
        if order is not None:
            records.append([msg.key().decode(), msg.value().hex(), shown(order)])
            raw = msg.value()
    consumer.close()

    deserializing = DeserializingConsumer(
        {
            **conf,
            "group.id": args.group + "-deserializing",
            "key.deserializer": StringDeserializer("utf_8"),
            "value.deserializer": with_registry,
        }
    )
    deserializing.subscribe([topic])
    again = []
    while len(again) < args.count:
        msg = deserializing.poll(1.0)
        if msg is not None:
            again.append([msg.key(), shown(msg.value())])
    deserializing.close()

    context = SerializationContext(topic, MessageField.VALUE)
    started = time.process_time()
    for _ in range(args.rounds):
        with_registry(raw, context)
    per_s = args.rounds / (time.process_time() - started)
    print(json.dumps({"records": records, "again": again, "per_s": per_s}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="ProtobufDeserializer example")
    parser.add_argument("-b", dest="bootstrap_servers", required=True, help="Bootstrap broker(s) (host[:port])")
    parser.add_argument("-s", dest="schema_registry", required=True, help="Schema Registry (http(s)://host[:port])")
    parser.add_argument("-t", dest="topic", required=True, help="Topic name")
    parser.add_argument("-g", dest="group", default="example_serde_protobuf", help="Consumer group")
    parser.add_argument("--generated", required=True, help="Directory of generated code")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=20000)
    main(parser.parse_args())
