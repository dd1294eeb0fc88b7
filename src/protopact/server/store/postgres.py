"""The shared store: one PostgreSQL database for any number of registry processes.

Whoever writes holds one advisory lock of the database until its transaction has ended, so that what it read stays
true until it has written: writers of all processes go one after the other, as they do on SQLite, and those of one
process who wait for the lock at the same time share it and the commit. The lock goes with the transaction, and that
with the connection: a process that dies holds up nobody, one that hangs ten seconds at most. Reads wait for nobody and
see all that was acknowledged, by whichever process. Every commit is synchronous.

When the database does not answer, each question fails within seconds as StoreUnavailableError, and the first one after
its return is answered: nothing has to be restarted. A commit whose answer was lost may have been made.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from psycopg import pq

from protopact.errors import StoreError
from protopact.server.store.lending import LendingStore
from protopact.server.store.postgres_migrate import WRITERS_LOCK, migrate
from protopact.server.store.postgres_pool import Pool, told
from protopact.server.store.postgres_tables import PostgresTables
from protopact.server.store.sharing import SharedWrites

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


REMOVALS_SEEN_S = 0.5
"""How soon a process is told that another one removed schemas for good, while the database answers."""

_TURN_S = 5.0
_WRITES_MAX = 16
_BEGIN = f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock({WRITERS_LOCK})"


class PostgresStore(LendingStore):
    """A registry's store in the database that `url` names, in its schema `protopact`, made if it is not there.

    The address is libpq's, `postgresql://USER@HOST:PORT/DATABASE?sslmode=verify-full`; a password may also stand where
    libpq looks for it, in `PGPASSWORD` or the file `~/.pgpass`. It must lead to the server itself or to a pooler that
    keeps sessions apart.

    StoreUnavailableError when the database does not answer, StoreError when it is of a newer version, belongs to
    another program or cannot be made durable, ConfigError for an address that cannot be read, MissingExtraError
    without psycopg.
    """

    answers_at_once = False

    def __init__(self, url: str) -> None:
        """Connect and bring the tables up to date."""
        self._pool = Pool(url)
        # One connection of this process waits for the lock; its own threads wait here, and leave the pool to readers.
        self._writes = SharedWrites(self._begun, writes_max=_WRITES_MAX, wait_s=_TURN_S)
        self._closing = threading.Event()
        try:
            with self._pool.connection() as connection:
                migrate(connection)
        except BaseException:
            self._pool.close()
            raise

    def mark(self) -> object:
        """See `Store.mark`."""
        with self._reading() as tables:
            return tables.snapshot()

    @contextmanager
    def writing(self) -> Iterator[PostgresTables]:
        """See `Store.writing`."""
        with told(), self._writes.write() as tables:
            yield tables

    def when_removed(self, tell: Callable[[], object]) -> None:
        """See `Store.when_removed`; told within REMOVALS_SEEN_S of the other's commit, while the database answers."""
        threading.Thread(target=self._watch, args=(tell,), name="protopact-removals", daemon=True).start()

    def close(self) -> None:
        """See `Store.close`."""
        self._closing.set()
        self._pool.close()

    def _begun(self) -> _Transaction:
        return _Transaction(self._pool)

    @contextmanager
    def _reading(self) -> Iterator[PostgresTables]:
        with self._pool.connection() as connection:
            yield PostgresTables(connection)

    def _watch(self, tell: Callable[[], object]) -> None:
        seen = None
        while not self._closing.wait(REMOVALS_SEEN_S):
            with suppress(StoreError), self._reading() as tables:
                removals = tables.removals()
                if removals != seen:
                    tell()
                seen = removals


class _Transaction:
    """A transaction that holds the writers' lock; a savepoint is where a write began."""

    def __init__(self, pool: Pool) -> None:
        self._lent = pool.connection()
        self._connection = self._lent.__enter__()
        self._cursor = self._connection.cursor()
        self.tables = PostgresTables(self._connection)
        self._entries = 0
        try:
            self._cursor.execute(_BEGIN)
        except BaseException:
            self.abandon()
            raise

    def begin_write(self) -> None:
        self._cursor.execute("SAVEPOINT write")  # of several of one name, the latest counts
        self._entries = self.tables.entries

    def keep_write(self) -> None:
        if self._connection.info.transaction_status != pq.TransactionStatus.INTRANS:
            raise StoreError("the store undid a write in which a statement had failed")

    def undo_write(self) -> None:
        self._cursor.execute("ROLLBACK TO write")
        self.tables.drop_entries(after=self._entries)

    def commit(self) -> None:
        try:
            self.tables.write_entries()
            ended = self._cursor.execute("COMMIT").statusmessage
        except BaseException:
            self._connection.close()  # whatever it was, the next one is better off with one that was not there
            raise
        finally:
            self._lent.__exit__(None, None, None)
        # A transaction in which a statement failed is rolled back by COMMIT too, and that is no error to PostgreSQL.
        if ended != "COMMIT":
            raise StoreError("the store undid a write in which a statement had failed")

    def abandon(self) -> None:
        with suppress(Exception):
            self._connection.rollback()
        self._lent.__exit__(None, None, None)
