"""The Kafka helpers against the embedded broker. Redelivery and refusals by Apache Kafka itself stand in tests/live."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from protopact.errors import BrokerError, ConfigError, DeliveryError, MissingExtraError
from protopact.integrations.kafka import (
    KafkaRecord,
    OutgoingRecord,
    consume,
    consuming,
    ensure_topics,
    kafka_consume_one,
    kafka_produce,
    kafka_records,
    librdkafka,
    member,
    new_producer,
    produce_all,
    producing,
    read_topic,
    reading,
    topics,
)
from protopact.testing import running_kafka

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.integrations.kafka import Start
    from protopact.testing import RunningKafka

NOBODY = "127.0.0.1:1"


@pytest.fixture(scope="module")
def broker() -> Iterator[RunningKafka]:
    with running_kafka(partitions=4) as kafka:
        kafka.create_topic("existing", partitions=4)
        yield kafka


def test_a_topic_that_exists_is_left_alone_and_its_partitions_are_reported(broker: RunningKafka) -> None:
    found = ensure_topics(broker.bootstrap_servers, "existing", partitions=1)
    assert (found.created, found.existing) == ((), ("existing",))
    assert found.partitions_differ == {"existing": 4}


def test_no_topic_is_asked_for_where_none_is_wanted(broker: RunningKafka) -> None:
    found = ensure_topics(broker.bootstrap_servers, [])
    assert (found.created, found.existing) == ((), ())


def test_records_of_one_key_are_confirmed_at_rising_offsets_of_one_partition(broker: RunningKafka) -> None:
    producer = new_producer(broker.bootstrap_servers)
    places = [kafka_produce(producer, "keyed", b"v", key=b"same") for _ in range(3)]
    assert [place.offset for place in places] == [0, 1, 2]
    assert {place.partition for place in places} == {places[0].partition}


def test_all_spellings_of_a_record_are_read_back_as_values(broker: RunningKafka) -> None:
    sent = [
        b"bare",
        None,
        (b"key", b"pair"),
        OutgoingRecord("text", "key", {"h": "1", "none": None}, partition=3),
    ]
    assert produce_all(broker.bootstrap_servers, "spelled", sent) == 4
    seen: list[KafkaRecord] = []
    assert consume(broker.bootstrap_servers, "spelled", seen.append, group_id="spelled", max_records=4) == 4
    assert {(record.key, record.value, record.headers) for record in seen} == {
        (None, b"bare", ()),
        (None, None, ()),
        (b"key", b"pair", ()),
        (b"key", b"text", (("h", b"1"), ("none", None))),
    }
    assert next(record.partition for record in seen if record.value == b"text") == 3


def test_a_failing_handler_stops_the_reading(broker: RunningKafka) -> None:
    conf = {"bootstrap.servers": broker.bootstrap_servers}
    produce_all(conf, "failing", [OutgoingRecord(b"%d" % n, partition=0) for n in range(3)])

    seen: list[bytes | None] = []

    def fail_at_the_second(record: KafkaRecord) -> None:
        seen.append(record.value)
        if record.offset == 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume(conf, "failing", fail_at_the_second, group_id="failing")
    assert seen == [b"0", b"1"]


def test_reading_ends_when_asked_to(broker: RunningKafka) -> None:
    asked = iter([False, False, True])
    until = partial(next, asked)
    assert list(kafka_records(broker.bootstrap_servers, "existing", group_id="stopped", until=until)) == []
    assert list(asked) == []


class Hurried:
    """A clock on which twenty seconds are one."""

    def monotonic(self) -> float:
        return 20 * time.monotonic()


def test_no_record_in_time_is_an_error_that_names_topic_and_group(
    broker: RunningKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consuming, "time", Hurried())  # the broker has ten seconds to answer, records half a one
    with pytest.raises(BrokerError, match="'existing' came to the group 'waiting' within 10 s") as caught:
        kafka_consume_one(broker.bootstrap_servers, "existing", group_id="waiting", timeout_s=10)
    assert caught.value.topic == "existing"


def test_more_records_than_librdkafka_queues_are_all_confirmed(broker: RunningKafka) -> None:
    conf = {"bootstrap.servers": broker.bootstrap_servers, "queue.buffering.max.messages": 10}
    assert produce_all(conf, "queued", (b"%d" % n for n in range(500))) == 500


def test_every_record_that_is_too_large_is_reported_and_the_others_are_sent(broker: RunningKafka) -> None:
    records = [b"0", bytes(2_000_000), b"2", bytes(2_000_000)]
    with pytest.raises(DeliveryError, match="2 records to the topic 'large' were not delivered, 2 were") as caught:
        produce_all(broker.bootstrap_servers, "large", records)
    assert [failure.index for failure in caught.value.failures] == [1, 3]
    assert "message.max.bytes" in caught.value.hint


def test_records_before_a_fault_of_their_source_are_not_sent_later(broker: RunningKafka) -> None:
    def faulty() -> Iterator[bytes]:
        yield b"0"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        produce_all({"bootstrap.servers": broker.bootstrap_servers, "linger.ms": 5000}, "faulty", faulty())


class Calls:
    """Notes which of librdkafka's functions are called."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def counted(self, client: object) -> object:
        return _Noted(client, self)


