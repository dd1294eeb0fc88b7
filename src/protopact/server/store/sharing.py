"""Writes that share a transaction: made one after the other, and durable together.

What a commit costs is the wait for the disk. While one waits, further writers queue up; each of them then does its
part in one transaction, undone alone if it fails, and the last of the queue commits for all. A write has ended, for
whoever made it, when that commit has: nothing is acknowledged earlier, and a commit that fails fails for all of them.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from protopact.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T_co = TypeVar("T_co", covariant=True)

_LOOK_S = 0.05


class Transaction(Protocol[T_co]):
    """An open transaction, used by one thread at a time, not always the same."""

    @property
    def tables(self) -> T_co:
        """What writes are made with."""

    def begin_write(self) -> None:
        """Remember this state for `undo_write`; not called for the first write."""

    def keep_write(self) -> None:
        """Take a write for made; raises when it was not."""

    def undo_write(self) -> None:
        """Go back to the last `begin_write`; raises when there is no such state any more, and all is lost."""

    def commit(self) -> None:
        """Make all durable, and end; raises when that failed, and after it nothing of the transaction is left open."""

    def abandon(self) -> None:
        """Undo all, and end; raises nothing."""


class _Group(Generic[T_co]):
    """Those who share one transaction."""

    def __init__(self, transaction: Transaction[T_co]) -> None:
        self.transaction = transaction
        self.writes = 0
        self.ended = threading.Event()
        self.error: BaseException | None = None


class SharedWrites(Generic[T_co]):
    """The writers of one store in this process.

    `begin` opens a transaction, at most `writes_max` writes share it, and who waits for `wait_s` to have a turn is
    refused by StoreUnavailableError.
    """

    def __init__(self, begin: Callable[[], Transaction[T_co]], *, writes_max: int, wait_s: float = -1) -> None:
        """Open nothing yet."""
        self.turn = threading.RLock()
        self._begin = begin
        self._writes_max = writes_max
        self._wait_s = wait_s
        self._group: _Group[T_co] | None = None
        self._waiting = 0
        self._counting = threading.Lock()

    @contextmanager
    def write(self) -> Iterator[T_co]:
        """Lend the transaction's tables for one write; leaving by an exception undoes that write alone.

        What `begin`, the writes and the commit raise is raised; StoreUnavailableError when somebody else's failure
        took this write with it.
        """
        with self._turn():
            group = self._group = self._group or _Group(self._begin())
            try:
                if group.writes:
                    group.transaction.begin_write()
                yield group.transaction.tables
                group.transaction.keep_write()
                group.writes += 1
            except BaseException:
                self._undo(group)
                raise
            finally:
                if not self._waiting or group.writes >= self._writes_max:
                    self._end(group)
        self._wait_for(group)

    def finish(self) -> None:
        """Commit what is written; to be called while nobody has the turn but the caller."""
        if self._group is not None:
            self._end(self._group)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._counting:
            self._waiting += 1
        try:
            has_turn = self.turn.acquire(timeout=self._wait_s)
        finally:
            with self._counting:
                self._waiting -= 1
        if not has_turn:
            raise StoreUnavailableError("the store is busy", hint="another write took too long")
        try:
            yield
        finally:
            self.turn.release()

    def _wait_for(self, group: _Group[T_co]) -> None:
        """Wait until the group's transaction has ended, and end it if those who were to come did not."""
        while not group.ended.wait(_LOOK_S):
            if self.turn.acquire(blocking=False):
                try:
                    self._end(group)
                finally:
                    self.turn.release()
        if group.error is not None:
            raise group.error

    def _undo(self, group: _Group[T_co]) -> None:
        """Undo the write that failed: alone, or with the transaction where nothing else is in that."""
        if not group.writes:
            self._end(group)
            return
        with suppress(Exception):
            group.transaction.undo_write()
            return
        self._end(group, StoreUnavailableError("the store undid a write, for another one failed"))

    def _end(self, group: _Group[T_co], error: Exception | None = None) -> None:
        """End a group's transaction: by a commit, unless there is nothing to commit or an error to tell."""
        if group.ended.is_set():
            return
        self._group = None
        group.error = error
        try:
            if error is None and group.writes:
                group.transaction.commit()
            else:
                group.transaction.abandon()
        except BaseException as failure:
            group.error = failure
            if not isinstance(failure, Exception):
                raise
        finally:
            group.ended.set()
