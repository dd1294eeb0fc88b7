"""Requests about records: produce, fetch, list offsets, delete records, the ends of leader epochs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from protopact.broker.codes import Code


@dataclass(frozen=True, slots=True)
class PartitionRecords:
    """Record batches for one partition."""

    index: int
    records: bytes | None = None


@dataclass(frozen=True, slots=True)
class TopicRecords:
    """Record batches for one topic, which is named up to version 12 and given by its id from 13 on."""

    partition_data: tuple[PartitionRecords, ...]
    name: str = ""
    topic_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ProduceRequest:
    """Append record batches."""

    acks: int
    timeout: timedelta
    topic_data: tuple[TopicRecords, ...]
    transactional_id: str | None = None


@dataclass(frozen=True, slots=True)
class PartitionAppended:
    """What became of one partition's batches."""

    index: int
    error_code: Code = Code.NONE
    base_offset: int = -1
    log_append_time: datetime | None = None
    log_start_offset: int = -1
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class TopicAppended:
    """What became of one topic's batches."""

    partition_responses: tuple[PartitionAppended, ...]
    name: str = ""
    topic_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ProduceAnswer:
    """What became of all batches."""

    responses: tuple[TopicAppended, ...]


@dataclass(frozen=True, slots=True)
class FetchPartition:
    """From where one partition is read, and how much at most."""

    partition: int
    fetch_offset: int
    partition_max_bytes: int
    current_leader_epoch: int = -1


@dataclass(frozen=True, slots=True)
class FetchTopic:
    """The partitions of one topic, which is named up to version 12 and given by its id from 13 on."""

    partitions: tuple[FetchPartition, ...]
    topic: str = ""
    topic_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """Read record batches, or wait until there are enough."""

    max_wait: timedelta
    min_bytes: int
    max_bytes: int
    topics: tuple[FetchTopic, ...]
    session_id: int = 0
    session_epoch: int = -1


@dataclass(frozen=True, slots=True)
class PartitionFetched:
    """Record batches of one partition, and where it begins and ends."""

    partition_index: int
    error_code: Code = Code.NONE
    high_watermark: int = -1
    last_stable_offset: int = -1
    log_start_offset: int = -1
    records: bytes | None = b""


@dataclass(frozen=True, slots=True)
class TopicFetched:
    """Record batches of one topic."""

    partitions: tuple[PartitionFetched, ...]
    topic: str = ""
    topic_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class FetchAnswer:
    """Record batches of all topics. Session 0 says that the next request names all partitions again."""

    responses: tuple[TopicFetched, ...]
    error_code: Code = Code.NONE
    session_id: int = 0


@dataclass(frozen=True, slots=True)
class AskedOffset:
    """A time in milliseconds whose first record is looked for; -1 is the end, -2 the start, -3 the newest record."""

    partition_index: int
    timestamp: int
    current_leader_epoch: int = -1


@dataclass(frozen=True, slots=True)
class AskedOffsets:
    """Times in one topic."""

    name: str
    partitions: tuple[AskedOffset, ...]


@dataclass(frozen=True, slots=True)
class ListOffsetsRequest:
    """Look for offsets by time."""

    topics: tuple[AskedOffsets, ...]


@dataclass(frozen=True, slots=True)
class FoundOffset:
    """The offset that was looked for; -1 where no record is so new."""

    partition_index: int
    error_code: Code = Code.NONE
    timestamp: int = -1
    offset: int = -1
    leader_epoch: int = -1


@dataclass(frozen=True, slots=True)
class FoundOffsets:
    """Offsets in one topic."""

    name: str
    partitions: tuple[FoundOffset, ...]


@dataclass(frozen=True, slots=True)
class ListOffsetsAnswer:
    """All offsets that were looked for."""

    topics: tuple[FoundOffsets, ...]


@dataclass(frozen=True, slots=True)
class DeleteRecordsPartition:
    """The offset before which records go; -1 is the end."""

    partition_index: int
    offset: int


@dataclass(frozen=True, slots=True)
class DeleteRecordsTopic:
    """Offsets in one topic."""

    name: str
    partitions: tuple[DeleteRecordsPartition, ...]


@dataclass(frozen=True, slots=True)
class DeleteRecordsRequest:
    """Delete the records before offsets."""

    topics: tuple[DeleteRecordsTopic, ...]


@dataclass(frozen=True, slots=True)
class DeletedRecordsPartition:
    """Where the partition begins now."""

    partition_index: int
    low_watermark: int = -1
    error_code: Code = Code.NONE


@dataclass(frozen=True, slots=True)
class DeletedRecordsTopic:
    """Where one topic's partitions begin."""

    name: str
    partitions: tuple[DeletedRecordsPartition, ...]


@dataclass(frozen=True, slots=True)
class DeleteRecordsAnswer:
    """Where all partitions begin."""

    topics: tuple[DeletedRecordsTopic, ...]


@dataclass(frozen=True, slots=True)
class AskedEpoch:
    """A leader epoch whose end is asked for."""

    partition: int
    leader_epoch: int
    current_leader_epoch: int = -1


@dataclass(frozen=True, slots=True)
class AskedEpochs:
    """Leader epochs in one topic."""

    topic: str
    partitions: tuple[AskedEpoch, ...]


@dataclass(frozen=True, slots=True)
class LeaderEpochsRequest:
    """Ask where leader epochs ended."""

    topics: tuple[AskedEpochs, ...]


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """Where an epoch ended; -1 where it is not known."""

    partition: int
    error_code: Code = Code.NONE
    leader_epoch: int = -1
    end_offset: int = -1


@dataclass(frozen=True, slots=True)
class EpochEnds:
    """Ends of epochs in one topic."""

    topic: str
    partitions: tuple[EpochEnd, ...]


@dataclass(frozen=True, slots=True)
class LeaderEpochsAnswer:
    """All ends that were asked for."""

    topics: tuple[EpochEnds, ...]


@dataclass(frozen=True, slots=True)
class ProducerIdRequest:
    """Ask for a producer id; a transactional id asks for what this broker refuses."""

    transactional_id: str | None = None
    producer_id: int = -1
    producer_epoch: int = -1


@dataclass(frozen=True, slots=True)
class ProducerIdAnswer:
    """A producer id that nobody else has."""

    error_code: Code = Code.NONE
    producer_id: int = -1
    producer_epoch: int = -1
