"""What commands print: lines, and lists that are a table on a terminal and JSON in a pipe."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Self, TextIO, TypeVar

from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

T = TypeVar("T")

EXIT_FINDINGS = 100
"""The exit code of a command that looked for something and found it: see its help."""

_ITEMS_WORTH_A_BAR = 5
_WIDTH_WITHOUT_TERMINAL = 1000
_SHOWN_AGAIN_S = 0.2


def add_format_option(parser: argparse.ArgumentParser) -> None:
    """Offer `--format json|table`; without it a terminal gets a table and a pipe gets JSON."""
    parser.add_argument("--format", choices=("json", "table"), help="default: table on a terminal, else json")


def print_line(text: str) -> None:
    """Print one line at once, also into a pipe."""
    print(text, flush=True)


def is_json(style: str | None) -> bool:
    """Say whether the output is JSON: as asked for, else in a pipe."""
    return (style or ("table" if sys.stdout.isatty() else "json")) == "json"


def print_note(text: str) -> None:
    """Print a line for people beside the output, to standard error."""
    print(text, file=sys.stderr, flush=True)


def counted(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Give the items, with a progress bar on standard error where that is a terminal."""
    if total < _ITEMS_WORTH_A_BAR or not sys.stderr.isatty():
        yield from items
        return
    try:
        from rich.console import Console
        from rich.progress import track
    except ImportError:
        yield from items
        return
    yield from track(items, what, total=total, console=Console(stderr=True), transient=True)


class Counter:
    """How many things were done, shown as it grows on standard error where that is a terminal of its own.

    It is not shown where `beside`, which the things are printed to, is a terminal too.
    """

    def __init__(self, what: str, *, beside: TextIO | None = None) -> None:
        self.total = 0
        self._what = what
        self._shown = sys.stderr.isatty() and not (beside is not None and beside.isatty())
        self._shown_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def count(self) -> int:
        """Count one more, and give the number."""
        self.total += 1
        if self._shown and (now := time.monotonic()) - self._shown_at > _SHOWN_AGAIN_S:
            self._shown_at = now
            print(f"\r{self.total:,} {self._what}", end="", file=sys.stderr, flush=True)
        return self.total

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        """Take the line away again."""
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def confirm(question: str, *, yes: bool) -> None:
    """Ask at the terminal whether to go on; `yes` answers beforehand.

    ConfigError for another answer than y or yes, and where there is no terminal to ask at.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(f"{question} There is no terminal to ask at", option="--yes", hint="--yes says so")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise ConfigError("nothing was done", option="--yes")


def print_rows(columns: Sequence[str], rows: Sequence[Mapping[str, object]], style: str | None) -> None:
    """Print rows as a table or as a JSON array of objects."""
    if is_json(style):
        print_json(rows)
    else:
        _print_table(columns, rows)


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _print_table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    try:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        _print_plain_table(columns, rows)
        return
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(Text(_text(row.get(column))) for column in columns))
    # Only a terminal has an edge to wrap at: a file or a pipe gets each row on one line.
    Console(width=None if sys.stdout.isatty() else _WIDTH_WITHOUT_TERMINAL).print(table)


def _print_plain_table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> None:
    cells = [list(columns), *([_text(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_text(part) for part in value)
    return "" if value is None else str(value)
