"""Options that several commands share, with where their values come from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli.configuration import PROFILE_VARIABLE, REGISTRY_DEFAULT, SETTINGS, Configuration, read_secret
from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from protopact.client import SchemaRegistryClient
    from protopact.schema import DescribedSchema

__all__ = [
    "add_file_arguments",
    "add_registry_option",
    "connect",
    "load_file",
    "parse_address",
    "read_secret",
    "registry_url",
]

_PORT_MAX = 65535


def add_registry_option(parser: argparse.ArgumentParser) -> None:
    """Offer `--registry URL` and how to log in there; what is not given is looked for where `Configuration` says."""
    group = parser.add_argument_group("registry", "Else the environment, the file .env or a profile says it.")
    group.add_argument(
        "--registry",
        metavar="URL",
        help=f"address of the registry, or memory: or sqlite:PATH"
        f" (default: {' or '.join(SETTINGS['registry'])}, else {REGISTRY_DEFAULT})",
    )
    group.add_argument(
        "--profile",
        metavar="NAME",
        help=f"profile in ~/.config/protopact/profiles.toml (default: {PROFILE_VARIABLE}, else the one called default)",
    )
    group.add_argument(
        "--user",
        metavar="NAME",
        help=f"log in by name and password (default: {' or '.join(SETTINGS['user'])}); the password comes from"
        f" {' or '.join(SETTINGS['password'])}, a file, or the terminal",
    )
    group.add_argument("--password-file", metavar="FILE", help="read the password from a file, - for standard input")
    group.add_argument(
        "--token-file",
        metavar="FILE",
        help=f"log in by a token in a file, - for standard input (default: {SETTINGS['token'][0]})",
    )
    group.add_argument("--ca", metavar="FILE", help="certificates to trust, in PEM form")


def connect(options: argparse.Namespace) -> SchemaRegistryClient:
    """Give a client of the registry that a command was told; ConfigError for settings that cannot be used."""
    from protopact.connect import connect_registry

    access = _configuration(options).access()
    return connect_registry(access.url, auth=access.auth, tls=access.tls)


def registry_url(options: argparse.Namespace) -> str:
    """Give the address of the registry that a command was told."""
    return _configuration(options).url()


def add_file_arguments(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """Offer FILE and where its imports are."""
    parser.add_argument(
        "file", metavar="FILE", nargs="?" if optional else None, help="a .proto file; - reads standard input"
    )
    parser.add_argument(
        "-I", "--import-dir", action="append", type=Path, default=[], metavar="DIR", help="where imports are found"
    )


def load_file(options: argparse.Namespace) -> DescribedSchema:
    """Load the schema in FILE; ConfigError for a file that is not there."""
    from protopact.schema import load_schema

    if options.file == "-":
        return load_schema(sys.stdin.read(), imports=options.import_dir)
    path = Path(options.file)
    if not path.is_file():
        raise ConfigError(f"there is no file {path}", option="FILE")
    return load_schema(path, imports=options.import_dir)


def parse_address(text: str, *, option: str) -> tuple[str, int]:
    """Take `HOST:PORT` (`[::1]:8081` for IPv6) apart; raises `ConfigError` naming the option."""
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > _PORT_MAX:
        raise ConfigError(
            f"{option} is {text!r}, which is no HOST:PORT", option=option, hint="for example 127.0.0.1:8081"
        )
    return host.removeprefix("[").removesuffix("]"), int(port)


def _configuration(options: argparse.Namespace) -> Configuration:
    return Configuration(
        {name: getattr(options, name, None) for name in SETTINGS}, profile=getattr(options, "profile", None)
    )