class _Noted:
    def __init__(self, client: object, calls: Calls) -> None:
        self._client, self._calls = client, calls

    def __getattr__(self, name: str) -> object:
        self._calls.names.append(name)
        return getattr(self._client, name)


class Waits:
    """A clock that goes on by the time for which librdkafka is told to wait, and by nothing else."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def counted(self, client: object) -> object:
        """Give a client of librdkafka whose waits are counted."""
        return _Counted(client, self)


class _Counted:
    def __init__(self, client: object, waits: Waits) -> None:
        self._client, self._waits = client, waits

    def __getattr__(self, name: str) -> object:
        found = getattr(self._client, name)
        if name not in {"poll", "flush", "list_topics"}:
            return found

        def call(*arguments: object, **more: object) -> object:
            wait_s = more.get("timeout", arguments[-1] if arguments else None)
            assert isinstance(wait_s, int | float), f"{name} without a limit"
            self._waits.now_s += wait_s
            return found(*arguments, **more)

        return call


def test_an_unreachable_broker_is_an_error_within_the_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    timeout_s, waits = 0.5, Waits()
    make = librdkafka._client
    monkeypatch.setattr(librdkafka, "_client", lambda kind, conf: waits.counted(make(kind, conf)))
    for module in (consuming, member, producing, topics):
        monkeypatch.setattr(module, "time", waits)
    calls = {
        "ensure_topics": lambda: ensure_topics(NOBODY, "t", timeout_s=timeout_s),
        "kafka_produce": lambda: kafka_produce(NOBODY, "t", b"x", timeout_s=timeout_s),
        "produce_all": lambda: produce_all(NOBODY, "t", [b"x", b"y"], timeout_s=timeout_s),
        "kafka_consume_one": lambda: kafka_consume_one(NOBODY, "t", group_id="g", timeout_s=timeout_s),
        "consume": lambda: consume(NOBODY, "t", print, group_id="g", idle_timeout_s=0.1, timeout_s=timeout_s),
    }
    for name, call in calls.items():
        waits.now_s = 0.0
        with pytest.raises(BrokerError) as caught:
            call()
        assert 0 < waits.now_s <= timeout_s + 2 * producing.POLL_S, name  # a poll more, and what closing takes
        assert caught.value.topic == "t", name
        assert caught.value.hint, name


def test_an_unknown_property_is_a_config_error_that_names_it() -> None:
    with pytest.raises(ConfigError) as caught:
        kafka_produce({"bootstrap.servers": NOBODY, "no.such.property": 1}, "t", b"x")
    assert caught.value.option == "no.such.property"


def test_automatic_commits_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        consume({"bootstrap.servers": NOBODY, "enable.auto.commit": "true"}, "t", print, group_id="g")
    assert caught.value.option == "enable.auto.commit"


def test_a_producer_is_idempotent_unless_its_configuration_decides() -> None:
    with pytest.raises(ConfigError, match="idempotence"):
        new_producer({"bootstrap.servers": NOBODY, "acks": "1", "enable.idempotence": True})
    new_producer({"bootstrap.servers": NOBODY, "acks": "1"})


def test_what_librdkafka_says_goes_to_the_logger(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="protopact.kafka"):
        for _ in range(10):  # librdkafka speaks when it finds the time
            with pytest.raises(BrokerError):
                kafka_produce(NOBODY, "t", b"x", timeout_s=0.5)
            if caplog.records:
                break
    assert "protopact.kafka" in {record.name for record in caplog.records}


def test_librdkafka_is_loaded_only_when_it_is_used_and_writes_nothing_to_stderr() -> None:
    code = f"""
import sys
from protopact.errors import BrokerError
from protopact.integrations.kafka import KafkaRecord, kafka_produce
assert "confluent_kafka" not in sys.modules
try:
    kafka_produce({NOBODY!r}, "t", b"x", timeout_s=0.3)
except BrokerError:
    print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(MissingExtraError) as caught:
        ensure_topics(NOBODY, "t")
    assert "protopact[kafka]" in caught.value.hint


