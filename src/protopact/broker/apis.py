"""Every request that the broker knows, in one table: its key, its versions, its message and what it does.

Clients learn keys and versions from it (`api_versions`), and keep to them. What is not here is not offered:
transactions, access lists, SASL. Groups of the newer protocols (KIP-848, share groups) are refused by their heartbeats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.groups import messages as group_messages
from protopact.broker.handlers import cluster, configs, epochs, fetch, groups, newer_groups, offsets, produce, topics
from protopact.broker.messages import (
    cluster as cluster_messages,
    records as record_messages,
    refused as refused_messages,
    topics as topic_messages,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from protopact.broker.messages.cluster import VersionsAnswer, VersionsRequest
    from protopact.broker.node import Caller, Node

VERSIONS_KEY = 18


@dataclass(frozen=True, slots=True)
class Api:
    """One kind of request; `handle` takes the node, the request and the caller.

    `pipelined`: the next of its kind is begun before this one is answered.
    """

    key: int
    name: str
    least: int
    most: int
    request: type
    handle: Callable[..., Awaitable[object | None]]
    pipelined: bool = False


async def api_versions(_node: Node, _request: VersionsRequest, _caller: Caller) -> VersionsAnswer:
    """List what the broker knows."""
    return _versions(Code.NONE)


async def refused_versions() -> VersionsAnswer:
    """List what the broker knows to who asks for that in a version that it does not know."""
    return _versions(Code.UNSUPPORTED_VERSION)


def _versions(code: Code) -> VersionsAnswer:
    known = tuple(cluster_messages.ApiVersions(api.key, api.least, api.most) for api in APIS.values())
    return cluster_messages.VersionsAnswer(known, code)


APIS: Mapping[int, Api] = {
    api.key: api
    for api in (
        Api(0, "Produce", 3, 13, record_messages.ProduceRequest, produce.produce, pipelined=True),
        Api(1, "Fetch", 4, 17, record_messages.FetchRequest, fetch.fetch),
        Api(2, "ListOffsets", 1, 10, record_messages.ListOffsetsRequest, offsets.list_offsets),
        Api(3, "Metadata", 1, 13, cluster_messages.MetadataRequest, cluster.metadata),
        Api(8, "OffsetCommit", 2, 9, group_messages.OffsetCommitRequest, groups.offset_commit),
        Api(9, "OffsetFetch", 1, 9, group_messages.OffsetFetchRequest, groups.offset_fetch),
        Api(10, "FindCoordinator", 0, 6, cluster_messages.CoordinatorRequest, cluster.find_coordinator),
        Api(11, "JoinGroup", 0, 9, group_messages.JoinGroupRequest, groups.join_group),
        Api(12, "Heartbeat", 0, 4, group_messages.HeartbeatRequest, groups.heartbeat),
        Api(13, "LeaveGroup", 0, 5, group_messages.LeaveGroupRequest, groups.leave_group),
        Api(14, "SyncGroup", 0, 5, group_messages.SyncGroupRequest, groups.sync_group),
        Api(15, "DescribeGroups", 0, 6, group_messages.DescribeGroupsRequest, groups.describe_groups),
        Api(16, "ListGroups", 0, 5, group_messages.ListGroupsRequest, groups.list_groups),
        Api(VERSIONS_KEY, "ApiVersions", 0, 4, cluster_messages.VersionsRequest, api_versions),
        Api(19, "CreateTopics", 2, 7, topic_messages.CreateTopicsRequest, topics.create_topics),
        Api(20, "DeleteTopics", 1, 6, topic_messages.DeleteTopicsRequest, topics.delete_topics),
        Api(21, "DeleteRecords", 0, 2, record_messages.DeleteRecordsRequest, offsets.delete_records),
        Api(22, "InitProducerId", 0, 5, record_messages.ProducerIdRequest, produce.init_producer_id),
        Api(23, "OffsetForLeaderEpoch", 2, 4, record_messages.LeaderEpochsRequest, epochs.offset_for_leader_epoch),
        Api(32, "DescribeConfigs", 1, 4, topic_messages.DescribeConfigsRequest, configs.describe_configs),
        Api(33, "AlterConfigs", 0, 2, topic_messages.AlterConfigsRequest, configs.alter_configs),
        Api(35, "DescribeLogDirs", 1, 4, cluster_messages.LogDirsRequest, cluster.describe_log_dirs),
        Api(37, "CreatePartitions", 0, 3, topic_messages.CreatePartitionsRequest, topics.create_partitions),
        Api(42, "DeleteGroups", 0, 2, group_messages.DeleteGroupsRequest, groups.delete_groups),
        Api(44, "IncrementalAlterConfigs", 0, 1, topic_messages.AlterConfigsRequest, configs.incremental_alter_configs),
        Api(47, "OffsetDelete", 0, 0, group_messages.OffsetDeleteRequest, groups.offset_delete),
        Api(60, "DescribeCluster", 0, 1, cluster_messages.ClusterRequest, cluster.describe_cluster),
        Api(68, "ConsumerGroupHeartbeat", 0, 1, refused_messages.NewerGroupRequest, newer_groups.refuse_consumer_group),
        Api(74, "ListConfigResources", 1, 1, topic_messages.ListConfigResourcesRequest, configs.list_config_resources),
        Api(76, "ShareGroupHeartbeat", 1, 1, refused_messages.NewerGroupRequest, newer_groups.refuse_share_group),
    )
}
