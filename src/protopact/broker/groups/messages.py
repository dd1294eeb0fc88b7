"""Requests about groups and their answers, under the names of Kafka's protocol; see `protopact.broker.messages`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from protopact.broker.codes import Code

# ── members ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Protocol:
    """One way of sharing partitions out that a member knows, and what it says to that (an opaque subscription)."""

    name: str
    metadata: bytes


@dataclass(frozen=True, slots=True)
class JoinGroupRequest:
    """Become a member, or stay one in a rebalance. Without `member_id` an id is given first (`needs_member_id`)."""

    group_id: str
    member_id: str
    protocol_type: str
    protocols: tuple[Protocol, ...]
    session_timeout: timedelta
    rebalance_timeout: timedelta | None = None
    group_instance_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class JoinedMember:
    """A member as the leader sees it."""

    member_id: str
    metadata: bytes
    group_instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class JoinGroupAnswer:
    """The generation that was formed, and who leads it; the leader is told all members."""

    member_id: str
    error_code: Code = Code.NONE
    generation_id: int = -1
    protocol_type: str | None = None
    protocol_name: str = ""  # versions below 7 know no null here
    leader: str = ""
    skip_assignment: bool = False
    members: tuple[JoinedMember, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a member is to read, in the words of the protocol that was chosen (opaque)."""

    member_id: str
    assignment: bytes


@dataclass(frozen=True, slots=True)
class SyncGroupRequest:
    """Ask for what is to be read; the leader brings it for all."""

    group_id: str
    generation_id: int
    member_id: str
    assignments: tuple[Assignment, ...] = ()
    group_instance_id: str | None = None
    protocol_type: str | None = None
    protocol_name: str | None = None


@dataclass(frozen=True, slots=True)
class SyncGroupAnswer:
    """What is to be read."""

    error_code: Code = Code.NONE
    protocol_type: str | None = None
    protocol_name: str | None = None
    assignment: bytes = b""


@dataclass(frozen=True, slots=True)
class HeartbeatRequest:
    """Say that a member lives."""

    group_id: str
    generation_id: int
    member_id: str
    group_instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class HeartbeatAnswer:
    """Whether it is still a member of the generation, and whether a rebalance has begun."""

    error_code: Code = Code.NONE


@dataclass(frozen=True, slots=True)
class LeavingMember:
    """A member that goes, named by its id or, if it is static, by its instance id."""

    member_id: str
    group_instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class LeaveGroupRequest:
    """Leave: one member up to version 2, several after."""

    group_id: str
    member_id: str = ""
    members: tuple[LeavingMember, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftMember:
    """What became of one member."""

    member_id: str
    group_instance_id: str | None
    error_code: Code


@dataclass(frozen=True, slots=True)
class LeaveGroupAnswer:
    """What became of all members."""

    error_code: Code = Code.NONE
    members: tuple[LeftMember, ...] = ()


# ── offsets ──────────────────────────────────────────────────────────────────────────────────────


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


# ── groups ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ListGroupsRequest:
    """Ask which groups there are, of some states and types, or (empty) of all."""

    states_filter: tuple[str, ...] = ()
    types_filter: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group that there is."""

    group_id: str
    protocol_type: str
    group_state: str
    group_type: str = "Classic"


@dataclass(frozen=True, slots=True)
class ListGroupsAnswer:
    """The groups that there are."""

    groups: tuple[ListedGroup, ...]
    error_code: Code = Code.NONE


@dataclass(frozen=True, slots=True)
class DescribeGroupsRequest:
    """Ask for groups and their members."""

    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DescribedMember:
    """A member: whose it is, what it said and what it reads."""

    member_id: str
    client_id: str
    client_host: str
    member_metadata: bytes
    member_assignment: bytes
    group_instance_id: str | None = None


@dataclass(frozen=True, slots=True)
class DescribedGroup:
    """A group and its members; one that is not there is called Dead."""

    group_id: str
    group_state: str
    protocol_type: str = ""
    protocol_data: str = ""
    members: tuple[DescribedMember, ...] = ()
    authorized_operations: int = -(2**31)
    error_code: Code = Code.NONE
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class DescribeGroupsAnswer:
    """All groups that were asked for."""

    groups: tuple[DescribedGroup, ...]


@dataclass(frozen=True, slots=True)
class DeleteGroupsRequest:
    """Delete groups, and how far they have read."""

    groups_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeletedGroup:
    """What became of one group."""

    group_id: str
    error_code: Code = Code.NONE


@dataclass(frozen=True, slots=True)
class DeleteGroupsAnswer:
    """What became of all groups."""

    results: tuple[DeletedGroup, ...]
