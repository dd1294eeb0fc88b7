"""What every Kafka broker does when a producer sends a batch again, because the reply was lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from contract.kafka_async import produce_all
from contract.kafka_clients import WAIT_S, Clients, Record
from contract.kafka_proxy import PRODUCE

if TYPE_CHECKING:
    from contract.kafka_proxy import KafkaProxy

# A batch leaves when it is flushed or full, however slowly its records are handed over: requests are counted.
RETRY = {"retry.backoff.ms": 10, "reconnect.backoff.ms": 10, "acks": "all", "linger.ms": 5000}
BATCHES = [[Record(b"%d" % (10 * batch + number)) for number in range(10)] for batch in range(5)]
VALUES = [record.value for batch in BATCHES for record in batch]


@pytest.mark.parametrize("lost", [{0}, {1}, {0, 1}, {4}], ids=str)
def test_a_batch_whose_reply_was_lost_is_kept_once(clients: Clients, proxy: KafkaProxy, lost: set[int]) -> None:
    topic = clients.new_topic()
    proxy.loses = lambda key, before: key == PRODUCE and before in lost
    producer = clients.through(proxy).producer({**RETRY, "enable.idempotence": True})
    confirmed: list[int] = []
    for batch in BATCHES:
        for record in batch:
            producer.produce(
                topic, record.value, on_delivery=lambda _error, message: confirmed.append(message.offset())
            )
        assert producer.flush(WAIT_S) == 0
    assert proxy.answered[PRODUCE] == len(BATCHES) + len(lost)
    assert confirmed == list(range(len(VALUES)))
    assert [record.value for record in clients.read(topic, len(VALUES))] == VALUES
    assert clients.end_of(topic) == len(VALUES)


def test_batches_in_flight_are_kept_once_and_in_order(clients: Clients, proxy: KafkaProxy) -> None:
    topic = clients.new_topic()
    proxy.loses = lambda key, before: key == PRODUCE and before in {1, 4}
    conf = {**RETRY, "enable.idempotence": True, "batch.num.messages": 10, "max.in.flight": 5}
    producer = clients.through(proxy).producer(conf)
    values = [b"%d" % number for number in range(200)]
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(WAIT_S) == 0
    assert [record.value for record in clients.read(topic, len(values))] == values
    assert clients.end_of(topic) == len(values)


def test_a_batch_of_a_producer_without_idempotence_is_kept_twice(clients: Clients, proxy: KafkaProxy) -> None:
    topic = clients.new_topic()
    proxy.loses = lambda key, before: key == PRODUCE and before == 0
    clients.through(proxy).produce(topic, BATCHES[0], {**RETRY, "enable.idempotence": False})
    values = [record.value for record in BATCHES[0]]
    assert [record.value for record in clients.read(topic, 20)] == values + values


def test_aiokafkas_idempotent_producer_has_its_batch_kept_once(clients: Clients, proxy: KafkaProxy) -> None:
    topic = clients.new_topic()
    proxy.loses = lambda key, before: key == PRODUCE and before == 0

    async def produce() -> list[int]:
        async with AIOKafkaProducer(
            bootstrap_servers=proxy.bootstrap_servers, enable_idempotence=True, linger_ms=50, retry_backoff_ms=10
        ) as producer:
            return [metadata.offset for batch in BATCHES for metadata in await produce_all(producer, topic, batch)]

    assert asyncio.run(asyncio.wait_for(produce(), WAIT_S)) == list(range(len(VALUES)))
    assert [record.value for record in clients.read(topic, len(VALUES))] == VALUES
    assert clients.end_of(topic) == len(VALUES)


def test_producers_are_told_apart(clients: Clients) -> None:
    topic = clients.new_topic(2)
    for _ in range(2):  # both begin to count with 0
        clients.produce(topic, [Record(b"x"), Record(b"x", partition=1)], {"enable.idempotence": True})
    assert [clients.end_of(topic, partition) for partition in range(2)] == [2, 2]
