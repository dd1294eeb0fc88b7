"""What a broker under the contract may refuse, by name, and how a client tries it: it works, or an error is raised."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, ShareConsumer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourcePatternType,
    ResourceType,
)

from contract.kafka_clients import WAIT_S, Clients, Record, messages, new_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Name → reason. What is built later leaves this table, and its attempt must then succeed.
REFUSED: Mapping[str, str] = {
    "transactions": "a later step",
    "transactions by aiokafka": "a later step",
    "consumer groups of KIP-848": "a later step; the classic protocol has all that they do",
    "share groups": "a later step",
    "compaction by a topic's config": "a later step",
    "compaction by a change of config": "a later step",
    "a bound on the times of records": "tests move the broker's clock, and clients have their own",
    "compression by the broker": "batches stay as their producer compressed them",
    "SASL": "the broker listens on loopback",
    "TLS": "the broker listens on loopback",
    "ACLs": "the broker knows no users",
}
# Apache Kafka as the tests start it: some things must be configured first.
APACHE_REFUSES: Mapping[str, str] = {
    "share groups": "a preview in 4.1: the feature is off",
    "SASL": "the listener is plain",
    "TLS": "the listener is plain",
    "ACLs": "no authorizer is configured",
}
_SILENCE = {KafkaError._TIMED_OUT, KafkaError._TIMED_OUT_QUEUE, KafkaError._MSG_TIMED_OUT, KafkaError._WAIT_COORD}


def is_silence(error: Exception) -> bool:
    """Whether a client says that it was given no answer."""
    return isinstance(error, KafkaTimeoutError) or (
        isinstance(error, KafkaException) and error.args[0].code() in _SILENCE
    )


def transact(clients: Clients) -> None:
    topic = clients.new_topic()
    producer = Producer({**clients.conf, "transactional.id": new_name("transaction")})
    try:
        producer.init_transactions(WAIT_S)
        producer.begin_transaction()
        producer.produce(topic, b"aborted")
        producer.abort_transaction(WAIT_S)
        producer.begin_transaction()
        producer.produce(topic, b"committed")
        producer.commit_transaction(WAIT_S)
    finally:
        with suppress(KafkaException):  # a producer that was refused tells it once more
            producer.close()
    (record,) = clients.read(topic, 1, conf={"isolation.level": "read_committed"})
    assert record.value == b"committed"


def transact_by_aiokafka(clients: Clients) -> None:
    topic = clients.new_topic()

    async def write() -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=clients.broker.bootstrap_servers, transactional_id=new_name("transaction")
        )
        try:
            await producer.start()
            async with producer.transaction():
                await producer.send_and_wait(topic, b"committed")
        finally:
            await producer.stop()

    asyncio.run(asyncio.wait_for(write(), WAIT_S))
    assert clients.read(topic, 1)[0].value == b"committed"


def consume_by_kip_848(clients: Clients) -> None:
    topic = clients.new_topic()
    clients.produce(topic, [Record(b"x")])
    consumer = clients.consumer({"group.protocol": "consumer"})
    consumer.subscribe([topic])
    assert next(messages(consumer, 1)).value() == b"x"


def consume_in_a_share_group(clients: Clients) -> None:
    topic = clients.new_topic()
    errors: list[KafkaError] = []
    consumer = ShareConsumer({**clients.conf, "group.id": new_name("group"), "error_cb": errors.append})
    try:
        consumer.subscribe([topic])
        consumer.poll(WAIT_S)
    finally:
        consumer.close()
    if errors:
        raise KafkaException(errors[0])


def create_a_compacted_topic(clients: Clients) -> None:
    clients.new_topic(config={"cleanup.policy": "compact"})


def create_a_topic_that_compresses(clients: Clients) -> None:
    topic = clients.new_topic(config={"compression.type": "gzip"})
    clients.produce(topic, [Record(b"x")])
    assert clients.read(topic, 1)[0].value == b"x"


def write_a_time_in_the_future(clients: Clients) -> None:
    topic = clients.new_topic(config={"message.timestamp.after.max.ms": "60000"})
    now_ms = int(time.time() * 1000)
    clients.produce(topic, [Record(b"x", timestamp_ms=now_ms + 30_000)])
    with pytest.raises(KafkaException) as refused:
        clients.produce(topic, [Record(b"x", timestamp_ms=now_ms + 90_000)])
    assert refused.value.args[0].code() == KafkaError.INVALID_TIMESTAMP
    assert clients.end_of(topic) == 1


def make_a_topic_compacted(clients: Clients) -> None:
    change = ConfigEntry("cleanup.policy", "compact", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, clients.new_topic(), incremental_configs=[change])
    clients.admin.incremental_alter_configs([resource])[resource].result(WAIT_S)


def connect_with(clients: Clients, conf: Mapping[str, str]) -> None:
    """Ask for metadata over a connection of another kind; the first error is raised."""
    errors: list[KafkaError] = []
    consumer = Consumer({**clients.conf, "group.id": "none", "error_cb": errors.append, **conf})
    try:
        consumer.subscribe([clients.new_topic()])
        while not errors:
            consumer.poll(0.1)
    finally:
        consumer.close()
    raise KafkaException(errors[0])


def log_in(clients: Clients) -> None:
    login = {"sasl.mechanism": "PLAIN", "sasl.username": "user", "sasl.password": "password"}
    connect_with(clients, {"security.protocol": "SASL_PLAINTEXT", **login})


def encrypt(clients: Clients) -> None:
    connect_with(clients, {"security.protocol": "SSL", "enable.ssl.certificate.verification": "false"})


def allow_and_ask_who_may(clients: Clients) -> None:
    allow = AclBinding(
        ResourceType.TOPIC,
        clients.new_topic(),
        ResourcePatternType.LITERAL,
        "User:someone",
        "*",
        AclOperation.READ,
        AclPermissionType.ALLOW,
    )
    clients.admin.create_acls([allow])[allow].result(WAIT_S)
    wanted = AclBindingFilter(
        ResourceType.TOPIC, allow.name, ResourcePatternType.LITERAL, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    assert clients.admin.describe_acls(wanted).result(WAIT_S) == [allow]


ATTEMPTS: Mapping[str, Callable[[Clients], None]] = {
    "transactions": transact,
    "transactions by aiokafka": transact_by_aiokafka,
    "consumer groups of KIP-848": consume_by_kip_848,
    "share groups": consume_in_a_share_group,
    "compaction by a topic's config": create_a_compacted_topic,
    "compaction by a change of config": make_a_topic_compacted,
    "a bound on the times of records": write_a_time_in_the_future,
    "compression by the broker": create_a_topic_that_compresses,
    "SASL": log_in,
    "TLS": encrypt,
    "ACLs": allow_and_ask_who_may,
}
