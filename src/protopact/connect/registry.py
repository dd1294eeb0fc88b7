"""From a registry's address to a client of it: over HTTP, or straight into a registry of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.client import AsyncSchemaRegistryClient, SchemaRegistryClient, chosen_settings
from protopact.errors import ConfigError
from protopact.flow import perform, perform_async

if TYPE_CHECKING:
    import ssl

    from protopact.client import Auth, Tls
    from protopact.flow import Call, Reply
    from protopact.server import Registry
    from protopact.settings import ClientSettings

_OVER_HTTP = ("http://", "https://")
_HINT = "use http://… or https://… (several parted by commas), memory: or sqlite:PATH"


def connect_registry(
    url: str,
    *,
    auth: Auth | None = None,
    timeout_s: float | None = None,
    settings: ClientSettings | None = None,
    ssl_context: ssl.SSLContext | None = None,
    tls: Tls | None = None,
) -> SchemaRegistryClient:
    """Give a client of the registry at an address; closing it closes what was opened for it.

    `http(s)://…` is a registry server, or several, parted by commas. `memory:` is a fresh registry inside this process,
    forgotten when the client is closed. `sqlite:PATH` is one that keeps its data in a file. `auth` (user and
    password, a BearerToken or an OAuthClient), `tls` and `ssl_context` are for servers alone.

    ConfigError for another address, StoreError for a file that cannot be used, MissingExtraError when the HTTP package
    is not installed.
    """
    if url.startswith(_OVER_HTTP):
        return SchemaRegistryClient(
            url, auth=auth, timeout_s=timeout_s, settings=settings, ssl_context=ssl_context, tls=tls
        )
    chosen = chosen_settings(settings, timeout_s)
    return client_of(_open(url), settings=chosen)


def client_of(registry: Registry, *, settings: ClientSettings | None = None) -> SchemaRegistryClient:
    """Give a client of a registry in this process; closing it closes the registry."""

    def send(call: Call, _: int, /) -> Reply:
        return perform(registry.exchange(call))

    return SchemaRegistryClient(sender=send, on_close=registry.close, settings=settings)


def connect_registry_async(
    url: str,
    *,
    auth: Auth | None = None,
    timeout_s: float | None = None,
    settings: ClientSettings | None = None,
    ssl_context: ssl.SSLContext | None = None,
    tls: Tls | None = None,
) -> AsyncSchemaRegistryClient:
    """Give an asynchronous client of the registry at an address; see `connect_registry`.

    It is not awaited itself: `async with connect_registry_async(url) as registry`.
    """
    if url.startswith(_OVER_HTTP):
        return AsyncSchemaRegistryClient(
            url, auth=auth, timeout_s=timeout_s, settings=settings, ssl_context=ssl_context, tls=tls
        )
    chosen = chosen_settings(settings, timeout_s)
    registry = _open(url)

    async def send(call: Call, _: int, /) -> Reply:
        return await perform_async(registry.exchange(call))

    async def close() -> None:
        registry.close()

    return AsyncSchemaRegistryClient(sender=send, on_close=close, settings=chosen)


def _open(url: str) -> Registry:
    kind, separator, path = url.partition(":")
    if not separator or kind not in {"memory", "sqlite"} or (kind == "memory") == bool(path):
        raise ConfigError(f"no registry has an address of the kind {_shown(url)}", option="url", hint=_HINT)
    # Loaded here, so that a client over HTTP does not load the server.
    from protopact.server import Registry, open_store

    return Registry(open_store(url))


def _shown(url: str) -> str:
    # What follows may hold a password.
    kind, separator, _ = url.partition(":")
    return repr(f"{kind[:20]}:…" if separator else url[:20])
