"""What outlives a restart beside the records: topics, committed offsets, the cluster's and the producers' ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.broker.state.memory import MemoryState as MemoryState
    from protopact.broker.state.port import Committed as Committed, State as State, TopicRecord as TopicRecord
    from protopact.broker.state.sqlite import SqliteState as SqliteState

__all__ = ["Committed", "MemoryState", "SqliteState", "State", "TopicRecord"]

__getattr__ = door(
    __name__,
    {
        "Committed": "port",
        "MemoryState": "memory",
        "SqliteState": "sqlite",
        "State": "port",
        "TopicRecord": "port",
    },
)
