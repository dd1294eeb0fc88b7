"""The shared store: one PostgreSQL database for any number of registry processes.

Whoever writes holds one advisory lock of the database until its transaction has ended, so that what it read stays
true until it has written: writers of all processes go one after the other, as they do on SQLite. The lock goes with
the transaction, and that with the connection: a process that dies holds up nobody, one that hangs ten seconds at most.
Reads wait for nobody and see all that was acknowledged, by whichever process. Every commit is synchronous.

When the database does not answer, each question fails within seconds as StoreUnavailableError, and the first one after
its return is answered: nothing has to be restarted. A commit whose answer was lost may have been made.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from protopact.errors import StoreError, StoreUnavailableError
from protopact.server.store.lending import LendingStore
from protopact.server.store.postgres_migrate import WRITERS_LOCK, migrate
from protopact.server.store.postgres_pool import Pool
from protopact.server.store.postgres_tables import PostgresTables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from protopact.server.store.postgres_pool import Connection

REMOVALS_SEEN_S = 0.5
"""How soon a process is told that another one removed schemas for good, while the database answers."""

_TURN_S = 5.0
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
        self._turn = threading.Lock()
        self._closing = threading.Event()
        try:
            with self._pool.connection() as connection:
                migrate(connection)
        except BaseException:
            self._pool.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[PostgresTables]:
        """See `Store.writing`."""
        # One connection of this process waits for the others; its own threads wait here, and leave the pool to readers.
        if not self._turn.acquire(timeout=_TURN_S):
            raise StoreUnavailableError("the store is busy", hint="another write took too long")
        try:
            with self._pool.connection() as connection, _transaction(connection):
                yield PostgresTables(connection)
        finally:
            self._turn.release()

    def when_removed(self, tell: Callable[[], object]) -> None:
        """See `Store.when_removed`; told within REMOVALS_SEEN_S of the other's commit, while the database answers."""
        threading.Thread(target=self._watch, args=(tell,), name="protopact-removals", daemon=True).start()

    def close(self) -> None:
        """See `Store.close`."""
        self._closing.set()
        self._pool.close()

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


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    """Have what is done inside made durable, or undone."""
    try:
        connection.execute(_BEGIN)
        yield
        ended = connection.execute("COMMIT").statusmessage
    except BaseException:
        with suppress(Exception):
            connection.rollback()
        raise
    # A transaction in which a statement failed is rolled back by COMMIT too, and that is no error to PostgreSQL.
    if ended != "COMMIT":
        raise StoreError("the store undid a write in which a statement had failed")
