"""The bytes of messages: explained, each key, length and value with its place and what is wrong; or parsed in steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.wire.parts import Part
    from protopact.wire.steps import merge_in_steps, parse_in_steps
    from protopact.wire.walk import annotate, annotate_prefix

__all__ = ["Part", "annotate", "annotate_prefix", "merge_in_steps", "parse_in_steps"]

__getattr__ = door(
    __name__,
    {
        "Part": "parts",
        "annotate": "walk",
        "annotate_prefix": "walk",
        "merge_in_steps": "steps",
        "parse_in_steps": "steps",
    },
)
