"""The options of both clients, checked before anything is opened."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from protopact.errors import ConfigError, TransportError
from protopact.settings import ClientSettings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable

    from protopact.client.auth import Tls


def check_place(url: str | Iterable[str] | None, sender: object) -> None:
    """Refuse both or neither of url and sender."""
    if (url is None) == (sender is None):
        raise ConfigError("a registry client needs either an address or a sender", option="url")


def chosen_settings(settings: ClientSettings | None, timeout_s: float | None) -> ClientSettings:
    """Give a client's settings: the defaults where none are said; ConfigError for limits that are none."""
    chosen = settings or ClientSettings()
    if timeout_s is not None:
        chosen = replace(chosen, timeout_s=timeout_s)
    for name, least in _LEAST.items():
        value = getattr(chosen, name)
        if not (math.isfinite(value) and value >= least):
            raise ConfigError(f"{name} must be a finite number from {least:g} on, not {value!r}", option=name)
    return chosen


_LEAST = {
    "timeout_s": 0.001,
    "retries_max": 0,
    "retry_delay_s_min": 0,
    "retry_delay_s_max": 0,
    "retry_after_s_max": 0,
    "reply_bytes_max": 1,
    "cache_entries_max": 1,
    "latest_ttl_s": 0,
    "missing_ttl_s": 0,
}


def chosen_tls(ssl_context: ssl.SSLContext | None, tls: Tls | None) -> ssl.SSLContext | None:
    """Give the TLS context of a client; ConfigError for two, and for files that cannot be used."""
    if tls is None:
        return ssl_context
    if ssl_context is not None:
        raise ConfigError("a client takes an ssl_context or tls, not both", option="tls")
    return tls.context()


def check_open(shown: str, *, closed: bool) -> None:
    """Refuse to send through a client that was closed."""
    if closed:
        raise TransportError("the registry client is closed", url=shown, attempts=0)
