"""What members of the protocol type `consumer` say of themselves: the topics that they subscribe to.

Everything else in a member's words is its client's own matter. Source: Kafka's `ConsumerProtocolSubscription`.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from protopact.broker.groups.group import GroupState

if TYPE_CHECKING:
    from protopact.broker.groups.group import Group

CONSUMER = "consumer"
_HEAD = struct.Struct(">hi")
_LENGTH = struct.Struct(">h")


def subscribed_topics(group: Group) -> set[str] | None:
    """Give the topics that a group's members subscribe to; None when one of them cannot be understood."""
    if group.state is GroupState.EMPTY or group.protocol_type != CONSUMER:
        return set()
    topics: set[str] = set()
    for member in group.members.values():
        try:
            topics.update(_topics(member.protocols[0].metadata))
        except (struct.error, UnicodeDecodeError, IndexError):
            return None
    return topics


def _topics(metadata: bytes) -> list[str]:
    _, count = _HEAD.unpack_from(metadata)
    found, position = [], _HEAD.size
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(metadata, position)
        position += _LENGTH.size
        found.append(metadata[position : position + length].decode())
        position += length
    return found
