"""One client's connection: its requests are begun in the order in which they come, and answered in that order.

What a client cannot be answered, because its bytes are no request, ends the connection with a line in the log; that is
what Kafka's brokers do, and what clients expect. A client that does not read its answers is not served meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

from protopact.broker.apis import APIS, VERSIONS_KEY, versions_answer
from protopact.broker.codec import read_head, read_request, write_answer
from protopact.broker.codes import Code
from protopact.broker.intake import Intake
from protopact.broker.node import Caller
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.broker.apis import Api
    from protopact.broker.budget import Budget
    from protopact.broker.codec import Head
    from protopact.broker.faults import Faults
    from protopact.broker.node import Node

logger = logging.getLogger("protopact.broker")

_ANSWERS_MAX = 8  # requests that are begun and not answered
_WRITTEN_BYTES_MAX = 1024 * 1024


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
        self._intake.close()
        self._closed(self)

    def is_overdue(self, now: float) -> bool:
        """Say whether the client has been still for too long: between requests, or in the middle of something."""
        settings = self._node.settings
        waited_s = now - self._active_at
        if self._intake.begun or not self._writable.is_set():
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
        """Begin the requests in their order. Only those that are pipelined are begun before the one before is done."""
        while True:
            frame, taken = await self._intake.next()
            try:
                head = read_head(frame)
            except RefusedRequestError as refusal:
                self.close(str(refusal))
                return
            api = APIS.get(head.key)
            answer = self._loop.create_task(self._answer(frame, head, api))
            answer.add_done_callback(partial(self._give_back, taken))
            self._unanswered += 1
            self._settled.clear()
            await self._answers.put(answer)
            if api is None or not api.pipelined:
                await self._done(answer)

    def _give_back(self, taken: int, _done: object) -> None:
        self._budget.give(taken)

    async def _done(self, answer: asyncio.Task[bytes | None]) -> None:
        """Wait for an answer; when the connection is lost meanwhile, nobody needs it any more."""
        try:
            await asyncio.wait([answer])
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
            self._unanswered -= 1
            if not self._unanswered:
                self._settled.set()

    async def _answer(self, frame: bytes, head: Head, api: Api | None) -> bytes | None:
        """Give the frame that answers a request; a request that cannot be answered ends the connection."""
        try:
            return await self._answered(frame, head, api)
        except RefusedRequestError as refusal:
            self.close(str(refusal))
        except Exception:
            logger.exception("%s: the connection is closed: a request failed", self.peer)
            self.close()
        return None

    async def _answered(self, frame: bytes, head: Head, api: Api | None) -> bytes | None:
        if api is None:
            raise RefusedRequestError(f"the request {head.key} is not known", error_code=Code.UNSUPPORTED_VERSION)
        if not api.least <= head.version <= api.most:
            if api.key == VERSIONS_KEY:
                return write_answer(versions_answer(Code.UNSUPPORTED_VERSION), api, 0, head.correlation_id)
            raise RefusedRequestError(
                f"{api.name} is known in the versions {api.least} to {api.most}, not in {head.version}",
                error_code=Code.UNSUPPORTED_VERSION,
            )
        client_id, request = read_request(frame, api, head.version)
        caller = Caller(head.version, client_id, self._transport.get_extra_info("peername")[0], *self._place())
        answer = await self._faults.through(api, self._node, request, caller)
        return None if answer is None else write_answer(answer, api, head.version, head.correlation_id)

    def _place(self) -> tuple[str, int]:
        """Give the address of the broker as this client is to use it: how it came here, unless that is set."""
        if self._advertised is not None:
            return self._advertised
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port
