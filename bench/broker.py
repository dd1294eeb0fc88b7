"""The embedded broker beside Apache Kafka and librdkafka's mock cluster: the same client and loads, in one run.

    python bench/broker.py [--seconds N] [--brokers NAME,…] [--format table|json]

Brokers are processes of their own and take turns: a turn is some fresh topics of four partitions, filled, read from
their beginning, and others filled and read at the same time. A load's figure is the median of its turns; more
`--seconds` are more turns. The client is confluent-kafka (`produce_batch` with linger.ms=5 and acks=all, `consume` of
up to 10,000), and it shares the machine's cores with the broker, so figures are read as ratios within a run; the
broker's own processor time for a record stands beside them. Every record's delivery is confirmed, and every record that
is read is counted. A turn stays below the 5 MiB per partition beyond which the mock drops data. Apache Kafka needs Java
and, the first time, Maven.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

TESTS = Path(__file__).parents[1] / "tests"
PARTITIONS = 4
BATCH = 500
# A turn's topics, and the records of each topic, by size: below 5 MiB a partition with what stands around a value.
TOPICS = {100: 1, 1000: 2}
RECORDS = {100: 160_000, 1000: 18_000}
LATENCY_PER_S = 100
WARM_UP = 20
GROUP_ROUNDS = 3
PATIENCE_S = 8.0  # for a record of a group that was joined; the mock lets nobody into a group that everybody left
OURS = {
    "flush=interval": ("disk", {"flush": "interval"}),
    "flush=every": ("disk", {"flush": "every"}),
    "memory": ("memory", {}),
}
BROKERS = (*OURS, "kafka", "mock")
MOCK = """
import threading
from confluent_kafka import Producer
host = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1})
[broker] = host.list_topics(timeout=10).brokers.values()
print(f"ready 127.0.0.1:{broker.port}", flush=True)
threading.Event().wait()
"""
CLIENT = {"log_level": 0, "reconnect.backoff.ms": 10}
# A request for metadata, version 5: of no topics, with none to be created (https://kafka.apache.org/protocol).
ASK_METADATA = struct.pack(">hhih5sib", 3, 5, 1, 5, b"bench", 0, 0)


@dataclass
class Target:
    """A broker that runs: its address, its process, and how long its start took."""

    name: str
    address: str
    pid: int
    start_s: float
    figures: dict[str, list[float]] = field(default_factory=dict)

    def note(self, row: str, value: float) -> None:
        self.figures.setdefault(row, []).append(value)


@contextmanager
def process(name: str, command: list[str]) -> Iterator[Target]:
    """Start a broker that prints its address as the last word of a line, and ask until it answers."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        try:
            address = (child.stdout.readline().split() or [""])[-1]
            if not address:
                sys.exit(f"{name} did not start: {' '.join(command[:2])}")
            wait_for_answer(address)
            yield Target(name, address, child.pid, time.perf_counter() - started)
        finally:
            child.terminate()


def wait_for_answer(address: str) -> None:
    host, _, port = address.rpartition(":")
    while True:
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=10) as wire:
            wire.sendall(struct.pack(">i", len(ASK_METADATA)) + ASK_METADATA)
            if wire.recv(4):
                return
        time.sleep(0.002)


@contextmanager
def broker(name: str, folder: Path) -> Iterator[Target]:
    if name == "kafka":
        from kafka_service import running_kafka

        with running_kafka(say=lambda _line: None) as service:
            yield Target(name, service.bootstrap_servers, service.pid, service.start_s)
        return
    program = [sys.executable, "-c", MOCK]
    if name in OURS:
        from broker_node import PROGRAM

        kept, settings = OURS[name]
        data_dir = str(folder / name) if kept == "disk" else ""
        program = [sys.executable, "-c", PROGRAM, data_dir, "0", json.dumps(settings)]
    with process(name, program) as target:
        yield target


