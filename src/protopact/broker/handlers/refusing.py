"""Answers that refuse a whole request with one error, for the faults that tests ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protopact.broker.messages import cluster, committed, groups, members, records, refused, topics
from protopact.broker.node import NODE_ID
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from protopact.broker.codes import Code
    from protopact.broker.node import Caller, Node


def refused_answer(node: Node, request: object, code: Code, caller: Caller) -> object:
    """Give the answer that refuses everything in a request with this error.

    RefusedRequestError, which ends the connection, where the client waits for no answer.
    """
    if isinstance(request, cluster.MetadataRequest):
        return _metadata(node, request, code, caller)
    return _REFUSED[type(request)](request, code)


def _metadata(node: Node, request: cluster.MetadataRequest, code: Code, caller: Caller) -> object:
    """Refuse the topics: an answer without the broker would have clients forget it."""
    wanted = request.topics
    if wanted is None:
        wanted = tuple(cluster.WantedTopic(topic.name, topic.topic_id) for topic in node.topics)
    return cluster.MetadataAnswer(
        brokers=(cluster.BrokerPlace(NODE_ID, caller.broker_host, caller.broker_port),),
        cluster_id=node.state.cluster_id(),
        controller_id=NODE_ID,
        topics=tuple(cluster.TopicMetadata(topic.name, code, topic.topic_id) for topic in wanted),
    )


def _produce(request: records.ProduceRequest, code: Code) -> object:
    if request.acks == 0:
        raise RefusedRequestError(f"a test refuses records with {code.name}", error_code=code)
    return records.ProduceAnswer(
        tuple(
            records.TopicAppended(
                tuple(records.PartitionAppended(part.index, code) for part in topic.partition_data),
                topic.name,
                topic.topic_id,
            )
            for topic in request.topic_data
        )
    )


def _fetch(request: records.FetchRequest, code: Code) -> object:
    return records.FetchAnswer(
        tuple(
            records.TopicFetched(
                tuple(records.PartitionFetched(part.partition, code) for part in topic.partitions),
                topic.topic,
                topic.topic_id,
            )
            for topic in request.topics
        )
    )


def _list_offsets(request: records.ListOffsetsRequest, code: Code) -> object:
    return records.ListOffsetsAnswer(
        tuple(
            records.FoundOffsets(
                topic.name, tuple(records.FoundOffset(part.partition_index, code) for part in topic.partitions)
            )
            for topic in request.topics
        )
    )


def _delete_records(request: records.DeleteRecordsRequest, code: Code) -> object:
    return records.DeleteRecordsAnswer(
        tuple(
            records.DeletedRecordsTopic(
                topic.name,
                tuple(
                    records.DeletedRecordsPartition(part.partition_index, error_code=code) for part in topic.partitions
                ),
            )
            for topic in request.topics
        )
    )


def _leader_epochs(request: records.LeaderEpochsRequest, code: Code) -> object:
    return records.LeaderEpochsAnswer(
        tuple(
            records.EpochEnds(topic.topic, tuple(records.EpochEnd(part.partition, code) for part in topic.partitions))
            for topic in request.topics
        )
    )


def _coordinator(request: cluster.CoordinatorRequest, code: Code) -> object:
    keys = request.coordinator_keys or (request.key,)
    found = tuple(cluster.Coordinator(key, error_code=code) for key in keys)
    return cluster.CoordinatorAnswer(-1, "", -1, code, None, found)


def _create_topics(request: topics.CreateTopicsRequest, code: Code) -> object:
    return topics.CreateTopicsAnswer(tuple(topics.MadeTopic(topic.name, code) for topic in request.topics))


def _delete_topics(request: topics.DeleteTopicsRequest, code: Code) -> object:
    unwanted = request.topics or tuple(topics.UnwantedTopic(name) for name in request.topic_names)
    return topics.DeleteTopicsAnswer(tuple(topics.DeletedTopic(each.name, each.topic_id, code) for each in unwanted))


def _create_partitions(request: topics.CreatePartitionsRequest, code: Code) -> object:
    made = tuple(topics.MorePartitionsMade(topic.name, code) for topic in request.topics)
    return topics.CreatePartitionsAnswer(made)


def _describe_configs(request: topics.DescribeConfigsRequest, code: Code) -> object:
    return topics.DescribeConfigsAnswer(
        tuple(topics.DescribedConfigs(each.resource_type, each.resource_name, code) for each in request.resources)
    )


def _alter_configs(request: topics.AlterConfigsRequest, code: Code) -> object:
    return topics.AlterConfigsAnswer(
        tuple(topics.AlteredConfigs(each.resource_type, each.resource_name, code) for each in request.resources)
    )


def _join_group(request: members.JoinGroupRequest, code: Code) -> object:
    return members.JoinGroupAnswer(request.member_id, code)


def _leave_group(request: members.LeaveGroupRequest, code: Code) -> object:
    left = tuple(members.LeftMember(each.member_id, each.group_instance_id, code) for each in request.members)
    return members.LeaveGroupAnswer(code, left)


def _offset_commit(request: committed.OffsetCommitRequest, code: Code) -> object:
    return committed.OffsetCommitAnswer(
        tuple(
            committed.TopicCodes(
                topic.name, tuple(committed.PartitionCode(part.partition_index, code) for part in topic.partitions)
            )
            for topic in request.topics
        )
    )


def _offset_fetch(request: committed.OffsetFetchRequest, code: Code) -> object:
    return committed.OffsetFetchAnswer(
        (), tuple(committed.FetchedGroup(each.group_id, (), code) for each in request.groups), code
    )


def _describe_groups(request: groups.DescribeGroupsRequest, code: Code) -> object:
    return groups.DescribeGroupsAnswer(
        tuple(groups.DescribedGroup(group_id, "", error_code=code) for group_id in request.groups)
    )


def _delete_groups(request: groups.DeleteGroupsRequest, code: Code) -> object:
    return groups.DeleteGroupsAnswer(tuple(groups.DeletedGroup(group_id, code) for group_id in request.groups_names))


_REFUSED: Mapping[type, Callable[[Any, Code], object]] = {
    cluster.ClusterRequest: lambda _, code: cluster.ClusterAnswer("", -1, (), code),
    cluster.CoordinatorRequest: _coordinator,
    cluster.LogDirsRequest: lambda _, code: cluster.LogDirsAnswer((), code),
    cluster.VersionsRequest: lambda _, code: cluster.VersionsAnswer((), code),
    committed.OffsetCommitRequest: _offset_commit,
    committed.OffsetDeleteRequest: lambda _, code: committed.OffsetDeleteAnswer(code),
    committed.OffsetFetchRequest: _offset_fetch,
    groups.DeleteGroupsRequest: _delete_groups,
    groups.DescribeGroupsRequest: _describe_groups,
    groups.ListGroupsRequest: lambda _, code: groups.ListGroupsAnswer((), code),
    members.HeartbeatRequest: lambda _, code: members.HeartbeatAnswer(code),
    members.JoinGroupRequest: _join_group,
    members.LeaveGroupRequest: _leave_group,
    members.SyncGroupRequest: lambda _, code: members.SyncGroupAnswer(code),
    records.DeleteRecordsRequest: _delete_records,
    records.FetchRequest: _fetch,
    records.LeaderEpochsRequest: _leader_epochs,
    records.ListOffsetsRequest: _list_offsets,
    records.ProduceRequest: _produce,
    records.ProducerIdRequest: lambda _, code: records.ProducerIdAnswer(code),
    refused.NewerGroupRequest: lambda _, code: refused.NewerGroupAnswer(code.name, code),
    topics.AlterConfigsRequest: _alter_configs,
    topics.CreatePartitionsRequest: _create_partitions,
    topics.CreateTopicsRequest: _create_topics,
    topics.DeleteTopicsRequest: _delete_topics,
    topics.DescribeConfigsRequest: _describe_configs,
    topics.ListConfigResourcesRequest: lambda _, code: topics.ListConfigResourcesAnswer((), code),
}
