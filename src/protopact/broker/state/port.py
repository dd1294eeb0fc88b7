"""What a broker's memory can do, wherever it is."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

Place: TypeAlias = tuple[str, int]
"""A topic's name and a partition."""


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """A topic as it is remembered."""

    name: str
    topic_id: UUID
    partitions: int
    config: Mapping[str, str]
    created_ms: int


@dataclass(frozen=True, slots=True)
class Committed:
    """An offset that a group committed: the next record to read, and what the member wrote beside it."""

    offset: int
    leader_epoch: int = -1
    metadata: str = ""
    committed_ms: int = 0


class State(Protocol):
    """What a broker remembers. What is awaited is as safe afterwards as the broker's flush policy says."""

    def topics(self) -> Sequence[TopicRecord]:
        """Give all topics."""
        ...

    async def put_topic(self, topic: TopicRecord) -> None:
        """Remember a topic, in place of one of its name."""
        ...

    async def remove_topic(self, name: str) -> None:
        """Forget a topic, and what groups committed for it."""
        ...

    def offsets(self) -> Iterable[tuple[str, Place, Committed]]:
        """Give all committed offsets, with their groups and places."""
        ...

    async def put_offsets(self, group: str, offsets: Mapping[Place, Committed]) -> None:
        """Remember committed offsets."""
        ...

    async def remove_offsets(self, group: str, places: Iterable[Place] | None = None) -> None:
        """Forget a group's offsets: those of some places, or all."""
        ...

    def cluster_id(self) -> str:
        """Give the id of the cluster, which is made once."""
        ...

    async def next_producer_id(self) -> int:
        """Give a producer id that was never given before, whatever happened meanwhile."""
        ...

    async def close(self) -> None:
        """Finish what is being written, and let go of it."""
        ...


def new_cluster_id() -> str:
    """Make a cluster's id: 16 random bytes in 22 characters, as Kafka's tools print them."""
    return base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
