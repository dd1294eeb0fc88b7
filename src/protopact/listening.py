"""Where servers listen: a socket of their own, on loopback unless something guards it or the user insists."""

from __future__ import annotations

import ipaddress
import socket

from protopact.errors import ConfigError

_PORT_MAX = 65_535
_BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """Give a listening socket: from here on, clients wait instead of being refused. Port 0 takes a free one.

    ConfigError when the address cannot be used.
    """
    if not 0 <= port <= _PORT_MAX:
        raise ConfigError(f"cannot listen on {host}:{port}: no such port", option="port")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        door = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            option="port",
            hint="is another program there? Port 0 takes a free one",
        ) from error
    # A connection has it from the socket that takes it. Without it, an answer to one of several requests that are on
    # their way waits until the client has acknowledged the answer before it: 40 ms on Linux.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return door


def refuse_public(host: str, what: str, *, hint: str) -> None:
    """Refuse by ConfigError an address that others can reach, for a server (`what`) that lets everybody in."""
    if not is_loopback(host):
        raise ConfigError(
            f"others can reach {host or 'all interfaces'}, and {what} has no authentication", option="host", hint=hint
        )


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches the address; a name other than `localhost` counts as public."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
