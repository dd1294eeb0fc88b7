"""The command line's entry: find the command, load its module alone, run it, word its errors.

Exit codes: 0 good, 1 error, 2 wrong usage, 100 findings of a command that looks for them, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from protopact.errors import ProtopactError, SchemaLinkError, SchemaSyntaxError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "apply": "bring a directory of schemas into a registry; exit code 100 when some are refused",
    "bench": "measure what protopact costs on this machine, beside bare upb and others",
    "breaking": "find what breaks between two states of a directory of schemas; exit code 100 when something does",
    "compile": "generate Python code from .proto files",
    "consume": "read a topic's records as JSON lines, decoded by the schemas that they name",
    "demo": "publish real records and read them back in another process",
    "models": "print the schemas of pydantic models, and keep their lock file",
    "inspect": "explain the bytes of a record or a message; exit code 100 when something in them is wrong",
    "plan": "show what apply would do, and change nothing; exit code 100 when it cannot be done",
    "produce": "write JSON lines to a topic as records, by the schema that the registry has for it",
    "registry": "run a schema registry, keep it, and see who changed it",
    "schema": "look at the schemas of a registry, check, change and fetch them",
    "up": "run protopact's services on this machine",
}

EXIT_GOOD, EXIT_ERROR, EXIT_USAGE, EXIT_INTERRUPTED = 0, 1, 2, 130


class Command(Protocol):
    """What a command's module offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments; `parser.set_defaults(run=…)` names the function that runs it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; argument errors leave by SystemExit with code 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser(words).parse_args(words)
    try:
        return int(options.run(options))
    except ProtopactError as error:
        _print_error(error)
        return EXIT_ERROR
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left: say nothing more, also not while the interpreter closes its streams.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Describe all commands in a line each, and in full only the one that is asked for: start-up stays quick."""
    parser = argparse.ArgumentParser(prog="protopact", description="Schema-governed Protobuf messaging for Python.")
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    asked = next((word for word in words if not word.startswith("-")), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == asked:
            cast("Command", import_module(f"protopact.cli.{name}")).configure(command)
    return parser


class _ShowVersion(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        parser.exit(message=f"protopact {version('protopact')}\n")


def _print_error(error: ProtopactError) -> None:
    print(f"error: {error}", file=sys.stderr)
    if isinstance(error, SchemaSyntaxError | SchemaLinkError):
        for diagnostic in error.diagnostics if str(error) != "".join(map(str, error.diagnostics)) else ():
            print(f"  {diagnostic}", file=sys.stderr)
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)
