"""Compatibility of schemas, decided on descriptors alone: Confluent's verdict, and stricter ones.

The way of a check: shapes (what a comparison sees) → comparison (Confluent's differences) → readers and steps (what
stricter policies refuse besides) → verdict. Which difference counts under which policy stands in the tables of `rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.compat.comparison import compare
    from protopact.compat.difference import Difference, DifferenceType, Example
    from protopact.compat.levels import Direction, Level
    from protopact.compat.rules import INCOMPATIBLE_FOR_CONFLUENT, RULES, Policy, Rule
    from protopact.compat.verdict import Report, VersionReport, check

__all__ = [
    "INCOMPATIBLE_FOR_CONFLUENT",
    "RULES",
    "Difference",
    "DifferenceType",
    "Direction",
    "Example",
    "Level",
    "Policy",
    "Report",
    "Rule",
    "VersionReport",
    "check",
    "compare",
]

__getattr__ = door(
    __name__,
    {
        "Difference": "difference",
        "DifferenceType": "difference",
        "Direction": "levels",
        "Example": "difference",
        "INCOMPATIBLE_FOR_CONFLUENT": "rules",
        "Level": "levels",
        "Policy": "rules",
        "RULES": "rules",
        "Report": "verdict",
        "Rule": "rules",
        "VersionReport": "verdict",
        "check": "verdict",
        "compare": "comparison",
    },
)
