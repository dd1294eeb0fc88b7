"""The demo's broker behind a small port: for now librdkafka's mock cluster, in this process.

The mock keeps at most 5 MiB per partition and forgets all of it at the end. It creates no topics on request: it makes
a topic, of four partitions, when a client first asks for it by name. A consumer group takes 3 s to form, and once
its last member has left nobody can join it again (seen with librdkafka 2.16).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from protopact.errors import BrokerError
from protopact.integrations.kafka import new_producer

if TYPE_CHECKING:
    from collections.abc import Iterable

START_S = 10.0


class Broker(Protocol):
    """A Kafka-protocol broker that the demo may use until it closes it."""

    @property
    def bootstrap_servers(self) -> str:
        """Give the address, `host:port`, as a client's `bootstrap.servers`."""
        ...

    def close(self) -> None:
        """Stop the broker; its records are gone."""
        ...


class MockBroker:
    """librdkafka's mock cluster of one broker on a loopback port of its own choice, with the given topics."""

    def __init__(self, topics: Iterable[str] = ()) -> None:
        """Start it; raises `BrokerError` when it gives no address."""
        self._host = new_producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1})
        brokers = self._host.list_topics(timeout=START_S).brokers.values()
        self._address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
        if not self._address:
            raise BrokerError("librdkafka's mock cluster gave no address")
        for topic in topics:
            self._host.list_topics(topic, timeout=START_S)

    @property
    def bootstrap_servers(self) -> str:
        """Give the address, `127.0.0.1:port`."""
        return self._address

    def close(self) -> None:
        """Stop the cluster; closing it again does nothing."""
        if hasattr(self, "_host"):
            del self._host  # the cluster lives as long as the client that hosts it
