"""From a store's address to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.errors import ConfigError

if TYPE_CHECKING:
    from protopact.server.store.port import Store


def open_store(url: str) -> Store:
    """Open the store at an address: `memory:` keeps nothing, `sqlite:PATH` keeps all in one file.

    ConfigError for an address of another kind, StoreError for a file that cannot be used.
    """
    from protopact.server.store.sqlite import SqliteStore

    kind, separator, path = url.partition(":")
    if kind == "memory" and separator and not path:
        return SqliteStore(":memory:")
    if kind == "sqlite" and path:
        return SqliteStore(path)
    raise ConfigError(f"no store has the address {url!r}", option="store", hint="use sqlite:PATH or memory:")
