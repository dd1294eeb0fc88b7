"""How differences are shown: one row each, with the reason and what shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.cli.output import is_json, print_json, print_line, print_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from protopact.compat import Difference
    from protopact.rollout import Finding

DIFFERENCE_COLUMNS = ("type", "path", "before", "after")
FINDING_COLUMNS = ("file", "against", *DIFFERENCE_COLUMNS, "reason")
_OF_PEOPLE = {"description", "example"}


def difference_row(one: Difference) -> dict[str, object]:
    """Give a difference as a row."""
    return {"type": str(one.type), "path": one.path, "before": one.original, "after": one.update}


def finding_rows(findings: Iterable[Finding]) -> list[dict[str, object]]:
    """Give findings as rows; their examples are sentences."""
    return [
        {
            "file": finding.file,
            "against": finding.against,
            **difference_row(finding.difference),
            "reason": finding.difference.reason,
            "description": finding.description,
            "example": None if finding.difference.example is None else str(finding.difference.example),
        }
        for finding in findings
    ]


def print_verdict(said: dict[str, object], rows: Sequence[dict[str, object]], style: str | None, *, good: str) -> None:
    """Print a verdict: JSON with all that is said and every row; for people the rows, or one good line.

    The examples follow the table, where their sentences have room.
    """
    if is_json(style):
        print_json({**said, "findings": list(rows)})
        return
    if not rows:
        print_line(good)
        return
    print_rows(FINDING_COLUMNS, [{k: v for k, v in row.items() if k not in _OF_PEOPLE} for row in rows], "table")
    for row in rows:
        if row["example"]:
            print_line(f"{row['path']}: for example {row['example']}")
