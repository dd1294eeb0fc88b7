"""Python functions that are written for a message type: their text, and the family that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.convert.code.family import Family, kept
    from protopact.convert.code.source import Namespace, Source, assignment, attribute, literal

__all__ = [
    "Family",
    "Namespace",
    "Source",
    "assignment",
    "attribute",
    "kept",
    "literal",
]

__getattr__ = door(
    __name__,
    {
        "Family": "family",
        "Namespace": "source",
        "Source": "source",
        "assignment": "source",
        "attribute": "source",
        "kept": "family",
        "literal": "source",
    },
)
