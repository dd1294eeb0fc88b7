"""Options that several commands share, with where their values come from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse

REGISTRY_DEFAULT = "http://127.0.0.1:8081"
_REGISTRY_VARIABLES = ("PROTOPACT_REGISTRY_URL", "SCHEMA_REGISTRY_URL")
_PORT_MAX = 65535


def add_registry_option(parser: argparse.ArgumentParser) -> None:
    """Offer `--registry URL`, else the environment's, else this machine's."""
    default = next((os.environ[name] for name in _REGISTRY_VARIABLES if os.environ.get(name)), REGISTRY_DEFAULT)
    parser.add_argument(
        "--registry",
        metavar="URL",
        default=default,
        help=f"address of the registry, or memory: or sqlite:PATH"
        f" (default: {' or '.join(_REGISTRY_VARIABLES)}, else {REGISTRY_DEFAULT})",
    )


def parse_address(text: str, *, option: str) -> tuple[str, int]:
    """Take `HOST:PORT` (`[::1]:8081` for IPv6) apart; raises `ConfigError` naming the option."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > _PORT_MAX:
        raise ConfigError(
            f"{option} is {text!r}, which is no HOST:PORT", option=option, hint="for example 127.0.0.1:8081"
        )
    return host.removeprefix("[").removesuffix("]"), int(port)
