"""Consumer groups: their members, the offsets that they commit, and what administrators see of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.groups.group import GroupState
from protopact.broker.groups.member import Client
from protopact.broker.groups.messages import (
    AskedGroup,
    DeletedGroup,
    DeleteGroupsAnswer,
    DescribedGroup,
    DescribedMember,
    DescribeGroupsAnswer,
    FetchedGroup,
    FetchedPartition,
    FetchedTopic,
    ListedGroup,
    ListGroupsAnswer,
    OffsetCommitAnswer,
    OffsetDeleteAnswer,
    OffsetFetchAnswer,
    PartitionCode,
    TopicCodes,
)
from protopact.broker.groups.subscription import CONSUMER, subscribed_topics
from protopact.broker.state import Committed
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.broker.groups.group import Group
    from protopact.broker.groups.messages import (
        CommittedTopic,
        DeleteGroupsRequest,
        DescribeGroupsRequest,
        HeartbeatAnswer,
        HeartbeatRequest,
        JoinGroupAnswer,
        JoinGroupRequest,
        LeaveGroupAnswer,
        LeaveGroupRequest,
        ListGroupsRequest,
        OffsetCommitRequest,
        OffsetDeleteRequest,
        OffsetFetchRequest,
        SyncGroupAnswer,
        SyncGroupRequest,
    )
    from protopact.broker.node import Caller, Node
    from protopact.broker.state.port import Place

METADATA_LENGTH_MAX = 4096
_ID_FIRST_SINCE = 4
_SKIP_SINCE = 9
_NOT_FOUND_SINCE = 6
_DEAD = "Dead"


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


async def offset_commit(node: Node, request: OffsetCommitRequest, _caller: Caller) -> OffsetCommitAnswer:
    """Remember how far a group has read, for partitions that are there."""
    try:
        node.groups.check_commit(
            request.group_id, request.generation_id_or_member_epoch, request.member_id, request.group_instance_id
        )
        refused = Code.NONE
    except RefusedRequestError as refusal:
        refused = Code(refusal.error_code)
    offsets: dict[Place, Committed] = {}
    topics = tuple(_commit(node, topic, refused, offsets) for topic in request.topics)
    if offsets:
        await node.groups.offsets.commit(request.group_id, offsets)
    return OffsetCommitAnswer(topics)


async def offset_fetch(node: Node, request: OffsetFetchRequest, _caller: Caller) -> OffsetFetchAnswer:
    """Say how far groups have read."""
    asked = request.groups or (AskedGroup(request.group_id, request.topics),)
    groups = tuple(FetchedGroup(each.group_id, _fetched(node, each)) for each in asked)
    return OffsetFetchAnswer(groups[0].topics, groups)


async def offset_delete(node: Node, request: OffsetDeleteRequest, _caller: Caller) -> OffsetDeleteAnswer:
    """Forget how far a group has read, for topics that none of its members subscribes to."""
    group = node.groups.find(request.group_id)
    if group is None:
        return OffsetDeleteAnswer(Code.GROUP_ID_NOT_FOUND)
    if group.state is not GroupState.EMPTY and group.protocol_type != CONSUMER:
        return OffsetDeleteAnswer(Code.NON_EMPTY_GROUP)
    subscribed = subscribed_topics(group)
    codes = {
        topic.name: Code.GROUP_SUBSCRIBED_TO_TOPIC if subscribed is None or topic.name in subscribed else Code.NONE
        for topic in request.topics
    }
    places = [
        (topic.name, each.partition_index)
        for topic in request.topics
        for each in topic.partitions
        if codes[topic.name] == Code.NONE
    ]
    await node.groups.offsets.forget(request.group_id, places)
    return OffsetDeleteAnswer(
        topics=tuple(
            TopicCodes(
                topic.name, tuple(PartitionCode(each.partition_index, codes[topic.name]) for each in topic.partitions)
            )
            for topic in request.topics
        )
    )


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


def _commit(node: Node, topic: CommittedTopic, refused: Code, offsets: dict[Place, Committed]) -> TopicCodes:
    """Judge one topic's commits, and put those that are good to the others."""
    found = node.topics.find(topic.name)
    known = 0 if found is None else len(found.partitions)
    codes = []
    for each in topic.partitions:
        metadata = each.committed_metadata or ""
        code = refused
        if code == Code.NONE and not 0 <= each.partition_index < known:
            code = Code.UNKNOWN_TOPIC_OR_PARTITION
        elif code == Code.NONE and len(metadata.encode()) > METADATA_LENGTH_MAX:
            code = Code.OFFSET_METADATA_TOO_LARGE
        if code == Code.NONE:
            offsets[topic.name, each.partition_index] = Committed(
                each.committed_offset, each.committed_leader_epoch, metadata, node.clock.now_ms()
            )
        codes.append(PartitionCode(each.partition_index, code))
    return TopicCodes(topic.name, tuple(codes))


def _fetched(node: Node, asked: AskedGroup) -> tuple[FetchedTopic, ...]:
    committed = node.groups.offsets.of(asked.group_id)
    if asked.topics is None:
        names = sorted({name for name, _ in committed})
        wanted = [(name, sorted(index for topic, index in committed if topic == name)) for name in names]
    else:
        wanted = [(topic.name, list(topic.partition_indexes)) for topic in asked.topics]
    return tuple(
        FetchedTopic(name, tuple(_partition(committed, name, index) for index in indexes)) for name, indexes in wanted
    )


def _partition(committed: Mapping[Place, Committed], name: str, index: int) -> FetchedPartition:
    found = committed.get((name, index))
    if found is None:
        return FetchedPartition(index)
    return FetchedPartition(index, found.offset, found.leader_epoch, found.metadata)


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
