"""A broker's memory that its process takes along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.broker.state.port import new_cluster_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from protopact.broker.state.port import Committed, Place, TopicRecord


class MemoryState:
    """What a broker without a data directory remembers: nothing beyond its end."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._topics: dict[str, TopicRecord] = {}
        self._offsets: dict[tuple[str, Place], Committed] = {}
        self._cluster_id = new_cluster_id()
        self._producers = 0

    def topics(self) -> Sequence[TopicRecord]:
        """Give all topics."""
        return list(self._topics.values())

    async def put_topic(self, topic: TopicRecord) -> None:
        """Remember a topic."""
        self._topics[topic.name] = topic

    async def remove_topic(self, name: str) -> None:
        """Forget a topic, and what groups committed for it."""
        del self._topics[name]
        self._offsets = {key: each for key, each in self._offsets.items() if key[1][0] != name}

    def offsets(self) -> Iterable[tuple[str, Place, Committed]]:
        """Give all committed offsets."""
        return [(group, place, committed) for (group, place), committed in self._offsets.items()]

    async def put_offsets(self, group: str, offsets: Mapping[Place, Committed]) -> None:
        """Remember committed offsets."""
        self._offsets.update({(group, place): committed for place, committed in offsets.items()})

    async def remove_offsets(self, group: str, places: Iterable[Place] | None = None) -> None:
        """Forget a group's offsets."""
        gone = None if places is None else set(places)
        self._offsets = {
            key: each
            for key, each in self._offsets.items()
            if key[0] != group or (gone is not None and key[1] not in gone)
        }

    def cluster_id(self) -> str:
        """Give the id of the cluster."""
        return self._cluster_id

    async def next_producer_id(self) -> int:
        """Give a producer id that was never given before."""
        self._producers += 1
        return self._producers

    async def close(self) -> None:
        """Do nothing: there is nothing to keep."""
