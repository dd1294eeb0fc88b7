"""How far groups have read: committed, told and forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.groups.group import GroupState
from protopact.broker.groups.subscription import CONSUMER, subscribed_topics
from protopact.broker.messages.committed import (
    AskedGroup,
    FetchedGroup,
    FetchedPartition,
    FetchedTopic,
    OffsetCommitAnswer,
    OffsetDeleteAnswer,
    OffsetFetchAnswer,
    PartitionCode,
    TopicCodes,
)
from protopact.broker.state import Committed
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.broker.messages.committed import (
        CommittedTopic,
        OffsetCommitRequest,
        OffsetDeleteRequest,
        OffsetFetchRequest,
    )
    from protopact.broker.node import Caller, Node
    from protopact.broker.state.port import Place

METADATA_LENGTH_MAX = 4096


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
