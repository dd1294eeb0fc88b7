"""All topics: found by name or id, made, grown, set and deleted, one change at a time.

A change is remembered before it shows. What stands on the disk but is not remembered is the rest of a deletion, and
goes at the next start.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from protopact.broker.codes import Code
from protopact.broker.log import FileHandles
from protopact.broker.state import TopicRecord
from protopact.broker.topics.config import TopicConfig, check_config
from protopact.broker.topics.names import check_topic_name
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from protopact.broker.clock import Clock
    from protopact.broker.log import Flusher
    from protopact.broker.state import State
    from protopact.broker.topics.partition import Partition
    from protopact.settings import BrokerSettings

PARTITIONS_MAX = 10_000
_FILES_OPEN_MAX = 256


@dataclass(slots=True)
class Topic:
    """A topic and its partitions, in their order."""

    name: str
    topic_id: UUID
    config: TopicConfig
    created_ms: int
    partitions: list[Partition] = field(default_factory=list)

    def partition(self, index: int) -> Partition:
        """Give a partition; UNKNOWN_TOPIC_OR_PARTITION when there is none of this number."""
        if not 0 <= index < len(self.partitions):
            raise RefusedRequestError(
                f"the topic {self.name!r} has no partition {index}: it has {len(self.partitions)}",
                error_code=Code.UNKNOWN_TOPIC_OR_PARTITION,
                topic=self.name,
            )
        return self.partitions[index]


class Topics:
    """The topics of a broker, on the disk below `data_dir`, or in memory where that is None."""

    def __init__(
        self, state: State, settings: BrokerSettings, clock: Clock, *, data_dir: Path | None, flusher: Flusher | None
    ) -> None:
        """Open what was there before."""
        self._state = state
        self._settings = settings
        self._clock = clock
        self._flusher = flusher
        self._handles = FileHandles(_FILES_OPEN_MAX)
        self._home = None if data_dir is None else data_dir / "topics"
        self._by_name: dict[str, Topic] = {}
        self._by_id: dict[UUID, Topic] = {}
        self._changes = asyncio.Lock()
        records = state.topics()
        self._remove_leftovers({record.topic_id.hex for record in records})
        for record in records:
            self._show(self._opened(record))

    def __iter__(self) -> Iterator[Topic]:
        """Go through the topics in the order of their names."""
        return iter([self._by_name[name] for name in sorted(self._by_name)])

    def find(self, name: str) -> Topic | None:
        """Give the topic of this name, or None."""
        return self._by_name.get(name)

    def get(self, name: str) -> Topic:
        """Give the topic of this name; UNKNOWN_TOPIC_OR_PARTITION when there is none."""
        found = self._by_name.get(name)
        if found is None:
            raise RefusedRequestError(
                f"there is no topic {name!r}", error_code=Code.UNKNOWN_TOPIC_OR_PARTITION, topic=name
            )
        return found

    def get_by_id(self, topic_id: UUID | None) -> Topic:
        """Give the topic of this id; UNKNOWN_TOPIC_ID when there is none."""
        found = None if topic_id is None else self._by_id.get(topic_id)
        if found is None:
            raise RefusedRequestError(f"there is no topic with the id {topic_id}", error_code=Code.UNKNOWN_TOPIC_ID)
        return found

    def check_new(self, name: str, partitions: int, config: Mapping[str, str]) -> None:
        """Refuse what `create` would refuse."""
        check_topic_name(name)
        if name in self._by_name:
            raise RefusedRequestError(
                f"there is a topic {name!r} already", error_code=Code.TOPIC_ALREADY_EXISTS, topic=name
            )
        _check_partitions(partitions)
        check_config(config)

    async def create(self, name: str, partitions: int, config: Mapping[str, str]) -> Topic:
        """Make a topic, or refuse to: a name that is taken or not allowed, too many partitions, unknown settings."""
        async with self._changes:
            self.check_new(name, partitions, config)
            record = TopicRecord(name, uuid4(), partitions, dict(config), self._clock.now_ms())
            await self._state.put_topic(record)
            topic = self._opened(record)
            self._show(topic)
            return topic

    async def delete(self, topic: Topic) -> None:
        """Delete a topic, its records and their files; whoever waits for its records is told."""
        async with self._changes:
            self.get(topic.name)
            await self._state.remove_topic(topic.name)
            del self._by_name[topic.name], self._by_id[topic.topic_id]
            for partition in topic.partitions:
                if self._flusher is not None:
                    self._flusher.forget(partition.log)
                partition.log.delete()
                partition.advance()
            if self._home is not None:
                shutil.rmtree(self._home / topic.topic_id.hex, ignore_errors=True)

    def check_grown(self, topic: Topic, partitions: int) -> None:
        """Refuse what `grow` would refuse."""
        if partitions <= len(topic.partitions):
            raise RefusedRequestError(
                f"the topic {topic.name!r} has {len(topic.partitions)} partitions; it can only be given more than that,"
                f" not {partitions}",
                error_code=Code.INVALID_PARTITIONS,
                topic=topic.name,
            )
        _check_partitions(partitions)

    async def grow(self, topic: Topic, partitions: int) -> None:
        """Give a topic more partitions."""
        async with self._changes:
            self.check_grown(topic, partitions)
            await self._state.put_topic(replace(_record(topic), partitions=partitions))
            topic.partitions.extend(
                self._opened_partition(topic, index) for index in range(len(topic.partitions), partitions)
            )

    async def configure(self, topic: Topic, config: Mapping[str, str]) -> None:
        """Set what holds for a topic from now on, whole."""
        from protopact.broker.log import SegmentLog

        async with self._changes:
            check_config(config)
            await self._state.put_topic(replace(_record(topic), config=dict(config)))
            topic.config = TopicConfig(dict(config), self._settings)
            for partition in topic.partitions:
                if isinstance(partition.log, SegmentLog):
                    partition.log.segment_bytes = topic.config.number("segment.bytes")

    def trim(self) -> None:
        """Delete records that are older or more than their topics keep, and forget producers that are gone."""
        now_ms = self._clock.now_ms()
        for topic in self:
            for partition in topic.partitions:
                partition.log.trim(
                    now_ms,
                    retention_bytes=topic.config.number("retention.bytes"),
                    retention_ms=topic.config.number("retention.ms"),
                    segment_ms=topic.config.number("segment.ms"),
                )
                partition.forget_idle_producers(now_ms, round(self._settings.producer_idle_s * 1000))

    def wake(self) -> None:
        """Tell all who wait for records that the broker stops."""
        for topic in self:
            for partition in topic.partitions:
                partition.advance()

    def close(self) -> None:
        """Close all logs; everything that was appended is on the disk then."""
        for topic in self:
            for partition in topic.partitions:
                partition.log.close()

    def _show(self, topic: Topic) -> None:
        self._by_name[topic.name] = topic
        self._by_id[topic.topic_id] = topic

    def _opened(self, record: TopicRecord) -> Topic:
        topic = Topic(record.name, record.topic_id, TopicConfig(record.config, self._settings), record.created_ms)
        topic.partitions = [self._opened_partition(topic, index) for index in range(record.partitions)]
        return topic

    def _opened_partition(self, topic: Topic, index: int) -> Partition:
        from protopact.broker.log import MemoryLog, SegmentLog  # what logs are made of is much to load for none
        from protopact.broker.topics.partition import Partition

        durable = self._home is not None and self._settings.flush == "every"
        if self._home is None:
            return Partition(topic.name, index, MemoryLog(), durable=durable)
        log = SegmentLog.open(
            self._home / topic.topic_id.hex / str(index),
            settings=self._settings,
            segment_bytes=topic.config.number("segment.bytes"),
            handles=self._handles,
            now_ms=self._clock.now_ms(),
        )
        return Partition(topic.name, index, log, durable=durable)

    def _remove_leftovers(self, known: set[str]) -> None:
        if self._home is None or not self._home.is_dir():
            return
        for place in self._home.iterdir():
            if place.name not in known:
                shutil.rmtree(place, ignore_errors=True)


def _record(topic: Topic) -> TopicRecord:
    return TopicRecord(topic.name, topic.topic_id, len(topic.partitions), topic.config.own, topic.created_ms)


def _check_partitions(partitions: int) -> None:
    if not 0 < partitions <= PARTITIONS_MAX:
        raise RefusedRequestError(
            f"a topic has 1 to {PARTITIONS_MAX} partitions, not {partitions}", error_code=Code.INVALID_PARTITIONS
        )
