"""Running a broker in a thread of its own, beside whatever the program does."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeVar

from protopact.errors import MissingExtraError
from protopact.listening import listen, refuse_public

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from pathlib import Path

    from protopact.broker.clock import Clock
    from protopact.broker.faults import Faults
    from protopact.broker.server import Broker
    from protopact.settings import BrokerSettings

T = TypeVar("T")

_PACKAGES = ("cramjam", "crc32c", "kio")

_PUBLIC_HINT = "listen on 127.0.0.1, or allow it by --insecure (insecure=True) where the network is trusted"


@dataclass(frozen=True, slots=True)
class BackgroundBroker:
    """A broker that runs in a thread: its address, its faults, and a way to make calls in its thread."""

    bootstrap_servers: str
    broker: Broker
    _loop: asyncio.AbstractEventLoop

    @property
    def faults(self) -> Faults:
        """The faults that it is to have; they may be changed from any thread."""
        return self.broker.faults

    def call(self, work: Callable[[], T]) -> T:
        """Have `work` called in the broker's thread, and give what it returns."""

        async def called() -> T:
            return work()

        return _result(called(), self._loop)

    def run(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """Have what `work` gives awaited in the broker's thread, and give its result."""
        return _result(work(), self._loop)

    def create_topic(self, name: str, *, partitions: int = 1, config: Mapping[str, str] | None = None) -> None:
        """Make a topic. RefusedRequestError for a name that is taken or not allowed, or settings that there are not."""
        self.run(lambda: self.broker.node.topics.create(name, partitions, config or {}))


@contextmanager
def background_broker(
    data_dir: Path | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    advertised: tuple[str, int] | None = None,
    insecure: bool = False,
    settings: BrokerSettings | None = None,
    clock: Clock | None = None,
) -> Iterator[BackgroundBroker]:
    """Serve a broker in a thread; leaving the block stops it. Without `data_dir` everything is in memory.

    The port is a free one unless it is named; clients are told to come to `advertised` where that is given. ConfigError
    when the address cannot be used, or when others can reach it and `insecure` does not allow that; StoreError when the
    data cannot be used; MissingExtraError without cramjam, crc32c and kio.
    """
    if not insecure:
        refuse_public(host, "the broker", hint=_PUBLIC_HINT)
    with closing(listen(host, port)) as door, _loop_in_thread() as loop:
        broker = _result(_started(door, advertised, data_dir, settings, clock), loop)
        try:
            yield BackgroundBroker(_address(door), broker, loop)
        finally:
            _result(broker.stop(), loop)


async def _started(
    door: socket.socket,
    advertised: tuple[str, int] | None,
    data_dir: Path | None,
    settings: BrokerSettings | None,
    clock: Clock | None,
) -> Broker:
    broker = _broker_class()(data_dir, settings=settings, clock=clock)
    await broker.start(door, advertised=advertised)
    return broker


def _broker_class() -> type[Broker]:
    """Give the class, now that all is there that the broker will load, be it only with the first record."""
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise MissingExtraError(
                f"the embedded broker needs the package {package}",
                option="broker",
                hint="pip install 'protopact[broker]'",
            )
    from protopact.broker.server import Broker

    return Broker


@contextmanager
def _loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=[loop], name="protopact-broker", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run the loop until it is stopped, and close it; no other thread's loop is touched, running or not."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()


def _result(work: Coroutine[object, object, T], loop: asyncio.AbstractEventLoop) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result()


def _address(door: socket.socket) -> str:
    host, port = door.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
