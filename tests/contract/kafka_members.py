"""Members of a consumer group, each on a thread: they read, and commit what they read before a partition is taken."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import NewPartitions

from contract.kafka_clients import WAIT_S, Clients, new_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka import TopicPartition

# To notice a rebalance; clients do so every 3 s by default.
QUICK = {"heartbeat.interval.ms": 100, "session.timeout.ms": 10_000, "reconnect.backoff.max.ms": 100}


class Member:
    """One member, and what it was given so far."""

    def __init__(self, readers: Readers, conf: Mapping[str, object]) -> None:
        self.assigned: set[int] = set()
        self.given: list[set[int]] = []  # what it was given, and what was taken from it, each time
        self.taken: list[set[int]] = []
        self.error: KafkaError | None = None
        self._readers = readers
        self._left = threading.Event()
        self._closing = False
        self._consumer = Consumer(dict(conf))
        self._consumer.subscribe([readers.topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def leave(self) -> None:
        """Leave the group in order; a static member only closes its connection."""
        self._left.set()
        self._thread.join(WAIT_S)

    def _read(self) -> None:
        try:
            while not self._left.is_set() and self.error is None:
                message = self._consumer.poll(0.05)
                with self._readers.changed:
                    if message is not None and message.error():
                        self.error = message.error()
                    elif message is not None:
                        self._readers.seen.append((message.partition(), message.offset()))
                    self._readers.changed.notify_all()
            self._commit(self._consumer)
        finally:
            self._closing = True
            self._consumer.close()

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        with self._readers.changed:
            self.given.append({each.partition for each in partitions})
            self.assigned = self.assigned | self.given[-1]
            self._readers.changed.notify_all()

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if not self._closing:  # all is committed then, and librdkafka may refuse to commit for one that ends (_DESTROY)
            self._commit(consumer)
        self._lost(consumer, partitions)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        with self._readers.changed:
            self.taken.append({each.partition for each in partitions})
            self.assigned = self.assigned - self.taken[-1]
            self._readers.changed.notify_all()

    def _commit(self, consumer: Consumer) -> None:
        if self.error is not None:
            return
        try:
            consumer.commit(asynchronous=False)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._NO_OFFSET:  # nothing was read since the last commit
                raise


class Readers:
    """A group of members that read one topic; `seen` is what all of them read, in the order of reading."""

    def __init__(self, clients: Clients, *, partitions: int, topic: str = "", **conf: object) -> None:
        self.clients = clients
        self.partitions = partitions
        self.topic = topic or clients.new_topic(partitions)
        self.group = new_name("group")
        self.seen: list[tuple[int, int]] = []
        self.changed = threading.Condition()
        self._conf = {
            **clients.conf,
            "group.id": self.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            **QUICK,
            **{name.replace("_", "."): value for name, value in conf.items()},
        }

    def join(self, conf: Mapping[str, object] | None = None) -> Member:
        member = Member(self, {**self._conf, **(conf or {})})
        self.clients.stack.callback(member.leave)
        return member

    def grow(self, partitions: int) -> None:
        """Add partitions to the topic."""
        new = NewPartitions(self.topic, partitions)
        self.clients.admin.create_partitions([new])[self.topic].result(WAIT_S)
        self.partitions = partitions

    def wait_for(self, condition: Callable[[], bool], *what: object) -> None:
        """Wait until a condition on members or records holds."""
        with self.changed:
            assert self.changed.wait_for(condition, WAIT_S), (self.seen[-10:], *what)

    def wait_for_shares(self, *members: Member, sizes: list[int]) -> None:
        """Wait until the members have all partitions, none twice, in shares of these sizes."""

        def shared() -> bool:
            held = [partition for member in members for partition in member.assigned]
            return sorted(held) == list(range(self.partitions)) and sizes == sorted(len(m.assigned) for m in members)

        self.wait_for(shared, [(member.assigned, member.error) for member in members])
