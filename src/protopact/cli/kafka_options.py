"""What `produce` and `consume` share: the broker's address, librdkafka's properties, and bytes in JSON."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping

SERVERS_VARIABLE = "PROTOPACT_BOOTSTRAP_SERVERS"
SERVERS_DEFAULT = "127.0.0.1:9092"
TIMEOUT_S = 30.0
MESSAGE_BYTES_MAX = 128 * 1024 * 1024
"""The largest payload that the commands write or read: a broker's own limit is the one to meet first."""

# Properties whose values other users of the machine are not to read in the list of processes.
_SECRETS = ("password", "secret", "sasl.jaas.config", "ssl.key.pem")

FORMS: Mapping[str, tuple[Callable[[bytes], str], Callable[[str], bytes]]] = {
    "text": (bytes.decode, lambda text: text.encode(errors="surrogateescape")),  # as input is read, byte for byte
    "hex": (bytes.hex, bytes.fromhex),
    "base64": (lambda data: base64.b64encode(data).decode(), lambda text: base64.b64decode(text, validate=True)),
}
"""How bytes are written as text: the way there, and the way back. Both raise ValueError for what has no such form."""


def add_kafka_options(parser: argparse.ArgumentParser) -> None:
    """Offer `-b`, `-t` and librdkafka's properties, by kcat's letters."""
    parser.add_argument(
        "-b",
        "--bootstrap-servers",
        metavar="HOST:PORT",
        help=f"the broker, or several parted by commas (default: {SERVERS_VARIABLE}, else {SERVERS_DEFAULT})",
    )
    parser.add_argument("-t", "--topic", required=True, metavar="TOPIC", help="the topic")
    parser.add_argument(
        "-X", "--property", action="append", default=[], metavar="NAME=VALUE", help="a property of librdkafka"
    )
    parser.add_argument(
        "-F",
        "--properties-file",
        type=Path,
        metavar="FILE",
        help="properties of librdkafka, one NAME=VALUE a line: the place for passwords",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=TIMEOUT_S,
        metavar="SECONDS",
        help=f"give up when no broker answers for so long (default {TIMEOUT_S:g})",
    )


def count(text: str) -> int:
    """Read a number of records; ValueError, which argparse words, for what is none."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def kafka_conf(options: argparse.Namespace) -> dict[str, object]:
    """Give librdkafka's properties as a command was told them; ConfigError for one that cannot be read."""
    found: dict[str, object] = {}
    if options.properties_file is not None:
        found.update(_pairs(_lines(options.properties_file), option="--properties-file"))
    given = _pairs(options.property, option="-X")
    for name in given:
        if any(name.endswith(secret) for secret in _SECRETS):
            raise ConfigError(
                f"-X {name} would show a secret in the list of processes", option="-X", hint="put it into a file for -F"
            )
    found.update(given)
    servers = options.bootstrap_servers or found.get("bootstrap.servers") or os.environ.get(SERVERS_VARIABLE)
    return {**found, "bootstrap.servers": servers or SERVERS_DEFAULT}


def shown(data: bytes | None, form: str = "text") -> object:
    """Give bytes as a JSON value: text in this form, or `{"base64": …}` where they are no text."""
    if data is None:
        return None
    try:
        return FORMS[form][0](data)
    except ValueError:
        return {"base64": FORMS["base64"][0](data)}


def meant(value: object, form: str = "text") -> bytes | None:
    """Give the bytes that a JSON value of `shown` means; ConfigError or ValueError for what is no such value."""
    if value is None:
        return None
    if isinstance(value, dict) and value.keys() == {"base64"} and isinstance(value["base64"], str):
        return FORMS["base64"][1](value["base64"])
    if not isinstance(value, str):
        raise ConfigError(f'{value!r} is neither a text nor {{"base64": …}}', option="-J")
    return FORMS[form][1](value)


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file {file} cannot be read", option="--properties-file") from error
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _pairs(texts: Iterable[str], *, option: str) -> dict[str, str]:
    found = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            # What it says is not shown: it may be a secret whose line lacks its name.
            raise ConfigError(f"{option} takes NAME=VALUE", option=option)
        found[name.strip()] = value.strip()
    return found
