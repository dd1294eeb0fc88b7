"""Registry clients, synchronous and asynchronous, over one body of flows.

The way of a request: a call with the reader of its reply (`calls`) → tried on the servers until one answers
(`exchange`) → sent by an HTTP connection or straight into a registry of this process (`outside`) → kept (`cache`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.client.aio import AsyncSchemaRegistryClient
    from protopact.client.imports import fetch_file_set, lookup_with_imports, register_with_imports
    from protopact.client.options import chosen_settings
    from protopact.client.session import Job, Session
    from protopact.client.sync import SchemaRegistryClient

__all__ = [
    "AsyncSchemaRegistryClient",
    "Job",
    "SchemaRegistryClient",
    "Session",
    "chosen_settings",
    "fetch_file_set",
    "lookup_with_imports",
    "register_with_imports",
]

__getattr__ = door(
    __name__,
    {
        "AsyncSchemaRegistryClient": "aio",
        "SchemaRegistryClient": "sync",
        "Job": "session",
        "Session": "session",
        "chosen_settings": "options",
        "fetch_file_set": "imports",
        "lookup_with_imports": "imports",
        "register_with_imports": "imports",
    },
)
