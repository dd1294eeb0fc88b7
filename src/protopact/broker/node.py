"""What every request works on: the one broker's parts, and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from protopact.broker.budget import Allowance
    from protopact.broker.clock import Clock
    from protopact.broker.groups import GroupCoordinator
    from protopact.broker.log import Flusher
    from protopact.broker.state import State
    from protopact.broker.topics import Topics
    from protopact.settings import BrokerSettings

NODE_ID = 1


@dataclass(frozen=True, slots=True)
class Node:
    """The broker's parts. There is one broker: it leads every partition and coordinates every group."""

    settings: BrokerSettings
    clock: Clock
    state: State
    topics: Topics
    groups: GroupCoordinator
    flusher: Flusher | None
    data_dir: Path | None
    answers: Allowance
    stopping: asyncio.Event


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, in which version of the request: its name for itself, its address, and the broker's as it knows it."""

    version: int
    client_id: str
    client_host: str
    broker_host: str
    broker_port: int
