"""Topics that have to be there: created where they are missing, left alone where they exist."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from protopact.errors import BrokerError
from protopact.integrations.kafka.librdkafka import broker_error, broker_errors, kafka_exception, logger, new_admin

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic

    from protopact.integrations.kafka.librdkafka import KafkaConf

LOOK_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class EnsuredTopics:
    """What `ensure_topics` did: topics it created, topics that were there.

    `partitions_differ` holds, for topics that were there with another number of partitions, the number that they have.
    """

    created: tuple[str, ...]
    existing: tuple[str, ...]
    partitions_differ: Mapping[str, int] = field(default_factory=dict)


def ensure_topics(
    conf: KafkaConf,
    topics: Iterable[str] | str,
    *,
    partitions: int = 1,
    replication_factor: int = 1,
    config: Mapping[str, str] | None = None,
    timeout_s: float = 30.0,
) -> EnsuredTopics:
    """Create the topics that are missing and say which; calling it again changes nothing.

    An existing topic is never altered: one with another number of partitions is reported and logged. When this
    returns, every partition of every topic has a leader. `config` holds topic properties (`retention.ms`) for new
    topics. Raises `BrokerError` with the topic's name when one cannot be created, or after `timeout_s` seconds.
    """
    wanted = tuple(dict.fromkeys([topics] if isinstance(topics, str) else topics))
    deadline = time.monotonic() + timeout_s
    admin = new_admin(conf)
    missing = tuple(sorted(set(wanted) - _led_partitions(admin, wanted, timeout_s).keys()))
    new_topic = import_module("confluent_kafka.admin").NewTopic
    requests = [new_topic(topic, partitions, replication_factor, config=dict(config or {})) for topic in missing]
    created = _create(admin, requests, timeout_s)
    found = _wait_for_leaders(admin, wanted, deadline)
    existing = tuple(topic for topic in wanted if topic not in created)
    differ = {topic: found[topic] for topic in existing if found[topic] != partitions}
    for topic, count in differ.items():
        logger.warning("topic %s has %d partitions, not %d; it is left as it is", topic, count, partitions)
    return EnsuredTopics(tuple(topic for topic in wanted if topic in created), existing, differ)


def _led_partitions(admin: AdminClient, topics: tuple[str, ...], timeout_s: float) -> dict[str, int]:
    """Ask which of the topics exist: their number of partitions, 0 while one of these has no leader."""
    with broker_errors(f"cannot ask for the topics {', '.join(topics)}", topic=topics[0] if len(topics) == 1 else ""):
        known = admin.list_topics(timeout=timeout_s).topics
    found = {}
    for topic in topics:
        if topic in known:
            parts = known[topic].partitions.values()
            found[topic] = len(parts) if all(part.leader >= 0 for part in parts) else 0
    return found


def _create(admin: AdminClient, requests: list[NewTopic], timeout_s: float) -> frozenset[str]:
    """Create topics; one that somebody else created meanwhile is as good."""
    if not requests:
        return frozenset()
    with broker_errors("cannot create topics"):
        outcomes = admin.create_topics(requests, operation_timeout=timeout_s, request_timeout=timeout_s)
    created, failures = set(), []
    for topic, outcome in outcomes.items():
        try:
            outcome.result()
        except kafka_exception() as error:
            reason = error.args[0]
            if reason.name() != "TOPIC_ALREADY_EXISTS":
                failures.append(broker_error(f"cannot create the topic {topic!r}", reason, topic=topic))
        else:
            created.add(topic)
    if failures:
        first, *rest = failures
        more = f"; and {len(rest)} more: {'; '.join(map(str, rest))}" if rest else ""
        raise BrokerError(f"{first}{more}", topic=first.topic, hint=first.hint)
    return frozenset(created)


def _wait_for_leaders(admin: AdminClient, topics: tuple[str, ...], deadline: float) -> dict[str, int]:
    """Wait until the brokers know what the controller has decided: a topic is usable some time after its creation."""
    while True:
        found = _led_partitions(admin, topics, max(deadline - time.monotonic(), LOOK_AGAIN_S)) if topics else {}
        waiting = [topic for topic in topics if not found.get(topic)]
        if not waiting:
            return found
        if time.monotonic() > deadline:
            raise BrokerError(
                f"the topic {waiting[0]!r} has no leader for each partition in time",
                topic=waiting[0],
                hint="give more timeout_s, or look at the cluster's controller",
            )
        time.sleep(LOOK_AGAIN_S)
