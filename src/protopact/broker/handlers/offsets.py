"""Offsets of a partition: by time, and where it begins after records were deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.handlers.epochs import check_epoch
from protopact.broker.messages.records import (
    DeletedRecordsPartition,
    DeletedRecordsTopic,
    DeleteRecordsAnswer,
    FoundOffset,
    FoundOffsets,
    ListOffsetsAnswer,
)
from protopact.broker.topics.partition import LEADER_EPOCH
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from protopact.broker.messages.records import (
        AskedOffset,
        DeleteRecordsPartition,
        DeleteRecordsRequest,
        ListOffsetsRequest,
    )
    from protopact.broker.node import Caller, Node
    from protopact.broker.topics import Partition

_NOWHERE = (-1, -1)
_END = -1

# Times that mean a place: an offset and the time of its record, -1 where that is not told.
_PLACES: Mapping[int, Callable[[Partition], tuple[int, int]]] = {
    -1: lambda partition: (partition.high_watermark, -1),
    -2: lambda partition: (partition.log.start_offset, -1),
    -3: lambda partition: partition.log.newest_timestamp(),
    -4: lambda partition: (partition.log.start_offset, -1),  # the earliest that is kept here: there is no other place
    -5: lambda _: _NOWHERE,  # the latest that was moved elsewhere: nothing is
}


async def list_offsets(node: Node, request: ListOffsetsRequest, _caller: Caller) -> ListOffsetsAnswer:
    """Look for offsets by time, or by a place that a negative time means."""
    return ListOffsetsAnswer(
        tuple(
            FoundOffsets(topic.name, tuple(_find(node, topic.name, asked) for asked in topic.partitions))
            for topic in request.topics
        )
    )


async def delete_records(node: Node, request: DeleteRecordsRequest, _caller: Caller) -> DeleteRecordsAnswer:
    """Delete the records before offsets."""
    return DeleteRecordsAnswer(
        tuple(
            DeletedRecordsTopic(topic.name, tuple(_delete(node, topic.name, asked) for asked in topic.partitions))
            for topic in request.topics
        )
    )


def _find(node: Node, topic: str, asked: AskedOffset) -> FoundOffset:
    try:
        check_epoch(asked.current_leader_epoch)
        partition = node.topics.get(topic).partition(asked.partition_index)
        offset, timestamp = _look(partition, asked.timestamp)
    except RefusedRequestError as refusal:
        return FoundOffset(asked.partition_index, Code(refusal.error_code))
    if offset > partition.high_watermark:
        offset, timestamp = _NOWHERE
    return FoundOffset(
        asked.partition_index, timestamp=timestamp, offset=offset, leader_epoch=-1 if offset < 0 else LEADER_EPOCH
    )


def _look(partition: Partition, time: int) -> tuple[int, int]:
    place = _PLACES.get(time)
    if place is not None:
        return place(partition)
    if time < 0:
        raise RefusedRequestError(f"no place is meant by the time {time}", error_code=Code.UNSUPPORTED_VERSION)
    return partition.log.find_by_time(time) or _NOWHERE


def _delete(node: Node, topic: str, asked: DeleteRecordsPartition) -> DeletedRecordsPartition:
    try:
        partition = node.topics.get(topic).partition(asked.partition_index)
        partition.delete_before(partition.high_watermark if asked.offset == _END else asked.offset)
    except RefusedRequestError as refusal:
        return DeletedRecordsPartition(asked.partition_index, error_code=Code(refusal.error_code))
    return DeletedRecordsPartition(asked.partition_index, low_watermark=partition.log.start_offset)
