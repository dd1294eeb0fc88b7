"""What a log on disk does at a restart, after a crash, on a full disk and with damaged files."""

from __future__ import annotations

import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from protopact.broker.log import (
    Duplicate,
    FileHandles,
    SegmentLog,
    check_batches,
    read_batch_headers,
    remove_deleted,
)
from protopact.broker.log.checkpoint import Checkpoint
from protopact.broker.log.segment import Segment
from protopact.errors import RefusedRequestError
from protopact.settings import BrokerSettings
from record_batches import append, make_batch

if TYPE_CHECKING:
    from collections.abc import Iterator

CORRUPT_MESSAGE, KAFKA_STORAGE_ERROR = 2, 56
BATCH_BYTES = len(make_batch())
EVERYTHING = 1 << 40


def open_log(
    directory: Path, *, segment_bytes: int = 1 << 20, index_bytes: int = 200, handles: FileHandles | None = None
) -> SegmentLog:
    return SegmentLog.open(
        directory, settings=BrokerSettings(index_bytes=index_bytes), segment_bytes=segment_bytes, handles=handles
    )


def crashed(log: SegmentLog, tmp_path: Path, name: str = "crashed") -> Path:
    """Give a copy of the files as a process that is killed now would leave them."""
    directory = tmp_path / name / "t-0"
    shutil.rmtree(directory, ignore_errors=True)
    return Path(shutil.copytree(log._directory, directory))


def read_all(log: SegmentLog) -> bytes:
    offset, parts = log.start_offset, []
    while data := log.read(offset, bytes_max=EVERYTHING, until_offset=log.end_offset):
        parts.append(data)
        *_, last = read_batch_headers(data)
        offset = last.next_offset
    return b"".join(parts)


def refusal(log: SegmentLog, offset: int) -> int:
    with pytest.raises(RefusedRequestError) as refused:
        log.read(offset, bytes_max=EVERYTHING, until_offset=EVERYTHING)
    return refused.value.error_code


def flip(path: Path, position: int, bits: int = 0xFF) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= bits
    path.write_bytes(content)


@pytest.fixture
def log(tmp_path: Path) -> SegmentLog:
    """A log of five segments, with three batches in each but the last, which has two."""
    log = open_log(tmp_path / "t-0", segment_bytes=3 * BATCH_BYTES)
    for number in range(14):
        append(log, make_batch((number,)))
    return log


def segment(log: SegmentLog, base_offset: int, kind: str = "log") -> Path:
    return log._directory / f"{base_offset:020}.{kind}"


def test_a_log_that_was_closed_is_as_it_was(log: SegmentLog) -> None:
    kept = read_all(log)
    log.delete_before(4)
    log.close()
    again = open_log(log._directory, segment_bytes=3 * BATCH_BYTES)
    assert (again.start_offset, again.end_offset, again.flushed_offset) == (4, 14, 14)
    assert read_all(again) == kept[4 * BATCH_BYTES :]
    assert again.find_by_time(9) == (9, 9)
    append(again, make_batch())
    assert again.end_offset == 15


def test_a_closed_log_takes_nothing_more(log: SegmentLog) -> None:
    log.close()
    with pytest.raises(RefusedRequestError, match="is closed") as refused:
        append(log, make_batch())
    assert refused.value.error_code == KAFKA_STORAGE_ERROR


@pytest.mark.parametrize("flush", ["flushed before", "never flushed"])
def test_a_killed_process_loses_nothing(log: SegmentLog, tmp_path: Path, flush: str) -> None:
    if flush == "flushed before":
        log.flush()
    again = open_log(crashed(log, tmp_path))
    assert read_all(again) == read_all(log)
    assert (again.end_offset, again.flushed_offset) == (14, 14)


