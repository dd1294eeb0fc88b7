"""Reading record batches: at once where there are enough, else as soon as there are, or when the wait is over."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.handlers.epochs import check_epoch
from protopact.broker.messages.records import FetchAnswer, PartitionFetched, TopicFetched
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.broker.messages.records import FetchPartition, FetchRequest, FetchTopic
    from protopact.broker.node import Caller, Node
    from protopact.broker.topics import Partition, Topic


async def fetch(node: Node, request: FetchRequest, _caller: Caller) -> FetchAnswer:
    """Read what was asked for, or wait for it.

    An answer comes when it holds `min_bytes`, when a partition cannot be read, or after `max_wait`. Fetch sessions
    are not kept: every answer says so by the session 0, and clients go on naming all partitions.
    """
    if request.session_id != 0:
        return FetchAnswer((), Code.FETCH_SESSION_ID_NOT_FOUND)
    give_up_at = asyncio.get_running_loop().time() + request.max_wait.total_seconds()
    with _watched(_partitions(node, request)) as more:
        while True:
            more.clear()
            reading = _Reading(node, min(request.max_bytes, node.settings.fetch_bytes_max, node.answers.left))
            topics = tuple(reading.topic(topic) for topic in request.topics)
            enough = reading.failed or reading.bytes_read >= request.min_bytes or node.stopping.is_set()
            if enough or not await _wait(more, give_up_at):
                return FetchAnswer(topics)


@dataclass(slots=True)
class _Reading:
    """One pass over all partitions, with what may still be read."""

    node: Node
    bytes_left: int
    bytes_read: int = 0
    failed: bool = False

    def topic(self, wanted: FetchTopic) -> TopicFetched:
        return TopicFetched(
            tuple(self._partition(wanted, partition) for partition in wanted.partitions), wanted.topic, wanted.topic_id
        )

    def _partition(self, wanted: FetchTopic, asked: FetchPartition) -> PartitionFetched:
        try:
            check_epoch(asked.current_leader_epoch)
            partition = _topic(self.node, wanted).partition(asked.partition)
            records = self._read(partition, asked)
        except RefusedRequestError as refusal:
            self.failed = True
            return PartitionFetched(asked.partition, Code(refusal.error_code))
        end = partition.high_watermark
        return PartitionFetched(
            asked.partition,
            high_watermark=end,
            last_stable_offset=end,
            log_start_offset=partition.log.start_offset,
            records=records,
        )

    def _read(self, partition: Partition, asked: FetchPartition) -> bytes:
        """Read within what is left. The first batch of an answer is given however large it is."""
        records = partition.read(asked.fetch_offset, max(0, min(asked.partition_max_bytes, self.bytes_left)))
        if self.bytes_read and len(records) > self.bytes_left:
            return b""
        self.bytes_left -= len(records)
        self.bytes_read += len(records)
        return records


def _partitions(node: Node, request: FetchRequest) -> list[Partition]:
    """Give those partitions of the request that are there."""
    found = []
    for wanted in request.topics:
        for asked in wanted.partitions:
            try:
                found.append(_topic(node, wanted).partition(asked.partition))
            except RefusedRequestError:
                continue  # the first reading says so
    return found


def _topic(node: Node, wanted: FetchTopic) -> Topic:
    return node.topics.get(wanted.topic) if wanted.topic else node.topics.get_by_id(wanted.topic_id)


@contextmanager
def _watched(partitions: list[Partition]) -> Iterator[asyncio.Event]:
    """Give an event that is set whenever one of the partitions may have more."""
    more = asyncio.Event()
    for partition in partitions:
        partition.watch(more.set)
    try:
        yield more
    finally:
        for partition in partitions:
            partition.unwatch(more.set)


async def _wait(more: asyncio.Event, give_up_at: float) -> bool:
    """Wait until there may be more; False when it is time to answer with what there is."""
    try:
        async with asyncio.timeout_at(give_up_at):
            await more.wait()
    except TimeoutError:
        return False
    return True
