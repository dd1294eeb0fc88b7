"""One segment: a file of batches in the order of their offsets, and its index beside it."""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from protopact.broker.codes import Code
from protopact.broker.log.batches import HEADER_BYTES, Batch, read_header
from protopact.broker.log.handles import sync_file, write_whole
from protopact.broker.log.index import (
    ENTRY_BYTES,
    Entry,
    Index,
    IndexInFile,
    IndexInMemory,
    MisreadError,
    entry_by_offset,
    entry_by_position,
    entry_by_time,
)
from protopact.broker.log.records import find_record_by_time, latest_time
from protopact.broker.log.scan import Place, is_whole, walk
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from protopact.broker.log.handles import FileHandles

_log = logging.getLogger(__name__)

_NO_TIME = -1
_OFFSET_BYTES = 8  # of the offset that each batch begins with
_ENDS_KEPT = 32
_Answer = TypeVar("_Answer")


class Segment:
    """Batches from `base_offset` up to `next_offset`; the last segment of a log grows, all others are sealed.

    The index of a sealed segment ends with an entry for what follows: its next offset and its size.
    """

    def __init__(self, directory: Path, base_offset: int, handles: FileHandles, *, index_bytes: int) -> None:
        """Know nothing of what the file holds yet."""
        self.path = directory / f"{base_offset:020}.log"
        self.index_path = directory / f"{base_offset:020}.index"
        self.base_offset = self.next_offset = base_offset
        self.size_bytes = 0
        self.newest_ms = _NO_TIME
        self.sealed = False
        self._damaged: list[tuple[int, int]] = []
        self._handles = handles
        self._index_bytes = index_bytes
        self._growing: IndexInMemory | None = IndexInMemory()
        self._indexed = 0
        self._examined = False
        # Where reads ended, which is where readers go on.
        self._ends: OrderedDict[int, int] = OrderedDict()

    def create(self) -> None:
        """Make the segment's file; OSError when that fails."""
        os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644))

    @property
    def oldest_ms(self) -> int:
        """Give the time of the first batch, or of the last write where records carry no time."""
        header = os.pread(self._handles.get(self.path), HEADER_BYTES, 0)
        first_ms = read_header(header).max_timestamp_ms if len(header) == HEADER_BYTES else _NO_TIME
        return first_ms if first_ms >= 0 else self._written_ms

    @property
    def latest_ms(self) -> int:
        """Give the time of the newest record, or of the last write where records carry no time."""
        return self.newest_ms if self.newest_ms >= 0 else self._written_ms

    @property
    def _written_ms(self) -> int:
        return self.path.stat().st_mtime_ns // 1_000_000

    # Writing

    def append(self, placed: bytes, batches: Sequence[Batch]) -> None:
        """Write placed batches behind the last; OSError when that fails, and the file is as it was before."""
        descriptor = self._handles.get(self.path)
        try:
            write_whole(descriptor, placed, self.size_bytes)
        except OSError:
            os.ftruncate(descriptor, self.size_bytes)
            raise
        for batch in batches:
            self._add(batch)

    def seal(self) -> None:
        """Take nothing more."""
        if self._growing is not None:
            self._growing.add(Entry(self.next_offset, self.size_bytes, self.newest_ms))
        # Last, for a flush in another thread takes a sealed segment's index for complete.
        self.sealed = True

    @property
    def index_unwritten(self) -> bool:
        """Whether the index has entries that are not in its file."""
        growing = self._growing
        return growing is not None and len(growing) > growing.written

    def flush(self) -> None:
        """Wait until the batches are on disk, then write the entries that tell of them; any one thread may.

        OSError when the batches may not be on disk. An index that cannot be written is written another time.
        """
        sealed, growing = self.sealed, self._growing
        count = len(growing) if growing is not None else 0
        sync_file(self.path)
        if growing is not None and count > growing.written:
            try:
                self._write_index(growing, count, sealed=sealed)
            except OSError as error:
                _log.warning("%s cannot be written now: %s", self.index_path, error)

    def _write_index(self, growing: IndexInMemory, count: int, *, sealed: bool) -> None:
        flags = os.O_CREAT | os.O_WRONLY | (0 if growing.written else os.O_TRUNC)
        descriptor = os.open(self.index_path, flags, 0o644)
        try:
            write_whole(descriptor, growing.encoded(growing.written, count), growing.written * ENTRY_BYTES)
        finally:
            os.close(descriptor)
        growing.written = count
        if sealed and growing is self._growing:
            self._indexed, self._growing = count, None

    def close(self) -> None:
        """Let go of the files."""
        self._handles.forget(self.path)
        self._handles.forget(self.index_path)

    def remove(self) -> None:
        """Remove the files; the batches go first, for an index alone is known to be left over."""
        self.close()
        self.path.unlink(missing_ok=True)
        self.index_path.unlink(missing_ok=True)

    # Reading

    def read(self, offset: int, *, bytes_max: int, until_offset: int) -> bytes:
        """Give whole batches from the one that holds the offset on; RefusedRequestError 2 where they are damaged."""
        return self._surely(offset, lambda: self._read(offset, bytes_max, until_offset))

    def find_by_time(self, timestamp_ms: int, offset_min: int) -> tuple[int, int] | None:
        """Give offset and timestamp of the first record at the offset or later that is of the time or later."""
        if not self.size_bytes or self.newest_ms < timestamp_ms:
            return None
        return self._surely(self.base_offset, lambda: self._find_by_time(timestamp_ms, offset_min))

    def newest_ms_from(self, offset: int) -> int:
        """Give the latest time of records from the offset on; -1 when there is none."""
        if offset <= self.base_offset:
            return self.newest_ms
        return self._surely(offset, lambda: self._newest_ms_from(offset))

    def batches_from(self, offset: int) -> Iterator[Batch]:
        """Give the headers of the batches from the one that holds the offset on, as far as they can be read."""
        try:
            for place in self._places_from(offset):
                yield place.batch
        except MisreadError as misread:
            _log.error("%s: batches from offset %d on cannot be read: %s", self.path, offset, misread)

    def _read(self, offset: int, bytes_max: int, until_offset: int) -> bytes:
        for first, behind in self._damaged:
            if first <= offset < behind:
                raise self._damage_at(offset)
            if offset < first:
                until_offset = min(until_offset, first)
        place = next(self._places_from(offset), None)
        if place is None or place.batch.next_offset > until_offset:
            return b""
        end, next_offset = self._read_end(place, bytes_max, until_offset)
        data = os.pread(self._handles.get(self.path), end - place.position, place.position)
        if len(data) < end - place.position:
            raise MisreadError(f"the file ends before byte {end}")
        self._ends[next_offset] = end
        if len(self._ends) > _ENDS_KEPT:
            self._ends.popitem(last=False)
        return data

    def _read_end(self, first: Place, bytes_max: int, until_offset: int) -> tuple[int, int]:
        """Give the position up to which is read, and the offset of what follows there.

        It is that of an entry where possible: headers cost more to look at.
        """
        limit = first.position + bytes_max
        if self.size_bytes <= limit and self.next_offset <= until_offset:
            return self.size_bytes, self.next_offset
        index = self._index()
        entry = min(entry_by_position(index, limit), entry_by_offset(index, until_offset))
        if entry.position >= first.end:
            return entry.position, entry.offset
        end, offset = first.end, first.batch.next_offset
        places = walk(self._handles.get(self.path), end, offset, self.size_bytes)
        # Where the bound is reached nothing more is looked at: damage may begin there.
        while offset < until_offset and (place := next(places, None)):
            if place.end > limit or place.batch.next_offset > until_offset:
                break
            end, offset = place.end, place.batch.next_offset
        return end, offset

    def _find_by_time(self, timestamp_ms: int, offset_min: int) -> tuple[int, int] | None:
        entry = entry_by_time(self._index(), timestamp_ms)
        descriptor = self._handles.get(self.path)
        for position, batch in walk(descriptor, entry.position, entry.offset, self.size_bytes):
            if batch.max_timestamp_ms >= timestamp_ms and batch.next_offset > offset_min:
                written = os.pread(descriptor, batch.size_bytes, position)
                found = find_record_by_time(written, timestamp_ms, offset_min=offset_min)
                if found:
                    return found
        return None

    def _newest_ms_from(self, offset: int) -> int:
        newest_ms = _NO_TIME
        for position, batch in self._places_from(offset):
            batch_ms = batch.max_timestamp_ms
            if batch.base_offset < offset and batch_ms > newest_ms:
                written = os.pread(self._handles.get(self.path), batch.size_bytes, position)
                batch_ms = latest_time(written, offset_min=offset)
            newest_ms = max(newest_ms, batch_ms)
        return newest_ms

    def _places_from(self, offset: int) -> Iterator[Place]:
        if offset >= self.next_offset:
            return
        position, first = self._ends.get(offset), offset
        if position is None:
            first, position, _ = entry_by_offset(self._index(), offset)
        descriptor = self._handles.get(self.path)
        places = walk(descriptor, position, first, self.size_bytes)
        holding = next((place for place in places if place.batch.next_offset > offset), None)
        if holding is None:
            if self.size_bytes:
                raise MisreadError(f"no batch holds offset {offset}")
            return
        following = self.next_offset if holding.end == self.size_bytes else self._offset_at(holding.end)
        # With neither what follows nor its CRC to speak for it, who reads would wait for ever, or miss records.
        if holding.batch.next_offset != following and not is_whole(descriptor, holding):
            raise MisreadError(f"the batch of offset {holding.batch.base_offset} does not end before {following}")
        yield holding
        yield from places

    def _offset_at(self, position: int) -> int:
        return int.from_bytes(os.pread(self._handles.get(self.path), _OFFSET_BYTES, position), "big", signed=True)

    def _surely(self, offset: int, look: Callable[[], _Answer]) -> _Answer:
        """Look; and where the index leads astray, look again with one that is made anew."""
        try:
            return look()
        except MisreadError as misread:
            if self._examined:
                raise self._damage_at(offset) from misread
            _log.warning("%s: %s; its index is made anew", self.path, misread)
        self.examine()
        try:
            return look()
        except MisreadError as misread:
            raise self._damage_at(offset) from misread

    def _index(self) -> Index:
        growing = self._growing
        return IndexInFile(self.index_path, self._handles, self._indexed) if growing is None else growing

    def _damage_at(self, offset: int) -> RefusedRequestError:
        return RefusedRequestError(f"{self.path.name} is damaged at offset {offset}", error_code=Code.CORRUPT_MESSAGE)

    # Opening

    def open_sealed(self, next_offset: int) -> bool:
        """Take the segment as its index tells; False when the index is not complete and right."""
        size = self.path.stat().st_size
        count = self.index_path.stat().st_size // ENTRY_BYTES if self.index_path.exists() else 0
        try:
            last = IndexInFile(self.index_path, self._handles, count)[count - 1] if count else None
        except MisreadError:
            last = None
        if last is None or (last.offset, last.position) != (next_offset, size):
            return False
        self._take(last)
        self.sealed, self._growing, self._indexed = True, None, count
        return True

    def recover(self) -> int:
        """Take all whole batches from the last right entry on, and give how many bytes are behind them."""
        self._growing = index = IndexInMemory(self.index_path.read_bytes() if self.index_path.exists() else b"")
        descriptor = self._handles.get(self.path)
        size = self.path.stat().st_size
        self._take(self._last_right_entry(index, size))
        index.due_position = self.size_bytes + self._index_bytes if len(index) else 0
        try:
            for place in walk(descriptor, self.size_bytes, self.next_offset, size):
                if not is_whole(descriptor, place):
                    break
                self._add(place.batch)
        except MisreadError:
            pass
        return size - self.size_bytes

    def cut_off(self) -> None:
        """Have the file end behind the last whole batch."""
        os.ftruncate(self._handles.get(self.path), self.size_bytes)

    def examine(self, next_offset: int | None = None) -> None:
        """Read every batch, make the index anew, and keep in mind where the segment is damaged.

        With `next_offset` the segment is one that is opened, has batches at least so far, and is sealed then; a tail
        behind them that is not whole is cut off. A batch whose CRC alone is wrong is known as damaged until a restart;
        after one its readers see the CRC for themselves.
        """
        self._examined = True
        behind = self.next_offset if next_offset is None else next_offset
        end = self.size_bytes if next_offset is None else self.path.stat().st_size
        self._growing, self._damaged = IndexInMemory(), []
        self._ends.clear()
        self._take(Entry(self.base_offset, 0, _NO_TIME))
        with suppress(MisreadError):
            self._examine_batches(end, behind)
        if self.next_offset < behind:
            self._note_damage(self.next_offset, behind)
            self._take(Entry(behind, end, self.newest_ms))
        elif next_offset is not None and self.size_bytes < end:
            self.cut_off()
        if self.sealed or next_offset is not None:
            self.seal()
        elif self._damaged:
            self._growing.add(Entry(self.next_offset, end, self.newest_ms))

    def _examine_batches(self, end: int, behind: int) -> None:
        """Count the batches up to the end. Of a damaged one only its size is believed, and that by what follows it."""
        descriptor = self._handles.get(self.path)
        places = walk(descriptor, 0, self.base_offset, end)
        while place := next(places, None):
            first = place.batch.base_offset
            if is_whole(descriptor, place):
                self._add(place.batch)
                continue
            following = behind if place.end == end else self._offset_at(place.end)
            if not first < following <= behind:
                break
            self._note_damage(first, following)
            self._add(replace(place.batch, last_offset_delta=following - first - 1, max_timestamp_ms=_NO_TIME))
            places = walk(descriptor, place.end, following, end)
            if self._growing is not None:
                self._growing.due_position = place.end  # what follows is found without a way over the damage

    def _note_damage(self, first: int, behind: int) -> None:
        _log.error("%s: the records from offset %d to %d are damaged", self.path, first, behind - 1)
        self._damaged.append((first, behind))

    def _last_right_entry(self, index: IndexInMemory, size: int) -> Entry:
        """Give the last entry at which a batch of its offset starts, and cut off those behind it."""
        count = len(index)
        while count and not self._is_right(index, count - 1, size):
            count -= 1
        if count < len(index):
            index.cut(count)
            os.truncate(self.index_path, count * ENTRY_BYTES)
        return index[count - 1] if count else Entry(self.base_offset, 0, _NO_TIME)

    def _is_right(self, index: IndexInMemory, number: int, size: int) -> bool:
        try:
            entry = index[number]
            place = next(walk(self._handles.get(self.path), entry.position, entry.offset, size), None)
        except MisreadError:
            return False
        return place is not None and is_whole(self._handles.get(self.path), place)

    def _take(self, entry: Entry) -> None:
        self.next_offset, self.size_bytes, self.newest_ms = entry

    def _add(self, batch: Batch) -> None:
        """Count a batch that stands in the file."""
        growing = self._growing
        if growing is not None and self.size_bytes >= growing.due_position:
            growing.add(Entry(batch.base_offset, self.size_bytes, self.newest_ms))
            growing.due_position = self.size_bytes + self._index_bytes
        self.size_bytes += batch.size_bytes
        self.next_offset = batch.next_offset
        self.newest_ms = max(self.newest_ms, batch.max_timestamp_ms)
