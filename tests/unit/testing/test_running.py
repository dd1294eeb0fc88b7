"""Broker and registry as context managers: topics by name, time that is moved, data that stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.connect import connect_registry
from protopact.errors import RefusedRequestError
from protopact.integrations.kafka import kafka_produce, kafka_records, produce_all, read_topic
from protopact.schema import load_schema
from protopact.testing import running_kafka, running_registry

if TYPE_CHECKING:
    from pathlib import Path

HOUR_S = 3600


def test_topics_without_a_name_get_one_that_nobody_else_has() -> None:
    with running_kafka() as kafka:
        names = [kafka.create_topic() for _ in range(3)]
        assert len(set(names)) == 3
        with pytest.raises(RefusedRequestError, match="already"):
            kafka.create_topic(names[0])


def test_records_grow_too_old_when_the_clock_is_advanced() -> None:
    with running_kafka() as kafka:
        topic = kafka.create_topic(config={"retention.ms": str(HOUR_S * 1000), "segment.ms": "1000"})
        kafka_produce(kafka.bootstrap_servers, topic, b"old")
        kafka.clock.advance(HOUR_S / 2)
        assert len(list(read_topic(kafka.bootstrap_servers, topic, until_end=True))) == 1
        kafka.clock.advance(HOUR_S)
        assert list(read_topic(kafka.bootstrap_servers, topic, until_end=True)) == []
        assert kafka_produce(kafka.bootstrap_servers, topic, b"new").offset == 1


def test_time_stands_still_where_that_is_asked_for() -> None:
    with running_kafka(still=True) as kafka:
        topic = kafka.create_topic(config={"message.timestamp.type": "LogAppendTime"})
        began = kafka.clock.now_ms()
        produce_all(kafka.bootstrap_servers, topic, [b"1"])
        kafka.clock.advance(60)
        produce_all(kafka.bootstrap_servers, topic, [b"2"])
        found = [record.timestamp_ms for record in read_topic(kafka.bootstrap_servers, topic, until_end=True)]
        assert found == [began, began + 60_000]


def test_a_member_that_is_silent_loses_its_place_when_the_clock_is_advanced() -> None:
    with running_kafka() as kafka:
        topic = kafka.create_topic()
        conf = {"bootstrap.servers": kafka.bootstrap_servers, "session.timeout.ms": 45_000}
        produce_all(kafka.bootstrap_servers, topic, [b"1"])
        silent = kafka_records({**conf, "heartbeat.interval.ms": 40_000}, topic, group_id="g")
        assert next(silent).value == b"1"
        kafka.clock.advance(46)
        (record,) = kafka_records(conf, topic, group_id="g", max_records=1)
        assert record.value == b"1"
        silent.close()


def test_data_in_a_directory_is_found_again(tmp_path: Path) -> None:
    with running_kafka(data_dir=tmp_path) as kafka:
        kafka_produce(kafka.bootstrap_servers, "kept", b"1")
    with running_kafka(data_dir=tmp_path) as kafka:
        assert len(list(read_topic(kafka.bootstrap_servers, "kept", until_end=True))) == 1


def test_a_registry_is_one_by_client_and_by_address() -> None:
    schema = load_schema('syntax = "proto3"; message Order { int64 id = 1; }')
    with running_registry() as registry:
        first = registry.client.register("orders-value", schema)
        with connect_registry(registry.url) as other:
            assert other.lookup("orders-value", schema).id == first.id
        assert registry.url == registry.url
