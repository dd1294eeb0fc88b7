from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from protopact.broker.log import Flusher, MemoryLog, SegmentLog
from protopact.errors import RefusedRequestError
from protopact.settings import BrokerSettings
from record_batches import append, make_batch

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path


class CountingLog(SegmentLog):
    """A log that counts its flushes, and can be made to wait in one."""

    flushes = 0
    began: threading.Event

    def flush(self) -> None:
        self.flushes += 1
        self.began.set()
        gate.wait(10)
        super().flush()


gate = threading.Event()
gate.set()


@pytest.fixture
def log(tmp_path: Path) -> CountingLog:
    log = CountingLog.open(tmp_path / "t-0", settings=BrokerSettings(), segment_bytes=1 << 20)
    assert isinstance(log, CountingLog)
    log.began = threading.Event()
    return log


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def test_what_is_waited_for_is_on_disk_then(log: CountingLog) -> None:
    async def work() -> None:
        flusher = Flusher(interval_s=60)
        append(log, make_batch())
        await flusher.flushed(log, 1)
        assert (log.flushed_offset, log.flushes) == (1, 1)
        await flusher.flushed(log, 1)
        assert log.flushes == 1
        await flusher.close()

    run(work())


def test_all_that_wait_during_a_flush_share_the_next(log: CountingLog) -> None:
    async def work() -> None:
        flusher = Flusher(interval_s=60)
        gate.clear()
        try:
            append(log, make_batch())
            first = asyncio.create_task(flusher.flushed(log, 1))
            await asyncio.to_thread(log.began.wait, 10)
            waiters = []
            for number in range(50):
                append(log, make_batch())
                waiters.append(asyncio.create_task(flusher.flushed(log, number + 2)))
            await asyncio.sleep(0)
        finally:
            gate.set()
        await asyncio.gather(first, *waiters)
        assert (log.flushed_offset, log.flushes) == (51, 2)
        await flusher.close()

    run(work())


def test_what_was_appended_is_flushed_after_the_interval(log: CountingLog) -> None:
    async def work() -> None:
        flusher = Flusher(interval_s=0.01)
        for _ in range(3):
            append(log, make_batch())
            flusher.appended(log)
        await asyncio.to_thread(log.began.wait, 10)
        await flusher.close()
        assert (log.flushed_offset, log.flushes) == (3, 1)

    run(work())


def test_a_disk_that_refuses_is_told_to_all_that_wait_and_to_no_other_log(
    log: CountingLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = SegmentLog.open(tmp_path / "t-1", settings=BrokerSettings(), segment_bytes=1 << 20)
    real, broken = os.fsync, os.stat(tmp_path / "t-0" / f"{0:020}.log").st_ino  # noqa: PTH116  (beside fstat)

    def fsync(descriptor: int) -> None:
        if os.fstat(descriptor).st_ino == broken:
            raise OSError(5, "Input/output error")
        real(descriptor)

    async def work() -> None:
        flusher = Flusher(interval_s=60)
        append(log, make_batch())
        append(other, make_batch())
        waits = [flusher.flushed(log, 1), flusher.flushed(log, 1), flusher.flushed(other, 1)]
        answers = await asyncio.gather(*waits, return_exceptions=True)
        assert [getattr(answer, "error_code", None) for answer in answers] == [56, 56, None]
        assert other.flushed_offset == 1
        with pytest.raises(RefusedRequestError):
            await flusher.flushed(log, 1)
        await flusher.close()

    monkeypatch.setattr(os, "fsync", fsync)
    run(work())


def test_who_no_longer_waits_holds_nobody_up(log: CountingLog) -> None:
    async def work() -> None:
        flusher = Flusher(interval_s=60)
        append(log, make_batch())
        gate.clear()
        try:
            gone, stays = (asyncio.create_task(flusher.flushed(log, 1)) for _ in range(2))
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.sleep(0)
        finally:
            gate.set()
        await stays
        await flusher.close()

    run(work())


def test_memory_is_flushed_at_once() -> None:
    async def work() -> None:
        flusher = Flusher(interval_s=60)
        log = MemoryLog()
        append(log, make_batch())
        await flusher.flushed(log, 1)
        await flusher.close()

    run(work())


def test_a_log_that_is_deleted_before_its_flush_is_left_alone(log: CountingLog) -> None:
    async def work() -> None:
        flusher = Flusher(interval_s=0.01)
        append(log, make_batch())
        flusher.appended(log)
        flusher.forget(log)
        log.delete()
        await asyncio.sleep(0.05)
        assert log.flushes == 0
        await flusher.close()

    run(work())
