"""What every Kafka broker does with records: they come back as they were written, whoever reads them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaException

from contract.kafka_async import aiokafka_produce, aiokafka_read, of_aiokafka
from contract.kafka_clients import TIME_MS, Clients, Record, messages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RECORDS = [
    Record(b"value", b"key", (("a", b"1"),), TIME_MS),
    Record(b"\x00\xff binary", b"\x00\xfe", (("binary", b"\x00\xff"), ("none", None), ("empty", b"")), TIME_MS + 1),
    Record(b"repeated", None, (("a", b"1"), ("b", b"2"), ("a", b"3"), ("a", b"3")), TIME_MS + 1),
    Record(None, b"tombstone", (), TIME_MS - 10),
    Record(b"", b"", (("", b"no name"), ("Łódź", "Łódź".encode())), TIME_MS),
]
AT_THEIR_OFFSETS = [replace(record, offset=offset) for offset, record in enumerate(RECORDS)]

WRITERS: dict[str, Callable[[Clients, str, Sequence[Record]], object]] = {
    "confluent": lambda clients, topic, records: clients.produce(topic, records),
    "aiokafka": lambda clients, topic, records: aiokafka_produce(clients.broker, topic, records),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_record_is_read_as_it_was_written_by_every_client(clients: Clients, writer: str) -> None:
    topic = clients.new_topic()
    WRITERS[writer](clients, topic, RECORDS)
    assert clients.read(topic, len(RECORDS)) == AT_THEIR_OFFSETS
    assert [of_aiokafka(each) for each in aiokafka_read(clients.broker, topic, len(RECORDS))] == AT_THEIR_OFFSETS


def test_a_confirmation_tells_partition_offset_and_time(clients: Clients) -> None:
    topic = clients.new_topic(2)
    placed = [replace(record, partition=number % 2) for number, record in enumerate(RECORDS)]
    confirmed = sorted(clients.produce(topic, placed), key=lambda record: (record.offset, record.partition))
    assert [(each.partition, each.offset, each.timestamp_ms) for each in confirmed] == [
        (number % 2, number // 2, record.timestamp_ms) for number, record in enumerate(RECORDS)
    ]
    (metadata,) = aiokafka_produce(clients.broker, topic, [Record(b"x", partition=1, timestamp_ms=TIME_MS)])
    assert (metadata.partition, metadata.offset, metadata.timestamp, metadata.timestamp_type) == (1, 2, TIME_MS, 0)
    assert metadata.log_start_offset == 0


def test_a_record_without_a_time_has_that_of_its_writing(clients: Clients) -> None:
    topic = clients.new_topic()
    before_ms = int(time.time() * 1000)
    clients.produce(topic, [Record(b"x")])
    (record,) = clients.read(topic, 1)
    assert before_ms <= (record.timestamp_ms or 0) <= time.time() * 1000


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_a_topic_of_append_times_gives_its_own_time_to_every_record(clients: Clients, codec: str) -> None:
    topic = clients.new_topic(config={"message.timestamp.type": "LogAppendTime"})
    before_ms = int(time.time() * 1000)
    confirmed = clients.produce(topic, RECORDS, {"compression.type": codec, "linger.ms": 100})
    (metadata,) = aiokafka_produce(clients.broker, topic, [Record(b"last", timestamp_ms=TIME_MS)])
    after_ms = int(time.time() * 1000)
    found = list(messages(clients.reader(topic), len(RECORDS) + 1))
    times = [message.timestamp() for message in found]
    assert {kind for kind, _ in times} == {TIMESTAMP_LOG_APPEND_TIME}
    assert [at_ms for _, at_ms in times] == [*(each.timestamp_ms for each in confirmed), metadata.timestamp]
    assert all(before_ms <= at_ms <= after_ms for _, at_ms in times)
    assert [m.value() for m in found] == [*(record.value for record in RECORDS), b"last"]
    assert {record.timestamp_type for record in aiokafka_read(clients.broker, topic, len(found))} == {1}


def test_records_of_a_key_stand_in_one_partition_in_their_order(clients: Clients) -> None:
    topic = clients.new_topic(4)
    keys = [b"key %d" % number for number in range(20)]
    keyed = [Record(b"%d" % turn, key, partition=-1) for turn in range(5) for key in keys]
    clients.produce(topic, keyed, {"partitioner": "murmur2_random"})
    places = aiokafka_produce(clients.broker, topic, [Record(b"5", key, partition=None) for key in keys])
    counts = [clients.end_of(topic, partition) for partition in range(4)]
    assert sum(counts) == 120
    for partition, count in enumerate(counts):
        found = clients.read(topic, count, partition=partition)
        for key in {record.key for record in found}:
            assert [record.value for record in found if record.key == key] == [b"%d" % turn for turn in range(6)]
            assert places[keys.index(key)].partition == partition


def test_each_partition_counts_its_offsets_for_itself(clients: Clients) -> None:
    topic = clients.new_topic(3)
    clients.produce(topic, [Record(b"%d" % number, partition=number % 3) for number in range(9)])
    for partition in range(3):
        found = clients.read(topic, 3, partition=partition)
        assert [(each.offset, each.value) for each in found] == [(n, b"%d" % (3 * n + partition)) for n in range(3)]


def test_producers_that_write_at_once_share_the_offsets(clients: Clients) -> None:
    topic = clients.new_topic()
    mine = [[Record(b"%d %d" % (writer, number)) for number in range(100)] for writer in range(4)]
    with ThreadPoolExecutor(4) as threads:
        confirmed = list(threads.map(lambda records: clients.produce(topic, records, {"linger.ms": 0}), mine))
    assert sorted(record.offset for records in confirmed for record in records) == list(range(400))
    found = [record.value for record in clients.read(topic, 400)]
    for records in mine:
        values = [record.value for record in records]
        assert [value for value in found if value in values] == values


@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_records_are_kept_whatever_confirmation_is_asked_for(clients: Clients, acks: str) -> None:
    topic = clients.new_topic()
    clients.produce(topic, [Record(b"a"), Record(b"b")], {"acks": acks})
    assert [record.value for record in clients.read(topic, 2)] == [b"a", b"b"]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_record_for_a_partition_that_is_not_there_is_refused(clients: Clients, writer: str) -> None:
    topic = clients.new_topic(2)
    with pytest.raises((KafkaException, AssertionError)) as refused:
        WRITERS[writer](clients, topic, [Record(b"x", partition=2)])
    assert "partition" in str(refused.value).lower()
    assert [clients.end_of(topic, partition) for partition in range(2)] == [0, 0]
