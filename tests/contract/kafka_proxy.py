"""A proxy in front of a Kafka broker: it counts requests by their kind, and loses replies when it is told to.

Clients go where the broker's metadata sends them, so the proxy puts its own port into the replies that name the broker.
"""

from __future__ import annotations

import asyncio
import struct
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract.kafka_clients import Broker

# Source: https://kafka.apache.org/protocol.html#protocol_api_keys
PRODUCE, FETCH, METADATA, FIND_COORDINATOR, HEARTBEAT, OFFSET_FOR_LEADER_EPOCH, DESCRIBE_CLUSTER = (
    0,
    1,
    3,
    10,
    12,
    23,
    60,
)
NAMING_THE_BROKER = {METADATA, FIND_COORDINATOR, DESCRIBE_CLUSTER}
WAIT_S = 30.0


class KafkaProxy:
    """What passed so far, by API key. `loses` is asked for each reply, with how many of its kind came before."""

    def __init__(self, host: str, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.upstream = (host, port)
        self.port = 0
        self.loses: Callable[[int, int], bool] = lambda _key, _before: False
        self.asked: Counter[int] = Counter()
        self.answered: Counter[int] = Counter()  # by the broker: those that were lost, too
        self.cut_off = False
        self._loop = loop
        self._open: set[asyncio.StreamWriter] = set()
        self._changed = threading.Condition()

    @property
    def bootstrap_servers(self) -> str:
        return f"{self.upstream[0]}:{self.port}"

    def open_requests(self, key: int) -> int:
        """Tell how many requests of a kind wait for their reply."""
        return self.asked[key] - self.answered[key]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until what passed fulfils a condition."""
        with self._changed:
            assert self._changed.wait_for(condition, WAIT_S), (self.asked, self.answered)

    def cut(self) -> None:
        """Break every connection, and every new one."""
        self.cut_off = True
        self._loop.call_soon_threadsafe(self._break_all)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client's connection until one side ends it."""
        writers = [writer]
        self._open.add(writer)
        try:
            if self.cut_off:
                return
            far_reader, far_writer = await asyncio.open_connection(*self.upstream)
            writers.append(far_writer)
            keys: dict[int, int] = {}
            ways = (self._requests(reader, far_writer, keys), self._replies(far_reader, writer, keys))
            tasks = [asyncio.ensure_future(way) for way in ways]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._open.discard(writer)
            for each in writers:
                each.transport.abort()

    def _break_all(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, keys: dict[int, int]) -> None:
        while True:
            frame = await _read_frame(reader)
            key, correlation_id = struct.unpack_from(">h2xi", frame)
            keys[correlation_id] = key
            self._count(self.asked, key)
            await _write_frame(writer, frame)

    async def _replies(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, keys: dict[int, int]) -> None:
        while True:
            frame = await _read_frame(reader)
            key = keys.pop(struct.unpack_from(">i", frame)[0])
            lost = self.loses(key, self.answered[key])
            self._count(self.answered, key)
            if lost:
                return
            await _write_frame(writer, self._redirected(frame) if key in NAMING_THE_BROKER else frame)

    def _count(self, counter: Counter[int], key: int) -> None:
        with self._changed:
            counter[key] += 1
            self._changed.notify_all()

    def _redirected(self, frame: bytes) -> bytes:
        host, port = self.upstream
        return frame.replace(host.encode() + struct.pack(">i", port), host.encode() + struct.pack(">i", self.port))


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


async def _write_frame(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(struct.pack(">i", len(frame)) + frame)
    await writer.drain()


@contextmanager
def proxy_to(broker: Broker) -> Iterator[KafkaProxy]:
    """Run a proxy, on a thread of its own, in front of a broker."""
    host, _, port = broker.bootstrap_servers.rpartition(":")
    loop, stop, started = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    proxy = KafkaProxy(host, int(port), loop)

    async def run() -> None:
        async with await asyncio.start_server(proxy.serve, host, 0) as server:
            proxy.port = server.sockets[0].getsockname()[1]
            started.set()
            await stop.wait()
            server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0)  # the transports close in the loop's next turn

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert started.wait(WAIT_S)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
