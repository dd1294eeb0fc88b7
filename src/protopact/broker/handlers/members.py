"""Members of consumer groups: they join, are told what to read, say that they live, and leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.broker.groups.member import Client

if TYPE_CHECKING:
    from protopact.broker.messages.members import (
        HeartbeatAnswer,
        HeartbeatRequest,
        JoinGroupAnswer,
        JoinGroupRequest,
        LeaveGroupAnswer,
        LeaveGroupRequest,
        SyncGroupAnswer,
        SyncGroupRequest,
    )
    from protopact.broker.node import Caller, Node

_ID_FIRST_SINCE = 4
_SKIP_SINCE = 9


async def join_group(node: Node, request: JoinGroupRequest, caller: Caller) -> JoinGroupAnswer:
    """Take a member in, and answer when its generation is formed."""
    client = Client(
        caller.client_id,
        f"/{caller.client_host}",
        takes_id_first=caller.version >= _ID_FIRST_SINCE,
        may_skip=caller.version >= _SKIP_SINCE,
    )
    return await node.groups.join(request, client)


async def sync_group(node: Node, request: SyncGroupRequest, _caller: Caller) -> SyncGroupAnswer:
    """Tell a member what it is to read, when the leader has said so."""
    return await node.groups.sync(request)


async def heartbeat(node: Node, request: HeartbeatRequest, _caller: Caller) -> HeartbeatAnswer:
    """Tell a member whether it is to join again."""
    return node.groups.heartbeat(request)


async def leave_group(node: Node, request: LeaveGroupRequest, _caller: Caller) -> LeaveGroupAnswer:
    """Let members go."""
    return node.groups.leave(request)
