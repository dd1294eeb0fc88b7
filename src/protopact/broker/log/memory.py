"""A log in memory alone, for tests: quick, and gone with its process."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from protopact.broker.log.port import NO_RECORD, out_of_range
from protopact.broker.log.producers import ProducerStates
from protopact.broker.log.records import find_record_by_time, latest_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protopact.broker.log.batches import Batch


class MemoryLog:
    """A partition's log that a restart does not survive; each batch is a segment of its own."""

    def __init__(self) -> None:
        """Start empty, at offset 0."""
        self._batches: list[Batch] = []
        self._next_offsets: list[int] = []
        self._written: list[bytes] = []
        self._start_offset = self._end_offset = self._size_bytes = 0
        self.producers = ProducerStates()

    @property
    def start_offset(self) -> int:
        """Give the first offset that can be read."""
        return self._start_offset

    @property
    def end_offset(self) -> int:
        """Give the offset that the next record will get."""
        return self._end_offset

    @property
    def flushed_offset(self) -> int:
        """Give the end offset: nothing here waits for a disk."""
        return self._end_offset

    @property
    def size_bytes(self) -> int:
        """Give the size of all batches that are kept."""
        return self._size_bytes

    def append(self, placed: bytes, batches: Sequence[Batch]) -> None:
        """Keep placed batches, the first of which is at the end offset."""
        assert batches[0].base_offset == self._end_offset, "batches are placed at the end"
        position = 0
        for batch in batches:
            self._batches.append(batch)
            self._next_offsets.append(batch.next_offset)
            self._written.append(placed[position : position + batch.size_bytes])
            position += batch.size_bytes
        self._size_bytes += position
        self._end_offset = batches[-1].next_offset

    def read(self, offset: int, *, bytes_max: int, until_offset: int) -> bytes:
        """Give whole batches from the one that holds the offset on; see PartitionLog."""
        if not self._start_offset <= offset <= self._end_offset:
            raise out_of_range(offset, self._start_offset, self._end_offset)
        first = last = bisect_right(self._next_offsets, offset)
        size = 0
        while last < len(self._batches) and self._next_offsets[last] <= until_offset:
            size += self._batches[last].size_bytes
            if size > bytes_max and last > first:
                break
            last += 1
        return self._written[first] if last == first + 1 else b"".join(self._written[first:last])

    def find_by_time(self, timestamp_ms: int) -> tuple[int, int] | None:
        """Give offset and timestamp of the first record that is of the time or later."""
        for batch, written in zip(self._batches, self._written, strict=True):
            if batch.max_timestamp_ms >= timestamp_ms:
                found = find_record_by_time(written, timestamp_ms, offset_min=self._start_offset)
                if found:
                    return found
        return None

    def newest_timestamp(self) -> tuple[int, int]:
        """Give offset and timestamp of the first record of the latest time; (-1, -1) when there is no record."""
        if not self._batches:
            return NO_RECORD
        first_ms = latest_time(self._written[0], offset_min=self._start_offset)
        newest_ms = max([first_ms, *(batch.max_timestamp_ms for batch in self._batches[1:])])
        return self.find_by_time(newest_ms) or NO_RECORD

    def delete_before(self, offset: int) -> None:
        """Have the log start at the offset; RefusedRequestError 1 OFFSET_OUT_OF_RANGE beyond the end."""
        if offset > self._end_offset:
            raise out_of_range(offset, self._start_offset, self._end_offset)
        self._start_offset = max(self._start_offset, offset)
        self._drop(bisect_right(self._next_offsets, self._start_offset))

    def trim(self, now_ms: int, *, retention_bytes: int, retention_ms: int, segment_ms: int) -> int:
        """Remove the oldest batches that are too old or too many, and give how many went; -1 is no bound."""
        del segment_ms  # a batch is a segment of its own, and is sealed at once
        count = 0
        size = self._size_bytes
        for batch in self._batches:
            too_many = 0 <= retention_bytes <= size - batch.size_bytes
            too_old = 0 <= retention_ms < now_ms - batch.max_timestamp_ms and batch.max_timestamp_ms >= 0
            if not too_many and not too_old:
                break
            count += 1
            size -= batch.size_bytes
        if count:
            self._start_offset = max(self._start_offset, self._next_offsets[count - 1])
            self._drop(count)
        return count

    def flush(self) -> None:
        """Do nothing: memory is all there is."""

    def close(self) -> None:
        """Do nothing: there are no files."""

    def delete(self) -> None:
        """Let go of all batches."""
        self._drop(len(self._batches))

    def _drop(self, count: int) -> None:
        self._size_bytes -= sum(batch.size_bytes for batch in self._batches[:count])
        del self._batches[:count], self._next_offsets[:count], self._written[:count]
