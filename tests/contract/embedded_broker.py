"""The embedded broker, as the contract wants it: this is the one place where it is plugged in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from contract.kafka_clients import Broker
from contract.kafka_refusals import REFUSED
from protopact.settings import BrokerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def embedded_broker(data_dir: Path | None) -> Iterator[Broker]:
    """Run the embedded broker, which makes no topic unasked, for the length of the block."""
    from protopact.broker import background_broker

    with background_broker(data_dir, settings=BrokerSettings(topics_auto_create=False)) as embedded:
        yield Broker(embedded.bootstrap_servers, REFUSED)
