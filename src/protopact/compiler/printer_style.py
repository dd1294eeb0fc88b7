"""The two ways to print a file: as it is written, and as everything that means the same is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """What the canonical and the normal text do differently.

    `says_proto2`: a proto2 file says its syntax. `full_names`: types stand with a leading dot and their package,
    custom options with their package. `sorts_options`: options and the keys of their values stand by name.
    `parts_reserved`: each reserved number, range and name has a statement of its own. `short_numbers`: `1.0` is `1`.
    """

    says_proto2: bool = True
    full_names: bool = False
    sorts_options: bool = False
    parts_reserved: bool = False
    short_numbers: bool = False


CANONICAL = Style()
NORMAL = Style(says_proto2=False, full_names=True, sorts_options=True, parts_reserved=True, short_numbers=True)
