"""A broker for tests: in memory, on a free port, with topics, faults and a clock at hand."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from protopact.broker import MovedClock, ShiftedClock, background_broker
from protopact.integrations.kafka import new_producer
from protopact.settings import BrokerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from confluent_kafka import Producer

    from protopact.broker import BackgroundBroker, Faults


class MovableClock(Protocol):
    """The time that the broker goes by; that of the test and of its clients stays the system's."""

    def now_ms(self) -> int:
        """Give the broker's time, in milliseconds since 1970."""
        ...

    def advance(self, seconds: float) -> None:
        """Let time pass: what is due then (sessions that end, records that are too old) is done before this returns."""
        ...


class _Clock:
    """A clock of the broker's thread, moved from another one."""

    def __init__(self, clock: MovedClock | ShiftedClock, broker: BackgroundBroker) -> None:
        self._clock = clock
        self._broker = broker

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def advance(self, seconds: float) -> None:
        self._broker.call(lambda: self._clock.advance(seconds))


class RunningKafka:
    """A broker that runs in this process. Clients reach it by `bootstrap_servers`, as they do Apache Kafka.

    `faults` are what a test wants to go wrong, `clock` is the broker's time.
    """

    def __init__(self, broker: BackgroundBroker, clock: MovableClock) -> None:
        """Show a broker that runs on this clock."""
        self.clock = clock
        self._broker = broker

    @property
    def bootstrap_servers(self) -> str:
        """The address, `127.0.0.1:PORT`."""
        return self._broker.bootstrap_servers

    @property
    def faults(self) -> Faults:
        """What is to go wrong: refused and dropped connections, late and lost answers, errors of the protocol."""
        return self._broker.faults

    @cached_property
    def producer(self) -> Producer:
        """A producer for a test's own records, made when first asked for: a new one takes half a second to begin.

        MissingExtraError without the package of the extra `kafka`.
        """
        return new_producer({"bootstrap.servers": self.bootstrap_servers, "linger.ms": 0})

    def create_topic(
        self, name: str | None = None, *, partitions: int = 1, config: Mapping[str, str] | None = None
    ) -> str:
        """Make a topic and give its name: without one, a name that no other topic has.

        RefusedRequestError for a name that is taken or not allowed, and for settings that the broker does not have.
        """
        chosen = name or f"topic-{uuid4()}"
        self._broker.create_topic(chosen, partitions=partitions, config=config or {})
        return chosen


@contextmanager
def running_kafka(
    *,
    partitions: int = 1,
    still: bool = False,
    data_dir: Path | None = None,
    settings: BrokerSettings | None = None,
) -> Iterator[RunningKafka]:
    """Run a broker in a thread for the length of the block, on a free port of 127.0.0.1.

    Its topics are in memory, or below `data_dir`, where the next broker finds them again. A topic that a client names
    is made, with `partitions`. With `still` the broker's time stands, so that nothing happens but by `clock.advance`;
    else it flows. `settings` are those of the broker, `partitions` among them. MissingExtraError without the packages
    of the extra `broker`.
    """
    clock = MovedClock(time.time_ns() // 1_000_000) if still else ShiftedClock()
    chosen = settings or BrokerSettings(partitions=partitions)
    with background_broker(data_dir, settings=chosen, clock=clock) as broker:
        yield RunningKafka(broker, _Clock(clock, broker))
