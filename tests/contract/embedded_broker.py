"""The embedded broker, as the contract wants it: this is the one place where it is plugged in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from contract.kafka_clients import Broker
from contract.kafka_refusals import REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Absent


@contextmanager
def embedded_broker(absent: Absent) -> Iterator[Broker]:
    """Run the embedded broker, which makes no topic unasked, for the length of the block."""
    try:
        from protopact.broker import background_broker
    except ImportError:
        absent("broker", "protopact.broker has no background_broker")
    with background_broker() as embedded:
        yield Broker(embedded.bootstrap_servers, REFUSED)
