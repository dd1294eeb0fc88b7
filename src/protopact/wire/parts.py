"""One row of annotated bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A run of bytes that means one thing: a field with its key, or a piece of a record's prefix.

    `offset` and `size` are in bytes, from the start of what was given; a message's part covers its key and length
    alone, its fields follow as parts one `depth` further in. `name` is the field's name, or its number in brackets
    where no schema tells it; `kind` is the declared type, or the wire type. `wrong` says why decoders refuse the
    bytes from here on, `note` what they accept and yet is odd; both are empty where all is well.
    """

    offset: int
    size: int
    depth: int
    name: str
    kind: str
    value: str = ""
    note: str = ""
    wrong: str = ""
