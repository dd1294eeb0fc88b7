"""One address, one client: a registry over HTTP, or one inside this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.connect.registry import client_of, connect_registry, connect_registry_async

__all__ = ["client_of", "connect_registry", "connect_registry_async"]

__getattr__ = door(
    __name__, {"client_of": "registry", "connect_registry": "registry", "connect_registry_async": "registry"}
)