def test_a_topic_is_read_from_a_place_by_nobodys_group(broker: RunningKafka) -> None:
    conf, topic = broker.bootstrap_servers, broker.create_topic(partitions=2)
    produce_all(conf, topic, [OutgoingRecord(b"%d" % number, partition=number % 2) for number in range(10)])

    def read(start: Start, **options: object) -> list[bytes | None]:
        return sorted(record.value for record in read_topic(conf, topic, start=start, until_end=True, **options))

    assert read("beginning") == [b"%d" % number for number in range(10)]
    assert read("end") == []
    assert read(3) == [b"6", b"7", b"8", b"9"]
    assert read(-1) == [b"8", b"9"]
    assert read(99) == []
    assert read("beginning", partitions=[1]) == [b"1", b"3", b"5", b"7", b"9"]
    assert len(read("beginning", max_records=3)) == 3
    assert read(datetime.now(UTC) - timedelta(hours=1)) == [b"%d" % number for number in range(10)]
    assert read(datetime.now(UTC) + timedelta(hours=1)) == []


def test_a_time_without_a_zone_is_refused(broker: RunningKafka) -> None:
    with pytest.raises(ConfigError, match="has no zone"):
        list(read_topic(broker.bootstrap_servers, "existing", start=datetime(2026, 1, 31), until_end=True))  # noqa: DTZ001


def test_reading_a_partition_or_a_topic_that_is_not_there_is_an_error_with_its_name(broker: RunningKafka) -> None:
    with pytest.raises(BrokerError, match="no partition 9: it has 4") as caught:
        list(read_topic(broker.bootstrap_servers, "existing", partitions=[9]))
    assert caught.value.topic == "existing"
    with pytest.raises(BrokerError) as caught:
        list(read_topic(broker.bootstrap_servers, "never-made"))
    assert caught.value.topic == "never-made"


def test_a_group_reads_until_the_end_of_what_is_there(broker: RunningKafka) -> None:
    conf, topic = broker.bootstrap_servers, broker.create_topic(partitions=3)
    assert list(kafka_records(conf, topic, group_id="ending", until_end=True)) == []
    produce_all(conf, topic, [b"%d" % number for number in range(20)])
    assert len(list(kafka_records(conf, topic, group_id="ending", until_end=True))) == 20
    assert list(kafka_records(conf, topic, group_id="ending", until_end=True)) == []


@pytest.mark.parametrize(("more", "wait_ms"), [({}, 10), ({"fetch.wait.max.ms": 300}, 300)])
def test_a_broker_is_asked_to_tell_the_end_soon_unless_the_configuration_decides(
    broker: RunningKafka, monkeypatch: pytest.MonkeyPatch, more: dict[str, object], wait_ms: int
) -> None:
    asked, make = [], librdkafka._client
    monkeypatch.setattr(librdkafka, "_client", lambda kind, conf: make(kind, asked.append(conf) or conf))
    conf = {"bootstrap.servers": broker.bootstrap_servers, **more}
    assert list(read_topic(conf, "existing", until_end=True)) == []
    assert list(kafka_records(conf, "existing", group_id="soon", until_end=True)) == []
    assert [each["fetch.wait.max.ms"] for each in asked] == [wait_ms, wait_ms]


@pytest.mark.parametrize(("more", "asks"), [({}, 2), ({"acks": "1"}, 0), ({"enable.idempotence": "true"}, 2)])
def test_a_new_producer_that_needs_an_id_asks_for_metadata_which_bring_it(
    broker: RunningKafka, monkeypatch: pytest.MonkeyPatch, more: dict[str, object], asks: int
) -> None:
    monkeypatch.setattr(producing, "PRODUCER_ID_S_MAX", 20.0)  # a broker that answers late is asked again, too
    calls, make = Calls(), librdkafka._client
    monkeypatch.setattr(librdkafka, "_client", lambda kind, conf: calls.counted(make(kind, conf)))
    conf = {"bootstrap.servers": broker.bootstrap_servers, **more}
    assert produce_all(conf, broker.create_topic(), [b"1", b"2"]) == 2
    assert calls.names.count("list_topics") == asks


def test_who_waits_for_the_end_of_a_broker_that_is_gone_gets_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CHECK_S_MAX", 0.5)
    with running_kafka() as kafka:
        topic = kafka.create_topic()
        produce_all(kafka.bootstrap_servers, topic, [b"1"])
        kafka.faults.drop("Fetch", skip=1, times=None)  # the end is told by an answer that never comes
        records = read_topic(kafka.bootstrap_servers, topic, until_end=True)
        assert next(records).value == b"1"
    with pytest.raises(BrokerError):
        list(records)
