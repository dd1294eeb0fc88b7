"""Making, growing and deleting topics."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.handlers.configs import TOPIC_DEFAULT_SOURCE, TOPIC_SOURCE
from protopact.broker.messages.topics import (
    CreatePartitionsAnswer,
    CreateTopicsAnswer,
    DeletedTopic,
    DeleteTopicsAnswer,
    MadeConfig,
    MadeTopic,
    MorePartitionsMade,
    UnwantedTopic,
)
from protopact.broker.node import NODE_ID
from protopact.broker.topics import SETTINGS, TopicConfig
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protopact.broker.messages.topics import (
        CreatePartitionsRequest,
        CreateTopicsRequest,
        DeleteTopicsRequest,
        MorePartitions,
        NewTopic,
    )
    from protopact.broker.node import Caller, Node

_REPLICAS = 1
_TO_BE_CHOSEN = -1


async def create_topics(node: Node, request: CreateTopicsRequest, _caller: Caller) -> CreateTopicsAnswer:
    """Make topics, each for itself; a name that is asked for twice is refused both times."""
    twice = _twice(topic.name for topic in request.topics)
    made = [
        await _create(node, topic, twice=topic.name in twice, only_check=request.validate_only)
        for topic in request.topics
    ]
    return CreateTopicsAnswer(tuple(made))


async def delete_topics(node: Node, request: DeleteTopicsRequest, _caller: Caller) -> DeleteTopicsAnswer:
    """Delete topics, each for itself."""
    unwanted = request.topics or tuple(UnwantedTopic(name) for name in request.topic_names)
    return DeleteTopicsAnswer(tuple([await _delete(node, topic) for topic in unwanted]))


async def create_partitions(node: Node, request: CreatePartitionsRequest, _caller: Caller) -> CreatePartitionsAnswer:
    """Give topics more partitions, each for itself."""
    made = [await _grow(node, topic, only_check=request.validate_only) for topic in request.topics]
    return CreatePartitionsAnswer(tuple(made))


async def _create(node: Node, wanted: NewTopic, *, twice: bool, only_check: bool) -> MadeTopic:
    config = {each.name: each.value for each in wanted.configs if each.value is not None}
    if twice:
        return MadeTopic(wanted.name, Code.INVALID_REQUEST, f"{wanted.name!r} is asked for twice")
    try:
        partitions = _partitions(node, wanted)
        node.topics.check_new(wanted.name, partitions, config)
        made = None if only_check else await node.topics.create(wanted.name, partitions, config)
    except RefusedRequestError as refusal:
        return MadeTopic(wanted.name, Code(refusal.error_code), _worded(refusal))
    return MadeTopic(
        wanted.name,
        num_partitions=partitions,
        replication_factor=_REPLICAS,
        configs=_made_configs(TopicConfig(config, node.settings)),
        topic_id=None if made is None else made.topic_id,
    )


def _partitions(node: Node, wanted: NewTopic) -> int:
    """Give the number of partitions that is wanted, having checked where they are wanted."""
    if wanted.assignments:
        _check_places([each.broker_ids for each in wanted.assignments])
        if sorted(each.partition_index for each in wanted.assignments) != list(range(len(wanted.assignments))):
            raise RefusedRequestError(
                "assigned partitions are numbered from 0 without gaps", error_code=Code.INVALID_REPLICA_ASSIGNMENT
            )
        return len(wanted.assignments)
    if wanted.replication_factor not in {_TO_BE_CHOSEN, _REPLICAS}:
        raise RefusedRequestError(
            f"there is one broker, so a topic has 1 replica, not {wanted.replication_factor}",
            error_code=Code.INVALID_REPLICATION_FACTOR,
        )
    return node.settings.partitions if wanted.num_partitions == _TO_BE_CHOSEN else wanted.num_partitions


def _check_places(places: Iterable[tuple[int, ...]]) -> None:
    for broker_ids in places:
        if broker_ids != (NODE_ID,):
            raise RefusedRequestError(
                f"there is one broker, {NODE_ID}; a partition cannot be on {list(broker_ids)}",
                error_code=Code.INVALID_REPLICA_ASSIGNMENT,
            )


def _made_configs(config: TopicConfig) -> tuple[MadeConfig, ...]:
    return tuple(
        MadeConfig(
            name,
            config.text(name),
            read_only=False,
            config_source=TOPIC_SOURCE if name in config.own else TOPIC_DEFAULT_SOURCE,
        )
        for name in SETTINGS
    )


async def _delete(node: Node, unwanted: UnwantedTopic) -> DeletedTopic:
    name, topic_id = unwanted.name, unwanted.topic_id
    try:
        topic = node.topics.get_by_id(topic_id) if name is None else node.topics.get(name)
        name, topic_id = topic.name, topic.topic_id
        await node.topics.delete(topic)
        node.groups.topic_deleted(name)
    except RefusedRequestError as refusal:
        return DeletedTopic(name, topic_id, Code(refusal.error_code), _worded(refusal))
    return DeletedTopic(name, topic_id)


async def _grow(node: Node, wanted: MorePartitions, *, only_check: bool) -> MorePartitionsMade:
    try:
        topic = node.topics.get(wanted.name)
        if wanted.assignments is not None:
            _check_places(each.broker_ids for each in wanted.assignments)
        node.topics.check_grown(topic, wanted.count)
        if not only_check:
            await node.topics.grow(topic, wanted.count)
    except RefusedRequestError as refusal:
        return MorePartitionsMade(wanted.name, Code(refusal.error_code), _worded(refusal))
    return MorePartitionsMade(wanted.name)


def _worded(refusal: RefusedRequestError) -> str:
    return f"{refusal}; {refusal.hint}" if refusal.hint else str(refusal)


def _twice(names: Iterable[str]) -> set[str]:
    return {name for name, times in Counter(names).items() if times > 1}
