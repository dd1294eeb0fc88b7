"""The bytes of messages, explained: each key, length and value with its place, its meaning, and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.wire.parts import Part
    from protopact.wire.walk import annotate, annotate_prefix

__all__ = ["Part", "annotate", "annotate_prefix"]

__getattr__ = door(__name__, {"Part": "parts", "annotate": "walk", "annotate_prefix": "walk"})
