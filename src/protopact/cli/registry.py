"""`protopact registry serve`: a schema registry over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.cli.options import parse_address
from protopact.cli.output import print_line

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command's parts."""
    parts = parser.add_subparsers(metavar="PART", required=True)
    serve = parts.add_parser("serve", help="serve a registry until Ctrl-C or SIGTERM")
    serve.set_defaults(run=_serve)
    serve.add_argument("--listen", metavar="HOST:PORT", default="127.0.0.1:8081", help="default 127.0.0.1:8081")
    serve.add_argument("--store", metavar="URL", required=True, help="sqlite:PATH, or memory: to keep nothing")
    serve.add_argument(
        "--insecure", action="store_true", help="allow an address that others can reach, without authentication"
    )


def _serve(options: argparse.Namespace) -> int:
    from protopact.server import serve_registry

    host, port = parse_address(options.listen, option="--listen")
    serve_registry(options.store, host=host, port=port, insecure=options.insecure, say=print_line)
    return 0
