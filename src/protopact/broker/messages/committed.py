"""Requests about how far groups have read: commit, fetch, delete."""

from __future__ import annotations

from dataclasses import dataclass

from protopact.broker.codes import Code


@dataclass(frozen=True, slots=True)
class CommittedPartition:
    """How far one partition was read."""

    partition_index: int
    committed_offset: int
    committed_metadata: str | None = None
    committed_leader_epoch: int = -1


@dataclass(frozen=True, slots=True)
class CommittedTopic:
    """How far one topic was read."""

    name: str
    partitions: tuple[CommittedPartition, ...]


@dataclass(frozen=True, slots=True)
class OffsetCommitRequest:
    """Remember how far a group has read; generation -1 is that of somebody who is no member."""

    group_id: str
    topics: tuple[CommittedTopic, ...]
    generation_id_or_member_epoch: int = -1
    member_id: str = ""
    group_instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class PartitionCode:
    """What became of one partition."""

    partition_index: int
    error_code: Code = Code.NONE


@dataclass(frozen=True, slots=True)
class TopicCodes:
    """What became of one topic's partitions."""

    name: str
    partitions: tuple[PartitionCode, ...]


@dataclass(frozen=True, slots=True)
class OffsetCommitAnswer:
    """What became of all partitions."""

    topics: tuple[TopicCodes, ...]


@dataclass(frozen=True, slots=True)
class AskedTopic:
    """Partitions of one topic."""

    name: str
    partition_indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AskedGroup:
    """A group whose offsets are asked for: for some partitions, or (None) all that it committed."""

    group_id: str
    topics: tuple[AskedTopic, ...] | None = None


@dataclass(frozen=True, slots=True)
class OffsetFetchRequest:
    """Ask how far groups have read: one up to version 7, several after."""

    group_id: str = ""
    topics: tuple[AskedTopic, ...] | None = None
    groups: tuple[AskedGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchedPartition:
    """How far one partition was read; -1 where nothing was committed."""

    partition_index: int
    committed_offset: int = -1
    committed_leader_epoch: int = -1
    metadata: str = ""
    error_code: Code = Code.NONE


@dataclass(frozen=True, slots=True)
class FetchedTopic:
    """How far one topic was read."""

    name: str
    partitions: tuple[FetchedPartition, ...]


@dataclass(frozen=True, slots=True)
class FetchedGroup:
    """How far one group has read."""

    group_id: str
    topics: tuple[FetchedTopic, ...]
    error_code: Code = Code.NONE


@dataclass(frozen=True, slots=True)
class OffsetFetchAnswer:
    """How far groups have read: the fields up to version 7, and the list that came after."""

    topics: tuple[FetchedTopic, ...]
    groups: tuple[FetchedGroup, ...]
    error_code: Code = Code.NONE


@dataclass(frozen=True, slots=True)
class ForgottenPartition:
    """A partition whose offset goes."""

    partition_index: int


@dataclass(frozen=True, slots=True)
class ForgottenTopic:
    """Partitions of one topic whose offsets go."""

    name: str
    partitions: tuple[ForgottenPartition, ...]


@dataclass(frozen=True, slots=True)
class OffsetDeleteRequest:
    """Forget how far a group has read."""

    group_id: str
    topics: tuple[ForgottenTopic, ...]


@dataclass(frozen=True, slots=True)
class OffsetDeleteAnswer:
    """What became of all partitions."""

    error_code: Code = Code.NONE
    topics: tuple[TopicCodes, ...] = ()
