"""Appending record batches, and the ids of idempotent producers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.messages.records import (
    PartitionAppended,
    ProduceAnswer,
    ProducerIdAnswer,
    TopicAppended,
)
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from protopact.broker.messages.records import PartitionRecords, ProduceRequest, ProducerIdRequest, TopicRecords
    from protopact.broker.node import Caller, Node
    from protopact.broker.topics import Appended, Partition, Topic

_ACKS = {-1, 0, 1}
_NO_TRANSACTIONS = "the embedded broker has no transactions"


@dataclass(frozen=True, slots=True)
class _Written:
    """A partition that was appended to, and its answer, which is given when the records are as safe as they must be."""

    partition: Partition
    appended: Appended
    answer: PartitionAppended


async def produce(node: Node, request: ProduceRequest, _caller: Caller) -> ProduceAnswer | None:
    """Append every partition's batches, and answer when they are as safe as the broker's flush policy says.

    All is appended before anything is waited for, so requests of one connection are appended in their order.
    Who asks for no acknowledgement gets no answer; a refusal then closes its connection.
    """
    written = [
        [_write(node, request, topic, partition) for partition in topic.partition_data] for topic in request.topic_data
    ]
    answers = tuple(
        [
            TopicAppended(tuple([await _secured(node, each) for each in results]), topic.name, topic.topic_id)
            for topic, results in zip(request.topic_data, written, strict=True)
        ]
    )
    if request.acks == 0:
        _refuse_unanswered(answers)
        return None
    return ProduceAnswer(answers)


async def init_producer_id(node: Node, request: ProducerIdRequest, _caller: Caller) -> ProducerIdAnswer:
    """Give a producer id that was never given before; a producer that has one gets a new one with epoch 0."""
    if request.transactional_id is not None:
        return ProducerIdAnswer(Code.INVALID_REQUEST)
    return ProducerIdAnswer(producer_id=await node.state.next_producer_id(), producer_epoch=0)


def _write(
    node: Node, request: ProduceRequest, wanted: TopicRecords, part: PartitionRecords
) -> _Written | PartitionAppended:
    try:
        _check(request)
        topic = _topic(node, wanted)
        partition = topic.partition(part.index)
        appended = partition.append(part.records or b"", topic.config, node.clock.now_ms())
    except RefusedRequestError as refusal:
        return PartitionAppended(part.index, Code(refusal.error_code), error_message=str(refusal))
    time = appended.append_time_ms
    answer = PartitionAppended(
        part.index,
        base_offset=appended.base_offset,
        log_append_time=None if time is None else datetime.fromtimestamp(time / 1000, UTC),
        log_start_offset=partition.log.start_offset,
    )
    return _Written(partition, appended, answer)


async def _secured(node: Node, written: _Written | PartitionAppended) -> PartitionAppended:
    """See that the records come to the disk, before they are acknowledged or soon after; then they may be read."""
    if isinstance(written, PartitionAppended):
        return written
    log = written.partition.log
    if node.flusher is not None and node.settings.flush == "every":
        try:
            await node.flusher.flushed(log, written.appended.end_offset)
        except RefusedRequestError as refusal:
            return PartitionAppended(written.answer.index, Code(refusal.error_code), error_message=str(refusal))
    elif node.flusher is not None:
        node.flusher.appended(log)
    written.partition.advance()
    return written.answer


def _check(request: ProduceRequest) -> None:
    if request.acks not in _ACKS:
        raise RefusedRequestError(f"acks is -1, 0 or 1, not {request.acks}", error_code=Code.INVALID_REQUIRED_ACKS)
    if request.transactional_id is not None:
        raise RefusedRequestError(_NO_TRANSACTIONS, error_code=Code.INVALID_REQUEST)


def _topic(node: Node, wanted: TopicRecords) -> Topic:
    return node.topics.get(wanted.name) if wanted.name else node.topics.get_by_id(wanted.topic_id)


def _refuse_unanswered(answers: tuple[TopicAppended, ...]) -> None:
    for topic in answers:
        for partition in topic.partition_responses:
            if partition.error_code != Code.NONE:
                raise RefusedRequestError(
                    f"{topic.name}-{partition.index}: {partition.error_message}", error_code=partition.error_code
                )
