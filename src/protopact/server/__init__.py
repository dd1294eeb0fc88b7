"""The schema registry: a call comes in, a reply goes out, over HTTP or in the same process.

The way of a call: app (HTTP's matters) → exchange (one funnel: route, command, errors) → commands (what a route
reads and answers) → service (what is decided) → store (what is remembered).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.server.app import asgi_app
    from protopact.server.exchange import Registry
    from protopact.server.serve import background_registry, serve_registry
    from protopact.server.store import Store, open_store

__all__ = ["Registry", "Store", "asgi_app", "background_registry", "open_store", "serve_registry"]

__getattr__ = door(
    __name__,
    {
        "Registry": "exchange",
        "Store": "store",
        "asgi_app": "app",
        "background_registry": "serve",
        "open_store": "store",
        "serve_registry": "serve",
    },
)
