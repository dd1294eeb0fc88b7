"""The embedded store: one SQLite database, written ahead and synchronised in full at every commit.

`synchronous=FULL` is what keeps an acknowledged registration through a loss of power; NORMAL was measured to lose
hundreds. One connection writes, for one caller after the other, and those who wait for the disk at the same time share
a commit; any number of connections read beside it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.errors import StoreError, StoreUnavailableError
from protopact.server.store.lending import LendingStore, full
from protopact.server.store.migrate import migrate
from protopact.server.store.sharing import SharedWrites
from protopact.server.store.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BUSY_S = 10.0
_FULL = 2
_WRITES_MAX = 64
_PRIMARY_CODE = 0xFF
# A disk without room shows as an I/O error too: where a quota ends, or where the index of the log grows.
_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR}
_MEMORY = ":memory:"
_CLOSED = "the store is closed"


class SqliteStore(LendingStore):
    """A registry's store in the file `path`, made if it is not there; `:memory:` keeps nothing.

    StoreError when the file cannot be opened, is of a newer version or another program's, or when the file system
    does not let SQLite write ahead.
    """

    answers_at_once = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the database and bring its tables up to date."""
        self._path = os.fspath(path)
        self._in_memory = self._path == _MEMORY
        # In memory nothing waits for a disk, and who reads must not see what is not committed.
        self._writes = SharedWrites(self._begun, writes_max=1 if self._in_memory else _WRITES_MAX)
        self._idle: list[Tables] = []
        self._connections: dict[Tables, sqlite3.Connection] = {}
        self._closed = False
        self._marking = threading.Lock()
        with _told(self._path):
            self._writer = self._open()
            # What a connection tells of others' commits counts from its own start: all marks come from one.
            self._marker = self._writer if self._in_memory else self._connect()
        self._tables = Tables(self._writer)

    def mark(self) -> object:
        """See `Store.mark`."""
        with self._writes.turn if self._in_memory else self._marking, _told(self._path):
            if self._closed:
                raise StoreError(_CLOSED)
            if self._in_memory:  # there is one connection, which counts what it changes
                return self._writer.total_changes
            return self._marker.execute("PRAGMA data_version").fetchone()[0]

    @contextmanager
    def writing(self) -> Iterator[Tables]:
        """See `Store.writing`."""
        with _told(self._path), self._writes.write() as tables:
            yield tables

    def when_removed(self, tell: Callable[[], object]) -> None:
        """See `Store.when_removed`: nobody else uses the file."""

    def close(self) -> None:
        """See `Store.close`."""
        with self._writes.turn:
            if self._closed:
                return
            self._writes.finish()
            self._closed = True
            while self._idle:
                self._connections.pop(self._idle.pop()).close()
            with suppress(sqlite3.Error), self._marking:
                self._marker.close()
                self._writer.close()

    @contextmanager
    def _reading(self) -> Iterator[Tables]:
        if self._in_memory:
            with self._writes.turn, _told(self._path):
                if self._closed:
                    raise StoreError(_CLOSED)
                yield self._tables
            return
        with _told(self._path):
            tables = self._take_reader()
            try:
                yield tables
            finally:
                self._give_back(tables)

    def _begun(self) -> _Transaction:
        if self._closed:
            raise StoreError(_CLOSED)
        return _Transaction(self._writer, self._tables)

    def _take_reader(self) -> Tables:
        if self._closed:
            raise StoreError(_CLOSED)
        with suppress(IndexError):
            return self._idle.pop()
        connection = self._connect()
        connection.execute("PRAGMA query_only = ON")
        tables = Tables(connection)
        self._connections[tables] = connection
        return tables

    def _give_back(self, tables: Tables) -> None:
        self._idle.append(tables)
        if self._closed and tables in self._idle:
            with self._writes.turn, suppress(ValueError):
                self._idle.remove(tables)
                self._connections.pop(tables).close()

    def _open(self) -> sqlite3.Connection:
        if not self._in_memory:
            # Only where there is none: closing a file that SQLite has open elsewhere would drop its locks.
            with suppress(FileExistsError):
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = self._connect()
        try:
            migrate(connection)
            self._write_ahead(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _write_ahead(self, connection: sqlite3.Connection) -> None:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        if mode != ("memory" if self._in_memory else "wal") or synchronous != _FULL:
            raise StoreError(
                f"the store cannot be made durable: journal_mode is {mode}, synchronous is {synchronous}",
                hint="put the file on a local disk",
            )
        # From its first question on, SQLite lets nobody else have the file for himself: `restore` sees it is in use.
        connection.execute("SELECT count(*) FROM contexts").fetchone()


class _Transaction:
    """The writer's open transaction; a savepoint is where a write began."""

    def __init__(self, writer: sqlite3.Connection, tables: Tables) -> None:
        self.tables = tables
        self._writer = writer
        writer.execute("BEGIN IMMEDIATE")

    def begin_write(self) -> None:
        self._writer.execute("SAVEPOINT write")  # of several of one name, the latest counts

    def keep_write(self) -> None:
        """See `Transaction.keep_write`: a statement that failed has raised."""

    def undo_write(self) -> None:
        # Some failures, such as a full disk, make SQLite undo the whole transaction; then there is no savepoint.
        self._writer.execute("ROLLBACK TO write")

    def commit(self) -> None:
        try:
            self._writer.execute("COMMIT")
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        with suppress(sqlite3.Error):
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Have SQLite's failures told as StoreError; those that pass, such as a full disk, as StoreUnavailableError."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
        if code == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) == errno.ENOSPC:
            raise full(f"{Path(path).name}: {error}") from error
        kind = StoreUnavailableError if code in _PASSING else StoreError
        raise kind(f"the store {Path(path).name!r} failed: {error}") from error
