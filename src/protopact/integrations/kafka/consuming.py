"""Reading records in a consumer group: a record is committed after it was processed, never before."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from protopact.errors import BrokerError
from protopact.integrations.kafka.member import joined
from protopact.integrations.kafka.polling import telling_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from protopact.integrations.kafka.librdkafka import KafkaConf
    from protopact.integrations.kafka.record import KafkaRecord

POLL_S = 0.2  # how soon `until` is asked again while no record comes


def consume(
    conf: KafkaConf,
    topics: Iterable[str] | str,
    handler: Callable[[KafkaRecord], object],
    *,
    group_id: str,
    max_records: int | None = None,
    idle_timeout_s: float | None = None,
    until: Callable[[], bool] | None = None,
    timeout_s: float = 30.0,
) -> int:
    """Call `handler` with each record and commit the record after it has returned; give the number of records.

    Options are those of `kafka_records`. An exception of the handler propagates: its record stays uncommitted and
    comes again to the group, those before it are committed.
    """
    records = kafka_records(
        conf,
        topics,
        group_id=group_id,
        max_records=max_records,
        idle_timeout_s=idle_timeout_s,
        until=until,
        timeout_s=timeout_s,
    )
    handled = 0
    with closing(records):
        for record in records:
            handler(record)
            handled += 1
    return handled


def kafka_records(
    conf: KafkaConf,
    topics: Iterable[str] | str,
    *,
    group_id: str,
    max_records: int | None = None,
    idle_timeout_s: float | None = None,
    until: Callable[[], bool] | None = None,
    until_end: bool = False,
    timeout_s: float = 30.0,
) -> Generator[KafkaRecord, None, None]:
    """Iterate over records; asking for the next one says that this one was processed, and commits it.

    Ends after `max_records`, after `idle_timeout_s` seconds without a record (counted from when the group has given
    this member its partitions, or from the end of the last record's processing), or when `until()` is true (asked
    five times a second, and after each record: `until=event.is_set`), or with `until_end` when everything was read that
    is there in the partitions that this member was given. A new group starts with the first record
    unless `auto.offset.reset` says otherwise.

    Commits are sent while later records are read, and waited for at the end and before a partition goes to another
    member. A record at whose processing the loop was left (exception, `break`) is not committed.

    Raises `BrokerError` when no broker answers within `timeout_s` seconds, at the start or where the end would be
    called idle, and when a topic does not exist; `ConfigError` for a refused property.
    """
    wanted = [topics] if isinstance(topics, str) else list(topics)
    if until_end:
        conf = telling_ends(conf)
    with joined(conf, wanted, group_id=group_id, timeout_s=timeout_s) as member:
        served = 0
        while served != max_records and not (until and until()) and not (until_end and member.at_end):
            record = member.next_record(POLL_S)
            if record is not None:
                yield record
                served += 1
                member.processed(record)
            elif member.is_idle(idle_timeout_s):
                member.check_reachable(timeout_s)
                return
            elif until_end:
                member.check_reachable(timeout_s)


def kafka_consume_one(
    conf: KafkaConf,
    topic: str,
    *,
    group_id: str,
    timeout_s: float = 30.0,
    handler: Callable[[KafkaRecord], object] | None = None,
) -> KafkaRecord:
    """Give the group's next record of a topic.

    With a `handler` the record is committed after the handler has returned. Without one nothing is committed, since
    nobody can know whether the caller has processed it: the group's next read gives the same record.
    Raises `BrokerError` when no record came within `timeout_s` seconds.
    """
    deadline = time.monotonic() + timeout_s
    with joined(conf, [topic], group_id=group_id, timeout_s=timeout_s) as member:
        while (left_s := deadline - time.monotonic()) > 0:
            record = member.next_record(min(left_s, POLL_S))
            if record is not None:
                if handler is not None:
                    handler(record)
                    member.processed(record)
                return record
        member.check_reachable(timeout_s)
        raise BrokerError(
            f"no record of the topic {topic!r} came to the group {group_id!r} within {timeout_s:g} s",
            topic=topic,
            hint="is there a record that the group has not read yet?",
        )
