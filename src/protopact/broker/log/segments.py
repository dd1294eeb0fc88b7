"""A partition's log in a directory: segments one after the other, of which the last grows."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from bisect import bisect_right
from contextlib import contextmanager
from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.log.checkpoint import Checkpoint
from protopact.broker.log.handles import FileHandles, sync_file
from protopact.broker.log.port import NO_RECORD, out_of_range
from protopact.broker.log.producers import ProducerStates
from protopact.broker.log.recovery import open_segments, set_aside
from protopact.broker.log.segment import Segment
from protopact.broker.log.snapshots import restore_producers, write_snapshot
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from protopact.broker.log.batches import Batch
    from protopact.settings import BrokerSettings

_log = logging.getLogger(__name__)

# How much may have to be read at a restart to know the producers again.
_SNAPSHOT_BYTES = 16 * 1024 * 1024

# How many files a log has open that shares its handles with no other.
_HANDLES_ALONE = 8


class SegmentLog:
    """A partition's log on disk: it survives its process at any moment, and what was flushed, a loss of power.

    `segment_bytes` may be changed at any time, and holds for the next segment.
    """

    def __init__(self, directory: Path, handles: FileHandles, *, index_bytes: int, segment_bytes: int) -> None:
        """Know nothing yet: `open` gives logs that are ready."""
        self.segment_bytes = segment_bytes
        self._directory = directory
        self._handles = handles
        self._index_bytes = index_bytes
        self._unlisted: set[Path] = set()
        self._refusal = ""
        self._flushing = threading.Lock()
        self._checkpoint = Checkpoint(directory)
        self._segments: list[Segment] = []
        self.producers = ProducerStates()
        self._start_offset = self._end_offset = self._flushed_offset = 0
        self._size_bytes = self._snapshot_due = 0

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        settings: BrokerSettings,
        segment_bytes: int,
        handles: FileHandles | None = None,
        now_ms: int | None = None,
    ) -> SegmentLog:
        """Open the log in the directory, which is made where it is missing, and make it whole after a crash.

        Logs that are given the same `handles` share their bound on open files. `now_ms` is when producers of batches
        behind the last snapshot count as seen. RefusedRequestError 56 KAFKA_STORAGE_ERROR when files refuse.
        """
        with _storage_errors(directory):
            directory.mkdir(parents=True, exist_ok=True)
            log = cls(
                directory,
                FileHandles(_HANDLES_ALONE) if handles is None else handles,
                index_bytes=settings.index_bytes,
                segment_bytes=segment_bytes,
            )
            log._recover(time.time_ns() // 1_000_000 if now_ms is None else now_ms)
            return log

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
        """Give the offset below which everything is safe from a loss of power."""
        return self._flushed_offset

    @property
    def size_bytes(self) -> int:
        """Give the size of all segments."""
        return self._size_bytes

    def append(self, placed: bytes, batches: Sequence[Batch]) -> None:
        """Keep placed batches, the first of which is at the end offset; they are with the operating system then.

        RefusedRequestError 56 KAFKA_STORAGE_ERROR when they cannot be written: the log is as it was before, and takes
        more when there is space.
        """
        assert batches[0].base_offset == self._end_offset, "batches are placed at the end"
        self._refuse_if_unsure()
        active = self._segments[-1]
        with _storage_errors(active.path):
            if active.size_bytes and active.size_bytes + len(placed) > self.segment_bytes:
                active = self._roll()
            elif self._size_bytes >= self._snapshot_due:
                self._keep_producers()
            active.append(placed, batches)
        self._size_bytes += len(placed)
        self._end_offset = active.next_offset

    def read(self, offset: int, *, bytes_max: int, until_offset: int) -> bytes:
        """Give whole batches from the one that holds the offset on; see PartitionLog."""
        if not self._start_offset <= offset <= self._end_offset:
            raise out_of_range(offset, self._start_offset, self._end_offset)
        until_offset = min(until_offset, self._flushed_offset if self._refusal else self._end_offset)
        if offset >= until_offset:
            return b""
        segment = self._segments[self._number_of(offset)]
        with _storage_errors(segment.path):
            return segment.read(offset, bytes_max=bytes_max, until_offset=until_offset)

    def find_by_time(self, timestamp_ms: int) -> tuple[int, int] | None:
        """Give offset and timestamp of the first record that is of the time or later."""
        for segment in self._segments:
            with _storage_errors(segment.path):
                found = segment.find_by_time(timestamp_ms, self._start_offset)
            if found:
                return found
        return None

    def newest_timestamp(self) -> tuple[int, int]:
        """Give offset and timestamp of the first record of the latest time; (-1, -1) when there is no record."""
        with _storage_errors(self._directory):
            newest_ms = max(segment.newest_ms_from(self._start_offset) for segment in self._segments)
        return self.find_by_time(newest_ms) or NO_RECORD

    def delete_before(self, offset: int) -> None:
        """Have the log start at the offset, for good; RefusedRequestError 1 OFFSET_OUT_OF_RANGE beyond the end."""
        if offset > self._end_offset:
            raise out_of_range(offset, self._start_offset, self._end_offset)
        if offset <= self._start_offset:
            return
        self._refuse_if_unsure()
        with _storage_errors(self._directory):
            self._start_at(offset)

    def trim(self, now_ms: int, *, retention_bytes: int, retention_ms: int, segment_ms: int) -> int:
        """Remove the oldest segments that are too old or too many, and give how many went; -1 is no bound.

        A segment goes when its newest record is older than `retention_ms`, be it one that was deleted, or when the log
        is not smaller than `retention_bytes` without it. A segment that is older than `segment_ms` or larger than
        `segment_bytes` is grown.
        """
        self._refuse_if_unsure()
        with _storage_errors(self._directory):
            active = self._segments[-1]
            if active.size_bytes and (
                active.size_bytes >= self.segment_bytes or 0 <= segment_ms <= now_ms - active.oldest_ms
            ):
                self._roll()
            count = self._count_expired(now_ms, retention_bytes, retention_ms)
            if count:
                self._start_at(max(self._start_offset, self._segments[count - 1].next_offset))
            return count

    def flush(self) -> None:
        """Wait until all that was appended before is on disk; may be called in another thread.

        RefusedRequestError 56 KAFKA_STORAGE_ERROR when the disk refuses, and from then on until the next `open`.
        """
        with self._flushing:
            self._refuse_if_unsure()
            # The end first: what is below it was written, and its file was made, before now.
            end_offset = self._end_offset
            try:
                for segment in tuple(self._segments):
                    if segment.next_offset > self._flushed_offset or segment.index_unwritten:
                        self._flush_segment(segment)
                while self._unlisted:
                    sync_file(self._unlisted.pop())
            except OSError as error:
                self._refusal = f"{self._directory} could not be flushed: {error}"
                _log.critical("%s; the partition takes nothing more until a restart", self._refusal)
                raise RefusedRequestError(self._refusal, error_code=Code.KAFKA_STORAGE_ERROR) from error
            self._flushed_offset = max(self._flushed_offset, end_offset)

    def close(self) -> None:
        """Flush, keep what is known of producers, and let go of all files."""
        try:
            if not self._refusal:
                self.flush()
                with _storage_errors(self._directory):
                    if self._end_offset != (self._checkpoint.flushed_offset or 0):
                        self._keep_producers()
                        self._checkpoint.keep(flushed_offset=self._end_offset)
        finally:
            self._let_go("is closed")

    def delete(self) -> None:
        """Remove the log with all its files; a restart in the midst of it does not bring it back."""
        self._let_go("is deleted")
        with self._flushing, _storage_errors(self._directory):
            aside = set_aside(self._directory)
            sync_file(aside.parent)
            shutil.rmtree(aside)

    def _recover(self, now_ms: int) -> None:
        known = self._checkpoint
        self._segments = open_segments(self._directory, self._handles, known, index_bytes=self._index_bytes)
        if self._segments and self._segments[-1].next_offset < known.start_offset:
            # What was lost with the machine's power had been deleted before.
            for segment in self._segments:
                segment.remove()
            self._segments = []
        if not self._segments:
            if (known.flushed_offset or 0) > known.start_offset:
                _log.error("%s: the records up to offset %s are gone", self._directory, known.flushed_offset)
            self._add_segment(max(known.start_offset, known.flushed_offset or 0))
        elif self._segments[-1].sealed:
            self._add_segment(self._segments[-1].next_offset)
        self._start_offset = max(known.start_offset, self._segments[0].base_offset)
        self._end_offset = self._segments[-1].next_offset
        self._flushed_offset = min(known.flushed_offset or 0, self._end_offset)
        self._size_bytes = sum(segment.size_bytes for segment in self._segments)
        self._snapshot_due = self._size_bytes + _SNAPSHOT_BYTES
        self.producers = restore_producers(
            self._directory,
            start_offset=self._segments[0].base_offset,
            end_offset=self._end_offset,
            batches_from=self._batches_from,
            now_ms=now_ms,
        )
        if self._flushed_offset < self._end_offset or not self._end_offset:
            self._unlisted |= {self._directory, self._directory.parent}
        if self._flushed_offset < self._end_offset:
            self.flush()

    def _roll(self) -> Segment:
        """Seal the last segment and begin one behind it."""
        active = self._segments[-1]
        self._keep_producers()
        if self._checkpoint.flushed_offset is None:
            self._checkpoint.keep(flushed_offset=self._start_offset)
        following = self._add_segment(active.next_offset)
        active.seal()
        return following

    def _add_segment(self, base_offset: int) -> Segment:
        segment = Segment(self._directory, base_offset, self._handles, index_bytes=self._index_bytes)
        segment.create()
        self._unlisted.add(self._directory)
        self._segments.append(segment)
        return segment

    def _keep_producers(self) -> None:
        write_snapshot(self._directory, self._end_offset, self.producers)
        self._snapshot_due = self._size_bytes + _SNAPSHOT_BYTES

    def _batches_from(self, offset: int) -> Iterator[Batch]:
        for segment in self._segments:
            if segment.next_offset > offset:
                yield from segment.batches_from(offset)

    def _number_of(self, offset: int) -> int:
        """Give the number of the segment that holds the offset."""
        return bisect_right(self._segments, offset, key=lambda segment: segment.base_offset) - 1

    def _count_expired(self, now_ms: int, retention_bytes: int, retention_ms: int) -> int:
        count, size = 0, self._size_bytes
        for segment in self._segments:
            too_many = 0 <= retention_bytes <= size - segment.size_bytes
            too_old = 0 <= retention_ms < now_ms - segment.latest_ms
            is_begun = segment.sealed or segment.size_bytes
            if not is_begun or not (too_many or too_old):
                break
            count += 1
            size -= segment.size_bytes
        return count

    def _start_at(self, offset: int) -> None:
        """Have the log start at the offset: keep that first, so that no segment before it comes back."""
        self._checkpoint.keep(start_offset=offset)
        self._start_offset = offset
        active = self._segments[-1]
        if active.size_bytes and active.next_offset <= offset:
            self._roll()
        self._remove_before_start()

    def _remove_before_start(self) -> None:
        """Remove the segments before the start, the oldest first; the last stays."""
        for segment in self._segments[:-1]:
            if segment.next_offset > self._start_offset:
                break
            # Not of the log any more before its files go: a flush in another thread may just be at it.
            self._segments.remove(segment)
            self._size_bytes -= segment.size_bytes
            segment.remove()

    def _flush_segment(self, segment: Segment) -> None:
        sealed = segment.sealed
        try:
            segment.flush()
        except FileNotFoundError:
            if segment in self._segments:
                raise
            return
        if sealed and (self._checkpoint.flushed_offset or 0) < segment.next_offset:
            try:
                self._checkpoint.keep(flushed_offset=segment.next_offset)
            except OSError as error:
                _log.warning("%s: the checkpoint cannot be written now: %s", self._directory, error)

    def _let_go(self, why: str) -> None:
        self._refusal = self._refusal or f"{self._directory} {why}"
        for segment in self._segments:
            segment.close()

    def _refuse_if_unsure(self) -> None:
        if self._refusal:
            raise RefusedRequestError(self._refusal, error_code=Code.KAFKA_STORAGE_ERROR)


@contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
    """Give what the operating system refuses in Kafka's code."""
    try:
        yield
    except OSError as error:
        _log.error("%s: %s", path, error)
        raise RefusedRequestError(f"{path}: {error}", error_code=Code.KAFKA_STORAGE_ERROR) from error
