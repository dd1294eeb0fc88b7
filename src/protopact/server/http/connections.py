"""HTTP connections with limits that uvicorn does not have.

A request's head must arrive in time and be of bounded size, a client must take what it is sent, and there are only so
many connections: a new one takes the place of the one that has waited longest without a request.
"""

from __future__ import annotations

import asyncio
import resource
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from protopact.errors import RegistryError
from protopact.registry import CONTENT_TYPE, error_body
from protopact.server.http.app import new_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from protopact.server.http.app import App
    from protopact.server.http.incoming import Message, Receive
    from protopact.settings import ServerSettings

_CLOSING = (b"connection", b"close")
_LOOK_S = 1.0
_HANDSHAKE_S = 10.0
_GOODBYE_S = 0.5
_THREADS_MAX = 48
_PIPELINE_MAX = 16
_DESCRIPTORS_ELSE = 256
_REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class Gate:
    """The limits of a server's connections, and those that wait for a request, the longest waiting first."""

    def __init__(self, settings: ServerSettings) -> None:
        """Keep to these settings."""
        self.settings = settings
        self.connections_max = min(settings.connections_max, _connections_possible())
        self.open: set[GuardedProtocol] = set()
        self.waiting: dict[GuardedProtocol, None] = {}
        self._looking: asyncio.TimerHandle | None = None

    def enter(self, protocol: GuardedProtocol) -> None:
        """Let a connection in; another one goes where there are too many."""
        self.open.add(protocol)
        self.waiting[protocol] = None
        if len(self.open) > self.connections_max:
            next(iter(self.waiting)).refuse(503)
        if self._looking is None:
            self._looking = protocol.loop.call_later(_LOOK_S, self._look)

    def leave(self, protocol: GuardedProtocol) -> None:
        """Forget a connection that was lost."""
        self.open.discard(protocol)
        self.waiting.pop(protocol, None)

    def _look(self) -> None:
        """Have each connection see whether its time is over, as long as there are any."""
        self._looking = None
        loop = asyncio.get_running_loop()
        for protocol in list(self.open):
            protocol.look(loop.time())
        if self.open:
            self._looking = loop.call_later(_LOOK_S, self._look)


