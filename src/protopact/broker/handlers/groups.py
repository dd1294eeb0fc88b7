"""Consumer groups as administrators see them: listed, described and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.groups.group import GroupState
from protopact.broker.messages.groups import (
    DeletedGroup,
    DeleteGroupsAnswer,
    DescribedGroup,
    DescribedMember,
    DescribeGroupsAnswer,
    ListedGroup,
    ListGroupsAnswer,
)
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from protopact.broker.groups.group import Group
    from protopact.broker.messages.groups import (
        DeleteGroupsRequest,
        DescribeGroupsRequest,
        ListGroupsRequest,
    )
    from protopact.broker.node import Caller, Node

_NOT_FOUND_SINCE = 6
_DEAD = "Dead"


async def list_groups(node: Node, request: ListGroupsRequest, _caller: Caller) -> ListGroupsAnswer:
    """List groups, of some states and types or all."""
    states = {state.lower() for state in request.states_filter}
    types = {kind.lower() for kind in request.types_filter}
    if types and "classic" not in types:
        return ListGroupsAnswer(())
    return ListGroupsAnswer(
        tuple(
            ListedGroup(group.group_id, group.protocol_type, group.state.value)
            for group in node.groups
            if not states or group.state.value.lower() in states
        )
    )


async def describe_groups(node: Node, request: DescribeGroupsRequest, caller: Caller) -> DescribeGroupsAnswer:
    """Describe groups and their members; one that is not there is dead, and from version 6 on not found."""
    described = []
    for group_id in request.groups:
        group = node.groups.find(group_id)
        if group is not None:
            described.append(_described(group))
        elif caller.version >= _NOT_FOUND_SINCE:
            described.append(
                DescribedGroup(
                    group_id,
                    _DEAD,
                    error_code=Code.GROUP_ID_NOT_FOUND,
                    error_message=f"there is no group {group_id!r}",
                )
            )
        else:
            described.append(DescribedGroup(group_id, _DEAD))
    return DescribeGroupsAnswer(tuple(described))


async def delete_groups(node: Node, request: DeleteGroupsRequest, _caller: Caller) -> DeleteGroupsAnswer:
    """Delete groups, each for itself."""
    results = []
    for group_id in request.groups_names:
        code = Code.NONE
        try:
            await node.groups.delete(group_id)
        except RefusedRequestError as refusal:
            code = Code(refusal.error_code)
        results.append(DeletedGroup(group_id, code))
    return DeleteGroupsAnswer(tuple(results))


def _described(group: Group) -> DescribedGroup:
    """Describe a group; what members said and read shows when the group has chosen."""
    chosen = group.protocol if group.state in {GroupState.STABLE, GroupState.COMPLETING} else ""
    members = tuple(
        DescribedMember(
            member.member_id,
            member.client.client_id,
            member.client.host,
            member.metadata(chosen) if chosen else b"",
            member.assignment,
            member.group_instance_id,
        )
        for member in group.members.values()
    )
    return DescribedGroup(group.group_id, group.state.value, group.protocol_type, chosen, members)
