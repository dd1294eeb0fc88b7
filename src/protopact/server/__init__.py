"""The schema registry: a call comes in, a reply goes out, over HTTP or in the same process.

The way of a call: app (HTTP's matters) → exchange (one funnel: route, command, errors) → commands (what a route
reads and answers) → service (what is decided) → store (what is remembered).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.server.exchange import Registry
    from protopact.server.guard.access import Grant
    from protopact.server.guard.auth import Guard
    from protopact.server.guard.passwords import hash_password
    from protopact.server.guard.tokens import Tokens, TokenSettings
    from protopact.server.guard.users import User, Users, changing_users, check_name, read_users
    from protopact.server.http.app import asgi_app
    from protopact.server.http.logs import log_json_lines
    from protopact.server.http.serve import Tls, background_registry, serve_registry, served_registry
    from protopact.server.store import Store, open_store
    from protopact.server.store.backup import backup, restore

__all__ = [
    "Grant",
    "Guard",
    "Registry",
    "Store",
    "Tls",
    "TokenSettings",
    "Tokens",
    "User",
    "Users",
    "asgi_app",
    "background_registry",
    "backup",
    "changing_users",
    "check_name",
    "hash_password",
    "log_json_lines",
    "open_store",
    "read_users",
    "restore",
    "serve_registry",
    "served_registry",
]

__getattr__ = door(
    __name__,
    {
        "Grant": "protopact.server.guard.access",
        "Guard": "protopact.server.guard.auth",
        "Registry": "exchange",
        "Store": "store",
        "Tls": "protopact.server.http.serve",
        "TokenSettings": "protopact.server.guard.tokens",
        "Tokens": "protopact.server.guard.tokens",
        "User": "protopact.server.guard.users",
        "Users": "protopact.server.guard.users",
        "asgi_app": "protopact.server.http.app",
        "background_registry": "protopact.server.http.serve",
        "backup": "protopact.server.store.backup",
        "changing_users": "protopact.server.guard.users",
        "check_name": "protopact.server.guard.users",
        "hash_password": "protopact.server.guard.passwords",
        "log_json_lines": "protopact.server.http.logs",
        "open_store": "store",
        "read_users": "protopact.server.guard.users",
        "restore": "protopact.server.store.backup",
        "serve_registry": "protopact.server.http.serve",
        "served_registry": "protopact.server.http.serve",
    },
)
