"""What every Kafka broker does when it is read from: offsets by name and by time, waiting, ends that move."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition as AioPartition
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from contract.kafka_clients import TIME_MS, WAIT_S, Clients, Record, messages, new_name
from contract.kafka_proxy import FETCH

if TYPE_CHECKING:
    from contract.kafka_proxy import KafkaProxy

PATIENT = {"fetch.wait.max.ms": 60_000, "socket.timeout.ms": 120_000}  # more than any test may take


def timed_topic(clients: Clients, codec: str) -> str:
    """Make a topic of batches of ten records, a second apart; in the last batch the times go back."""
    topic = clients.new_topic()
    times = [TIME_MS + 1000 * number for number in range(25)] + [TIME_MS + 1000 * (40 - number) for number in range(5)]
    for start in range(0, 30, 10):
        batch = [Record(b"value", timestamp_ms=time_ms) for time_ms in times[start : start + 10]]
        clients.produce(topic, batch, {"compression.type": codec, "linger.ms": 1000})
    return topic


@pytest.mark.parametrize("codec", ["none", "gzip"])
def test_an_offset_by_time_is_that_of_the_first_record_not_older(clients: Clients, codec: str) -> None:
    topic = timed_topic(clients, codec)
    asked = {0: 0, TIME_MS: 0, TIME_MS + 1: 1, TIME_MS + 9_000: 9, TIME_MS + 9_001: 10, TIME_MS + 13_500: 14}
    asked |= {TIME_MS + 24_001: 25, TIME_MS + 39_999: 25, TIME_MS + 40_000: 25}
    found = {time_ms: clients.offset_of(topic, OffsetSpec.for_timestamp(time_ms)) for time_ms in asked}
    assert {time_ms: result.offset for time_ms, result in found.items()} == asked
    assert found[TIME_MS + 1].timestamp == TIME_MS + 1000
    assert found[TIME_MS + 24_001].timestamp == TIME_MS + 40_000


def test_no_offset_is_given_for_a_time_after_the_last_record(clients: Clients) -> None:
    topic = timed_topic(clients, "none")
    assert clients.offset_of(topic, OffsetSpec.for_timestamp(TIME_MS + 40_001)).offset == -1
    consumer = clients.consumer()
    (found,) = consumer.offsets_for_times([TopicPartition(topic, 0, TIME_MS + 40_001)], WAIT_S)
    assert found.offset == OFFSET_END


@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_the_latest_time_is_found_wherever_it_stands(clients: Clients, codec: str) -> None:
    topic = timed_topic(clients, codec)
    found = clients.offset_of(topic, OffsetSpec.max_timestamp())
    assert (found.offset, found.timestamp) == (25, TIME_MS + 40_000)
    empty = clients.offset_of(clients.new_topic(), OffsetSpec.max_timestamp())
    assert (empty.offset, empty.timestamp) == (-1, -1)


def test_a_consumer_that_seeks_by_time_reads_on_from_there(clients: Clients) -> None:
    topic = timed_topic(clients, "lz4")
    consumer = clients.reader(topic)
    next(messages(consumer, 1))
    consumer.seek(*consumer.offsets_for_times([TopicPartition(topic, 0, TIME_MS + 13_500)], WAIT_S))
    assert [message.offset() for message in messages(consumer, 3)] == [14, 15, 16]

    async def seek() -> list[int]:
        async with AIOKafkaConsumer(bootstrap_servers=clients.broker.bootstrap_servers) as other:
            partition = AioPartition(topic, 0)
            other.assign([partition])
            found = await other.offsets_for_times({partition: TIME_MS + 13_500})
            other.seek(partition, found[partition].offset)
            return [(await other.getone()).offset for _ in range(3)]

    assert asyncio.run(asyncio.wait_for(seek(), WAIT_S)) == [14, 15, 16]


def test_first_and_last_offset_are_told(clients: Clients) -> None:
    topic = clients.new_topic(2)
    clients.produce(topic, [Record(b"x")] * 3)
    consumer = clients.consumer()
    assert consumer.get_watermark_offsets(TopicPartition(topic, 0), WAIT_S) == (0, 3)
    assert consumer.get_watermark_offsets(TopicPartition(topic, 1), WAIT_S) == (0, 0)
    assert clients.offset_of(topic, OffsetSpec.earliest()).offset == 0
    assert clients.offset_of(topic, OffsetSpec.latest()).offset == 3


def test_the_offset_of_a_partition_that_is_not_there_is_refused(clients: Clients) -> None:
    topic = clients.new_topic()
    for where in (TopicPartition(topic, 1), TopicPartition(new_name("unknown"), 0)):
        with pytest.raises(KafkaException) as refused:
            clients.admin.list_offsets({where: OffsetSpec.latest()}, request_timeout=WAIT_S)[where].result(WAIT_S)
        assert refused.value.args[0].code() in {
            KafkaError.UNKNOWN_TOPIC_OR_PART,
            KafkaError._NOENT,  # the client found no leader to ask
        }


def test_a_reader_begins_at_the_beginning_or_at_the_end(clients: Clients, proxy: KafkaProxy) -> None:
    topic = clients.new_topic()
    clients.produce(topic, [Record(b"old")])
    assert next(messages(clients.reader(topic, offset=OFFSET_BEGINNING), 1)).value() == b"old"
    newest = clients.through(proxy).reader(topic, offset=OFFSET_END, conf=PATIENT)
    proxy.wait_for(lambda: proxy.open_requests(FETCH) == 1)
    clients.produce(topic, [Record(b"new")])
    assert next(messages(newest, 1)).value() == b"new"


@pytest.mark.parametrize(("reset", "expected"), [("earliest", 0), ("latest", 3)])
def test_a_reader_outside_the_offsets_is_reset(clients: Clients, proxy: KafkaProxy, reset: str, expected: int) -> None:
    topic = clients.new_topic()
    clients.produce(topic, [Record(b"x")] * 3)
    conf = {**PATIENT, "auto.offset.reset": reset}
    reader = clients.through(proxy).reader(topic, offset=1000, conf=conf)
    proxy.wait_for(lambda: proxy.asked[FETCH] >= 2)  # the first was answered with an error
    clients.produce(topic, [Record(b"x")])
    assert next(messages(reader, 1)).offset() == expected


def test_a_reader_outside_the_offsets_is_told(clients: Clients) -> None:
    topic = clients.new_topic()
    clients.produce(topic, [Record(b"x")] * 3)
    reader = clients.reader(topic, offset=1000, conf={"auto.offset.reset": "error"})
    with pytest.raises(KafkaException, match="out of range") as told:
        next(messages(reader, 1))
    assert told.value.args[0].code() == KafkaError._AUTO_OFFSET_RESET


def test_an_open_fetch_is_answered_by_the_next_record(clients: Clients, proxy: KafkaProxy) -> None:
    topic = clients.new_topic()
    reader = clients.through(proxy).reader(topic, conf=PATIENT)
    assert reader.poll(0) is None
    for number in range(3):
        proxy.wait_for(lambda: proxy.open_requests(FETCH) == 1)
        clients.produce(topic, [Record(b"%d" % number)])
        assert next(messages(reader, 1)).value() == b"%d" % number
    assert proxy.answered[FETCH] == 3  # so none was given an answer without records


def test_an_open_fetch_waits_for_as_many_bytes_as_it_asks_for(clients: Clients, proxy: KafkaProxy) -> None:
    topic = clients.new_topic()
    reader = clients.through(proxy).reader(topic, conf={**PATIENT, "fetch.min.bytes": 10_000})
    assert reader.poll(0) is None
    proxy.wait_for(lambda: proxy.open_requests(FETCH) == 1)
    for size in (10, 20, 20_000):
        clients.produce(topic, [Record(bytes(size))])
    assert [len(message.value()) for message in messages(reader, 3)] == [10, 20, 20_000]
    assert proxy.answered[FETCH] == 1


def test_a_fetch_without_records_is_answered_when_its_time_is_over(clients: Clients, proxy: KafkaProxy) -> None:
    topic = clients.new_topic()
    reader = clients.through(proxy).reader(topic, conf={"fetch.wait.max.ms": 50})
    assert reader.poll(0) is None
    proxy.wait_for(lambda: proxy.answered[FETCH] >= 3)
    clients.produce(topic, [Record(b"x")])
    assert next(messages(reader, 1)).value() == b"x"


def test_one_fetch_waits_for_all_its_partitions(clients: Clients, proxy: KafkaProxy) -> None:
    topic = clients.new_topic(3)
    reader = clients.through(proxy).consumer(PATIENT)
    # The first fetch may leave when one partition is assigned; once each was read, the next asks for all three.
    clients.produce(topic, [Record(b"first", partition=partition) for partition in range(3)])
    reader.assign([TopicPartition(topic, partition, 0) for partition in range(3)])
    assert {message.partition() for message in messages(reader, 3)} == {0, 1, 2}
    for partition in (2, 0, 1):
        proxy.wait_for(lambda: proxy.open_requests(FETCH) == 1)
        clients.produce(topic, [Record(b"x", partition=partition)])
        assert next(messages(reader, 1)).partition() == partition


def test_an_open_fetch_is_answered_when_its_topic_is_deleted(clients: Clients, proxy: KafkaProxy) -> None:
    topic = clients.new_topic()
    clients.through(proxy).reader(topic, conf=PATIENT)
    proxy.wait_for(lambda: proxy.open_requests(FETCH) == 1)
    clients.admin.delete_topics([topic])[topic].result(WAIT_S)
    proxy.wait_for(lambda: proxy.answered[FETCH] >= 1)  # the reader asks again


def test_deleted_records_are_gone_and_reading_begins_behind_them(clients: Clients) -> None:
    topic = clients.new_topic()
    clients.produce(topic, [Record(b"%d" % number) for number in range(10)])
    where = TopicPartition(topic, 0, 4)
    assert clients.admin.delete_records([where])[where].result(WAIT_S).low_watermark == 4
    assert clients.offset_of(topic, OffsetSpec.earliest()).offset == 4
    assert clients.consumer().get_watermark_offsets(where, WAIT_S) == (4, 10)
    assert next(messages(clients.reader(topic, offset=OFFSET_BEGINNING), 1)).value() == b"4"
    assert next(messages(clients.reader(topic, offset=2), 1)).value() == b"4"  # out of range; reset to the earliest
    assert clients.offset_of(topic, OffsetSpec.for_timestamp(0)).offset == 4
    everything = TopicPartition(topic, 0, OFFSET_END)
    assert clients.admin.delete_records([everything])[everything].result(WAIT_S).low_watermark == 10
    clients.produce(topic, [Record(b"next")])
    assert clients.consumer().get_watermark_offsets(where, WAIT_S) == (10, 11)


def test_records_that_are_not_there_cannot_be_deleted(clients: Clients) -> None:
    topic = clients.new_topic()
    clients.produce(topic, [Record(b"x")] * 3)
    where = TopicPartition(topic, 0, 4)
    with pytest.raises(KafkaException) as refused:
        clients.admin.delete_records([where])[where].result(WAIT_S)
    assert refused.value.args[0].code() == KafkaError.OFFSET_OUT_OF_RANGE
    assert clients.consumer().get_watermark_offsets(where, WAIT_S) == (0, 3)
