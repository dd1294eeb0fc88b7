"""`protopact compile`: Python code from `.proto` files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli.output import print_line

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.set_defaults(run=_compile)
    parser.add_argument("proto_dir", type=Path, metavar="PROTO_DIR", help="every .proto file below it is compiled")
    parser.add_argument("output_dir", type=Path, metavar="OUTPUT_DIR", help="made into a package that can be imported")
    parser.add_argument("--grpc", action="store_true", help="generate gRPC stubs too")
    parser.add_argument("--no-stubs", action="store_true", help="generate no .pyi files")


def _compile(options: argparse.Namespace) -> int:
    from protopact.schema import compile_protos

    compiled = compile_protos(options.proto_dir, options.output_dir, grpc=options.grpc, stubs=not options.no_stubs)
    for path in compiled.paths:
        print_line(str(path))
    print_line(f"the generated code needs {compiled.runtime}")
    return 0
