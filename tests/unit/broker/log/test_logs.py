"""One contract: what a log does, on disk and in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.broker.log import MemoryLog, PartitionLog, SegmentLog, read_batch_headers
from protopact.errors import RefusedRequestError
from protopact.settings import BrokerSettings
from record_batches import append, make_batch

if TYPE_CHECKING:
    from pathlib import Path

EVERYTHING = 1 << 40
OFFSET_OUT_OF_RANGE = 1


@pytest.fixture(params=["memory", "segments", "one segment"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> PartitionLog:
    if request.param == "memory":
        return MemoryLog()
    return SegmentLog.open(
        tmp_path / "orders-0",
        settings=BrokerSettings(index_bytes=200),
        segment_bytes=300 if request.param == "segments" else 1 << 20,
    )


def read_all(log: PartitionLog, offset: int = 0, *, bytes_max: int = EVERYTHING) -> bytes:
    parts = []
    while data := log.read(offset, bytes_max=bytes_max, until_offset=log.end_offset):
        parts.append(data)
        *_, last = read_batch_headers(data)
        offset = last.next_offset
    return b"".join(parts)


def refusal(log: PartitionLog, offset: int) -> int:
    with pytest.raises(RefusedRequestError) as refused:
        log.read(offset, bytes_max=EVERYTHING, until_offset=EVERYTHING)
    return refused.value.error_code


def test_an_empty_log_has_nothing_and_starts_at_zero(log: PartitionLog) -> None:
    assert (log.start_offset, log.end_offset, log.flushed_offset, log.size_bytes) == (0, 0, 0, 0)
    assert log.read(0, bytes_max=EVERYTHING, until_offset=EVERYTHING) == b""
    assert log.find_by_time(0) is None
    assert log.newest_timestamp() == (-1, -1)
    assert refusal(log, 1) == OFFSET_OUT_OF_RANGE


@pytest.mark.parametrize("bytes_max", [0, 100, 350, 1000, EVERYTHING])
def test_what_was_appended_is_read_as_it_was(log: PartitionLog, bytes_max: int) -> None:
    kept = b"".join(append(log, *[make_batch((number,) * 3)] * (number % 3 + 1)) for number in range(30))
    assert (log.end_offset, log.size_bytes) == (180, len(kept))
    assert read_all(log, bytes_max=bytes_max) == kept


def test_a_read_begins_with_the_batch_that_holds_the_offset(log: PartitionLog) -> None:
    for _ in range(20):
        append(log, make_batch((1, 2, 3)))
    for offset in range(60):
        first = next(read_batch_headers(log.read(offset, bytes_max=1, until_offset=60)))
        assert first.base_offset == offset // 3 * 3


def test_no_record_at_the_bound_or_behind_it_is_read(log: PartitionLog) -> None:
    for _ in range(20):
        append(log, make_batch((1, 2, 3)))
    for until_offset in range(61):
        data = log.read(0, bytes_max=1 << 30, until_offset=until_offset)
        assert all(batch.next_offset <= until_offset for batch in read_batch_headers(data))
        assert bool(data) == (until_offset >= 3)


def test_the_first_batch_is_read_even_when_it_is_too_large(log: PartitionLog) -> None:
    kept = append(log, make_batch(size=5000))
    append(log, make_batch())
    assert log.read(0, bytes_max=10, until_offset=2) == kept


def test_offsets_outside_are_refused_and_the_end_is_not(log: PartitionLog) -> None:
    append(log, make_batch((1, 2)))
    assert log.read(2, bytes_max=EVERYTHING, until_offset=2) == b""
    assert refusal(log, 3) == OFFSET_OUT_OF_RANGE
    assert refusal(log, -1) == OFFSET_OUT_OF_RANGE


def test_the_first_record_of_a_time_is_found_though_times_go_back(log: PartitionLog) -> None:
    for times in ((10, 20), (50, 40), (30, 35), (60, 5)):
        append(log, make_batch(times))
    found = {timestamp_ms: log.find_by_time(timestamp_ms) for timestamp_ms in (0, 15, 25, 36, 51, 60, 61)}
    assert found == {
        0: (0, 10), 15: (1, 20), 25: (2, 50), 36: (2, 50), 51: (6, 60), 60: (6, 60), 61: None
    }  # fmt: skip
    assert log.newest_timestamp() == (6, 60)


def test_records_before_a_start_are_gone_for_readers(log: PartitionLog) -> None:
    for number in range(20):
        append(log, make_batch((number * 10, number * 10 + 1, number * 10 + 2)))
    log.delete_before(31)
    assert (log.start_offset, log.end_offset) == (31, 60)
    assert refusal(log, 30) == OFFSET_OUT_OF_RANGE
    assert next(read_batch_headers(log.read(31, bytes_max=1, until_offset=60))).base_offset == 30
    assert log.find_by_time(0) == (31, 101)
    log.delete_before(5)
    assert log.start_offset == 31


def test_a_start_beyond_the_end_is_refused(log: PartitionLog) -> None:
    append(log, make_batch())
    with pytest.raises(RefusedRequestError) as refused:
        log.delete_before(2)
    assert refused.value.error_code == OFFSET_OUT_OF_RANGE


def test_all_records_can_be_deleted_and_the_log_goes_on(log: PartitionLog) -> None:
    for _ in range(5):
        append(log, make_batch())
    log.delete_before(5)
    assert (log.start_offset, log.end_offset, log.size_bytes) == (5, 5, 0)
    assert log.newest_timestamp() == (-1, -1)
    kept = append(log, make_batch())
    assert read_all(log, 5) == kept


def test_the_newest_time_is_that_of_a_record_that_is_still_there(log: PartitionLog) -> None:
    for timestamp in (900, 100, 200):
        append(log, make_batch((timestamp,)))
    log.delete_before(1)
    assert log.newest_timestamp() == (2, 200)


def test_the_newest_time_is_that_of_a_record_in_a_batch_of_which_the_start_took_a_part(log: PartitionLog) -> None:
    append(log, make_batch((900, 300, 200, 300)))
    append(log, make_batch((100,)))
    log.delete_before(1)
    assert log.newest_timestamp() == (1, 300)


def test_records_that_are_too_old_are_trimmed_the_newest_too(log: PartitionLog) -> None:
    for number in range(20):
        append(log, make_batch((number,)))
    assert log.trim(1000, retention_bytes=-1, retention_ms=1000, segment_ms=-1) == 0
    assert log.trim(1020, retention_bytes=-1, retention_ms=1000, segment_ms=-1) > 0
    assert (log.start_offset, log.end_offset, log.size_bytes) == (20, 20, 0)


def test_trimming_by_size_keeps_at_least_that_size(log: PartitionLog) -> None:
    for number in range(40):
        append(log, make_batch((number,)))
    before = log.size_bytes
    log.trim(10**6, retention_bytes=before // 2, retention_ms=-1, segment_ms=0)
    assert before // 2 <= log.size_bytes
    assert log.trim(10**6, retention_bytes=before // 2, retention_ms=-1, segment_ms=-1) == 0
    kept = read_all(log, log.start_offset)
    assert len(kept) == log.size_bytes


def test_without_bounds_nothing_is_trimmed(log: PartitionLog) -> None:
    for number in range(20):
        append(log, make_batch((number,)))
    assert log.trim(10**15, retention_bytes=-1, retention_ms=-1, segment_ms=0) == 0
    assert log.start_offset == 0


def test_records_of_the_future_are_kept(log: PartitionLog) -> None:
    append(log, make_batch((5000,)))
    assert log.trim(1000, retention_bytes=-1, retention_ms=1, segment_ms=1) == 0


def test_a_flush_covers_what_was_appended(log: PartitionLog) -> None:
    append(log, make_batch((1, 2)))
    log.flush()
    assert log.flushed_offset == 2


def test_a_deleted_log_leaves_nothing(log: PartitionLog, tmp_path: Path) -> None:
    append(log, make_batch())
    log.delete()
    assert list(tmp_path.iterdir()) == []
