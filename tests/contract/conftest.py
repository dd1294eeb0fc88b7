"""What the contracts run against here: parts that need no server beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from contract.embedded_broker import embedded_broker
from contract.kafka_fixtures import clients, proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract.kafka_clients import Broker

__all__ = ["clients", "proxy"]


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Give the embedded broker, with its data on the disk."""
    with embedded_broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker
