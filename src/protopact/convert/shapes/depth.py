"""How deep messages can be nested: which types can go beyond the limit of all readers, and which messages do.

Protobuf's own parsers stop at 100 levels below the root (a map's entry is one), so what is nested deeper must not be
written. Only types that reach themselves, or long chains of types, can be: for all others nothing is ever counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError as WireDecodeError

from protopact.convert.shapes.fields import descriptor_of
from protopact.errors import EncodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

DEPTH_MAX = 100
"""Levels of messages below the root, as protobuf's own parsers allow; a map's entry is a level too."""

_BYTES_OF_A_LEVEL = 2  # its tag and its length


def is_deep(descriptor: Descriptor) -> bool:
    """Tell whether messages of a type can be nested deeper than 100 levels."""
    return heights(descriptor).get(descriptor.full_name, DEPTH_MAX + 1) > DEPTH_MAX


def heights(root: Descriptor) -> dict[str, int]:
    """Give the levels below each type that a type reaches; types that can be nested without end are left out."""
    below = _reached(root)
    above: dict[str, list[str]] = {name: [] for name in below}
    for name, children in below.items():
        for child in children:
            above[child].append(name)
    waiting = {name: len(children) for name, children in below.items()}
    settled = {name: 0 for name, number in waiting.items() if number == 0}
    todo = list(settled)
    while todo:
        name = todo.pop()
        for parent in above[name]:
            waiting[parent] -= 1
            if waiting[parent] == 0:
                settled[parent] = 1 + max(settled[child] for child in below[parent])
                todo.append(parent)
    return settled


def _reached(root: Descriptor) -> dict[str, frozenset[str]]:
    """Give the types right below each type that the root reaches."""
    below: dict[str, frozenset[str]] = {}
    todo = [root]
    while todo:
        descriptor = todo.pop()
        if descriptor.full_name not in below:
            children = {field.message_type for field in descriptor.fields if field.message_type is not None}
            names = {child.full_name for child in children}
            if descriptor.is_extendable:  # by messages that hold it again, for all that can be known here
                names.add(descriptor.full_name)
            below[descriptor.full_name] = frozenset(names)
            todo.extend(children)
    return below


def depth_check(message_class: type[Message]) -> Callable[[bytes], None] | None:
    """Give the function that refuses payloads nested deeper than any reader accepts; None for types that cannot be.

    EncodeError when messages in the payload are nested more than 100 deep. The payload is parsed for it, unknown
    fields too, unless it is too short to hold so many levels; nothing else is as quick and as sure.
    """
    descriptor = descriptor_of(message_class)
    if not is_deep(descriptor):
        return None
    parse, harmless = message_class.FromString, _BYTES_OF_A_LEVEL * (DEPTH_MAX + 1)

    def check(payload: bytes) -> None:
        if len(payload) >= harmless:
            try:
                parse(payload)
            except WireDecodeError as error:
                raise EncodeError(
                    f"the {descriptor.full_name} is not written: messages in it are nested more than {DEPTH_MAX} deep, "
                    "which no reader accepts"
                ) from error

    return check
