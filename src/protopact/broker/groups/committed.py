"""How far groups have read: in memory for whoever asks, and in the broker's state for the time after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from protopact.broker.state import Committed, State
    from protopact.broker.state.port import Place


class CommittedOffsets:
    """The committed offsets of all groups."""

    def __init__(self, state: State) -> None:
        """Begin with what was committed before."""
        self._state = state
        self._offsets: dict[str, dict[Place, Committed]] = {}
        for group, place, committed in state.offsets():
            self._offsets.setdefault(group, {})[place] = committed

    def groups(self) -> list[str]:
        """Give the groups that have committed something."""
        return list(self._offsets)

    def of(self, group: str) -> Mapping[Place, Committed]:
        """Give what a group has committed."""
        return self._offsets.get(group, {})

    async def commit(self, group: str, offsets: Mapping[Place, Committed]) -> None:
        """Remember offsets; they show at once, and are as safe as the flush policy says when this returns."""
        self._offsets.setdefault(group, {}).update(offsets)
        await self._state.put_offsets(group, offsets)

    async def forget(self, group: str, places: Iterable[Place] | None = None) -> None:
        """Forget a group's offsets: those of some places, or all."""
        held = self._offsets.get(group, {})
        gone = list(held) if places is None else [place for place in places if place in held]
        for place in gone:
            del held[place]
        if not held:
            self._offsets.pop(group, None)
        await self._state.remove_offsets(group, gone)

    def forget_topic(self, topic: str) -> None:
        """Drop what was committed for a topic that has gone; the state has dropped it with the topic."""
        for group in self.groups():
            kept = {place: each for place, each in self._offsets[group].items() if place[0] != topic}
            self._offsets[group] = kept
            if not kept:
                del self._offsets[group]
