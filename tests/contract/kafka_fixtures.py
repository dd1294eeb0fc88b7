"""The fixtures of the contract; whoever runs it supplies `broker`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from contract.kafka_clients import Broker, Clients
from contract.kafka_proxy import KafkaProxy, proxy_to

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clients(broker: Broker) -> Iterator[Clients]:
    """Give confluent-kafka's clients, closed at the test's end."""
    with ExitStack() as stack:
        yield Clients(broker, stack)


@pytest.fixture
def proxy(clients: Clients) -> KafkaProxy:
    """Give a proxy in front of the broker, closed after the clients that use it."""
    return clients.stack.enter_context(proxy_to(clients.broker))
