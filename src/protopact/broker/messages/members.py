"""Requests about the members of a group: join, sync, heartbeat, leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from protopact.broker.codes import Code


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
