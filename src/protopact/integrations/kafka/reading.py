"""Reading a topic from a chosen place on, outside any group: nothing is committed, and nobody else reads less."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from protopact.errors import BrokerError, ConfigError
from protopact.integrations.kafka.librdkafka import (
    broker_error,
    broker_errors,
    confluent_kafka,
    logger,
    new_consumer,
    properties,
)
from protopact.integrations.kafka.polling import NO_SUCH_TOPIC, PartitionEnd, poll, telling_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from confluent_kafka import Consumer, KafkaError, TopicPartition

    from protopact.integrations.kafka.librdkafka import KafkaConf
    from protopact.integrations.kafka.record import KafkaRecord

POLL_S = 0.2
CHECK_S_MAX = 5.0
_NO_GROUP = "protopact-reader"  # librdkafka wants a name; partitions are assigned, so no group is joined

Start: TypeAlias = Literal["beginning", "end"] | int | datetime
"""Where reading begins: an end of the partition, an offset (-5: five records before the end), or a time."""


def read_topic(
    conf: KafkaConf,
    topic: str,
    *,
    start: Start = "beginning",
    partitions: Iterable[int] | None = None,
    until_end: bool = False,
    max_records: int | None = None,
    until: Callable[[], bool] | None = None,
    timeout_s: float = 30.0,
) -> Generator[KafkaRecord, None, None]:
    """Iterate over a topic's records, or those of some partitions, from `start` on.

    An offset means the records from there on that are still there: a partition that begins later is read from its
    beginning, a shorter one from its end. A time means the first record that is not older. Ends after `max_records`,
    when `until()` is true (asked five times a second, and after each record), and with `until_end` when everything
    was read that is there; otherwise it waits for more.

    Raises `BrokerError` when no broker answers within `timeout_s` seconds, when topic or partition do not exist, and
    when records are deleted before they are read; `ConfigError` for a refused property.
    """
    with closing(_Reader(conf, topic, until_end=until_end, timeout_s=timeout_s)) as reader:
        reader.begin(start, partitions)
        served = 0
        while served != max_records and not (until and until()) and not (until_end and reader.at_end):
            record = reader.next_record()
            if record is not None:
                yield record
                served += 1


class _Reader:
    """One consumer that was given its partitions."""

    def __init__(self, conf: KafkaConf, topic: str, *, until_end: bool, timeout_s: float) -> None:
        self._topic = topic
        self._until_end = until_end
        self._timeout_s = timeout_s
        self._unread: set[int] = set()
        self._trouble: KafkaError | None = None
        asked = telling_ends(conf) if until_end else {**properties(conf), "enable.partition.eof": False}
        self._consumer: Consumer = new_consumer(
            {**asked, "auto.offset.reset": "error"},
            group_id=_NO_GROUP,
            on_error=self._note_trouble,
            on_commit=lambda _error, _partitions: None,
        )

    @property
    def at_end(self) -> bool:
        """Whether everything was read."""
        return not self._unread

    def begin(self, start: Start, partitions: Iterable[int] | None) -> None:
        """Look where each partition is to be read from, and begin there."""
        known = self._partitions(self._timeout_s)
        wanted = known if partitions is None else sorted(set(partitions))
        for partition in wanted:
            if partition not in known:
                raise BrokerError(
                    f"the topic {self._topic!r} has no partition {partition}: it has {len(known)}", topic=self._topic
                )
        with broker_errors(f"cannot find where to read {self._topic!r} from", topic=self._topic):
            self._consumer.assign(self._places(wanted, start))
        self._unread = set(wanted)

    def next_record(self) -> KafkaRecord | None:
        """Give the next record, or None when none came yet."""
        found = poll(self._consumer, [self._topic], POLL_S)
        if isinstance(found, PartitionEnd):
            self._unread.discard(found.partition)
            return None
        if found is not None:
            self._trouble = None
            self._unread.add(found.partition)
        elif self._until_end and self._trouble is not None:
            self._partitions(min(self._timeout_s, CHECK_S_MAX))  # who waits for an end is told that none will come
        return found

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()

    def _partitions(self, timeout_s: float) -> list[int]:
        with broker_errors(f"cannot ask for the topic {self._topic!r}", topic=self._topic):
            known = self._consumer.list_topics(self._topic, timeout=timeout_s).topics[self._topic]
        if known.error is not None and known.error.name() in NO_SUCH_TOPIC:
            raise broker_error(f"cannot read the topic {self._topic!r}", known.error, topic=self._topic)
        return sorted(known.partitions)

    def _places(self, partitions: Sequence[int], start: Start) -> list[TopicPartition]:
        kind: type[TopicPartition] = confluent_kafka().TopicPartition
        if isinstance(start, datetime):
            asked = [kind(self._topic, partition, _milliseconds(start)) for partition in partitions]
            return self._consumer.offsets_for_times(asked, timeout=self._timeout_s)
        return [kind(self._topic, partition, self._offset(kind, partition, start)) for partition in partitions]

    def _offset(self, kind: type[TopicPartition], partition: int, start: Literal["beginning", "end"] | int) -> int:
        place = kind(self._topic, partition)
        low, high = self._consumer.get_watermark_offsets(place, timeout=self._timeout_s)
        if not isinstance(start, int):
            return {"beginning": low, "end": high}[start]
        return max(low, min(start, high) if start >= 0 else high + start)

    def _note_trouble(self, error: KafkaError) -> None:
        self._trouble = error
        logger.warning("%s: %s", error.name(), error.str())


def _milliseconds(time: datetime) -> int:
    if time.tzinfo is None:
        raise ConfigError(f"the time {time} has no zone", option="start", hint="datetime.now(UTC) has one")
    return round(time.timestamp() * 1000)
