"""Consumer groups by Kafka's classic protocol: who is a member, who reads what, and how far each group has read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.broker.groups.coordinator import GroupCoordinator as GroupCoordinator

__all__ = ["GroupCoordinator"]

__getattr__ = door(__name__, {"GroupCoordinator": "coordinator"})