@pytest.mark.parametrize("flush", ["flushed before", "never flushed"])
def test_a_torn_batch_is_cut_off_wherever_it_is_torn(
    tmp_path: Path,
    flush: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = open_log(tmp_path / "t-0")
    kept = b"".join(append(log, make_batch((1, 2), size=number)) for number in range(4))
    if flush == "flushed before":
        log.flush()
    last = append(log, make_batch((3, 4)))
    for cut in range(1, len(last)):
        caplog.clear()
        directory = crashed(log, tmp_path)
        os.truncate(directory / f"{0:020}.log", len(kept) + cut)
        again = open_log(directory)
        assert (again.end_offset, read_all(again)) == (8, kept)
        assert f"{cut} bytes" in caplog.text
        if cut % 20 == 1:
            behind = append(again, make_batch())
            assert read_all(open_log(crashed(again, tmp_path, "twice"))) == kept + behind


def test_a_kept_tail_is_flushed_before_it_counts_as_flushed(log: SegmentLog, tmp_path: Path) -> None:
    directory = crashed(log, tmp_path)
    again = open_log(directory)
    assert again.flushed_offset == again.end_offset
    assert Checkpoint(directory).flushed_offset == 12


def test_lost_power_may_take_an_unflushed_segment_and_what_follows(
    log: SegmentLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = crashed(log, tmp_path)
    os.truncate(directory / f"{3:020}.log", BATCH_BYTES + 40)
    again = open_log(directory)
    assert (again.end_offset, again.size_bytes) == (4, 4 * BATCH_BYTES)
    assert "40 bytes" in caplog.text
    assert sorted(path.name for path in directory.glob("*.log")) == [f"{0:020}.log", f"{3:020}.log"]


def test_lost_power_does_not_bring_back_what_was_deleted(log: SegmentLog, tmp_path: Path) -> None:
    log.delete_before(13)
    directory = crashed(log, tmp_path)
    os.truncate(directory / f"{12:020}.log", 0)
    again = open_log(directory)
    assert (again.start_offset, again.end_offset, again.size_bytes) == (13, 13, 0)
    append(again, make_batch())
    assert again.end_offset == 14


@pytest.mark.parametrize("with_index", [True, False])
def test_a_damaged_batch_that_was_on_disk_is_kept_and_not_read(
    log: SegmentLog, caplog: pytest.LogCaptureFixture, *, with_index: bool
) -> None:
    kept = read_all(log)
    log.close()
    flip(segment(log, 3), BATCH_BYTES + 10)  # its length: nothing behind it in the segment can be found
    if not with_index:
        segment(log, 3, "index").unlink()
    again = open_log(log._directory)
    assert (again.start_offset, again.end_offset) == (0, 14)
    assert refusal(again, 4) == CORRUPT_MESSAGE
    assert again.read(3, bytes_max=EVERYTHING, until_offset=14) == kept[3 * BATCH_BYTES : 4 * BATCH_BYTES]
    assert again.read(6, bytes_max=EVERYTHING, until_offset=14) == kept[6 * BATCH_BYTES : 9 * BATCH_BYTES]
    assert "damaged" in caplog.text
    assert segment(log, 3).stat().st_size == 3 * BATCH_BYTES


def test_of_a_segment_without_index_every_crc_is_checked(log: SegmentLog, caplog: pytest.LogCaptureFixture) -> None:
    kept = read_all(log)
    log.close()
    flip(segment(log, 3), BATCH_BYTES + 65)
    segment(log, 3, "index").unlink()
    again = open_log(log._directory)
    assert refusal(again, 4) == CORRUPT_MESSAGE
    assert again.read(5, bytes_max=EVERYTHING, until_offset=14) == kept[5 * BATCH_BYTES : 6 * BATCH_BYTES]
    assert "from offset 4 to 4 are damaged" in caplog.text


def test_a_tail_that_was_on_disk_is_not_cut_off(log: SegmentLog) -> None:
    kept = read_all(log)
    log.close()
    flip(segment(log, 12), 65)
    again = open_log(log._directory, segment_bytes=3 * BATCH_BYTES)
    assert again.end_offset == 14
    assert refusal(again, 12) == CORRUPT_MESSAGE
    assert again.read(13, bytes_max=EVERYTHING, until_offset=14) == kept[13 * BATCH_BYTES :]
    behind = append(again, make_batch())
    assert again.read(14, bytes_max=EVERYTHING, until_offset=15) == behind


@pytest.mark.parametrize("byte", [pytest.param(23, id="last offset"), pytest.param(35, id="latest time")])
def test_what_a_damaged_header_says_of_offsets_and_times_is_not_believed(tmp_path: Path, byte: int) -> None:
    log = open_log(tmp_path / "t-0")
    kept = append(log, make_batch())
    append(log, make_batch())
    log.close()
    flip(segment(log, 0), BATCH_BYTES + byte, 1)
    again = open_log(log._directory)
    assert again.end_offset == 2
    assert refusal(again, 1) == CORRUPT_MESSAGE
    assert again.read(0, bytes_max=EVERYTHING, until_offset=2) == kept
    assert again.newest_timestamp() == log.newest_timestamp()
    behind = append(again, make_batch())
    assert again.read(2, bytes_max=EVERYTHING, until_offset=3) == behind
    assert open_log(crashed(again, tmp_path)).end_offset == 3


@pytest.mark.parametrize("byte", [pytest.param(23, id="by 16 million"), pytest.param(26, id="by one")])
def test_who_reads_behind_a_batch_that_claims_too_many_offsets_neither_waits_nor_misses_any(
    tmp_path: Path, byte: int
) -> None:
    """The index leads past the batch at a start, so that nobody has looked at it."""
    log = open_log(tmp_path / "t-0", index_bytes=2 * BATCH_BYTES)
    kept = [append(log, make_batch()) for _ in range(5)]
    log.close()
    flip(segment(log, 0), byte, 1)
    again = open_log(log._directory, index_bytes=2 * BATCH_BYTES)
    assert again.read(1, bytes_max=0, until_offset=5) == kept[1]
    assert refusal(again, 0) == CORRUPT_MESSAGE
    for offset in range(1, 5):
        assert again.read(offset, bytes_max=0, until_offset=5) == kept[offset]


def test_a_whole_batch_is_read_though_the_offset_of_what_follows_is_damaged(tmp_path: Path) -> None:
    log = open_log(tmp_path / "t-0")
    kept = [append(log, make_batch()) for _ in range(3)]
    log.close()
    flip(segment(log, 0), BATCH_BYTES + 7, 1)  # which no CRC covers
    again = open_log(log._directory)
    assert again.read(0, bytes_max=0, until_offset=3) == kept[0]
    assert refusal(again, 1) == CORRUPT_MESSAGE
    assert again.read(0, bytes_max=EVERYTHING, until_offset=3) == kept[0]


def test_a_torn_tail_is_cut_off_behind_damage_that_was_on_disk(tmp_path: Path) -> None:
    log = open_log(tmp_path / "t-0")
    append(log, make_batch())
    log.close()
    log = open_log(log._directory)
    for _ in range(3):
        append(log, make_batch())
    directory = crashed(log, tmp_path)
    file = directory / f"{0:020}.log"
    flip(file, 65)
    flip(file, 3 * BATCH_BYTES + 23, 1)
    again = open_log(directory)
    assert (again.end_offset, refusal(again, 0)) == (3, CORRUPT_MESSAGE)
    kept = again.read(1, bytes_max=EVERYTHING, until_offset=3)
    assert [batch.base_offset for batch in read_batch_headers(kept)] == [1, 2]
    assert open_log(crashed(again, tmp_path, "again")).end_offset == 3


@pytest.mark.parametrize("base_offset", [3, 12])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "flipped", "of another segment"])
def test_an_index_that_is_missing_or_wrong_is_made_anew(log: SegmentLog, base_offset: int, damage: str) -> None:
    kept = read_all(log)
    log.close()
    index = segment(log, base_offset, "index")
    whole = index.read_bytes()
    if damage == "gone":
        index.unlink()
    elif damage == "flipped":
        flip(index, 3)
    else:
        index.write_bytes({"empty": b"", "cut": whole[:-5]}.get(damage, segment(log, 6, "index").read_bytes()))
    again = open_log(log._directory)
    assert read_all(again) == kept
    assert again.find_by_time(base_offset + 1) == (base_offset + 1, base_offset + 1)
    again.flush()
    assert index.read_bytes() == whole


