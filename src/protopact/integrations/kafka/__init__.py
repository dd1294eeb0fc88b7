"""Kafka through confluent-kafka (librdkafka): topics, confirmed delivery, consuming that commits after processing.

A configuration is any mapping of librdkafka's properties, or the bootstrap servers alone as text. What librdkafka
has to say goes to the logger `protopact.kafka`; its failures are `BrokerError`, a refused property is `ConfigError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.integrations.kafka.consuming import (
        consume as consume,
        kafka_consume_one as kafka_consume_one,
        kafka_records as kafka_records,
    )
    from protopact.integrations.kafka.librdkafka import KafkaConf as KafkaConf, new_producer as new_producer
    from protopact.integrations.kafka.producing import kafka_produce as kafka_produce, produce_all as produce_all
    from protopact.integrations.kafka.reading import Start as Start, read_topic as read_topic
    from protopact.integrations.kafka.record import (
        Delivery as Delivery,
        KafkaRecord as KafkaRecord,
        OutgoingRecord as OutgoingRecord,
    )
    from protopact.integrations.kafka.topics import EnsuredTopics as EnsuredTopics, ensure_topics as ensure_topics

__all__ = [
    "Delivery",
    "EnsuredTopics",
    "KafkaConf",
    "KafkaRecord",
    "OutgoingRecord",
    "Start",
    "consume",
    "ensure_topics",
    "kafka_consume_one",
    "kafka_produce",
    "kafka_records",
    "new_producer",
    "produce_all",
    "read_topic",
]

__getattr__ = door(
    __name__,
    {
        "Delivery": "record",
        "EnsuredTopics": "topics",
        "KafkaConf": "librdkafka",
        "KafkaRecord": "record",
        "OutgoingRecord": "record",
        "Start": "reading",
        "consume": "consuming",
        "ensure_topics": "topics",
        "kafka_consume_one": "consuming",
        "kafka_produce": "producing",
        "kafka_records": "consuming",
        "new_producer": "librdkafka",
        "produce_all": "producing",
        "read_topic": "reading",
    },
)
