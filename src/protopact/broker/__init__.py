"""A Kafka-protocol broker inside a process or as one: for tests, development and the demo, on one machine.

The way of a request: connection (frames) → codec (kio's messages ⇄ ours) → apis (one table) → a handler → topics,
log and groups. Record batches stay as the client made them; only their place in the partition is written in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.broker.clock import (
        Clock as Clock,
        MovedClock as MovedClock,
        ShiftedClock as ShiftedClock,
        SystemClock as SystemClock,
    )
    from protopact.broker.faults import Faults as Faults
    from protopact.broker.running import BackgroundBroker as BackgroundBroker, background_broker as background_broker
    from protopact.broker.server import Broker as Broker

__all__ = [
    "BackgroundBroker",
    "Broker",
    "Clock",
    "Faults",
    "MovedClock",
    "ShiftedClock",
    "SystemClock",
    "background_broker",
]

__getattr__ = door(
    __name__,
    {
        "BackgroundBroker": "running",
        "Broker": "server",
        "Clock": "clock",
        "Faults": "faults",
        "MovedClock": "clock",
        "ShiftedClock": "clock",
        "SystemClock": "clock",
        "background_broker": "running",
    },
)
