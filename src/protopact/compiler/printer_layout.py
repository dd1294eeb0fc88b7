"""How printed text is laid out: indentation, braces, and sections parted by a blank line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_INDENT = "  "


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Lines that stay together, the section that they belong to, and the messages that they define in their scope."""

    section: str
    lines: list[str]
    defines: tuple[str, ...] = ()


def indented(lines: Iterable[str]) -> list[str]:
    """Give the lines one step further in; blank lines stay empty."""
    return [_INDENT + line if line else line for line in lines]


def braced(head: str, body: Sequence[str], tail: str = "}") -> list[str]:
    """Give `head { body }` over several lines, `head {}` without a body."""
    if not body:
        return [f"{head} {{{tail}"]
    return [f"{head} {{", *indented(body), tail]


def section(name: str, lines: list[str]) -> Iterator[Block]:
    """Give the lines as one block, or nothing when there are none."""
    if lines:
        yield Block(name, lines)


def in_sections(blocks: Iterable[Block]) -> list[str]:
    """Give the lines of all blocks, with a blank line wherever the section changes."""
    lines: list[str] = []
    current = ""
    for block in blocks:
        if lines and block.section != current:
            lines.append("")
        lines += block.lines
        current = block.section
    return lines


def in_message_order(blocks: Sequence[Block], order: Sequence[str]) -> list[Block]:
    """Give the blocks in an order that defines messages in the given `order`, moving as few as possible.

    Maps, groups and extended groups define messages too. Where the usual order of sections would change the message
    indexes that records on the wire carry, the indexes win.
    """
    place = {name: index for index, name in enumerate(order)}
    defining = iter(sorted((block for block in blocks if block.defines), key=lambda block: place[block.defines[0]]))
    ordered: list[Block] = []
    moved: set[int] = set()
    for block in blocks:
        if not block.defines:
            ordered.append(block)
            continue
        while id(block) not in moved:
            earlier = next(defining)
            ordered.append(earlier)
            moved.add(id(earlier))
    return ordered
