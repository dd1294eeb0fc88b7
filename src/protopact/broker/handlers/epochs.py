"""Leader epochs: there is one broker, and it has led every partition from the beginning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.messages.records import EpochEnd, EpochEnds, LeaderEpochsAnswer
from protopact.broker.topics.partition import LEADER_EPOCH
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from protopact.broker.messages.records import AskedEpoch, LeaderEpochsRequest
    from protopact.broker.node import Caller, Node


def check_epoch(epoch: int) -> None:
    """Refuse a client that knows of another leader epoch than the one there is; -1 means that it does not say."""
    if epoch not in {-1, LEADER_EPOCH}:
        raise RefusedRequestError(
            f"the leader epoch is {LEADER_EPOCH}, not {epoch}",
            error_code=Code.FENCED_LEADER_EPOCH if epoch < LEADER_EPOCH else Code.UNKNOWN_LEADER_EPOCH,
        )


async def offset_for_leader_epoch(node: Node, request: LeaderEpochsRequest, _caller: Caller) -> LeaderEpochsAnswer:
    """Say where epochs ended: the only one has not, so its end is the end of the partition."""
    return LeaderEpochsAnswer(
        tuple(
            EpochEnds(topic.topic, tuple(_end(node, topic.topic, asked) for asked in topic.partitions))
            for topic in request.topics
        )
    )


def _end(node: Node, topic: str, asked: AskedEpoch) -> EpochEnd:
    try:
        check_epoch(asked.current_leader_epoch)
        partition = node.topics.get(topic).partition(asked.partition)
    except RefusedRequestError as refusal:
        return EpochEnd(asked.partition, Code(refusal.error_code))
    if asked.leader_epoch != LEADER_EPOCH:
        return EpochEnd(asked.partition)
    return EpochEnd(asked.partition, leader_epoch=LEADER_EPOCH, end_offset=partition.high_watermark)
