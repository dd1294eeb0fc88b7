"""One consumer in its group: what it reads, and the offsets that it has processed but not committed.

Commits follow processing at their own pace: one is under way at a time, and the next carries whatever was processed
meanwhile. So a slow coordinator slows nobody, and a killed process reads again what the last milliseconds brought.
Only before a partition goes to another member, and at the end, is the coordinator's word waited for.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from protopact.errors import BrokerError
from protopact.integrations.kafka.librdkafka import (
    broker_error,
    broker_errors,
    confluent_kafka,
    kafka_exception,
    logger,
    new_consumer,
    properties,
)
from protopact.integrations.kafka.polling import NO_SUCH_TOPIC, PartitionEnd, poll

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from confluent_kafka import Consumer, KafkaError, TopicPartition

    from protopact.integrations.kafka.librdkafka import KafkaConf
    from protopact.integrations.kafka.record import KafkaRecord

CHECK_S_MAX = 5.0

# A refused commit that repeats by itself, or whose records the partition's next reader gets again.
_COMMIT_LATER = frozenset(
    {
        "COORDINATOR_LOAD_IN_PROGRESS",
        "COORDINATOR_NOT_AVAILABLE",
        "ILLEGAL_GENERATION",
        "NOT_COORDINATOR",
        "REBALANCE_IN_PROGRESS",
        "REQUEST_TIMED_OUT",
        "STALE_MEMBER_EPOCH",
        "UNKNOWN_MEMBER_ID",
        "_ASSIGNMENT_LOST",
        "_NO_OFFSET",
        "_STATE",
        "_TIMED_OUT",
        "_TRANSPORT",
        "_WAIT_COORD",
    }
)


@contextmanager
def joined(conf: KafkaConf, topics: Sequence[str], *, group_id: str, timeout_s: float) -> Iterator[Member]:
    """Join the group for the length of the block; on the way out commit what was processed, and leave the group."""
    member = Member(conf, topics, group_id)
    try:
        member.join(timeout_s)
        yield member
        member.finish_commits(timeout_s)
    except BaseException:
        member.try_finish_commits(timeout_s)  # the first failure is the one to tell
        raise
    finally:
        member.leave()


class Member:
    """One consumer in its group."""

    def __init__(self, conf: KafkaConf, topics: Sequence[str], group_id: str) -> None:
        """Make the consumer; nothing is asked of a broker yet."""
        self._topics = topics
        self._group_id = group_id
        self._creates_topics = str(properties(conf).get("allow.auto.create.topics", False)).lower() == "true"
        self._trouble: KafkaError | None = None
        self._unreachable = False
        self._idle_since: float | None = None
        self._settled = False
        self._unread: set[tuple[str, int]] = set()  # partitions whose end has not been seen
        self._processed: dict[tuple[str, int], int] = {}  # the next offset of each partition, not yet committed
        self._under_way: dict[tuple[str, int], int] = {}
        self._consumer: Consumer = new_consumer(
            conf, group_id=group_id, on_error=self._note_trouble, on_commit=self._on_commit
        )

    def join(self, timeout_s: float) -> None:
        """Make sure that brokers and topics are there, then subscribe."""
        self._check_topics(timeout_s)
        with broker_errors(f"cannot subscribe to {', '.join(self._topics)}", topic=self._topic):
            self._consumer.subscribe(
                list(self._topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
            )

    def next_record(self, wait_s: float) -> KafkaRecord | None:
        """Give the next record, or None when none came in time."""
        self._commit_soon()
        found = poll(self._consumer, self._topics, wait_s)
        if isinstance(found, PartitionEnd):
            self._unread.discard((found.topic, found.partition))
            return None
        if found is not None:
            self._trouble = None
            self._unread.add((found.topic, found.partition))
        return found

    def processed(self, record: KafkaRecord) -> None:
        """Note that a record needs not come again."""
        self._processed[record.topic, record.partition] = record.offset + 1
        self._idle_since = time.monotonic()

    def is_idle(self, idle_timeout_s: float | None) -> bool:
        """Say whether no record came for so long; waiting for the group to form is not idleness."""
        if idle_timeout_s is None or self._idle_since is None:
            return False
        return time.monotonic() - self._idle_since > idle_timeout_s

    @property
    def at_end(self) -> bool:
        """Whether everything was read that is there; the configuration must ask for `enable.partition.eof`."""
        return self._settled and not self._unread

    def check_reachable(self, timeout_s: float) -> None:
        """Tell silence from an outage: after a reported trouble, no broker that answers is a `BrokerError`."""
        if self._trouble is not None:
            self._check_topics(min(timeout_s, CHECK_S_MAX))

    def finish_commits(self, timeout_s: float) -> None:
        """Commit what was processed and wait for the coordinator's word."""
        if self._processed:
            self._check_topics(min(timeout_s, CHECK_S_MAX))  # a commit to a dead broker waits for the session's end
            self._commit_now()

    def try_finish_commits(self, timeout_s: float) -> None:
        """Do the same, but only log a failure: the records come again."""
        if self._unreachable:
            return
        try:
            self.finish_commits(timeout_s)
        except BrokerError as error:
            logger.warning("processed records come again to the group %s: %s", self._group_id, error)

    def leave(self) -> None:
        """Close; the group gives the partitions to others at once."""
        self._processed.clear()
        if self._unreachable and self._under_way:
            # Closing waits for the commit under way until the session's end (45 s by default); nobody else should.
            Thread(target=self._consumer.close, name="protopact-kafka-close", daemon=True).start()
        else:
            self._consumer.close()

    @property
    def _topic(self) -> str:
        return self._topics[0] if len(self._topics) == 1 else ""

    def _check_topics(self, timeout_s: float) -> None:
        for topic in self._topics:
            pattern = topic.startswith("^")
            self._unreachable = True
            with broker_errors(f"cannot ask for the topic {topic!r}", topic=topic):
                known = self._consumer.list_topics(None if pattern else topic, timeout=timeout_s).topics
            self._unreachable = False
            error = None if pattern else known[topic].error
            if error is not None and error.name() in NO_SUCH_TOPIC and not self._creates_topics:
                raise broker_error(f"cannot read the topic {topic!r}", error, topic=topic)

    def _commit_soon(self) -> None:
        if self._processed and not self._under_way:
            self._under_way = dict(self._processed)
            try:
                self._consumer.commit(offsets=_offsets(self._under_way), asynchronous=True)
            except kafka_exception() as error:
                self._under_way = {}
                self._refused(error.args[0])

    def _commit_now(self) -> None:
        if not self._processed:
            return
        try:
            answers = self._consumer.commit(offsets=_offsets(self._processed), asynchronous=False)
        except kafka_exception() as error:
            self._refused(error.args[0])
            return
        for each in answers:
            if each.error is not None:
                self._refused(each.error)
        self._processed.clear()

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        asked, self._under_way = self._under_way, {}
        reason = error or next((each.error for each in partitions if each.error is not None), None)
        if reason is not None:
            self._refused(reason)
            return
        for place, offset in asked.items():
            if self._processed.get(place) == offset:
                del self._processed[place]

    def _refused(self, error: KafkaError) -> None:
        """Go on where the commit can come later, or the partition's next reader gets the records again."""
        if error.name() not in _COMMIT_LATER:
            what = f"the group {self._group_id!r} cannot commit {', '.join(self._topics)}"
            raise broker_error(what, error, topic=self._topic)
        logger.warning("group %s did not commit, processed records may come again: %s", self._group_id, error.str())

    def _note_trouble(self, error: KafkaError) -> None:
        self._trouble = error
        logger.warning("%s: %s", error.name(), error.str())

    def _on_assign(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._idle_since = time.monotonic()
        self._settled = True
        self._unread |= {(each.topic, each.partition) for each in partitions}

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._commit_now()
        self._on_lost(consumer, partitions)

    def _on_lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._settled = False  # until the group has given the next assignment
        for each in partitions:
            self._processed.pop((each.topic, each.partition), None)
            self._unread.discard((each.topic, each.partition))


def _offsets(places: dict[tuple[str, int], int]) -> list[TopicPartition]:
    kind: type[TopicPartition] = confluent_kafka().TopicPartition
    return [kind(topic, partition, offset) for (topic, partition), offset in places.items()]
