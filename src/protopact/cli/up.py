"""`protopact up`: protopact's services on this machine, in one process, their data kept in one directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli.options import parse_address
from protopact.cli.output import print_line
from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.set_defaults(run=_up)
    parser.add_argument(
        "--data-dir", type=Path, default=Path("protopact-data"), metavar="DIR", help="default ./protopact-data"
    )
    parser.add_argument("--registry", metavar="HOST:PORT", default="127.0.0.1:8081", help="default 127.0.0.1:8081")


def _up(options: argparse.Namespace) -> int:
    from protopact.server import serve_registry

    host, port = parse_address(options.registry, option="--registry")
    directory: Path = options.data_dir
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot make the data directory {directory}: {error.strerror}", option="--data-dir"
        ) from error
    print_line(f"data      {directory.resolve()}")
    serve_registry(f"sqlite:{directory / 'registry.db'}", host=host, port=port, say=print_line)
    return 0
