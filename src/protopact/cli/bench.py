"""`protopact bench`: what protopact costs on this machine, beside bare upb and others, in one run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from protopact.cli.output import add_format_option, is_json, print_json, print_note, print_rows
from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from protopact.measure import MemoryRow, TimeRow

_TIME_COLUMNS = ("way", "message", "bytes", "upb ns", "ns", "ratio", "goal", "others")
_MEMORY_COLUMNS = ("way", "messages", "10 %", "50 %", "100 %", "growth", "peak MB", "MB/s", "goal")


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.set_defaults(run=_bench, rival=None)
    parser.add_argument("--rounds", type=int, default=100, metavar="N", help="how often each way is timed (100)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="TEXT",
        help='ways whose name or message holds it: "dict", "large"',
    )
    parser.add_argument("--memory", action="store_true", help="measure memory in place of time: on Linux")
    parser.add_argument(
        "--messages",
        type=int,
        metavar="N",
        help="with --memory: records written and read (1,000,000); a temporary file holds five times as many",
    )
    add_format_option(parser)


def _bench(options: argparse.Namespace) -> int:
    if options.memory:
        return _memory(options)
    from protopact.measure import measure_ways

    if options.messages is not None:
        raise ConfigError("--messages is for --memory", option="--messages")
    measured = measure_ways(rounds=options.rounds, only=options.only, rival=options.rival)
    for reason in measured.left_out:
        print_note(f"left out: {reason}")
    if is_json(options.format):
        print_json(asdict(measured))
    else:
        print_rows(_TIME_COLUMNS, [_time_cells(row) for row in measured.rows], "table")
    return 0


def _memory(options: argparse.Namespace) -> int:
    from protopact.measure import measure_memory

    rows = measure_memory() if options.messages is None else measure_memory(options.messages)
    if is_json(options.format):
        print_json([asdict(row) for row in rows])
    else:
        print_rows(_MEMORY_COLUMNS, [_memory_cells(row) for row in rows], "table")
    return 0


def _time_cells(row: TimeRow) -> dict[str, object]:
    goal = "" if row.goal is None else f"{row.goal:.2f}"
    peers = (f"{name} {ratio:,.1f}" for name, ratio in row.peers.items())
    cells = (
        row.path,
        row.message,
        row.payload_bytes,
        f"{row.bare_ns:,.0f}",
        f"{row.ns:,.0f}",
        f"{row.ratio:.2f}",
        _judged(goal, is_missed=row.is_missed),
        ", ".join(peers),
    )
    return dict(zip(_TIME_COLUMNS, cells, strict=True))


def _memory_cells(row: MemoryRow) -> dict[str, object]:
    cells = (
        row.path,
        f"{row.messages:,}",
        row.at_10_mb,
        row.at_50_mb,
        row.at_100_mb,
        row.growth_mb,
        row.peak_mb,
        row.mb_per_s,
        _judged(row.goal, is_missed=row.is_missed),
    )
    return dict(zip(_MEMORY_COLUMNS, cells, strict=True))


def _judged(goal: str, *, is_missed: bool) -> str:
    return f"{goal} missed" if is_missed else goal
