"""Groups of the newer protocols, which this broker has not.

Their heartbeats are offered all the same, and refused: where they are not offered, librdkafka (2.16) waits for them
without a word, while every client takes UNSUPPORTED_VERSION as final.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.broker.messages.refused import NewerGroupAnswer

if TYPE_CHECKING:
    from protopact.broker.messages.refused import NewerGroupRequest
    from protopact.broker.node import Caller, Node


async def refuse_consumer_group(_node: Node, _request: NewerGroupRequest, _caller: Caller) -> NewerGroupAnswer:
    """Refuse a member of a group of KIP-848."""
    return NewerGroupAnswer("the embedded broker has no groups of KIP-848: set group.protocol=classic")


async def refuse_share_group(_node: Node, _request: NewerGroupRequest, _caller: Caller) -> NewerGroupAnswer:
    """Refuse a member of a share group."""
    return NewerGroupAnswer("the embedded broker has no share groups")
