"""The schema registry: a call comes in, a reply goes out, over HTTP or in the same process.

The way of a call: app (HTTP's matters) → exchange (one funnel: route, command, errors) → commands (what a route
reads and answers) → service (what is decided) → store (what is remembered).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.server.access import Grant
    from protopact.server.app import asgi_app
    from protopact.server.auth import Guard
    from protopact.server.exchange import Registry
    from protopact.server.logs import log_json_lines
    from protopact.server.passwords import hash_password
    from protopact.server.serve import Tls, background_registry, serve_registry
    from protopact.server.store import Store, open_store
    from protopact.server.store.backup import backup, restore
    from protopact.server.tokens import Tokens, TokenSettings
    from protopact.server.users import User, Users, changing_users, check_name, read_users

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
]

__getattr__ = door(
    __name__,
    {
        "Grant": "access",
        "Guard": "auth",
        "Registry": "exchange",
        "Store": "store",
        "Tls": "serve",
        "TokenSettings": "tokens",
        "Tokens": "tokens",
        "User": "users",
        "Users": "users",
        "asgi_app": "app",
        "background_registry": "serve",
        "backup": "protopact.server.store.backup",
        "changing_users": "users",
        "check_name": "users",
        "hash_password": "passwords",
        "log_json_lines": "logs",
        "open_store": "store",
        "read_users": "users",
        "restore": "protopact.server.store.backup",
        "serve_registry": "serve",
    },
)
