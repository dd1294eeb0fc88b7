"""`protopact registry backup|restore|audit`: a registry's data in one file, and who changed what."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli.options import add_registry_option, connect
from protopact.cli.output import add_format_option, print_line, print_rows

if TYPE_CHECKING:
    import argparse

_AUDIT_COLUMNS = ("number", "time", "who", "what", "subject", "detail")
_STORE_HELP = "address of the store: sqlite:PATH"


def configure_backup(parser: argparse.ArgumentParser) -> None:
    """Describe `registry backup`."""
    parser.set_defaults(run=_backup)
    parser.add_argument("store", metavar="STORE", help=f"{_STORE_HELP}; it may be in use")
    parser.add_argument("file", type=Path, metavar="FILE", help="where the backup goes; must not exist yet")


def configure_restore(parser: argparse.ArgumentParser) -> None:
    """Describe `registry restore`."""
    parser.set_defaults(run=_restore)
    parser.add_argument("file", type=Path, metavar="FILE", help="a backup")
    parser.add_argument("store", metavar="STORE", help=f"{_STORE_HELP}; must be new or empty, and in nobody's use")


def configure_audit(parser: argparse.ArgumentParser) -> None:
    """Describe `registry audit`."""
    parser.set_defaults(run=_audit)
    parser.add_argument("--limit", type=int, default=100, metavar="N", help="how many entries (default 100)")
    parser.add_argument("--before", type=int, metavar="NUMBER", help="entries of a lower number than this")
    add_registry_option(parser)
    add_format_option(parser)


def _backup(options: argparse.Namespace) -> int:
    from protopact.server import backup

    backup(options.store, options.file)
    print_line(str(options.file))
    return 0


def _restore(options: argparse.Namespace) -> int:
    from protopact.server import restore

    restore(options.file, options.store)
    print_line(f"restored {options.file}")
    return 0


def _audit(options: argparse.Namespace) -> int:
    with connect(options) as registry:
        entries = registry.get_audit(before=options.before, limit=options.limit)
    rows = [
        {
            "number": entry.number,
            "time": datetime.fromtimestamp(entry.ts / 1000, UTC).isoformat(timespec="milliseconds"),
            "who": entry.who,
            "what": entry.what,
            "subject": entry.subject,
            "detail": dict(entry.detail),
        }
        for entry in entries
    ]
    print_rows(_AUDIT_COLUMNS, rows, options.format)
    return 0