def test_an_active_segment_that_turns_out_damaged_takes_more_and_gives_it(tmp_path: Path) -> None:
    log = open_log(tmp_path / "t-0", index_bytes=1)
    for _ in range(4):
        append(log, make_batch())
    flip(segment(log, 0), BATCH_BYTES + 10)
    assert refusal(log, 1) == CORRUPT_MESSAGE
    behind = append(log, make_batch())
    assert log.read(4, bytes_max=EVERYTHING, until_offset=5) == behind


def test_a_segment_that_is_gone_is_missed_by_its_readers_alone(log: SegmentLog) -> None:
    kept = read_all(log)
    log.close()
    segment(log, 3).unlink()
    again = open_log(log._directory)
    assert (again.start_offset, again.end_offset) == (0, 14)
    assert refusal(again, 4) == CORRUPT_MESSAGE
    assert again.read(6, bytes_max=BATCH_BYTES, until_offset=14) == kept[6 * BATCH_BYTES : 7 * BATCH_BYTES]
    assert not segment(log, 3, "index").exists()
    again.flush()
    again.trim(0, retention_bytes=5 * BATCH_BYTES, retention_ms=-1, segment_ms=-1)
    assert again.start_offset == 9


def test_what_stands_behind_a_sealed_segment_is_cut_off_and_nothing_else(
    log: SegmentLog, caplog: pytest.LogCaptureFixture
) -> None:
    kept = read_all(log)
    log.close()
    with segment(log, 3).open("ab") as grown:
        grown.write(b"???")
    assert read_all(open_log(log._directory)) == kept
    assert segment(log, 3).stat().st_size == 3 * BATCH_BYTES
    assert "3 bytes behind offset 5" in caplog.text


