"""Requests about whole groups: list, describe, delete."""

from __future__ import annotations

from dataclasses import dataclass

from protopact.broker.codes import Code


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
