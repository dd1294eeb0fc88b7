"""Every request that the broker knows, in one table: its key, its versions, its message and what it does.

Clients learn keys and versions from it (`api_versions`), and keep to them. What is not here is not offered:
transactions, access lists, SASL. Groups of the newer protocols (KIP-848, share groups) are refused by their heartbeats.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias, cast

from protopact.broker.codes import Code

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from protopact.broker.messages.cluster import VersionsAnswer, VersionsRequest
    from protopact.broker.node import Caller, Node

VERSIONS_KEY = 18

Handler: TypeAlias = "Callable[..., Awaitable[object | None]]"


@dataclass(frozen=True)
class Api:
    """One kind of request. Its message and its handler are named, and loaded when the first of its kind has come.

    `message` names a class in `protopact.broker.messages`, `handler` a function in `protopact.broker.handlers`.
    `pipelined`: the next of its kind is begun before this one is answered.
    """

    key: int
    name: str
    least: int
    most: int
    message: str
    handler: str | Handler
    pipelined: bool = False

    @cached_property
    def request(self) -> type:
        """The class of the message."""
        module, _, name = self.message.partition(".")
        return cast("type", getattr(import_module(f"protopact.broker.messages.{module}"), name))

    @cached_property
    def handle(self) -> Handler:
        """What does the request: it takes the node, the message and the caller, and gives the answer."""
        if not isinstance(self.handler, str):
            return self.handler
        module, _, name = self.handler.partition(".")
        return cast("Handler", getattr(import_module(f"protopact.broker.handlers.{module}"), name))


async def api_versions(_node: Node, _request: VersionsRequest, _caller: Caller) -> VersionsAnswer:
    """List what the broker knows."""
    return _versions(Code.NONE)


async def refused_versions() -> VersionsAnswer:
    """List what the broker knows to who asks for that in a version that it does not know."""
    return _versions(Code.UNSUPPORTED_VERSION)


def _versions(code: Code) -> VersionsAnswer:
    from protopact.broker.messages.cluster import ApiVersions, VersionsAnswer

    return VersionsAnswer(tuple(ApiVersions(api.key, api.least, api.most) for api in APIS.values()), code)


APIS: Mapping[int, Api] = {
    api.key: api
    for api in (
        Api(0, "Produce", 3, 13, "records.ProduceRequest", "produce.produce", pipelined=True),
        Api(1, "Fetch", 4, 17, "records.FetchRequest", "fetch.fetch"),
        Api(2, "ListOffsets", 1, 10, "records.ListOffsetsRequest", "offsets.list_offsets"),
        Api(3, "Metadata", 1, 13, "cluster.MetadataRequest", "cluster.metadata"),
        Api(8, "OffsetCommit", 2, 9, "committed.OffsetCommitRequest", "committed.offset_commit"),
        Api(9, "OffsetFetch", 1, 9, "committed.OffsetFetchRequest", "committed.offset_fetch"),
        Api(10, "FindCoordinator", 0, 6, "cluster.CoordinatorRequest", "cluster.find_coordinator"),
        Api(11, "JoinGroup", 0, 9, "members.JoinGroupRequest", "members.join_group"),
        Api(12, "Heartbeat", 0, 4, "members.HeartbeatRequest", "members.heartbeat"),
        Api(13, "LeaveGroup", 0, 5, "members.LeaveGroupRequest", "members.leave_group"),
        Api(14, "SyncGroup", 0, 5, "members.SyncGroupRequest", "members.sync_group"),
        Api(15, "DescribeGroups", 0, 6, "groups.DescribeGroupsRequest", "groups.describe_groups"),
        Api(16, "ListGroups", 0, 5, "groups.ListGroupsRequest", "groups.list_groups"),
        Api(VERSIONS_KEY, "ApiVersions", 0, 4, "cluster.VersionsRequest", api_versions),
        Api(19, "CreateTopics", 2, 7, "topics.CreateTopicsRequest", "topics.create_topics"),
        Api(20, "DeleteTopics", 1, 6, "topics.DeleteTopicsRequest", "topics.delete_topics"),
        Api(21, "DeleteRecords", 0, 2, "records.DeleteRecordsRequest", "offsets.delete_records"),
        Api(22, "InitProducerId", 0, 5, "records.ProducerIdRequest", "produce.init_producer_id"),
        Api(23, "OffsetForLeaderEpoch", 2, 4, "records.LeaderEpochsRequest", "epochs.offset_for_leader_epoch"),
        Api(32, "DescribeConfigs", 1, 4, "topics.DescribeConfigsRequest", "configs.describe_configs"),
        Api(33, "AlterConfigs", 0, 2, "topics.AlterConfigsRequest", "configs.alter_configs"),
        Api(35, "DescribeLogDirs", 1, 4, "cluster.LogDirsRequest", "cluster.describe_log_dirs"),
        Api(37, "CreatePartitions", 0, 3, "topics.CreatePartitionsRequest", "topics.create_partitions"),
        Api(42, "DeleteGroups", 0, 2, "groups.DeleteGroupsRequest", "groups.delete_groups"),
        Api(44, "IncrementalAlterConfigs", 0, 1, "topics.AlterConfigsRequest", "configs.incremental_alter_configs"),
        Api(47, "OffsetDelete", 0, 0, "committed.OffsetDeleteRequest", "committed.offset_delete"),
        Api(60, "DescribeCluster", 0, 1, "cluster.ClusterRequest", "cluster.describe_cluster"),
        Api(68, "ConsumerGroupHeartbeat", 0, 1, "refused.NewerGroupRequest", "newer_groups.refuse_consumer_group"),
        Api(74, "ListConfigResources", 1, 1, "topics.ListConfigResourcesRequest", "configs.list_config_resources"),
        Api(76, "ShareGroupHeartbeat", 1, 1, "refused.NewerGroupRequest", "newer_groups.refuse_share_group"),
    )
}
