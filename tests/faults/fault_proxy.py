"""An HTTP proxy in front of a registry that counts what it is asked, and spoils what it is told to.

It runs on a thread of its own. A request is read whole, sent on, and its reply read whole; then a `Fault` decides what
the client gets of it. So a lost answer is one whose work is done.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

UPSTREAM_CONNECTIONS_MAX = 64
HEAD_BYTES_MAX = 1 << 20


@dataclass(frozen=True)
class Request:
    """What was asked: `target` is path and query, without the segment that names the client, if one does."""

    method: str
    target: str
    body: bytes
    client: str = ""


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Fault:
    """What becomes of an answer, in this order."""

    reached: threading.Event = field(default_factory=threading.Event)  # set when the registry has answered
    until: threading.Event | None = None  # holds the answer back until this is set
    cut: bool = False  # nothing of it is passed on: the connection is closed
    change: Callable[[Answer], Answer] = field(default=lambda answer: answer)
    keep_bytes: int | None = None  # so much of the body is passed on, though its whole length was announced


CUT = Fault(cut=True)


def other_body(body: bytes, status: int = 200, **headers: str) -> Fault:
    """Put another answer in the place of the registry's."""
    return Fault(change=lambda _: Answer(status, {name.replace("_", "-"): t for name, t in headers.items()}, body))


def altered(old: bytes, new: bytes) -> Fault:
    """Change a few bytes of the body; the headers stay as they were."""

    def change(answer: Answer) -> Answer:
        assert old in answer.body, answer.body
        return replace(answer, body=answer.body.replace(old, new))

    return Fault(change=change)


class Proxy:
    """What the proxy saw. `fault` is asked for each answer, with how often the very same request came before."""

    def __init__(self, port: int, *, names_clients: bool = False) -> None:
        self.upstream_port = port
        self.fault: Callable[[Request, int], Fault | None] = lambda _request, _before: None
        self.asked: Counter[tuple[str, str, str]] = Counter()  # client, method, target
        self.answered: Counter[tuple[str, str, str]] = Counter()  # of these, those that the registry answered
        self.open: Counter[str] = Counter()  # connections of each client
        self.open_max: Counter[str] = Counter()
        self.port = 0
        self._seen: Counter[Request] = Counter()
        self._names_clients = names_clients
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._slots = asyncio.Semaphore(UPSTREAM_CONNECTIONS_MAX)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Forget what was seen, and spoil nothing."""
        self.fault = lambda _request, _before: None
        for counts in (self.asked, self.answered, self.open_max, self._seen):
            counts.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client's connection until one of the two sides is done with it."""
        names: set[str] = set()
        try:
            while (found := await _read_message(reader)) is not None:
                start, headers, body = found
                request = self._request(start, body)
                if request.client not in names:
                    names.add(request.client)
                    self.open[request.client] += 1
                    self.open_max[request.client] = max(self.open_max[request.client], self.open[request.client])
                if not await self._serve_one(request, start, headers, writer):
                    return
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self.open.subtract(names)
            writer.close()

    def _request(self, start: str, body: bytes) -> Request:
        method, target, _ = start.split(" ")
        client = ""
        if self._names_clients:
            _, client, rest = target.split("/", 2)
            target = f"/{rest}"
        return Request(method, target, body, client)

    async def _serve_one(
        self, request: Request, start: str, headers: Mapping[str, str], writer: asyncio.StreamWriter
    ) -> bool:
        """Serve one request; whether the connection can be used again."""
        key = (request.client, request.method, request.target)
        before = self._seen[request]
        self._seen[request] += 1
        self.asked[key] += 1
        answer = await self._send_on(request, start, headers)
        if answer is None:
            return False
        self.answered[key] += 1
        fault = self.fault(request, before) or Fault()
        fault.reached.set()
        if fault.until is not None:
            await asyncio.to_thread(fault.until.wait)
        if fault.cut:
            return False
        changed = fault.change(answer)
        lines = [f"HTTP/1.1 {changed.status} Told", *(f"{name}: {text}" for name, text in changed.headers.items())]
        head = "\r\n".join([*lines, f"content-length: {len(changed.body)}", "", ""])
        writer.write(head.encode("latin-1") + changed.body[: fault.keep_bytes])
        await writer.drain()
        return fault.keep_bytes is None

    async def _send_on(self, request: Request, start: str, headers: Mapping[str, str]) -> Answer | None:
        """Give the registry's answer, or None where none comes."""
        told = start.replace(f"/{request.client}/", "/", 1) if request.client else start
        lines = [told, *(f"{name}: {text}" for name, text in headers.items() if name != "content-length")]
        data = "\r\n".join([*lines, f"content-length: {len(request.body)}", "", ""]).encode("latin-1") + request.body
        async with self._slots:
            while self._idle:
                found = await _exchange(*(kept := self._idle.pop()), data)
                if found is not None:  # else it was closed while it was idle
                    self._idle.append(kept)
                    return found
            try:
                fresh = await asyncio.open_connection("127.0.0.1", self.upstream_port, limit=HEAD_BYTES_MAX)
            except OSError:
                return None
            found = await _exchange(*fresh, data)
            if found is not None:
                self._idle.append(fresh)
            return found

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> Answer | None:
    try:
        writer.write(data)
        found = await _read_message(reader)
    except (OSError, asyncio.IncompleteReadError):
        found = None
    if found is None:
        writer.close()
        return None
    start, headers, body = found
    kept = {name: text for name, text in headers.items() if name != "content-length"}
    return Answer(int(start.split(" ")[1]), kept, body)


async def _read_message(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes] | None:
    """Read a request or an answer: its first line, headers and body; None at the end of the connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    start, *lines = head[:-4].split("\r\n")
    headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
    assert "transfer-encoding" not in headers, "the proxy knows no chunks"
    return start, headers, await reader.readexactly(int(headers.get("content-length", "0")))


@contextmanager
def faulty_way_to(port: int, *, names_clients: bool = False) -> Iterator[Proxy]:
    """Run a proxy in front of a port; with `names_clients` the first segment of each path says who asks."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    proxy = Proxy(port, names_clients=names_clients)
    stop = asyncio.Event()

    async def run() -> None:
        async with await asyncio.start_server(
            proxy.serve, "127.0.0.1", 0, limit=HEAD_BYTES_MAX, backlog=4096
        ) as server:
            proxy.port = server.sockets[0].getsockname()[1]
            started.set()
            await stop.wait()
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        proxy.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    started.wait()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
