"""Python functions that are written for a message type: their text, their authors, the family that keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.convert.code.family import Family, kept
    from protopact.convert.code.filling import Child, FillWriter, Keys, Scalar
    from protopact.convert.code.source import Namespace, Source, assignment, attribute, literal
    from protopact.convert.code.type_writer import TypeWriter

__all__ = [
    "Child",
    "Family",
    "FillWriter",
    "Keys",
    "Namespace",
    "Scalar",
    "Source",
    "TypeWriter",
    "assignment",
    "attribute",
    "kept",
    "literal",
]

__getattr__ = door(
    __name__,
    {
        "Child": "filling",
        "Family": "family",
        "FillWriter": "filling",
        "Keys": "filling",
        "Namespace": "source",
        "Scalar": "filling",
        "Source": "source",
        "TypeWriter": "type_writer",
        "assignment": "source",
        "attribute": "source",
        "kept": "family",
        "literal": "source",
    },
)
