"""The broker: opened on its data, listening, stopped so that nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import fcntl
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING

from protopact.broker.budget import Allowance, Budget
from protopact.broker.clock import SystemClock
from protopact.broker.connection import Connection
from protopact.broker.faults import Faults
from protopact.broker.groups import GroupCoordinator
from protopact.broker.log import Flusher
from protopact.broker.node import Node
from protopact.broker.state import MemoryState, SqliteState
from protopact.broker.topics import Topics
from protopact.errors import StoreError
from protopact.settings import BrokerSettings

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from protopact.broker.clock import Clock, Timer
    from protopact.broker.state import State

logger = logging.getLogger("protopact.broker")

_SWEEP_S = 5.0
_FINISH_S = 5.0


class Broker:
    """A broker in the running event loop: `start`, and in the end `stop`.

    Its data is kept below `data_dir`, or in memory where that is None. StoreError when another broker has the data, or
    when it is damaged.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        settings: BrokerSettings | None = None,
        clock: Clock | None = None,
        faults: Faults | None = None,
    ) -> None:
        """Open the data. Call it in the event loop that is to serve."""
        self.settings = settings or BrokerSettings()
        self.clock = clock or SystemClock()
        self.faults = faults or Faults()
        self.connections: set[Connection] = set()
        self._resources = ExitStack()
        self._servers: list[asyncio.Server] = []
        self._budget = Budget(self.settings.requests_bytes_max)
        self._timers: dict[str, Timer] = {}
        self._forgetting: asyncio.Future[None] | None = None
        try:
            self.node = self._opened(data_dir)
        except BaseException:
            self._resources.close()
            raise

    async def start(self, *doors: socket.socket, advertised: tuple[str, int] | None = None) -> None:
        """Serve what comes by these listening sockets. Clients are told to come to `advertised`, if that is given."""
        loop = asyncio.get_running_loop()

        def connection() -> Connection:
            return Connection(
                self.node,
                self._budget,
                self.faults,
                advertised=advertised,
                opened=self._admit,
                closed=self.connections.discard,
            )

        self._servers += [await loop.create_server(connection, sock=door) for door in doors]
        self._every("sweep", SystemClock(), _SWEEP_S, self._sweep)
        self._every("trim", self.clock, self.settings.retention_check_s, self._trim)

    async def stop(self) -> None:
        """Take no more requests, finish those that are begun, and close; everything appended is on the disk then."""
        for server in self._servers:
            server.close()
        for timer in self._timers.values():
            timer.cancel()
        self.node.stopping.set()
        self.node.topics.wake()
        self.node.groups.close()
        await self._finish()
        if self._forgetting is not None:
            await self._forgetting
        if self.node.flusher is not None:
            await self.node.flusher.close()
        self.node.topics.close()
        await self.node.state.close()
        self._resources.close()

    def _opened(self, data_dir: Path | None) -> Node:
        state: State = MemoryState()
        flusher = None
        if data_dir is not None:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock(data_dir)
            state = SqliteState.open(data_dir / "broker.db", durable=True)
            flusher = Flusher(interval_s=self.settings.flush_interval_s)
        topics = Topics(state, self.settings, self.clock, data_dir=data_dir, flusher=flusher)
        groups = GroupCoordinator(state, self.settings, self.clock)
        answers = Allowance(self.settings.answers_bytes_max)
        return Node(self.settings, self.clock, state, topics, groups, flusher, data_dir, answers, asyncio.Event())

    def _lock(self, data_dir: Path) -> None:
        """Keep every other broker off the data for as long as this one lives."""
        file = self._resources.enter_context((data_dir / "lock").open("w"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StoreError(
                f"another broker uses the data in {data_dir}", hint="stop it, or name another directory"
            ) from error

    def _admit(self, connection: Connection) -> bool:
        if self.faults.refuses_connections:
            return False
        if len(self.connections) >= self.settings.connections_max:
            logger.warning("%s: no connection is left; %s are open", connection.peer, len(self.connections))
            return False
        self.connections.add(connection)
        return True

    def _sweep(self) -> None:
        """Close the connections of clients that have been still for too long."""
        now = asyncio.get_running_loop().time()
        for connection in tuple(self.connections):
            if connection.is_overdue(now):
                connection.close("the client was still for too long")

    def _trim(self) -> None:
        """Let go of records and of groups that have been kept for long enough."""
        self.node.topics.trim()
        self._forgetting = asyncio.ensure_future(self.node.groups.forget_idle())

    def _every(self, name: str, clock: Clock, period_s: float, work: Callable[[], None]) -> None:
        def again() -> None:
            work()
            self._every(name, clock, period_s, work)

        self._timers[name] = clock.call_later(period_s, again)

    async def _finish(self) -> None:
        """Let every connection send what it owes, but wait no longer than a while for clients that do not read."""
        finishing = [asyncio.ensure_future(connection.finish()) for connection in self.connections]
        if finishing:
            await asyncio.wait(finishing, timeout=_FINISH_S)
        for connection in tuple(self.connections):
            connection.close()
