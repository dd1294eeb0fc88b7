"""Clients that go on while a broker is killed: producers, and commits of a group; they know what was acknowledged."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from confluent_kafka import KafkaError, Message

    from broker_node import Copies

IN_FLIGHT_MAX = 400
VALUE_BYTES = 200
FLUSH_S = 60.0
QUICK = {"log_level": 0, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200, "retry.backoff.ms": 50}


class Writer:
    """An idempotent producer that writes numbered values until it is stopped, through every failure on the way."""

    def __init__(self, bootstrap_servers: str, topic: str, number: int, partitions: int, *, pace_s: float = 0) -> None:
        self.acknowledged: dict[bytes, float] = {}  # with the time at which it was known
        self.failed: list[str] = []
        self.written = 0
        self._topic, self._number, self._partitions, self._pace_s = topic, number, partitions, pace_s
        self._stopped = threading.Event()
        conf = {"bootstrap.servers": bootstrap_servers, "enable.idempotence": True, "acks": "all", "linger.ms": 2}
        more = {"message.timeout.ms": 600_000, "batch.size": 16384, "transaction.timeout.ms": 600_000}
        self._producer = Producer({**QUICK, **conf, **more})
        self._thread = threading.Thread(target=self._write)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write no more, and wait until all that was written is acknowledged."""
        self._stopped.set()
        self._thread.join()
        left = self._producer.flush(FLUSH_S)
        if left:
            self.failed.append(f"{left} records of writer {self._number} were never acknowledged")

    def give_up(self) -> None:
        """Write no more, and let go of what is not acknowledged: the broker does not come back."""
        self._stopped.set()
        self._thread.join()
        self._producer.purge()

    def value(self, number: int) -> bytes:
        return (b"%d:%d:" % (self._number, number)).ljust(VALUE_BYTES, b".")

    def _write(self) -> None:
        while not self._stopped.is_set():
            value, partition = self.value(self.written), self.written % self._partitions
            self._producer.produce(self._topic, value, partition=partition, on_delivery=self._delivered)
            self.written += 1
            self._producer.poll(0)
            time.sleep(self._pace_s)
            while len(self._producer) >= IN_FLIGHT_MAX and not self._stopped.is_set():
                self._producer.poll(0.01)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.failed.append(error.str())
            return
        value = message.value()
        assert value is not None
        self.acknowledged[value] = time.time()


class Committer:
    """Commits growing offsets of a group, one after the other."""

    def __init__(self, bootstrap_servers: str, topic: str, group: str, partitions: int) -> None:
        self.acknowledged: dict[int, list[tuple[int, float]]] = defaultdict(list)  # by partition, in order
        self._topic, self._partitions = topic, partitions
        conf = {"bootstrap.servers": bootstrap_servers, "group.id": group, "enable.auto.commit": False}
        self._consumer = Consumer({**QUICK, **conf})
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._commit, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._consumer.close()

    def _commit(self) -> None:
        number = 0
        while not self._stopped.is_set():
            number += 1
            partition = number % self._partitions
            wanted = [TopicPartition(self._topic, partition, number)]
            with suppress(KafkaException):
                done = self._consumer.commit(offsets=wanted, asynchronous=False)
                if done and done[0].error is None:
                    self.acknowledged[partition].append((number, time.time()))
            self._stopped.wait(0.005)

    def last(self, before: float = float("inf")) -> dict[int, int]:
        """Give the last offset of each partition that was acknowledged before a time."""
        found = {
            partition: [offset for offset, at in list(done) if at < before]
            for partition, done in list(self.acknowledged.items())
        }
        return {partition: max(offsets) for partition, offsets in found.items() if offsets}


class Load:
    """Several writers and a committer on one topic; they run for the length of the block."""

    def __init__(
        self, bootstrap_servers: str, topic: str, group: str, *, writers: int, partitions: int, pace_s: float = 0
    ) -> None:
        at = (bootstrap_servers, topic)
        self.writers = [Writer(*at, number, partitions, pace_s=pace_s) for number in range(writers)]
        self.committer = Committer(bootstrap_servers, topic, group, partitions)
        self._given_up = False

    def __enter__(self) -> Self:
        for each in (*self.writers, self.committer):
            each.start()
        return self

    def give_up(self) -> None:
        """Let go of all, for the broker does not come back; a commit on its way would wait for it."""
        self._given_up = True
        for writer in self.writers:
            writer.give_up()
        self.committer._stopped.set()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._given_up:
            return
        for each in (*self.writers, self.committer):
            each._stopped.set()
        self.committer.stop()
        for writer in self.writers:
            writer.stop()

    @property
    def records(self) -> int:
        return sum(len(writer.acknowledged) for writer in self.writers)

    def wait_for(self, more: int, timeout_s: float = 60) -> None:
        """Wait until so many more records, and some more commits, are acknowledged."""
        wanted, end_at = self.records + more, time.monotonic() + timeout_s
        commits = sum(self.committer.last().values())
        while self.records < wanted or sum(self.committer.last().values()) == commits:
            failed = self.failures()
            assert time.monotonic() < end_at, f"{wanted - self.records} of {more} records are not acknowledged {failed}"
            time.sleep(0.005)

    def failures(self) -> list[str]:
        return [text for writer in self.writers for text in writer.failed]

    def acknowledged(self, before: float = float("inf")) -> Iterator[tuple[bytes, float]]:
        """Give the records that were acknowledged before a time, and when each was."""
        for writer in self.writers:
            for value, at in list(writer.acknowledged.items()):
                if at < before:
                    yield value, at

    def values(self) -> set[bytes]:
        """Give every value that was written, whether it was acknowledged or not."""
        return {writer.value(number) for writer in self.writers for number in range(writer.written)}

    def times(self) -> Iterator[float]:
        """Give the time at which each record was acknowledged."""
        return (at for _, at in self.acknowledged())


def committed(bootstrap_servers: str, topic: str, group: str, partitions: Sequence[int]) -> dict[int, int]:
    """Give the group's offset of each of the partitions; -1001 where there is none."""
    consumer = Consumer({**QUICK, "bootstrap.servers": bootstrap_servers, "group.id": group})
    try:
        asked = [TopicPartition(topic, partition) for partition in partitions]
        return {each.partition: each.offset for each in consumer.committed(asked, timeout=30)}
    finally:
        consumer.close()


def out_of_order(copies: Copies) -> list[bytes]:
    """Give the values that stand in a partition before one that their writer wrote earlier."""
    last: dict[tuple[bytes, int], int] = {}
    found = []
    for value in sorted(copies.offsets, key=lambda value: copies.offsets[value][0]):
        writer, sequence, _ = value.split(b":")
        key = (writer, copies.offsets[value][0][0])
        if int(sequence) < last.get(key, -1):
            found.append(value)
        last[key] = int(sequence)
    return found
