"""By which names a registry may be called that lets in whoever reaches it.

A page of any site can have its own name resolve to this machine, and then ask a server here as if it were its own (DNS
rebinding). Its requests carry that name as their Host, so a server that relies on being reachable from this machine
alone answers to no name that it does not know.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING

from protopact.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterable

_LENGTH_MAX = 300
_LOCAL = "localhost"


class Hosts:
    """The names that count: addresses, `localhost` and names below it (RFC 6761), and those given."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """Answer to these names as well; their ports do not matter."""
        self._names = frozenset(name.lower().rstrip(".") for name in names)
        self._known = lru_cache(maxsize=64)(self._is_known)

    def knows(self, host: str) -> bool:
        """Whether a Host header names this server; one that is absent names it too: browsers always send one."""
        return not host or (len(host) <= _LENGTH_MAX and self._known(host))

    def check(self, host: str) -> None:
        """Refuse a Host that this server does not know by RegistryError 421."""
        if not self.knows(host):
            raise RegistryError("HTTP 421 Misdirected Request: this registry has another name", error_code=421)

    def _is_known(self, host: str) -> bool:
        name = _without_port(host).lower().rstrip(".")
        return name == _LOCAL or name.endswith(f".{_LOCAL}") or name in self._names or _is_address(name)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
