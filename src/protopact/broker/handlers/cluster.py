"""The cluster as clients see it: one broker, at the address by which they reached it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.messages.cluster import (
    BrokerPlace,
    ClusterAnswer,
    ClusterBroker,
    Coordinator,
    CoordinatorAnswer,
    LogDir,
    LogDirsAnswer,
    MetadataAnswer,
    PartitionMetadata,
    SizedPartition,
    SizedTopic,
    TopicMetadata,
)
from protopact.broker.node import NODE_ID
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from protopact.broker.messages.cluster import (
        ClusterRequest,
        CoordinatorRequest,
        LogDirsRequest,
        MetadataRequest,
        WantedTopic,
    )
    from protopact.broker.node import Caller, Node
    from protopact.broker.topics import Topic

_GROUP = 0
_BROKERS = 1
_REFUSED_KEYS = {
    1: (Code.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "the embedded broker has no transactions"),  # final to all clients
    2: (Code.INVALID_REQUEST, "the embedded broker has no share groups"),
}
_NO_SUCH_KEY = (Code.INVALID_REQUEST, "no such kind of coordinator")


async def metadata(node: Node, request: MetadataRequest, caller: Caller) -> MetadataAnswer:
    """Describe the topics that were asked for; those that are missing are made where settings and client allow it."""
    if request.topics is None:
        topics = [_describe(topic) for topic in node.topics]
    else:
        topics = [await _wanted(node, wanted, make=request.allow_auto_topic_creation) for wanted in request.topics]
    return MetadataAnswer(
        brokers=(BrokerPlace(NODE_ID, caller.broker_host, caller.broker_port),),
        cluster_id=node.state.cluster_id(),
        controller_id=NODE_ID,
        topics=tuple(topics),
    )


async def find_coordinator(_node: Node, request: CoordinatorRequest, caller: Caller) -> CoordinatorAnswer:
    """Name this broker as the coordinator of every group."""
    refusal = None if request.key_type == _GROUP else _REFUSED_KEYS.get(request.key_type, _NO_SUCH_KEY)
    keys = request.coordinator_keys or (request.key,)
    found = [_coordinator(key, refusal, caller) for key in keys]
    first = found[0]
    return CoordinatorAnswer(first.node_id, first.host, first.port, first.error_code, first.error_message, tuple(found))


async def describe_cluster(node: Node, request: ClusterRequest, caller: Caller) -> ClusterAnswer:
    """Describe the cluster of one broker; its controller is not reached by clients."""
    if request.endpoint_type != _BROKERS:
        return ClusterAnswer(
            "", -1, (), Code.UNSUPPORTED_VERSION, "the embedded broker shows no controllers", request.endpoint_type
        )
    brokers = (ClusterBroker(NODE_ID, caller.broker_host, caller.broker_port),)
    return ClusterAnswer(node.state.cluster_id(), NODE_ID, brokers)


async def describe_log_dirs(node: Node, request: LogDirsRequest, _caller: Caller) -> LogDirsAnswer:
    """Say how large partitions are, and how much room is left for them."""
    asked = None if request.topics is None else {topic.topic: set(topic.partitions) for topic in request.topics}
    topics = tuple(
        SizedTopic(
            topic.name,
            tuple(
                SizedPartition(partition.index, partition.log.size_bytes)
                for partition in topic.partitions
                if asked is None or partition.index in asked[topic.name]
            ),
        )
        for topic in node.topics
        if asked is None or topic.name in asked
    )
    if node.data_dir is None:
        return LogDirsAnswer((LogDir("memory", topics),))
    room = shutil.disk_usage(node.data_dir)
    return LogDirsAnswer((LogDir(str(node.data_dir), topics, total_bytes=room.total, usable_bytes=room.free),))


async def _wanted(node: Node, wanted: WantedTopic, *, make: bool) -> TopicMetadata:
    try:
        return _describe(await _found_or_made(node, wanted, make=make))
    except RefusedRequestError as refusal:
        return TopicMetadata(wanted.name, Code(refusal.error_code), wanted.topic_id)


async def _found_or_made(node: Node, wanted: WantedTopic, *, make: bool) -> Topic:
    if wanted.name is None:
        return node.topics.get_by_id(wanted.topic_id)
    if not (make and node.settings.topics_auto_create) or node.topics.find(wanted.name) is not None:
        return node.topics.get(wanted.name)
    try:
        return await node.topics.create(wanted.name, node.settings.partitions, {})
    except RefusedRequestError as refusal:
        if refusal.error_code == Code.TOPIC_ALREADY_EXISTS:  # another client was quicker
            return node.topics.get(wanted.name)
        raise


def _describe(topic: Topic) -> TopicMetadata:
    place = (NODE_ID,)
    return TopicMetadata(
        topic.name,
        topic_id=topic.topic_id,
        partitions=tuple(PartitionMetadata(each.index, NODE_ID, place, place) for each in topic.partitions),
    )


def _coordinator(key: str, refusal: tuple[Code, str] | None, caller: Caller) -> Coordinator:
    if refusal is not None:
        return Coordinator(key, error_code=refusal[0], error_message=refusal[1])
    return Coordinator(key, NODE_ID, caller.broker_host, caller.broker_port)
