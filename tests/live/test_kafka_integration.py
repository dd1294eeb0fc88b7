"""The Kafka helpers against Apache Kafka itself."""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from typing import TYPE_CHECKING

import pytest
from kafka_service import running_kafka

from protopact.errors import BrokerError, DeliveryError
from protopact.integrations.kafka import (
    OutgoingRecord,
    consume,
    ensure_topics,
    kafka_consume_one,
    kafka_produce,
    kafka_records,
    new_producer,
    produce_all,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from kafka_service import KafkaService

    from protopact.integrations.kafka import KafkaRecord


@pytest.fixture
def conf(kafka: KafkaService) -> dict[str, object]:
    return {"bootstrap.servers": kafka.bootstrap_servers}


@pytest.fixture
def topic(conf: dict[str, object]) -> str:
    name = f"topic-{uuid.uuid4().hex[:8]}"
    ensure_topics(conf, [name])
    return name


def test_topics_are_created_once_and_then_left_alone(conf: dict[str, object]) -> None:
    names = [f"{letter}-{uuid.uuid4().hex[:8]}" for letter in "abc"]
    first = ensure_topics(conf, names[:2], partitions=3)
    again = ensure_topics(conf, names, partitions=3)
    assert first.created == tuple(names[:2])
    assert first.existing == ()
    assert again.created == (names[2],)
    assert again.existing == tuple(names[:2])
    assert again.partitions_differ == {}


def test_an_existing_topic_with_other_partitions_is_reported_and_kept(conf: dict[str, object], topic: str) -> None:
    found = ensure_topics(conf, topic, partitions=6)
    assert found.created == ()
    assert found.partitions_differ == {topic: 1}


def test_a_topic_that_cannot_be_created_is_named(conf: dict[str, object]) -> None:
    with pytest.raises(BrokerError, match="INVALID_REPLICATION_FACTOR") as caught:
        ensure_topics(conf, ["replicated"], replication_factor=3)
    assert caught.value.topic == "replicated"
    assert "fewer brokers" in caught.value.hint


def test_key_value_and_headers_come_back_as_they_were_sent(conf: dict[str, object], topic: str) -> None:
    headers = [("a", b"1"), ("a", b"2"), ("binary", b"\x00\xff"), ("none", None), ("empty", b"")]
    before_ms = int(time.time() * 1000)
    delivery = kafka_produce(conf, topic, b"\x00value", key=b"key", headers=headers)
    record = kafka_consume_one(conf, topic, group_id=f"{topic}-readers")
    assert (delivery.topic, delivery.partition, delivery.offset) == (topic, 0, 0)
    assert (record.topic, record.partition, record.offset) == (topic, 0, 0)
    assert (record.key, record.value, record.headers) == (b"key", b"\x00value", tuple(headers))
    assert record.timestamp_ms == delivery.timestamp_ms
    assert before_ms <= (record.timestamp_ms or 0) <= time.time() * 1000


def test_a_null_value_and_an_empty_value_differ(conf: dict[str, object], topic: str) -> None:
    producer = new_producer(conf)
    offsets = [kafka_produce(producer, topic, value, key="k").offset for value in (None, b"", b"x")]
    seen: list[KafkaRecord] = []
    assert consume(conf, topic, seen.append, group_id=f"{topic}-readers", max_records=3) == 3
    assert offsets == [0, 1, 2]
    assert [(record.key, record.value) for record in seen] == [(b"k", None), (b"k", b""), (b"k", b"x")]


def test_a_record_whose_handler_failed_comes_again_to_its_group(conf: dict[str, object], topic: str) -> None:
    produce_all(conf, topic, [b"0", b"1", b"2", b"3"])
    group = f"{topic}-readers"
    first: list[bytes | None] = []

    def fail_at_the_third(record: KafkaRecord) -> None:
        first.append(record.value)
        if record.offset == 2:
            raise ZeroDivisionError("a fault in the handler")

    with pytest.raises(ZeroDivisionError, match="a fault in the handler"):
        consume(conf, topic, fail_at_the_third, group_id=group)
    second: list[KafkaRecord] = []
    consume(conf, topic, second.append, group_id=group, max_records=2)
    assert first == [b"0", b"1", b"2"]
    assert [record.value for record in second] == [b"2", b"3"]
    assert consume(conf, topic, second.append, group_id=group, idle_timeout_s=0.5) == 0


def test_a_record_at_which_the_loop_was_left_comes_again(conf: dict[str, object], topic: str) -> None:
    produce_all(conf, topic, [b"0", b"1", b"2"])
    group = f"{topic}-readers"
    records = kafka_records(conf, topic, group_id=group)
    assert next(records).value == b"0"
    assert next(records).value == b"1"
    records.close()
    assert [record.value for record in kafka_records(conf, topic, group_id=group, max_records=2)] == [b"1", b"2"]


def test_one_record_is_committed_only_by_its_handler(conf: dict[str, object], topic: str) -> None:
    produce_all(conf, topic, [b"0", b"1"])
    group = f"{topic}-readers"
    assert kafka_consume_one(conf, topic, group_id=group).value == b"0"
    assert kafka_consume_one(conf, topic, group_id=group, handler=lambda _: None).value == b"0"
    assert kafka_consume_one(conf, topic, group_id=group).value == b"1"


def test_ten_thousand_records_are_confirmed_and_read_back_in_order(conf: dict[str, object], topic: str) -> None:
    count = 10_000
    assert produce_all(conf, topic, ((b"%d" % n, b"v" * 100) for n in range(count)), in_flight_max=1000) == count
    read = kafka_records(conf, topic, group_id=f"{topic}-readers", max_records=count)
    assert [record.key for record in read] == [b"%d" % n for n in range(count)]


def test_a_record_too_large_for_the_client_is_refused_with_its_topic(conf: dict[str, object], topic: str) -> None:
    with pytest.raises(BrokerError, match="MSG_SIZE_TOO_LARGE") as caught:
        kafka_produce(conf, topic, bytes(2_000_000))
    assert caught.value.topic == topic
    assert topic in str(caught.value)


def test_a_record_too_large_for_the_broker_is_refused_with_its_topic(conf: dict[str, object], topic: str) -> None:
    with pytest.raises(BrokerError, match="MSG_SIZE_TOO_LARGE") as caught:
        kafka_produce({**conf, "message.max.bytes": 8_000_000}, topic, bytes(4_000_000))
    assert caught.value.topic == topic


def test_every_record_that_failed_is_listed_and_the_others_are_delivered(conf: dict[str, object], topic: str) -> None:
    too_large = bytes(2_000_000)
    with pytest.raises(DeliveryError) as caught:
        produce_all(conf, topic, [b"0", too_large, b"2", OutgoingRecord(too_large, b"key"), None])
    assert [failure.index for failure in caught.value.failures] == [1, 3]
    assert caught.value.confirmed == 3
    assert caught.value.topic == topic
    values = [record.value for record in kafka_records(conf, topic, group_id=f"{topic}-readers", max_records=3)]
    assert values == [b"0", b"2", None]


def test_records_of_two_members_are_read_once_each(conf: dict[str, object]) -> None:
    topic = f"shared-{uuid.uuid4().hex[:8]}"
    ensure_topics(conf, topic, partitions=4)
    seen: list[tuple[int, int]] = []
    done = threading.Event()

    def read() -> None:
        consume(
            conf,
            topic,
            lambda record: seen.append((record.partition, record.offset)),
            group_id=f"{topic}-readers",
            until=done.is_set,
        )

    members = [threading.Thread(target=read) for _ in range(2)]
    for member in members:
        member.start()
    produce_all(conf, topic, [OutgoingRecord(b"%d" % n, partition=n % 4) for n in range(400)])
    deadline = time.monotonic() + 30
    while len(set(seen)) < 400 and time.monotonic() < deadline:
        time.sleep(0.05)
    done.set()
    for member in members:
        member.join(30)
    assert sorted(set(seen)) == [(partition, offset) for partition in range(4) for offset in range(100)]


def test_an_unknown_topic_is_refused_for_reading_and_writing(conf: dict[str, object]) -> None:
    with pytest.raises(BrokerError, match="UNKNOWN_TOPIC_OR_PART") as reading:
        consume(conf, "no-such-topic", print, group_id="readers", idle_timeout_s=0.5)
    with pytest.raises(BrokerError) as writing:
        kafka_produce({**conf, "topic.metadata.propagation.max.ms": 500}, "no-such-topic", b"x", timeout_s=5)
    assert reading.value.topic == writing.value.topic == "no-such-topic"
    assert "ensure_topics" in reading.value.hint


def test_an_outage_is_not_taken_for_an_idle_topic(kafka: KafkaService, say: Callable[[str], None]) -> None:
    with running_kafka(say=say) as short_lived:
        conf = {"bootstrap.servers": short_lived.bootstrap_servers}
        ensure_topics(conf, "t")
        produce_all(conf, "t", [b"0"])
        records = kafka_records(conf, "t", group_id="readers", idle_timeout_s=5.0)
        assert next(records).value == b"0"
        os.kill(short_lived.pid, signal.SIGKILL)
        started = time.monotonic()
        with pytest.raises(BrokerError, match="_TRANSPORT"):
            list(records)
        assert time.monotonic() - started < 15  # and not the 45 s of a consumer's session
