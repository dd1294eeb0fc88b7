"""From a store's address to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from protopact.server.store.port import Store


def open_store(url: str) -> Store:
    """Open the store at an address.

    `memory:` keeps nothing, `sqlite:PATH` keeps all in one file, `postgresql://…` in a database that several
    registries may share. ConfigError for an address of another kind, StoreError for a file or a database that cannot be
    used, MissingExtraError for one whose package is not installed.
    """
    from protopact.server.store.sqlite import SqliteStore

    kind, separator, path = url.partition(":")
    if kind == "memory" and separator and not path:
        return SqliteStore(":memory:")
    if kind == "sqlite" and path:
        return SqliteStore(path)
    if kind in {"postgresql", "postgres"} and path.startswith("//"):
        return _shared_store(url)
    raise ConfigError(
        f"no store has the address {_shown(url)}",
        option="store",
        hint="use sqlite:PATH, postgresql://USER@HOST/DATABASE or memory:",
    )


def _shared_store(url: str) -> Store:
    try:
        from protopact.server.store.postgres import PostgresStore
    except ImportError as error:
        raise MissingExtraError(
            "a store on PostgreSQL needs psycopg", option="extra", hint="install 'protopact[postgres]'"
        ) from error
    return PostgresStore(url)


def _shown(url: str) -> str:
    # What follows may hold a password.
    kind, separator, _ = url.partition("://")
    return repr(f"{kind}://…" if separator else url)
