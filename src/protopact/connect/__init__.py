"""One address, one client: a registry over HTTP, or one inside this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.connect.registry import connect_registry, connect_registry_async

__all__ = ["connect_registry", "connect_registry_async"]

__getattr__ = door(__name__, {"connect_registry": "registry", "connect_registry_async": "registry"})
