"""What a poll of librdkafka brings: a record, the end of a partition, or nothing yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.integrations.kafka.librdkafka import broker_error, broker_errors, logger, properties
from protopact.integrations.kafka.record import record_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import Consumer

    from protopact.integrations.kafka.librdkafka import KafkaConf
    from protopact.integrations.kafka.record import KafkaRecord

NO_SUCH_TOPIC = frozenset({"TOPIC_AUTHORIZATION_FAILED", "TOPIC_EXCEPTION", "UNKNOWN_TOPIC_OR_PART"})
# The end of a partition is known by an answer without records, for which a broker waits so long: 500 ms by default.
END_WAIT_MS = 10
# librdkafka goes on by itself after these.
_PASSING = frozenset({"_ALL_BROKERS_DOWN", "_MAX_POLL_EXCEEDED", "_RESOLVE", "_TIMED_OUT", "_TRANSPORT"})


@dataclass(frozen=True, slots=True)
class PartitionEnd:
    """A partition of which everything that was there has been read."""

    topic: str
    partition: int


def telling_ends(conf: KafkaConf) -> dict[str, object]:
    """Give a configuration's properties for a consumer that is told of the end of each partition, and soon."""
    return {"fetch.wait.max.ms": END_WAIT_MS, **properties(conf), "enable.partition.eof": True}


def poll(consumer: Consumer, topics: Sequence[str], wait_s: float) -> KafkaRecord | PartitionEnd | None:
    """Give what comes next, or None when nothing came in time; BrokerError for a failure that does not pass."""
    asked_topic = topics[0] if len(topics) == 1 else ""
    with broker_errors(f"cannot read {', '.join(topics)}", topic=asked_topic):
        message = consumer.poll(wait_s)
    if message is None:
        return None
    error = message.error()
    if error is None:
        return record_of(message)
    topic = message.topic() or asked_topic
    if error.name() == "_PARTITION_EOF":
        partition = message.partition()
        return PartitionEnd(topic, -1 if partition is None else partition)
    if error.name() not in _PASSING:
        raise broker_error(f"cannot read {topic or ', '.join(topics)}", error, topic=topic)
    logger.warning("%s: %s", error.name(), error.str())
    return None
