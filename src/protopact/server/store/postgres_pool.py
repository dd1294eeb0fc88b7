"""Connections to PostgreSQL: few, kept for the next who asks, and never waited for without an end.

A connection is opened by who needs it, so an outage is told at once and ends with the next question: nobody waits for
a reconnect in the background. What lies idle is looked at before it is lent, so a restart of the database costs nobody
an error.
"""

from __future__ import annotations

import logging
import select
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias

import psycopg
from psycopg import conninfo, pq

from protopact.errors import ConfigError, StoreError, StoreUnavailableError
from protopact.server.store.lending import full

if TYPE_CHECKING:
    from collections.abc import Iterator

Connection: TypeAlias = "psycopg.Connection[tuple[object, ...]]"

CONNECTIONS_MAX = 16
"""How many connections a registry process opens at most: three of them fit PostgreSQL's own default of 100."""

_WAIT_S = 3.0
_REST_S = 0.25
_CLOSED = "the store is closed"

# What a connection does where the address does not say otherwise. A host that vanished is noticed in ten seconds, also
# in the middle of a statement; of several hosts the one that takes writes is used.
_CONNECTING: dict[str, str] = {
    "application_name": "protopact",
    "connect_timeout": "3",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "2",
    "tcp_user_timeout": "9000",
    "target_session_attrs": "read-write",
}

# `remote_apply` is more than `on`; everything else is less, and is raised to it for this session.
_PREPARE = """SELECT
    set_config('search_path', 'protopact', false),
    set_config('statement_timeout', '10s', false),
    set_config('lock_timeout', '5s', false),
    set_config('idle_in_transaction_session_timeout', '10s', false),
    set_config('synchronous_commit', CASE current_setting('synchronous_commit')
        WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)"""
_SETTINGS = {
    "synchronous_commit": ("on", "remote_apply"),
    "fsync": ("on",),
    "server_encoding": ("UTF8",),
}

_log = logging.getLogger(__name__)


class Pool:
    """At most `connections_max` connections to the database at `url`, each one prepared for the registry."""

    def __init__(self, url: str, *, connections_max: int = CONNECTIONS_MAX) -> None:
        """Read the address; ConfigError when it is none. Nothing is connected yet."""
        try:
            named = {name: str(value) for name, value in conninfo.conninfo_to_dict(url).items() if value is not None}
            self._conninfo = conninfo.make_conninfo("", **{**_CONNECTING, **named, "client_encoding": "utf8"})
        except psycopg.Error:
            raise ConfigError(
                "the store's address cannot be read", option="store", hint="use postgresql://USER@HOST:PORT/DATABASE"
            ) from None  # it would quote the address, and that may hold a password
        self._room = threading.BoundedSemaphore(connections_max)
        self._idle: list[Connection] = []
        self._rests_until = 0.0
        self._closed = threading.Event()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection that is in no transaction.

        StoreUnavailableError when the database does not answer, or when none is free in time; what psycopg raises
        inside the block is told as StoreError.
        """
        if not self._room.acquire(timeout=_WAIT_S):
            raise StoreUnavailableError("the store is busy", hint=f"all {CONNECTIONS_MAX} connections are in use")
        try:
            with told():
                connection = self._found() or self._opened()
                try:
                    yield connection
                except (psycopg.OperationalError, psycopg.InternalError):
                    # Whatever it was, the next one is better off with a connection that was not there.
                    connection.close()
                    raise
                finally:
                    self._give_back(connection)
        finally:
            self._room.release()

    def close(self) -> None:
        """Close what is idle, and what is lent as soon as it comes back; closing twice is harmless."""
        self._closed.set()
        while (connection := self._taken()) is not None:
            connection.close()

    def _found(self) -> Connection | None:
        """Find an idle connection at whose other end somebody is."""
        if self._closed.is_set():
            raise StoreError(_CLOSED)
        while (connection := self._taken()) is not None:
            if not _has_news(connection):
                return connection
            connection.close()
        return None

    def _taken(self) -> Connection | None:
        with suppress(IndexError):  # another thread may take the last one first
            return self._idle.pop()
        return None

    def _opened(self) -> Connection:
        """Open a connection, unless that failed a moment ago: an outage is no reason to try as fast as calls come."""
        if time.monotonic() < self._rests_until:
            raise StoreUnavailableError("the store does not answer", hint="the database was out of reach a moment ago")
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True)
        except psycopg.OperationalError as error:
            self._rests_until = time.monotonic() + _REST_S
            _log.warning("no connection to the database: %s", one_line(error))
            raise
        try:
            _prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: Connection) -> None:
        if (
            self._closed.is_set()
            or connection.closed
            or connection.info.transaction_status != pq.TransactionStatus.IDLE
        ):
            connection.close()
            return
        self._idle.append(connection)
        if self._closed.is_set():
            self.close()


@contextmanager
def told() -> Iterator[None]:
    """Have psycopg's failures told as StoreError; those that pass as StoreUnavailableError.

    The message says nothing of hosts and statements, for it goes to clients; the hint does.
    """
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise full(one_line(error)) from error
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        raise StoreUnavailableError("the store does not answer", hint=one_line(error)) from error
    except psycopg.errors.UniqueViolation as error:
        raise StoreError("the store holds this already", hint=one_line(error)) from error
    except psycopg.Error as error:
        raise StoreError("the store failed", hint=one_line(error)) from error


def one_line(error: BaseException) -> str:
    """Give an error's text on one line."""
    return " ".join(str(error).split())


def _has_news(connection: Connection) -> bool:
    """Whether something came over an idle connection: its end, or the server's word that it goes."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _prepare(connection: Connection) -> None:
    """Set the session's limits, and refuse a server that would lose what it acknowledged."""
    connection.execute(_PREPARE)
    for name, good in _SETTINGS.items():
        (value,) = connection.execute("SELECT current_setting(%s)", (name,)).fetchone() or ("",)
        if value not in good:
            raise StoreError(
                f"the store cannot be made durable: the database server's {name} is {value}",
                hint=f"set it to {good[0]}",
            )
