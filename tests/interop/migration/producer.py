"""A producer of orders, as written for Confluent's client: a plain producer, then one that serializes itself."""

import argparse
import json
import sys
import time

from confluent_kafka import Producer, SerializingProducer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext, StringSerializer


def delivery_report(err, msg):
    """Report the failed delivery of a record; nothing is said of one that arrived."""
    if err is not None:
        print(f"Delivery failed for record {msg.key()}: {err}", file=sys.stderr)


def main(args):
    sys.path.insert(0, args.generated)
    from shop import order_pb2

    topic = args.topic
    schema_registry_client = SchemaRegistryClient({"url": args.schema_registry})
    string_serializer = StringSerializer("utf8")
    protobuf_serializer = ProtobufSerializer(order_pb2.Order, schema_registry_client, {"use.deprecated.format": False})
    producer = Producer({"bootstrap.servers": args.bootstrap_servers})
    orders = [
        order_pb2.Order(
            id=number,
            buyer=order_pb2.Order.Buyer(name=f"buyer {number}"),
            lines=[order_pb2.Order.Line(sku="a", count=number)],
            notes={"door": "blue"},
            signature=b"\x00\xff",
            gift=bool(number % 2),
        )
        for number in range(args.count)
    ]
    for order in orders:
        producer.poll(0.0)
        producer.produce(
            topic=topic,
            partition=0,
            key=string_serializer(str(order.id)),
            value=protobuf_serializer(order, SerializationContext(topic, MessageField.VALUE)),
            on_delivery=delivery_report,
        )
    producer.flush()

    serializing = SerializingProducer(
        {
            "bootstrap.servers": args.bootstrap_servers,
            "key.serializer": string_serializer,
            "value.serializer": protobuf_serializer,
        }
    )
    for order in orders:
        serializing.produce(topic=topic, key=str(order.id), value=order, partition=0, on_delivery=delivery_report)
    serializing.flush()

    context = SerializationContext(topic, MessageField.VALUE)
    started = time.process_time()
    for _ in range(args.rounds):
        protobuf_serializer(orders[0], context)
    print(json.dumps({"per_s": args.rounds / (time.process_time() - started)}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="ProtobufSerializer example")
    parser.add_argument("-b", dest="bootstrap_servers", required=True, help="Bootstrap broker(s) (host[:port])")
    parser.add_argument("-s", dest="schema_registry", required=True, help="Schema Registry (http(s)://host[:port])")
    parser.add_argument("-t", dest="topic", required=True, help="Topic name")
    parser.add_argument("--generated", required=True, help="Directory of generated code")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=20000)
    main(parser.parse_args())
