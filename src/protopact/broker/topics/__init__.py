"""Topics, their partitions and what is set for them; made, changed and deleted so that a restart finds the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.broker.topics.catalogue import Topic as Topic, Topics as Topics
    from protopact.broker.topics.config import (
        SETTINGS as SETTINGS,
        Setting as Setting,
        TopicConfig as TopicConfig,
        check_config as check_config,
    )
    from protopact.broker.topics.partition import Appended as Appended, Partition as Partition

__all__ = ["SETTINGS", "Appended", "Partition", "Setting", "Topic", "TopicConfig", "Topics", "check_config"]

__getattr__ = door(
    __name__,
    {
        "SETTINGS": "config",
        "Appended": "partition",
        "Partition": "partition",
        "Setting": "config",
        "Topic": "catalogue",
        "TopicConfig": "config",
        "Topics": "catalogue",
        "check_config": "config",
    },
)
