"""The brokers that the contract is for, and confluent-kafka's clients of one test: all are closed at its end."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import ExitStack

    from confluent_kafka import Message
    from confluent_kafka.admin import ListOffsetsResultInfo

    from contract.kafka_proxy import KafkaProxy

    Headers = tuple[tuple[str, bytes | None], ...]

T = TypeVar("T")
WAIT_S = 15.0  # how long anything may take before the test has failed; nothing waits so long where all is well
NOT_YET = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError._NOENT,  # no leader is known
}
# Of records that are given a time. It is of today: a broker lets go of what is older than seven days whenever it looks,
# be it between the writing of a record and its reading.
TIME_MS = int(time.time() * 1000) - 3_600_000
QUIET = {"log_level": 2}  # what goes wrong is told by the clients' errors


@dataclass(frozen=True)
class Broker:
    """A broker under the contract: its address, and what it refuses, each with its reason."""

    bootstrap_servers: str
    refuses: Mapping[str, str]


@dataclass(frozen=True)
class Record:
    """What a client writes, and what another reads."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    timestamp_ms: int | None = None
    partition: int = 0
    offset: int | None = None


def of_confluent(message: Message) -> Record:
    kind, timestamp_ms = message.timestamp()
    return Record(
        value=message.value(),
        key=message.key(),
        headers=tuple(message.headers() or ()),
        timestamp_ms=None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp_ms,
        partition=message.partition(),
        offset=message.offset(),
    )


def new_name(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:10]}"


def messages(consumer: Consumer, count: int) -> Iterator[Message]:
    """Give the next messages; an error, or silence, ends the test."""
    deadline = time.monotonic() + WAIT_S
    while count:
        message = consumer.poll(deadline - time.monotonic())
        assert message is not None, f"{count} messages did not come within {WAIT_S} s"
        if message.error():
            raise KafkaException(message.error())
        count -= 1
        yield message


def becomes(read: Callable[[], T], expected: T) -> bool:
    """Whether a value is found in the end: Apache Kafka's controller confirms a change before the broker knows it."""
    deadline = time.monotonic() + WAIT_S
    while (found := read()) != expected:
        assert time.monotonic() < deadline, (found, expected)
        time.sleep(0.005)
    return True


class Clients:
    """Clients of one broker."""

    def __init__(self, broker: Broker, stack: ExitStack) -> None:
        self.broker = broker
        self.conf = {"bootstrap.servers": broker.bootstrap_servers, **QUIET}
        self.stack = stack

    def through(self, proxy: KafkaProxy) -> Clients:
        """Give clients that reach the broker through a proxy; they are closed with these."""
        return Clients(replace(self.broker, bootstrap_servers=proxy.bootstrap_servers), self.stack)

    @cached_property
    def admin(self) -> AdminClient:
        return self.stack.enter_context(AdminClient(self.conf))

    def new_topic(self, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
        """Create a topic that no other test has."""
        name = new_name("topic")
        new = NewTopic(name, num_partitions=partitions, replication_factor=1, config=dict(config or {}))
        self.admin.create_topics([new])[name].result(WAIT_S)
        for partition in range(partitions):
            self.wait_for_leader(name, partition)
        return name

    def wait_for_leader(self, topic: str, partition: int = 0) -> None:
        """Wait until a new partition is served: Apache Kafka confirms its creation a moment before."""

        def is_served() -> bool:
            try:
                self.end_of(topic, partition)
            except KafkaException as error:
                if error.args[0].code() not in NOT_YET:
                    raise
                return False
            return True

        assert becomes(is_served, expected=True)

    def producer(self, conf: Mapping[str, object] | None = None) -> Producer:
        producer = Producer({**self.conf, **(conf or {})})
        self.stack.callback(producer.close)
        return producer

    def consumer(self, conf: Mapping[str, object] | None = None) -> Consumer:
        """Give a consumer of a group of its own, unless one is named; it commits only when told."""
        own = {"group.id": new_name("group"), "enable.auto.commit": False, "auto.offset.reset": "earliest"}
        consumer = Consumer({**self.conf, **own, **(conf or {})})
        self.stack.callback(consumer.close)
        return consumer

    def reader(
        self,
        topic: str,
        *,
        partition: int = 0,
        offset: int = 0,
        conf: Mapping[str, object] | None = None,
    ) -> Consumer:
        """Give a consumer of one partition, of no group. A named place, as the beginning, takes it 0.5 s to find."""
        consumer = self.consumer(conf)
        consumer.assign([TopicPartition(topic, partition, offset)])
        return consumer

    def produce(self, topic: str, records: Sequence[Record], conf: Mapping[str, object] | None = None) -> list[Record]:
        """Write records where they say, and give them as they were confirmed, in the order of confirmation."""
        confirmed: list[Message] = []
        failed: list[object] = []
        with Producer({**self.conf, **(conf or {})}) as producer:
            for record in records:
                producer.produce(
                    topic,
                    record.value,
                    record.key,
                    partition=record.partition,
                    on_delivery=lambda error, message: failed.append(error) if error else confirmed.append(message),
                    timestamp=record.timestamp_ms or 0,
                    headers=list(record.headers),
                )
            assert producer.flush(WAIT_S) == 0
        if failed:
            raise KafkaException(failed[0])
        return [of_confluent(message) for message in confirmed]

    def end_of(self, topic: str, partition: int = 0) -> int:
        """Give the offset that the partition's next record will have."""
        return self.offset_of(topic, OffsetSpec.latest(), partition).offset

    def offset_of(self, topic: str, spec: OffsetSpec, partition: int = 0) -> ListOffsetsResultInfo:
        """Ask for an offset of a partition, as by time."""
        where = TopicPartition(topic, partition)
        return self.admin.list_offsets({where: spec})[where].result(WAIT_S)

    def read(
        self, topic: str, count: int, *, partition: int = 0, conf: Mapping[str, object] | None = None
    ) -> list[Record]:
        """Read the first records of a partition."""
        return [of_confluent(m) for m in messages(self.reader(topic, partition=partition, conf=conf), count)]