class GuardedProtocol(HttpToolsProtocol):
    """A connection that keeps to the limits of a gate, and sends by itself what the application answers."""

    gate: Gate
    answering: App

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for a first request."""
        self.access_log = False  # uvicorn's would have the query in it, whatever its logger is set to
        super().connection_made(cast("asyncio.Transport", transport))
        self._heading = True  # between requests, or inside a request's head
        self._head_since: float | None = self.loop.time()
        self._head_bytes = 0
        self._unsent = 0
        self._unsent_since = 0.0
        self._going_since: float | None = None
        self._served: RequestResponseCycle | None = None
        self._floods = False
        self.gate.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave; requests that are served or wait learn that nobody wants their answers."""
        self.gate.leave(self)
        for cycle in [self._served, *(cycle for cycle, _ in self.pipeline)]:
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that is too long ends the connection."""
        if self._heading:
            self._head_bytes += len(data)
            if self._head_since is None:
                self._head_since = self.loop.time()
        if self._going_since is not None:
            return
        super().data_received(data)
        if self._heading and self._head_bytes > self.gate.settings.head_bytes_max:
            self.refuse(431)

    def on_headers_complete(self) -> None:
        """Begin to serve a request, unless too many wait here already."""
        if len(self.pipeline) >= _PIPELINE_MAX:
            self._floods = True
            raise ValueError("too many requests wait on one connection")
        self._heading, self._head_since = False, None
        self.gate.waiting.pop(self, None)
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Tell of a request that is none; an answer amid other requests' answers would be taken for one of those."""
        del msg  # the parser's own
        if self._floods:
            self.transport.abort()
        else:
            self.refuse(400)

    def on_message_complete(self) -> None:
        """Be ready for the next head."""
        super().on_message_complete()
        self._heading, self._head_bytes = True, 0

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it has come already."""
        super().on_response_complete()
        if self._head_since is not None:
            self._head_since = self.loop.time()
        if self._idle:
            self.gate.waiting[self] = None

    def look(self, now: float) -> None:
        """See whether the time for the head, for taking an answer or for going away is over."""
        settings = self.gate.settings
        if self.transport.is_closing():
            self._going_since = self._going_since or now
            if now - self._going_since >= settings.write_s:
                self.transport.abort()
        elif self._idle and self._head_since is not None and now - self._head_since >= settings.head_s:
            self.refuse(408)
        elif self._is_stuck(now):
            self.transport.abort()

    def refuse(self, status: int) -> None:
        """Say why and close; what the client still sends is not read."""
        if self.transport.is_closing():
            return
        self._going_since = self.loop.time()
        self.gate.waiting.pop(self, None)
        self.transport.write(_refusal(status))
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        del app  # it is the one that answers here without ASGI's messages
        self._served = cycle
        plain = cycle.keep_alive and not cycle.waiting_for_100_continue and not self.flow.write_paused
        found = self.answering.find_prepared(cast("Message", cycle.scope)) if plain else None
        if found is None:
            task = self.loop.create_task(self._answer(cycle))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        else:  # for what is ready, a task would cost most of the time
            self._send(cycle, 200, found.lines + b"x-request-id: %b\r\n" % new_id(), found.body)

    async def _answer(self, cycle: RequestResponseCycle) -> None:
        """Have the answer worked out, and send it as soon as the client takes more; without one, nobody waits on."""
        try:
            answer = await self.answering.answer(cast("Message", cycle.scope), cast("Receive", cycle.receive))
            while self.flow.write_paused and not cycle.disconnected:
                await self.flow.drain()
            if answer is not None and not cycle.disconnected:
                cycle.keep_alive &= _CLOSING not in answer.headers
                headers = [header for header in answer.headers if header != _CLOSING]
                self._send(cycle, answer.status, _lines(headers), answer.body)
        finally:
            if not cycle.response_complete:
                self.transport.close()

    def _send(self, cycle: RequestResponseCycle, status: int, lines: bytes, body: bytes) -> None:
        """Send an answer at one go, and wait for the next request unless this was the last one."""
        closing = b"" if cycle.keep_alive else _lines([_CLOSING])
        head = (STATUS_LINE[status], _lines(cycle.default_headers), lines, closing, b"\r\n")
        self.transport.writelines([*head, body])
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    @property
    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _is_stuck(self, now: float) -> bool:
        """Whether the client has taken nothing of what it is sent for too long."""
        unsent = self.transport.get_write_buffer_size()
        if unsent == 0 or unsent < self._unsent or self._unsent == 0:
            self._unsent_since = now
        self._unsent = unsent
        return unsent > 0 and now - self._unsent_since >= self.gate.settings.write_s


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % header for header in headers])


@cache
def _refusal(status: int) -> bytes:
    body = error_body(RegistryError(_REASONS[status], error_code=status))
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: {CONTENT_TYPE}\r\ncontent-length: {len(body)}\r\n"
        "connection: close\r\n\r\n"
    )
    return head.encode() + body


def guarded(settings: ServerSettings, app: App) -> type[GuardedProtocol]:
    """Give the protocol for a server: connections that share one gate, and send what the application answers."""
    return type("GuardedProtocol", (GuardedProtocol,), {"gate": Gate(settings), "answering": app})


def event_loop() -> asyncio.AbstractEventLoop:
    """Give an event loop for a server, with what uvicorn cannot be told.

    It ends TLS handshakes and goodbyes that take too long: a client that has nothing to ask need not answer a goodbye,
    and a server that stops waits for each of them. And it has more threads than Python would give it, by the number of
    processors, for what they do is wait: for the disk, a database, and contained processes.
    """
    try:
        from uvloop import Loop as FastLoop
    except ImportError:
        return _timed(asyncio.SelectorEventLoop)
    return _timed(FastLoop)


def _timed(base: type[asyncio.AbstractEventLoop]) -> asyncio.AbstractEventLoop:
    async def create_server(self: Any, *arguments: Any, **options: Any) -> Any:
        if options.get("ssl") is not None:
            options |= {"ssl_handshake_timeout": _HANDSHAKE_S, "ssl_shutdown_timeout": _GOODBYE_S}
        return await base.create_server(self, *arguments, **options)

    loop: asyncio.AbstractEventLoop = type("TimedLoop", (base,), {"create_server": create_server})()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS_MAX, thread_name_prefix="protopact"))
    return loop


def allow_connections(wanted: int) -> None:
    """Ask for the file descriptors that so many connections take, as far as the process may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + _DESCRIPTORS_ELSE
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def _connections_possible() -> int:
    return max(resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _DESCRIPTORS_ELSE, 16)