def processor_s(pid: int) -> float:
    """Give the processor time of all threads of a process: its clock, as clock_getcpuclockid makes it."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_mib(pid: int, kind: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{kind}:"))) / 1024


def make_topic(target: Target, name: str) -> str:
    """Create a topic of four partitions. The mock knows no such request: it makes one of four when it is asked for."""
    admin = AdminClient({**CLIENT, "bootstrap.servers": target.address})
    if target.name != "mock":
        admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result()
    while len(admin.list_topics(name, timeout=10).topics[name].partitions) != PARTITIONS:
        time.sleep(0.01)
    return name


def produce(address: str, topics: list[str], size: int) -> float:
    """Write a turn's records and give the seconds until the last one was confirmed."""
    failed: list[str] = []
    conf = {
        **CLIENT,
        "bootstrap.servers": address,
        "linger.ms": 5,
        "acks": "all",
        "queue.buffering.max.messages": 1_000_000,
        "delivery.report.only.error": True,
        "on_delivery": lambda error, _message: failed.append(str(error)),
    }
    producer = Producer(conf)
    for topic in topics:
        producer.list_topics(topic, timeout=10)  # connected, as a program that runs is
    batch = [{"value": os.urandom(size // 2) + bytes(size - size // 2)}] * BATCH
    started = time.perf_counter()
    for number in range(RECORDS[size] // BATCH):
        for topic in topics:
            producer.produce_batch(topic, batch, partition=number % PARTITIONS)
    left = producer.flush(60)
    took_s = time.perf_counter() - started
    assert left == 0, f"{left} records were not confirmed"
    assert not failed, failed[0]
    return took_s


def consumer(address: str, topics: list[str]) -> Consumer:
    """Give a consumer that is connected and knows the topics."""
    conf = {**CLIENT, "bootstrap.servers": address, "group.id": f"g-{topics[0]}", "auto.offset.reset": "earliest"}
    reader = Consumer({**conf, "enable.auto.commit": False})
    for topic in topics:
        reader.list_topics(topic, timeout=10)
    return reader


def begin(reader: Consumer, topics: list[str]) -> None:
    """Have it read topics from their beginning, in no group."""
    every = [TopicPartition(topic, partition, OFFSET_BEGINNING) for topic in topics for partition in range(PARTITIONS)]
    reader.assign(every)


def records_of(size: int) -> int:
    return RECORDS[size] * TOPICS[size]


def read(reader: Consumer, size: int) -> None:
    wanted, end_at = records_of(size), time.monotonic() + 60
    while wanted > 0:
        assert time.monotonic() < end_at, f"{wanted} records did not come"
        for message in reader.consume(10_000, timeout=0.1):
            if message.error() is not None:
                raise KafkaException(message.error())
            wanted -= 1
    assert wanted == 0, f"{-wanted} records too many"


def consume(address: str, topics: list[str], size: int) -> float:
    """Read a turn's records from the beginning and give the seconds until the last one was there."""
    reader = consumer(address, topics)
    started = time.perf_counter()
    begin(reader, topics)
    read(reader, size)
    took_s = time.perf_counter() - started
    reader.close()
    return took_s


def read_apart(wire: Connection, address: str, topics: list[str], size: int) -> None:
    """Read in a process of its own, so that writer and reader do not share an interpreter."""
    reader = consumer(address, topics)
    begin(reader, topics)
    reader.poll(0)
    wire.send("ready")
    read(reader, size)
    wire.send("done")
    reader.close()


def both_at_once(address: str, topics: list[str], size: int) -> float:
    """Write a turn's records while another process reads them; give the seconds until the last one was read."""
    spawn = get_context("spawn")
    ours, theirs = spawn.Pipe()
    other = spawn.Process(target=read_apart, args=(theirs, address, topics, size))
    other.start()
    assert ours.recv() == "ready"
    started = time.perf_counter()
    produce(address, topics, size)
    if not ours.poll(60):
        other.kill()
        sys.exit("the reader did not get all records within 60 s")
    assert ours.recv() == "done"
    took_s = time.perf_counter() - started
    other.join()
    return took_s


def turn(target: Target, size: int, number: int) -> None:
    """One turn of a broker: topics are filled, read, and others filled and read at once."""
    first, second = (
        [make_topic(target, f"{kind}-{size}-{number}-{each}") for each in range(TOPICS[size])] for kind in "ab"
    )
    kinds: list[tuple[str, list[str], Callable[[str, list[str], int], float]]] = [
        ("produce", first, produce),
        ("consume", first, consume),
        ("both at once", second, both_at_once),
    ]
    records = records_of(size)
    for kind, topics, work in kinds:
        used_s = processor_s(target.pid)
        took_s = work(target.address, topics, size)
        used_s = processor_s(target.pid) - used_s
        target.note(f"{kind} {size} B, msg/s", records / took_s)
        target.note(f"{kind} {size} B, MB/s", records * size / took_s / 1e6)
        target.note(f"{kind} {size} B, broker's cpu µs/msg", 1e6 * used_s / records)


def latency(target: Target, seconds: float) -> None:
    """Write at a low rate with no linger; each value holds the time at which it was handed to the producer.

    The first records, before which neither client nor broker has done such work, are not counted.
    """
    topic = make_topic(target, "latency")
    took_ms: list[float] = []
    total = WARM_UP + int(seconds * LATENCY_PER_S)
    reader = consumer(target.address, [topic])
    begin(reader, [topic])

    def take() -> None:
        end_at = time.monotonic() + seconds + 10
        while len(took_ms) < total and time.monotonic() < end_at:
            message = reader.poll(0.1)
            if message is not None and message.error() is None:
                took_ms.append(1000 * (time.perf_counter() - struct.unpack(">d", message.value())[0]))

    producer = Producer({**CLIENT, "bootstrap.servers": target.address, "linger.ms": 0, "acks": "all"})
    producer.list_topics(topic, timeout=10)
    thread = threading.Thread(target=take)
    thread.start()
    started = time.perf_counter()
    for number in range(total):
        time.sleep(max(0.0, started + number / LATENCY_PER_S - time.perf_counter()))
        producer.produce(topic, struct.pack(">d", time.perf_counter()), partition=number % PARTITIONS)
        producer.poll(0)
    producer.flush(10)
    thread.join()
    reader.close()
    assert len(took_ms) == total, f"{total - len(took_ms)} records did not come"
    ordered = sorted(took_ms[WARM_UP:])
    target.note("end to end at 100 msg/s, p50 ms", ordered[len(ordered) // 2])
    target.note("end to end at 100 msg/s, p99 ms", ordered[int(len(ordered) * 0.99)])


class Member:
    """A member of a group that notes when it got a record and which partitions it has."""

    def __init__(self, target: Target, topic: str) -> None:
        self.partitions: set[int] = set()
        self._consumer = consumer(target.address, [topic])
        self._consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked)

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.partitions = {each.partition for each in partitions}

    def _revoked(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self.partitions = set()

    def poll(self) -> bool:
        """Tell whether a record came within some milliseconds."""
        message = self._consumer.poll(0.005)
        return message is not None and message.error() is None

    def close(self) -> None:
        self._consumer.close()


def seconds_until(happened: Callable[[], bool], since: float) -> float:
    """Give the seconds until something happens; infinite where it does not in good time."""
    while not happened():
        if time.perf_counter() - since > PATIENCE_S:
            return float("inf")
    return time.perf_counter() - since


def groups(target: Target, number: int) -> None:
    """Join a group, join it again after its only member left, and join a member to it."""
    topic = make_topic(target, f"group-{number}")
    producer = Producer({**CLIENT, "bootstrap.servers": target.address})
    for partition in range(PARTITIONS):
        producer.produce(topic, b"x", partition=partition)
    assert producer.flush(10) == 0

    started = time.perf_counter()
    first = Member(target, topic)
    target.note("first join, s", seconds_until(first.poll, started))

    def both_have_some() -> bool:
        first.poll()
        second.poll()
        return bool(first.partitions and second.partitions) and first.partitions.isdisjoint(second.partitions)

    started = time.perf_counter()
    second = Member(target, topic)
    target.note("second member, s", seconds_until(both_have_some, started))
    second.close()
    first.close()

    started = time.perf_counter()
    again = Member(target, topic)
    target.note("rejoin, s", seconds_until(again.poll, started))
    again.close()


def measure(names: list[str], seconds: float, say: Callable[[str], None]) -> list[Target]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        targets = [stack.enter_context(broker(name, folder)) for name in names]
        for target in targets:
            target.note("start, s", target.start_s)
            target.note("RSS idle, MiB", memory_mib(target.pid, "VmRSS"))
        for target in targets:
            say(f"{target.name}: latency")
            latency(target, seconds)
        for number in range(GROUP_ROUNDS):
            for target in targets:
                if float("inf") in target.figures.get("rejoin, s", []):
                    continue  # it will not come in good time the next time either
                say(f"{target.name}: groups, round {number + 1}")
                groups(target, number)
        for size in RECORDS:
            started, number = time.monotonic(), 0
            while number == 0 or time.monotonic() - started < seconds * len(targets):
                number += 1
                for target in targets:
                    say(f"{target.name}: {size} B, round {number}")
                    turn(target, size, number)
        for target in targets:
            target.note("RSS after load, MiB", memory_mib(target.pid, "VmRSS"))
            target.note("RSS at most, MiB", memory_mib(target.pid, "VmHWM"))
        return targets


def table_of(targets: list[Target]) -> dict[str, dict[str, float | None]]:
    """Give each row's median for each broker; None where it did not happen in good time."""
    rows: dict[str, dict[str, float | None]] = {}
    for target in targets:
        for row, values in target.figures.items():
            middle = statistics.median(values)
            rows.setdefault(row, {})[target.name] = None if middle == float("inf") else middle
    return rows


def show_table(rows: dict[str, dict[str, float | None]], names: list[str], rounds: str) -> None:
    from rich.console import Console
    from rich.table import Table

    titles = {**{name: f"protopact {name}" for name in OURS}, "kafka": "Apache Kafka", "mock": "librdkafka mock"}
    table = Table("", *[titles[name] for name in names], caption=rounds)
    for column in table.columns[1:]:
        column.justify = "right"
    for row, found in rows.items():
        table.add_row(row, *[shown(found.get(name)) for name in names])
    Console().print(table)


def shown(value: float | None) -> str:
    if value is None:
        return f"> {PATIENCE_S:g}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="per broker and load (5)")
    parser.add_argument("--brokers", default=",".join(BROKERS), help=f"some of {','.join(BROKERS)}")
    parser.add_argument("--format", choices=["table", "json"], default="table" if sys.stdout.isatty() else "json")
    options = parser.parse_args()
    names = [name.strip() for name in options.brokers.split(",")]
    if unknown := set(names) - set(BROKERS):
        parser.error(f"no such broker: {', '.join(sorted(unknown))}; there are {', '.join(BROKERS)}")
    sys.path[:0] = [str(TESTS), str(TESTS / "live" / "services")]
    load = os.getloadavg()[0]
    targets = measure(names, options.seconds, lambda line: print(line, file=sys.stderr, flush=True))
    turns = {str(size): len(targets[0].figures[f"produce {size} B, msg/s"]) for size in RECORDS}
    rows = table_of(targets)
    if options.format == "json":
        facts = {"rows": rows, "turns": turns, "load_before": load, "cores": os.cpu_count()}
        json.dump(facts, sys.stdout, indent=1, ensure_ascii=False)
        print()
        return
    told = ", ".join(f"{number} turns of {size} B" for size, number in turns.items())
    show_table(rows, names, f"{told}; the machine's load before: {load:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
