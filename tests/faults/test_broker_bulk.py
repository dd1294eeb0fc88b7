"""A broker keeps millions of records, reads them back whole, and forgets as it is told; its memory stays."""

from __future__ import annotations

import random
import time
import zlib
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Message, Producer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, OffsetSpec

from broker_node import MIB, ApacheKafka, EmbeddedBroker, admin, create_topic, memory_bytes, read_all, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from broker_node import Broker

TOPIC, PARTITIONS = "bulk", 4
VALUE_BYTES = 1000
SEGMENT_BYTES = MIB
MEMORY_BYTES_MAX = 300 * MIB
READ_S, TRIM_S = 600.0, 60.0


@pytest.fixture(params=["embedded", "kafka"])
def broker(request: pytest.FixtureRequest, tmp_path: Path, count: Callable[[int, int], int]) -> Broker:
    """Give a broker that is not started; Apache Kafka, which shows that the test is right, with the full counts."""
    if request.param == "kafka":
        if not count(0, 1):
            pytest.skip("Apache Kafka is asked with the full counts")
        return ApacheKafka(tmp_path, {"log.retention.check.interval.ms": "500", "log.initial.task.delay.ms": "500"})
    settings = {"flush": "interval", "retention_check_s": 0.5}
    return EmbeddedBroker(tmp_path / "data", tmp_path / "broker.log", settings=settings)


def value_of(number: int) -> bytes:
    """Give a value of its own for each number, with a checksum at its end."""
    body = b"%012d" % number + random.Random(number).randbytes(40) * 25
    return body[: VALUE_BYTES - 4] + zlib.crc32(body[: VALUE_BYTES - 4]).to_bytes(4, "big")


def number_of(value: bytes) -> int:
    assert zlib.crc32(value[:-4]) == int.from_bytes(value[-4:], "big"), "a value was changed"
    return int(value[:12])


class Reading:
    """Checks each record: whole, in its partition, and none left out, doubled or before another."""

    def __init__(self) -> None:
        self.next = dict.fromkeys(range(PARTITIONS), 0)
        self.count = 0

    def take(self, message: Message) -> None:
        value, partition = message.value(), message.partition()
        assert value is not None
        number = number_of(value)
        assert number % PARTITIONS == partition
        assert number // PARTITIONS == message.offset()
        assert message.offset() == self.next[partition] or self.next[partition] == 0
        self.next[partition] = message.offset() + 1
        self.count += 1


def write(broker: Broker, first: int, end: int) -> None:
    failed: list[str] = []
    conf = {
        "bootstrap.servers": broker.bootstrap_servers,
        "enable.idempotence": True,
        "linger.ms": 20,
        "log_level": 0,
        "queue.buffering.max.messages": 50_000,
        "delivery.report.only.error": True,
        "on_delivery": lambda error, _message: failed.append(str(error)),
    }
    producer = Producer(conf)
    for number in range(first, end):
        while len(producer) >= 40_000:
            producer.poll(0.05)
        producer.produce(TOPIC, value_of(number), partition=number % PARTITIONS)
    assert producer.flush(120) == 0
    assert failed == []


def test_what_was_written_is_read_back_whole_and_then_trimmed_as_configured(
    broker: Broker, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    number = count(20_000, 2_000_000) if isinstance(broker, EmbeddedBroker) else 20_000
    with running(broker):
        create_topic(broker.bootstrap_servers, TOPIC, PARTITIONS, {"segment.bytes": str(SEGMENT_BYTES)})
        write(broker, 0, number)
        written = memory_bytes(broker.pid, "VmHWM")
        whole = Reading()
        read_all(broker.bootstrap_servers, TOPIC, whole.take, timeout_s=READ_S)
        assert whole.count == number
        assert sum(whole.next.values()) == number
        peak = memory_bytes(broker.pid, "VmHWM")
        say(f"{number} records of 1 kB: RSS at most {written / MIB:.0f} MiB writing, {peak / MIB:.0f} MiB with reading")

        before = size_of(broker)
        kept_max = number * VALUE_BYTES // PARTITIONS // 4
        configure(broker, "retention.bytes", str(kept_max))
        firsts = wait_for_trimming(broker, number // PARTITIONS, kept_max)
        rest = Reading()
        read_all(broker.bootstrap_servers, TOPIC, rest.take, timeout_s=READ_S)
        say(f"retention.bytes={kept_max}: {before / MIB:.0f} MiB became {size_of(broker) / MIB:.0f}, first {firsts}")
        assert rest.count == number - sum(firsts.values())
        assert rest.next == whole.next
        broker.stop()
        broker.start()
        again = Reading()
        bounds = read_all(broker.bootstrap_servers, TOPIC, again.take, timeout_s=READ_S)
        assert {partition: low for partition, (low, _) in bounds.items()} == firsts
        assert again.count == rest.count
        write(broker, number, number + 1000)
        peak = max(peak, memory_bytes(broker.pid, "VmHWM"))
    if isinstance(broker, EmbeddedBroker):
        assert peak <= MEMORY_BYTES_MAX


def configure(broker: Broker, name: str, value: str) -> None:
    client = admin(broker.bootstrap_servers)
    change = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    topic = ConfigResource(ConfigResource.Type.TOPIC, TOPIC, incremental_configs=[change])
    client.incremental_alter_configs([topic])[topic].result(30)


def wait_for_trimming(broker: Broker, records: int, kept_max: int) -> dict[int, int]:
    """Wait until every partition holds little enough, and give its first offset.

    Whole segments go while what stays is still as large as it is to be at least: so a partition keeps that much, and
    less than a segment more.
    """
    overhead = 1.02  # batches and records have heads
    most = (kept_max + SEGMENT_BYTES) / VALUE_BYTES
    least = kept_max / VALUE_BYTES / overhead - SEGMENT_BYTES / VALUE_BYTES * (overhead - 1) - 1
    end_at = time.monotonic() + TRIM_S
    while True:
        firsts = first_offsets(broker)
        kept = [records - first for first in firsts.values()]
        if all(each <= most for each in kept):
            break
        assert time.monotonic() < end_at, f"of {records} records a partition {kept} are still there"
        time.sleep(0.2)
    assert all(each >= least for each in kept), f"{kept} records are left, at least {least:.0f} were to stay"
    return firsts


def first_offsets(broker: Broker) -> dict[int, int]:
    client = admin(broker.bootstrap_servers)
    asked = {TopicPartition(TOPIC, partition): OffsetSpec.earliest() for partition in range(PARTITIONS)}
    found = client.list_offsets(asked)
    return {place.partition: future.result(30).offset for place, future in found.items()}


def size_of(broker: Broker) -> int:
    return sum(file.stat().st_size for file in broker.data_dir.rglob("*.log") if not file.name.endswith(".deleted"))
