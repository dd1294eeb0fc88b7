"""One partition: its log, the producers that wrote to it, and whoever waits for what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.log import check_batches, place_batches
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from protopact.broker.log import Batch, PartitionLog
    from protopact.broker.topics.config import TopicConfig

LEADER_EPOCH = 0  # there is one broker, and it has always led


@dataclass(frozen=True, slots=True)
class Appended:
    """Where a producer's batches stand: from `base_offset` up to but not with `end_offset`.

    `append_time_ms` is there when the topic's records carry it. A batch that had come before stands where it stood.
    """

    base_offset: int
    end_offset: int
    append_time_ms: int | None = None


class Partition:
    """One partition of a topic. All calls are made in the broker's event loop."""

    def __init__(self, topic: str, index: int, log: PartitionLog, *, durable: bool) -> None:
        """Take an open log; `durable` hides records from readers until they are on the disk."""
        self.topic = topic
        self.index = index
        self.log = log
        self._durable = durable
        self._watchers: set[Callable[[], None]] = set()

    @property
    def high_watermark(self) -> int:
        """The offset that readers may read up to."""
        return self.log.flushed_offset if self._durable else self.log.end_offset

    def append(self, records: bytes, config: TopicConfig, now_ms: int) -> Appended:
        """Write a producer's batches at the end; readers see them after `advance`.

        RefusedRequestError when they are damaged, too large, or out of their producer's order.
        """
        batches = check_batches(records)
        self._check_sizes(batches, config.number("max.message.bytes"))
        found = [self.log.producers.check(batch, now_ms) for batch in batches]
        first = found[0]
        if first is not None:
            append_time_ms = first.timestamp_ms if config.log_append_time else None
            return Appended(first.base_offset, first.base_offset + batches[0].last_offset_delta + 1, append_time_ms)
        append_time_ms = now_ms if config.log_append_time else None
        base_offset = self.log.end_offset
        placed, batches = place_batches(records, base_offset, LEADER_EPOCH, append_time_ms)
        self.log.append(placed, batches)
        for batch in batches:
            self.log.producers.appended(batch, now_ms)
        return Appended(base_offset, self.log.end_offset, append_time_ms)

    def read(self, offset: int, bytes_max: int) -> bytes:
        """Give whole batches from the one that holds `offset`; RefusedRequestError when it is out of range."""
        if offset > self.high_watermark:
            raise RefusedRequestError(
                f"{self.topic}-{self.index} has no offset {offset}: it goes from {self.log.start_offset} to"
                f" {self.high_watermark}",
                error_code=Code.OFFSET_OUT_OF_RANGE,
                topic=self.topic,
            )
        return self.log.read(offset, bytes_max=bytes_max, until_offset=self.high_watermark)

    def delete_before(self, offset: int) -> None:
        """Delete the records before `offset`; RefusedRequestError when there is no such place."""
        if not 0 <= offset <= self.high_watermark:
            raise RefusedRequestError(
                f"{self.topic}-{self.index} ends at {self.high_watermark}: no records stand before {offset}",
                error_code=Code.OFFSET_OUT_OF_RANGE,
                topic=self.topic,
            )
        self.log.delete_before(max(offset, self.log.start_offset))

    def advance(self) -> None:
        """Tell whoever waits that there may be more to read."""
        for watcher in tuple(self._watchers):
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Have `watcher` called whenever there may be more to read, or the partition has gone."""
        self._watchers.add(watcher)

    def unwatch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` no more."""
        self._watchers.discard(watcher)

    def forget_idle_producers(self, now_ms: int, idle_ms: int) -> None:
        """Drop what is known of producers that have not written for so long."""
        self.log.producers.forget_idle(now_ms, idle_ms)

    def _check_sizes(self, batches: Sequence[Batch], bytes_max: int) -> None:
        largest = max(batch.size_bytes for batch in batches)
        if largest > bytes_max:
            raise RefusedRequestError(
                f"a batch of {largest} bytes is larger than the topic's max.message.bytes, {bytes_max}",
                error_code=Code.MESSAGE_TOO_LARGE,
                topic=self.topic,
            )
