"""Registry clients, synchronous and asynchronous, over one body of flows.

The way of a request: a method (`sync`, `aio`) → its work (`session`, `administration`) → a call with the reader of its
reply (`calls`, made of `asks`) → logged in (`auth`), tried on the servers until one answers (`exchange`) → sent by an
HTTP connection or straight into a registry of this process (`outside`) → kept (`cache`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.client.aio import AsyncSchemaRegistryClient
    from protopact.client.aio_administration import AsyncAdministration
    from protopact.client.auth import Auth, BearerToken, OAuthClient, Tls
    from protopact.client.framed import Framed
    from protopact.client.imports import fetch_schema, lookup_with_imports, register_with_imports
    from protopact.client.options import chosen_settings
    from protopact.client.session import Job, Session
    from protopact.client.state import FetchedSchema
    from protopact.client.sync import SchemaRegistryClient
    from protopact.client.sync_administration import SyncAdministration

__all__ = [
    "AsyncAdministration",
    "AsyncSchemaRegistryClient",
    "Auth",
    "BearerToken",
    "FetchedSchema",
    "Framed",
    "Job",
    "OAuthClient",
    "SchemaRegistryClient",
    "Session",
    "SyncAdministration",
    "Tls",
    "chosen_settings",
    "fetch_schema",
    "lookup_with_imports",
    "register_with_imports",
]

__getattr__ = door(
    __name__,
    {
        "AsyncAdministration": "aio_administration",
        "AsyncSchemaRegistryClient": "aio",
        "Auth": "auth",
        "BearerToken": "auth",
        "FetchedSchema": "state",
        "Framed": "framed",
        "Job": "session",
        "OAuthClient": "auth",
        "SchemaRegistryClient": "sync",
        "Session": "session",
        "SyncAdministration": "sync_administration",
        "Tls": "auth",
        "chosen_settings": "options",
        "fetch_schema": "imports",
        "lookup_with_imports": "imports",
        "register_with_imports": "imports",
    },
)
