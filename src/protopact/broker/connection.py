"""One client's connection: its requests are begun in the order in which they come, and answered in that order.

What a client cannot be answered, because its bytes are no request, ends the connection with a line in the log; that is
what Kafka's brokers do, and what clients expect. A client that does not read its answers is not served meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from protopact.broker.apis import APIS, VERSIONS_KEY, refused_versions
from protopact.broker.codec import read_head, read_request, write_answer
from protopact.broker.codes import Code
from protopact.broker.intake import Intake
from protopact.broker.node import Caller
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from protopact.broker.apis import Api
    from protopact.broker.budget import Budget
    from protopact.broker.codec import Head
    from protopact.broker.faults import Faults
    from protopact.broker.node import Node

logger = logging.getLogger("protopact.broker")

_ANSWERS_MAX = 8  # requests that are begun and not answered
_WRITTEN_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Begun:
    """A request that was understood, and the work that gives its answer."""

    api: Api
    version: int
    correlation_id: int
    work: Callable[[], Awaitable[object | None]]


class Connection(asyncio.Protocol):
    """The broker's side of one connection."""

    def __init__(
        self,
        node: Node,
        budget: Budget,
        faults: Faults,
        *,
        advertised: tuple[str, int] | None,
        opened: Callable[[Connection], bool],
        closed: Callable[[Connection], None],
    ) -> None:
        """Wait for the connection; `opened` says whether there is room for it, `closed` is told of its end."""
        self._node = node
        self._budget = budget
        self._faults = faults
        self._advertised = advertised
        self._opened = opened
        self._closed = closed
        self._answers: asyncio.Queue[asyncio.Task[bytes | None]] = asyncio.Queue(_ANSWERS_MAX)
        self._writable = asyncio.Event()
        self._writable.set()
        self._tasks: list[asyncio.Task[None]] = []
        self._unanswered = 0
        self._owed = 0
        self._settled = asyncio.Event()
        self._settled.set()
        self._active_at = 0.0
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._active_at = self._loop.time()
        self.peer = "{}:{}".format(*transport.get_extra_info("peername")[:2])
        self._intake = Intake(
            self._budget, self._node.settings.request_bytes_max, read_on=self._read_on, refuse=self.close
        )
        transport.set_write_buffer_limits(high=_WRITTEN_BYTES_MAX)
        if not self._opened(self):
            transport.abort()
            return
        self._tasks = [self._loop.create_task(self._serve()), self._loop.create_task(self._send())]

    def data_received(self, data: bytes) -> None:
        """Take bytes, and requests out of them."""
        self._active_at = self._loop.time()
        self._intake.receive(data)

    def pause_writing(self) -> None:
        """Send no further answer while the client does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Go on."""
        self._active_at = self._loop.time()
        self._writable.set()

    def connection_lost(self, _error: Exception | None) -> None:
        """End: what waits is dropped; what is being appended runs to its end, since others are to see it."""
        for task in self._tasks:
            task.cancel()
        self._settled.set()
        self._owe(-self._owed)
        self._intake.close()
        self._closed(self)

    def is_overdue(self, now: float) -> bool:
        """Say whether the client has been still for too long: between requests, or in the middle of something."""
        settings = self._node.settings
        waited_s = now - self._active_at
        if self._intake.is_owed or not self._writable.is_set():
            return waited_s > settings.request_s
        return waited_s > settings.idle_s and not self._unanswered

    async def finish(self) -> None:
        """Read no more, send the answers of what was begun, and end."""
        self._transport.pause_reading()
        await self._settled.wait()
        self._transport.close()

    def close(self, reason: str = "") -> None:
        """End the connection, with a line in the log where there is a reason."""
        if reason and not self._transport.is_closing():
            logger.warning("%s: the connection is closed: %s", self.peer, reason)
        self._transport.abort()

    def _read_on(self, on: bool) -> None:  # noqa: FBT001  (one switch)
        if not self._transport.is_closing():
            (self._transport.resume_reading if on else self._transport.pause_reading)()

    async def _serve(self) -> None:
        """Begin the requests in their order.

        Only those that are pipelined are begun before those before them are answered: nobody can make the broker keep
        answers that he does not read.
        """
        while not self._transport.is_closing():
            frame, taken = await self._intake.next()
            begun = self._begun(frame)
            del frame  # its records were copied out of it, and may be large
            if begun is None:
                self._budget.give(taken)
                return
            pipelined = begun.api.pipelined
            answer = self._loop.create_task(self._answer(begun))
            del begun
            answer.add_done_callback(partial(self._give_back, taken))
            self._unanswered += 1
            self._settled.clear()
            await self._answers.put(answer)
            if not pipelined:
                await self._sent(answer)

    def _begun(self, frame: memoryview) -> _Begun | None:
        """Understand a request; one that cannot be answered ends the connection."""
        try:
            return self._understood(frame, read_head(frame))
        except RefusedRequestError as refusal:
            self.close(str(refusal))
        except Exception:
            logger.exception("%s: the connection is closed: a request cannot be read", self.peer)
            self.close()
        return None

    def _understood(self, frame: memoryview, head: Head) -> _Begun:
        api = APIS.get(head.key)
        if api is None:
            raise RefusedRequestError(f"the request {head.key} is not known", error_code=Code.UNSUPPORTED_VERSION)
        if not api.least <= head.version <= api.most:
            if api.key == VERSIONS_KEY:
                # Every client understands version 0, and learns from it what it may ask in.
                return _Begun(api, 0, head.correlation_id, refused_versions)
            raise RefusedRequestError(
                f"{api.name} is known in the versions {api.least} to {api.most}, not in {head.version}",
                error_code=Code.UNSUPPORTED_VERSION,
            )
        client_id, request = read_request(frame, api, head.version)
        caller = Caller(head.version, client_id, self._transport.get_extra_info("peername")[0], *self._place())
        work = partial(self._faults.through, api, self._node, request, caller)
        return _Begun(api, head.version, head.correlation_id, work)

    def _give_back(self, taken: int, _done: object) -> None:
        self._budget.give(taken)

    async def _sent(self, answer: asyncio.Task[bytes | None]) -> None:
        """Wait until all answers are on their way; when the connection is lost meanwhile, nobody needs this one."""
        try:
            await self._settled.wait()
        except asyncio.CancelledError:
            answer.cancel()
            raise

    async def _send(self) -> None:
        """Send the answers in the order of their requests."""
        while True:
            answer = await (await self._answers.get())
            if answer is not None:
                self._transport.write(answer)
                await self._writable.wait()
                self._owe(-len(answer))
            self._unanswered -= 1
            if not self._unanswered:
                self._settled.set()

    async def _answer(self, begun: _Begun) -> bytes | None:
        """Give the frame that answers a request; a request that cannot be answered ends the connection."""
        try:
            answer = await begun.work()
            if answer is None or self._transport.is_closing():
                return None
            frame = write_answer(answer, begun.api, begun.version, begun.correlation_id)
            self._owe(len(frame))
        except RefusedRequestError as refusal:
            self.close(str(refusal))
        except Exception:
            logger.exception("%s: the connection is closed: %s failed", self.peer, begun.api.name)
            self.close()
        else:
            return frame
        return None

    def _owe(self, size: int) -> None:
        """Count what waits to be sent, for this connection and for the broker."""
        self._owed += size
        self._node.answers.take(size)

    def _place(self) -> tuple[str, int]:
        """Give the address of the broker as this client is to use it: how it came here, unless that is set."""
        if self._advertised is not None:
            return self._advertised
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port