def test_a_segment_whose_bytes_are_gone_does_not_hold_up_the_trimming(log: SegmentLog) -> None:
    log.close()
    os.truncate(segment(log, 0), 0)
    again = open_log(log._directory)
    assert refusal(again, 0) == CORRUPT_MESSAGE
    again.trim(0, retention_bytes=5 * BATCH_BYTES, retention_ms=-1, segment_ms=-1)
    assert again.start_offset == 9


@pytest.mark.parametrize("gone", ["the last segment", "the end of the last segment", "every segment"])
def test_records_that_were_on_disk_and_are_gone_are_missed_and_their_offsets_not_given_again(
    log: SegmentLog, gone: str, caplog: pytest.LogCaptureFixture
) -> None:
    log.close()
    if gone == "the last segment":
        segment(log, 12).unlink()
    elif gone == "the end of the last segment":
        os.truncate(segment(log, 12), BATCH_BYTES)
    else:
        for path in log._directory.glob("*.log"):
            path.unlink()
    again = open_log(log._directory)
    assert again.end_offset == 14
    assert caplog.text
    if gone == "every segment":
        assert again.start_offset == 14
    else:
        assert refusal(again, 13) == CORRUPT_MESSAGE
    behind = append(again, make_batch())
    assert again.read(14, bytes_max=EVERYTHING, until_offset=15) == behind


