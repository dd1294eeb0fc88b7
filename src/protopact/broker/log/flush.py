"""Batches to the disk, for many logs and many waiters at once, in one thread beside the event loop."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from protopact.broker.log.port import PartitionLog

_log = logging.getLogger(__name__)


class Flusher:
    """Flushes logs in turns: all who ask for a log before its turn share one flush.

    It belongs to one event loop. With `interval_s`, `appended` has a log flushed within that time; `flushed` waits for
    a log, at once.
    """

    def __init__(self, *, interval_s: float) -> None:
        """Start no thread before something is to be flushed."""
        self._interval_s = interval_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="protopact-broker-flush")
        self._waiting: dict[PartitionLog, list[tuple[int, asyncio.Future[None]]]] = {}
        self._appended: set[PartitionLog] = set()
        self._turns: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def flushed(self, log: PartitionLog, offset: int) -> None:
        """Wait until everything below the offset is on disk; RefusedRequestError 56 when the disk refuses."""
        assert offset <= log.end_offset, "what was not appended is never flushed"
        if log.flushed_offset >= offset:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(log, []).append((offset, future))
        self._take_turns()
        await future

    def appended(self, log: PartitionLog) -> None:
        """Have the log flushed when the interval is over."""
        self._appended.add(log)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._interval_over)

    def forget(self, log: PartitionLog) -> None:
        """Leave a log alone that is closed or deleted."""
        self._appended.discard(log)

    async def close(self) -> None:
        """Finish what is waited for, and end the thread; logs that were only appended to are left to their `close`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._turns is not None:
            await self._turns
        self._thread.shutdown()

    def _interval_over(self) -> None:
        self._timer = None
        for log in self._appended:
            self._waiting.setdefault(log, [])  # nobody waits, but it has its turn
        self._appended.clear()
        self._take_turns()

    def _take_turns(self) -> None:
        if self._turns is None:
            self._turns = asyncio.get_running_loop().create_task(self._flush_while_asked())

    async def _flush_while_asked(self) -> None:
        """Flush one log after the other, in the order in which they were asked for."""
        try:
            while self._waiting:
                log = next(iter(self._waiting))
                waiters = self._waiting.pop(log)
                turn = asyncio.get_running_loop().run_in_executor(self._thread, log.flush)
                (refusal,) = await asyncio.gather(turn, return_exceptions=True)
                self._tell(log, waiters, refusal)
        finally:
            self._turns = None

    def _tell(
        self, log: PartitionLog, waiters: list[tuple[int, asyncio.Future[None]]], refusal: BaseException | None
    ) -> None:
        if refusal is not None and not isinstance(refusal, RefusedRequestError):
            _log.error("a flush failed", exc_info=refusal)
        for offset, future in waiters:
            if future.done():
                continue
            if refusal is not None:
                future.set_exception(refusal)
            elif log.flushed_offset >= offset:
                future.set_result(None)
            else:
                self._waiting.setdefault(log, []).append((offset, future))
