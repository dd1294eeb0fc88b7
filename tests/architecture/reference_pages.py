"""The pages of docs/ that are made from the code: the command line's reference and the catalogue of errors."""

from __future__ import annotations

import argparse
import importlib
import inspect
from typing import TYPE_CHECKING

from architecture.source import REPOSITORY
from protopact import errors
from protopact.cli.main import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = REPOSITORY / "docs"
_HIDDEN = ("help",)
_COMMAND_LINE = """\
# The command line

Made from the code by `just golden`. Exit codes: 0 good, 1 error, 2 wrong usage, 100 findings (an incompatible
schema), 130 interrupted. Lists are tables on a terminal and JSON in a pipe; `--format` chooses."""
_ERRORS = """\
# Errors

Made from the code by `just golden`. Every exception derives from `ProtopactError`, has a stable `.code`, says what,
which and why in one line, and may carry the remedy in `.hint`."""


def command_line_page() -> str:
    """Every command with its arguments."""
    parts = [_COMMAND_LINE]
    for name, summary in COMMANDS.items():
        parser = argparse.ArgumentParser(prog=f"protopact {name}", description=summary)
        importlib.import_module(f"protopact.cli.{name}").configure(parser)
        parts += _sections(parser, summary, "##")
    return "\n\n".join(parts) + "\n"


def _sections(parser: argparse.ArgumentParser, summary: str, level: str) -> Iterator[str]:
    yield f"{level} `{parser.prog}`"
    yield f"{summary[0].upper()}{summary[1:]}."
    below: list[tuple[argparse.ArgumentParser, str]] = []
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            below = [(sub, helps.get(name, "")) for name, sub in action.choices.items()]
        elif action.dest not in _HIDDEN:
            rows.append(f"| {_spelling(action)} | {_escaped(action.help or '')} |")
    if rows:
        yield "\n".join(["| argument | meaning |", "|---|---|", *rows])
    for sub, its_summary in below:
        yield from _sections(sub, its_summary, f"{level}#")


def _spelling(action: argparse.Action) -> str:
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    if not action.option_strings:
        return f"`{_escaped(str(value))}`"
    names = ", ".join(action.option_strings)
    return f"`{names}`" if action.nargs == 0 else f"`{names} {_escaped(str(value))}`"


def _escaped(text: str) -> str:
    return text.replace("%%", "%").replace("|", "\\|")


def errors_page() -> str:
    """Every exception: its place in the family, its code, and when it is raised."""
    found = [
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, errors.ProtopactError) and not cls.__name__.startswith("_")
    ]
    rows = [
        f"| `{cls.__name__}` | `{cls.code}` | {_family(cls)} | {_escaped(inspect.getdoc(cls).partition(chr(10))[0])} |"
        for cls in sorted(found, key=lambda cls: cls.code)
    ]
    table = "\n".join(["| exception | code | is a | when |", "|---|---|---|---|", *rows])
    return f"{_ERRORS}\n\n{table}\n"


def _family(cls: type) -> str:
    parents = [base.__name__ for base in cls.__mro__[1:] if issubclass(base, errors.ProtopactError)]
    return next((f"`{name}`" for name in parents if not name.startswith("_")), "")


PAGES = {"command-line.md": command_line_page, "errors.md": errors_page}


def write_pages() -> None:
    """Put today's pages into docs/."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
