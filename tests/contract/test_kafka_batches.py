"""What every Kafka broker does with batches: five codecs, large ones, and the bounds of a topic."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaError, KafkaException

from contract.kafka_async import aiokafka_produce, aiokafka_read
from contract.kafka_clients import Clients, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
MB = 1_000_000
ROOM = 25 * MB
LARGE = {"max.message.bytes": str(ROOM)}
WRITE_LARGE: Mapping[str, object] = {"message.max.bytes": ROOM, "batch.size": ROOM, "linger.ms": 5000}
READ_LARGE: Mapping[str, object] = {"message.max.bytes": ROOM, "fetch.max.bytes": 2 * ROOM}


def noise(size: int) -> bytes:
    """Give bytes that no codec makes smaller, the same in each run."""
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("codec", CODECS)
def test_a_batch_of_every_codec_is_read_by_every_client(clients: Clients, codec: str) -> None:
    topic = clients.new_topic()
    records = [Record(b"%d " % number * 20, b"%d" % number, (("n", b"%d" % number),)) for number in range(200)]
    clients.produce(topic, records, {"compression.type": codec, "linger.ms": 1000})
    aiokafka_codec = None if codec == "none" else codec
    aiokafka_produce(clients.broker, topic, records, compression_type=aiokafka_codec, linger_ms=50)
    expected = [(n, record.key, record.value, record.headers) for n, record in enumerate(2 * records)]
    read = clients.read(topic, 400)
    assert [(each.offset, each.key, each.value, each.headers) for each in read] == expected
    read = aiokafka_read(clients.broker, topic, 400)
    assert [(each.offset, each.key, each.value, each.headers) for each in read] == expected


@pytest.mark.parametrize("codec", ["none", "zstd"])
@pytest.mark.parametrize("size", [MB, 20 * MB])
def test_a_large_record_is_read_as_it_was_written_by_every_client(clients: Clients, size: int, codec: str) -> None:
    topic = clients.new_topic(config=LARGE)
    value = noise(size)
    clients.produce(topic, [Record(value)], {**WRITE_LARGE, "compression.type": codec})
    aiokafka_codec = None if codec == "none" else codec
    aiokafka_produce(clients.broker, topic, [Record(value)], compression_type=aiokafka_codec, max_request_size=ROOM)
    assert [record.value == value for record in clients.read(topic, 2, conf=READ_LARGE)] == [True, True]
    read = aiokafka_read(clients.broker, topic, 2, max_partition_fetch_bytes=ROOM)
    assert [record.value == value for record in read] == [True, True]


@pytest.mark.parametrize("codec", ["none", "lz4"])
def test_a_batch_of_20_mb_in_small_records_is_read_in_order(clients: Clients, codec: str) -> None:
    topic = clients.new_topic(config=LARGE)
    value = noise(980)
    records = [Record(value, b"%d" % number) for number in range(20_000)]
    clients.produce(topic, records, {**WRITE_LARGE, "compression.type": codec, "batch.num.messages": len(records)})
    read = clients.read(topic, len(records), conf=READ_LARGE)
    assert [(record.offset, record.key) for record in read] == [(n, b"%d" % n) for n in range(len(records))]
    assert all(record.value == value for record in read)


def test_a_batch_above_the_topics_bound_is_refused_and_the_next_is_kept(clients: Clients) -> None:
    topic = clients.new_topic(config={"max.message.bytes": "100000"})
    with pytest.raises(KafkaException) as refused:
        clients.produce(topic, [Record(noise(200_000))])
    assert refused.value.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE
    clients.produce(topic, [Record(noise(90_000))])
    assert clients.end_of(topic) == 1


def test_the_bound_is_for_the_batch_as_it_is_stored(clients: Clients) -> None:
    topic = clients.new_topic(config={"max.message.bytes": "100000"})
    clients.produce(topic, [Record(bytes(500_000))], {"compression.type": "gzip"})
    assert clients.read(topic, 1)[0].value == bytes(500_000)


def test_a_record_larger_than_the_consumer_asks_for_is_given_alone(clients: Clients) -> None:
    topic = clients.new_topic()
    values = [noise(300_000 + number) for number in range(3)]
    for value in values:
        clients.produce(topic, [Record(value)])
    small = {"max.partition.fetch.bytes": 1000, "message.max.bytes": 1000, "fetch.max.bytes": 1000}
    assert [record.value for record in clients.read(topic, 3, conf=small)] == values
    read = aiokafka_read(clients.broker, topic, 3, max_partition_fetch_bytes=1000, fetch_max_bytes=1000)
    assert [record.value for record in read] == values
