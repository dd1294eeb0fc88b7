"""Where the registry keeps what it was told: one port, and the stores that serve it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.server.store.opening import open_store
    from protopact.server.store.port import (
        AuditEntry,
        Content,
        Document,
        Ledger,
        Link,
        Reading,
        Standing,
        Store,
        StoredSchema,
        StoredVersion,
    )
    from protopact.server.store.sqlite import SqliteStore

__all__ = [
    "AuditEntry",
    "Content",
    "Document",
    "Ledger",
    "Link",
    "Reading",
    "SqliteStore",
    "Standing",
    "Store",
    "StoredSchema",
    "StoredVersion",
    "open_store",
]

__getattr__ = door(
    __name__,
    {
        "AuditEntry": "port",
        "Content": "port",
        "Document": "port",
        "Ledger": "port",
        "Link": "port",
        "Reading": "port",
        "SqliteStore": "sqlite",
        "Standing": "port",
        "Store": "port",
        "StoredSchema": "port",
        "StoredVersion": "port",
        "open_store": "opening",
    },
)
