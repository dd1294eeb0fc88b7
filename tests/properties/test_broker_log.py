"""Both logs against a list: whatever is done to them, they hold what a list of batches would."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from crc32c import crc32c
from hypothesis import given, strategies as st

from protopact.broker.log import Batch, MemoryLog, PartitionLog, SegmentLog, check_batches, read_batch_headers
from protopact.errors import RefusedRequestError
from protopact.settings import BrokerSettings
from record_batches import CODECS, append, make_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVERYTHING = 1 << 40
SETTINGS = BrokerSettings(index_bytes=150)
SEGMENT_BYTES = 400

TIMES = st.integers(0, 60)
FRACTION = st.floats(0, 1)
BATCH = st.builds(
    lambda times, codec, size: (tuple(times), make_batch(times, codec=codec, size=size)),
    st.lists(TIMES, min_size=1, max_size=4),
    st.sampled_from(list(CODECS)),
    st.sampled_from([0, 10, 600]),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.lists(BATCH, min_size=1, max_size=3)),
        st.tuples(st.just("read"), FRACTION, FRACTION, st.sampled_from([0, 150, 500, EVERYTHING])),
        st.tuples(st.just("find"), TIMES),
        st.tuples(st.just("delete_before"), FRACTION),
        st.tuples(
            st.just("trim"), TIMES, st.sampled_from([(-1, -1), (0, -1), (300, -1), (1000, -1), (-1, 0), (-1, 30)])
        ),
        st.tuples(st.just("flush")),
        st.tuples(st.just("restart"), st.booleans()),
    ),
    max_size=25,
)


@dataclass
class Model:
    """A list of batches, each as it is kept and with the times of its records."""

    batches: list[tuple[Batch, bytes, tuple[int, ...]]] = field(default_factory=list)
    newest_deleted_ms: int = -1
    start_offset: int = 0
    end_offset: int = 0

    def records(self) -> list[tuple[int, int]]:
        """Give offset and time of every record that can be read."""
        every = (
            (batch.base_offset + delta, time) for batch, _, times in self.batches for delta, time in enumerate(times)
        )
        return [(offset, time) for offset, time in every if offset >= self.start_offset]

    def readable(self, offset: int, until_offset: int) -> list[bytes]:
        return [
            kept for batch, kept, _ in self.batches if batch.next_offset > offset and batch.next_offset <= until_offset
        ]


class Subject:
    """A log beside its model; every step is done to both and compared."""

    def __init__(self, log: PartitionLog, reopen: Callable[[PartitionLog, bool], PartitionLog]) -> None:
        self.log, self.reopen, self.model = log, reopen, Model()

    def place(self, fraction: float) -> int:
        return self.log.start_offset + round((self.log.end_offset - self.log.start_offset) * fraction)

    def append(self, batches: list[tuple[tuple[int, ...], bytes]]) -> None:
        placed = append(self.log, *(batch for _, batch in batches))
        position = 0
        for header, (times, _) in zip(read_batch_headers(placed), batches, strict=True):
            self.model.batches.append((header, placed[position : position + header.size_bytes], times))
            position += header.size_bytes
        self.model.end_offset = self.log.end_offset

    def read(self, at: float, until: float, bytes_max: int) -> None:
        offset, until_offset = self.place(at), self.place(until)
        expected = self.model.readable(offset, until_offset)
        data = self.log.read(offset, bytes_max=bytes_max, until_offset=until_offset)
        ends = [0, *accumulate(len(kept) for kept in expected)]
        assert len(data) in ends[bool(expected) :]
        assert b"".join(expected).startswith(data)
        assert len(data) <= bytes_max or len(data) == ends[1]

    def find(self, time: int) -> None:
        assert self.log.find_by_time(time) == next((each for each in self.model.records() if each[1] >= time), None)

    def delete_before(self, at: float) -> None:
        model = self.model
        model.start_offset = max(model.start_offset, self.place(at))
        deleted = [batch.max_timestamp_ms for batch, _, _ in model.batches if batch.next_offset <= model.start_offset]
        model.newest_deleted_ms = max(model.newest_deleted_ms, *deleted, -1)
        if model.start_offset == model.end_offset:  # their segments are gone
            model.newest_deleted_ms = -1
        self.log.delete_before(self.place(at))

    def trim(self, now_ms: int, bound: tuple[int, int]) -> None:
        retention_bytes, retention_ms = bound
        before = [batch for batch, _, _ in self.model.batches if batch.next_offset > self.model.start_offset]
        self.log.trim(now_ms, retention_bytes=retention_bytes, retention_ms=retention_ms, segment_ms=30)
        after = [batch for batch in before if batch.next_offset > self.log.start_offset]
        too_old = [batch for batch in before if 0 <= retention_ms < now_ms - batch.max_timestamp_ms]
        assert self.log.start_offset in {self.model.start_offset, *(batch.next_offset for batch in before)}
        if retention_bytes >= 0:
            assert after == before or self.log.size_bytes >= retention_bytes
        else:
            assert set(before) - set(after) <= set(too_old)
        if too_old == before and self.model.newest_deleted_ms < now_ms - retention_ms:  # they may share a segment
            assert after == []
        self.model.start_offset = self.log.start_offset

    def flush(self) -> None:
        self.log.flush()
        assert self.log.flushed_offset == self.log.end_offset

    def restart(self, killed: bool) -> None:  # noqa: FBT001  (drawn, not written)
        self.log = self.reopen(self.log, killed)

    def compare(self) -> None:
        log, model = self.log, self.model
        model.batches = [each for each in model.batches if each[0].next_offset > model.start_offset]
        assert (log.start_offset, log.end_offset) == (model.start_offset, model.end_offset)
        assert log.flushed_offset <= log.end_offset
        assert b"".join(read_on(log, log.start_offset)) == b"".join(kept for _, kept, _ in model.batches)
        newest = max((time for _, time in model.records()), default=-1)
        assert log.newest_timestamp() == next((each for each in model.records() if each[1] == newest), (-1, -1))


def read_on(log: PartitionLog, offset: int) -> Iterator[bytes]:
    while data := log.read(offset, bytes_max=EVERYTHING, until_offset=log.end_offset):
        yield data
        *_, last = read_batch_headers(data)
        offset = last.next_offset


def open_log(directory: Path) -> SegmentLog:
    return SegmentLog.open(directory, settings=SETTINGS, segment_bytes=SEGMENT_BYTES)


def crashed(directory: Path) -> Path:
    """Give a copy of the files as a process that is killed now would leave them."""
    return Path(shutil.copytree(directory, Path(tempfile.mkdtemp(dir=directory.parent)) / "t-0"))


@pytest.mark.parametrize("kind", ["memory", "segments"])
@given(STEPS)
def test_a_log_holds_what_a_list_would(kind: str, steps: list[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as home:
        place = [Path(home) / "t-0"]

        def reopen(log: PartitionLog, killed: bool) -> PartitionLog:  # noqa: FBT001
            if isinstance(log, MemoryLog):
                return log
            if killed:
                place[0] = crashed(place[0])
            else:
                log.close()
            return open_log(place[0])

        subject = Subject(MemoryLog() if kind == "memory" else open_log(place[0]), reopen)
        for name, *values in steps:
            getattr(subject, name)(*values)
            subject.compare()


@given(st.lists(BATCH, min_size=1, max_size=6), st.integers(0, 5), FRACTION, st.integers(0, 7))
def test_a_flipped_bit_in_the_tail_takes_its_batch_and_those_behind_it_and_no_other(
    batches: list[tuple[tuple[int, ...], bytes]], flushed: int, at: float, bit: int
) -> None:
    with tempfile.TemporaryDirectory() as home:
        log = SegmentLog.open(Path(home) / "t-0", settings=SETTINGS, segment_bytes=1 << 20)
        kept = []
        for number, (_, batch) in enumerate(batches):
            kept.append(append(log, batch))
            if number + 1 == flushed:
                log.flush()
        ends = list(accumulate(map(len, kept)))
        tail = ends[flushed - 1] if 0 < flushed <= len(kept) else 0
        position = min(tail + round((ends[-1] - tail) * at), ends[-1] - 1)
        hit = next(number for number, end in enumerate(ends) if position < end)
        directory = crashed(Path(home) / "t-0")
        path = directory / f"{0:020}.log"
        content = bytearray(path.read_bytes())
        content[position] ^= 1 << bit
        path.write_bytes(content)

        again = SegmentLog.open(directory, settings=SETTINGS, segment_bytes=1 << 20)
        read = b"".join(read_on(again, 0))
        # The CRC covers all but the place in the log, of which the offsets must follow each other; so only the epoch
        # of the leader, of which there is one here, may change unnoticed.
        in_epoch = 12 <= position - (ends[hit - 1] if hit else 0) < 16
        assert read == (bytes(content) if in_epoch else b"".join(kept[:hit]))
        append(again, batches[0][1])
        assert open_log(crashed(directory)).end_offset == again.end_offset


@given(st.lists(BATCH, min_size=1, max_size=5), FRACTION)
def test_a_torn_tail_leaves_all_whole_batches(batches: list[tuple[tuple[int, ...], bytes]], at: float) -> None:
    with tempfile.TemporaryDirectory() as home:
        log = open_log(Path(home) / "t-0")
        kept = [append(log, batch) for _, batch in batches]
        directory = crashed(Path(home) / "t-0")
        last = max(directory.glob("*.log"))
        cut = round(last.stat().st_size * at)
        os.truncate(last, cut)
        again = open_log(directory)
        before = [path.stat().st_size for path in sorted(directory.glob("*.log"))[:-1]]
        whole = [end for end in accumulate(map(len, kept)) if end <= sum(before) + cut]
        assert b"".join(read_on(again, 0)) == b"".join(kept)[: max(whole, default=0)]


@given(st.lists(BATCH, min_size=1, max_size=8), st.data())
def test_whatever_file_is_damaged_a_read_gives_the_batch_or_a_refusal_or_a_crc_that_tells(
    batches: list[tuple[tuple[int, ...], bytes]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as home:
        directory = Path(home) / "t-0"
        log = open_log(directory)
        kept = b"".join(append(log, batch) for _, batch in batches)
        log.close()
        path = data.draw(st.sampled_from(sorted(directory.iterdir())))
        content = bytearray(path.read_bytes())
        position = data.draw(st.integers(0, max(len(content) - 1, 0)))
        damage = data.draw(st.sampled_from(["flip", "cut", "zero", "grow"]))
        if content and damage == "flip":
            content[position] ^= data.draw(st.integers(1, 255))
        elif damage == "zero":
            content[position:] = bytes(len(content) - position)
        elif damage == "grow":
            content += data.draw(st.binary(min_size=1, max_size=100))
        else:
            del content[position:]
        path.write_bytes(content)

        again = open_log(directory)
        assert again.end_offset == log.end_offset
        position = 0
        for batch in read_batch_headers(kept):
            written, position = kept[position : position + batch.size_bytes], position + batch.size_bytes
            try:
                read = again.read(batch.base_offset, bytes_max=0, until_offset=again.end_offset)
            except RefusedRequestError as refused:
                assert refused.error_code == 2  # noqa: PT017  (most reads succeed)
            else:
                assert read[16:] == written[16:] or crc32c(read[21:]) != int.from_bytes(read[17:21], "big")
                assert read[:12] == written[:12]
        assert again.find_by_time(10**6) is None
        end_offset = again.end_offset
        behind = append(again, batches[0][1])
        assert again.read(end_offset, bytes_max=0, until_offset=again.end_offset) == behind


@given(st.binary(max_size=300))
def test_random_bytes_of_a_producer_are_refused_in_kafkas_codes(sent: bytes) -> None:
    with pytest.raises(RefusedRequestError) as refused:
        check_batches(sent)
    assert refused.value.error_code in {2, 87}