@pytest.mark.parametrize("damage", ["overwritten", "changed", "empty"])
def test_a_checkpoint_that_cannot_be_read_is_logged_and_nothing_is_lost(
    log: SegmentLog, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    kept = read_all(log)
    log.close()
    checkpoint = log._directory / "checkpoint"
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes({"overwritten": bytes(40), "changed": whole.replace(b"14", b"94")}.get(damage, b""))
    assert read_all(open_log(log._directory)) == kept
    assert "is not believed" in caplog.text


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Have the operating system refuse larger files, as a full disk does, in the midst of a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_stops_half_way_is_taken_back_and_the_log_goes_on(tmp_path: Path) -> None:
    log = open_log(tmp_path / "t-0")
    kept = append(log, make_batch(size=2000))
    with files_of_at_most(3000), pytest.raises(RefusedRequestError) as refused:
        append(log, make_batch(size=2000))
    assert refused.value.error_code == KAFKA_STORAGE_ERROR
    assert (log.end_offset, log.size_bytes) == (1, len(kept))
    assert segment(log, 0).stat().st_size == len(kept)
    behind = append(log, make_batch(size=2000))
    assert read_all(log) == kept + behind
    assert read_all(open_log(crashed(log, tmp_path))) == kept + behind


def test_an_index_that_a_full_disk_refuses_is_written_later(log: SegmentLog, caplog: pytest.LogCaptureFixture) -> None:
    kept = read_all(log)
    with files_of_at_most(10):
        log.flush()
    assert log.flushed_offset == 14
    assert "cannot be written now" in caplog.text
    log.flush()
    assert segment(log, 0, "index").stat().st_size > 10
    append(log, make_batch())
    assert read_all(log)[: len(kept)] == kept


def test_a_log_that_a_full_disk_keeps_from_closing_well_is_closed(log: SegmentLog) -> None:
    with files_of_at_most(10), pytest.raises(RefusedRequestError):
        log.close()
    with pytest.raises(RefusedRequestError, match="is closed"):
        append(log, make_batch())
    assert open_log(log._directory).end_offset == 14


def test_a_new_segment_that_cannot_be_begun_leaves_the_log_as_it_was(log: SegmentLog) -> None:
    kept = read_all(log)
    append(log, make_batch())
    segment(log, 15).mkdir()
    with pytest.raises(RefusedRequestError) as refused:
        append(log, make_batch())
    assert refused.value.error_code == KAFKA_STORAGE_ERROR
    assert log.end_offset == 15
    segment(log, 15).rmdir()
    append(log, make_batch())
    assert read_all(log)[: len(kept)] == kept


def test_after_a_flush_that_failed_nothing_is_taken_until_the_log_is_opened_again(
    log: SegmentLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log.flush()
    kept = read_all(log)
    append(log, make_batch())
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(RefusedRequestError) as refused:
            log.flush()
    assert refused.value.error_code == KAFKA_STORAGE_ERROR
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]
    for again in (log.flush, lambda: append(log, make_batch())):
        with pytest.raises(RefusedRequestError):
            again()
    assert log.flushed_offset == 14
    assert log.read(12, bytes_max=EVERYTHING, until_offset=15) == kept[12 * BATCH_BYTES :]
    assert log.read(14, bytes_max=EVERYTHING, until_offset=15) == b""
    log.close()
    assert open_log(log._directory).end_offset == 15


def failing(descriptor: int) -> None:
    raise OSError(5, "Input/output error")


def count_open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_many_logs_keep_few_files_open(tmp_path: Path) -> None:
    handles = FileHandles(10)
    logs = [open_log(tmp_path / f"t-{number}", handles=handles, segment_bytes=BATCH_BYTES) for number in range(20)]
    before = count_open_files()
    for _ in range(3):
        for log in logs:
            append(log, make_batch())
            log.flush()
    for log in logs:
        assert len(read_all(log)) == 3 * BATCH_BYTES
        assert log.find_by_time(1000) == (0, 1000)
    assert len(handles) <= 10
    assert count_open_files() <= before + 10
    for log in logs:
        log.close()
    assert len(handles) == 0


def test_a_flush_in_another_thread_disturbs_nobody(tmp_path: Path) -> None:
    log = open_log(tmp_path / "t-0", segment_bytes=1000, index_bytes=100)
    ended = threading.Event()

    def flush() -> None:
        while not ended.is_set():
            log.flush()

    flusher = threading.Thread(target=flush)
    flusher.start()
    kept = b""
    for number in range(2000):
        kept += append(log, make_batch((number,)))
        assert log.read(number, bytes_max=10_000, until_offset=number + 1)
        if number % 100 == 99:
            log.trim(number, retention_bytes=-1, retention_ms=500, segment_ms=-1)
    ended.set()
    flusher.join()
    log.flush()
    assert log.flushed_offset == 2000
    assert read_all(log) == kept[log.start_offset * BATCH_BYTES :]
    assert read_all(open_log(crashed(log, tmp_path))) == kept[log.start_offset * BATCH_BYTES :]


def test_a_flush_while_files_are_being_removed_does_not_miss_them(
    log: SegmentLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove = Segment.remove

    def remove_and_flush(segment: Segment) -> None:
        remove(segment)
        log.flush()

    monkeypatch.setattr(Segment, "remove", remove_and_flush)
    assert log.trim(0, retention_bytes=5 * BATCH_BYTES, retention_ms=-1, segment_ms=-1) == 3
    assert log.flushed_offset == 14


def test_an_active_segment_is_sealed_by_age_so_that_it_can_be_trimmed_later(tmp_path: Path) -> None:
    log = open_log(tmp_path / "t-0")
    append(log, make_batch((1000,)))
    log.trim(1500, retention_bytes=-1, retention_ms=-1, segment_ms=1000)
    append(log, make_batch((1600,)))
    log.trim(2000, retention_bytes=-1, retention_ms=-1, segment_ms=1000)
    append(log, make_batch((2100,)))
    assert sorted(path.name for path in log._directory.glob("*.log")) == [f"{0:020}.log", f"{2:020}.log"]
    assert log.trim(2800, retention_bytes=-1, retention_ms=1000, segment_ms=10_000) == 1
    assert (log.start_offset, log.end_offset) == (2, 3)


def test_records_without_a_time_age_by_the_time_of_their_writing(tmp_path: Path) -> None:
    log = open_log(tmp_path / "t-0")
    append(log, make_batch((-1,)))
    written_ms = int(segment(log, 0).stat().st_mtime * 1000)
    assert log.trim(written_ms + 900, retention_bytes=-1, retention_ms=1000, segment_ms=-1) == 0
    assert log.trim(written_ms + 1100, retention_bytes=-1, retention_ms=1000, segment_ms=-1) == 1


def test_a_smaller_segment_size_holds_at_once(tmp_path: Path) -> None:
    log = open_log(tmp_path / "t-0")
    for _ in range(5):
        append(log, make_batch())
    log.segment_bytes = 2 * BATCH_BYTES
    log.trim(0, retention_bytes=-1, retention_ms=-1, segment_ms=-1)
    append(log, make_batch())
    assert len(list(log._directory.glob("*.log"))) == 2


@pytest.mark.parametrize("how", ["deleted", "trimmed"])
def test_segments_that_were_removed_do_not_come_back(log: SegmentLog, tmp_path: Path, how: str) -> None:
    kept = read_all(log)
    before = crashed(log, tmp_path)
    if how == "deleted":
        log.delete_before(7)
    else:
        log.trim(0, retention_bytes=log.size_bytes - 7 * BATCH_BYTES, retention_ms=-1, segment_ms=-1)
    start_offset, size_bytes = log.start_offset, log.size_bytes
    directory = crashed(log, tmp_path, "lost power")
    for name in (f"{0:020}.log", f"{0:020}.index"):
        if (before / name).exists():
            shutil.copy(before / name, directory)
    again = open_log(directory)
    assert (again.start_offset, again.end_offset, again.size_bytes) == (start_offset, 14, size_bytes)
    assert read_all(again) == kept[start_offset * BATCH_BYTES :]
    assert not (directory / f"{0:020}.log").exists()


def test_a_deletion_that_was_interrupted_is_finished(log: SegmentLog, tmp_path: Path) -> None:
    log.close()
    log._directory.rename(tmp_path / "t-0.deleted")
    remove_deleted(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RefusedRequestError) as refused:
        open_log(tmp_path / "file" / "t-0")
    assert refused.value.error_code == KAFKA_STORAGE_ERROR


@pytest.mark.parametrize("ending", ["closed", "killed", "killed without snapshots", "killed in a snapshot"])
def test_a_retry_after_a_restart_is_known_as_a_duplicate(tmp_path: Path, ending: str) -> None:
    log = open_log(tmp_path / "t-0", segment_bytes=400)
    for number in range(20):
        append(log, make_batch(producer_id=7, epoch=0, sequence=number))
    if ending == "closed":
        log.close()
    directory = crashed(log, tmp_path)
    snapshots = sorted(directory.glob("*.snapshot"))
    assert snapshots
    if ending == "killed without snapshots":
        for snapshot in snapshots:
            snapshot.unlink()
    if ending == "killed in a snapshot":
        os.truncate(snapshots[-1], 7)
    producers = open_log(directory).producers
    for number in range(15, 20):
        (retry,) = check_batches(make_batch(producer_id=7, epoch=0, sequence=number))
        assert producers.check(retry, 0) == Duplicate(number, 1000)
    (following,) = check_batches(make_batch(producer_id=7, epoch=0, sequence=20))
    assert producers.check(following, 0) is None


def test_a_snapshot_of_batches_that_were_lost_is_not_believed(tmp_path: Path) -> None:
    log = open_log(tmp_path / "t-0", segment_bytes=400)
    for number in range(10):
        append(log, make_batch(producer_id=7, epoch=0, sequence=number))
    directory = crashed(log, tmp_path)
    os.truncate(directory / f"{0:020}.log", BATCH_BYTES)
    again = open_log(directory)
    assert again.end_offset == 1
    (lost,) = check_batches(make_batch(producer_id=7, epoch=0, sequence=1))
    assert again.producers.check(lost, 0) is None


def test_snapshots_do_not_pile_up(log: SegmentLog) -> None:
    log.close()
    assert len(list(log._directory.glob("*.snapshot"))) == 2


WRITER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from record_batches import append, make_batch
from protopact.broker.log import SegmentLog
from protopact.settings import BrokerSettings
log = SegmentLog.open(Path(sys.argv[1]), settings=BrokerSettings(), segment_bytes=2000)
for number in range(100):
    append(log, make_batch(producer_id=7, epoch=0, sequence=number))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_leaves_all_that_it_appended(tmp_path: Path) -> None:
    tests = str(Path(__file__).parents[3])
    ended = subprocess.run([sys.executable, "-c", WRITER, str(tmp_path / "t-0"), tests], check=False)
    assert ended.returncode == -signal.SIGKILL
    log = open_log(tmp_path / "t-0")
    assert (log.start_offset, log.end_offset) == (0, 100)
    (retry,) = check_batches(make_batch(producer_id=7, epoch=0, sequence=99))
    assert log.producers.check(retry, 0) == Duplicate(99, 1000)
