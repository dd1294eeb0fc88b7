"""All groups: requests find their group here, and so does time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from protopact.broker.codes import Code
from protopact.broker.groups.committed import CommittedOffsets
from protopact.broker.groups.group import Group, GroupState
from protopact.broker.groups.member import Member
from protopact.broker.messages.members import (
    HeartbeatAnswer,
    JoinGroupAnswer,
    LeaveGroupAnswer,
    LeavingMember,
    LeftMember,
    SyncGroupAnswer,
)
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from protopact.broker.clock import Clock, Timer
    from protopact.broker.groups.member import Client
    from protopact.broker.messages.members import (
        HeartbeatRequest,
        JoinGroupRequest,
        LeaveGroupRequest,
        SyncGroupRequest,
    )
    from protopact.broker.state import State
    from protopact.settings import BrokerSettings

A = TypeVar("A")


class GroupCoordinator:
    """The coordinator of every group. All calls are made in the broker's event loop."""

    def __init__(self, state: State, settings: BrokerSettings, clock: Clock) -> None:
        """Begin with the offsets that were committed before; members come again by themselves."""
        self._settings = settings
        self._clock = clock
        self._groups: dict[str, Group] = {}
        self._timers: dict[str, Timer] = {}
        self._closed = False
        self.offsets = CommittedOffsets(state)
        for group_id in self.offsets.groups():
            self._new_group(group_id)

    def __iter__(self) -> Iterator[Group]:
        """Go through the groups in the order of their names."""
        return iter([self._groups[group_id] for group_id in sorted(self._groups)])

    def find(self, group_id: str) -> Group | None:
        """Give a group, or None."""
        return self._groups.get(group_id)

    # ── members ──────────────────────────────────────────────────────────────────────────────────

    async def join(self, request: JoinGroupRequest, client: Client) -> JoinGroupAnswer:
        """Take a member in, and answer when its generation is formed; a refusal is an answer, too."""
        answered: asyncio.Future[JoinGroupAnswer] = asyncio.get_running_loop().create_future()
        try:
            self._check_join(request)
            group = self._group_to_join(request)
            self._join(group, request, client, _replying(answered))
        except RefusedRequestError as refusal:
            return JoinGroupAnswer(request.member_id, Code(refusal.error_code))
        self._schedule(group)
        return await answered

    async def sync(self, request: SyncGroupRequest) -> SyncGroupAnswer:
        """Answer with what the member is to read, when the leader has said so."""
        answered: asyncio.Future[SyncGroupAnswer] = asyncio.get_running_loop().create_future()
        try:
            group = self._group_of(request.group_id)
            member = group.member(request.member_id, request.group_instance_id)
            group.check_generation(request.generation_id)
            group.check_protocol(request.protocol_type, request.protocol_name)
        except RefusedRequestError as refusal:
            return SyncGroupAnswer(Code(refusal.error_code))
        assignments = {each.member_id: each.assignment for each in request.assignments}
        group.sync(member, assignments, self._clock.elapsed_ms(), _replying(answered))
        self._schedule(group)
        return await answered

    def heartbeat(self, request: HeartbeatRequest) -> HeartbeatAnswer:
        """Tell a member whether it is to join again."""
        try:
            group = self._group_of(request.group_id)
            member = group.member(request.member_id, request.group_instance_id)
            group.check_generation(request.generation_id)
        except RefusedRequestError as refusal:
            return HeartbeatAnswer(Code(refusal.error_code))
        return HeartbeatAnswer(group.heartbeat(member, self._clock.elapsed_ms()))

    def leave(self, request: LeaveGroupRequest) -> LeaveGroupAnswer:
        """Let members go, each for itself; up to version 2 there is one, and its refusal is the answer's."""
        try:
            group = self._group_of(request.group_id)
        except RefusedRequestError as refusal:
            return LeaveGroupAnswer(Code(refusal.error_code))
        left = tuple(self._leave(group, each) for each in request.members or (LeavingMember(request.member_id),))
        self._schedule(group)
        return LeaveGroupAnswer(Code.NONE if request.members else left[0].error_code, left)

    # ── groups ───────────────────────────────────────────────────────────────────────────────────

    def check_commit(self, group_id: str, generation: int, member_id: str, group_instance_id: str | None) -> None:
        """Refuse a commit by who is no member of the generation; who is none at all may commit for an empty group."""
        group = self._groups.get(group_id)
        if generation < 0 and (group is None or group.state is GroupState.EMPTY):
            group = group or self._new_group(group_id)
            group.idle_since_ms = self._clock.elapsed_ms()
            return
        if group is None:
            raise RefusedRequestError(f"there is no group {group_id!r}", error_code=Code.ILLEGAL_GENERATION)
        member = group.member(member_id, group_instance_id)
        group.check_generation(generation)
        if group.state is GroupState.COMPLETING:
            raise RefusedRequestError(
                f"the group {group_id!r} is in a rebalance", error_code=Code.REBALANCE_IN_PROGRESS
            )
        member.lives(self._clock.elapsed_ms())

    async def delete(self, group_id: str) -> None:
        """Delete a group and its offsets: NON_EMPTY_GROUP while it has members, GROUP_ID_NOT_FOUND for none."""
        group = self._groups.get(group_id)
        if group is None:
            raise RefusedRequestError(f"there is no group {group_id!r}", error_code=Code.GROUP_ID_NOT_FOUND)
        if group.state is not GroupState.EMPTY:
            raise RefusedRequestError(f"the group {group_id!r} has members", error_code=Code.NON_EMPTY_GROUP)
        self._drop(group)
        await self.offsets.forget(group_id)

    async def forget_idle(self) -> None:
        """Forget groups, and how far they have read, that have had no members and committed nothing for long enough."""
        before_ms = self._clock.elapsed_ms() - round(self._settings.offsets_retention_s * 1000)
        for group in self:
            if group.state is GroupState.EMPTY and group.idle_since_ms < before_ms:
                await self.delete(group.group_id)

    def topic_deleted(self, topic: str) -> None:
        """Drop what was committed for a topic that has gone."""
        self.offsets.forget_topic(topic)

    def close(self) -> None:
        """Answer whoever waits; clients look for the coordinator again."""
        self._closed = True
        for group in self:
            self._unschedule(group)
            group.close(Code.COORDINATOR_NOT_AVAILABLE)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    def _check_join(self, request: JoinGroupRequest) -> None:
        if not request.group_id:
            raise RefusedRequestError("a group has a name", error_code=Code.INVALID_GROUP_ID)
        session_s = request.session_timeout.total_seconds()
        if not self._settings.session_s_min <= session_s <= self._settings.session_s_max:
            raise RefusedRequestError(
                f"a session lasts {self._settings.session_s_min} to {self._settings.session_s_max} s, not {session_s}",
                error_code=Code.INVALID_SESSION_TIMEOUT,
            )

    def _group_to_join(self, request: JoinGroupRequest) -> Group:
        """Give the group; who has no id yet may be the first of a new one."""
        group = self._groups.get(request.group_id)
        if group is None and request.member_id:
            raise RefusedRequestError(f"there is no group {request.group_id!r}", error_code=Code.UNKNOWN_MEMBER_ID)
        return group or self._new_group(request.group_id)

    def _join(
        self,
        group: Group,
        request: JoinGroupRequest,
        client: Client,
        reply: Callable[[JoinGroupAnswer], None],
    ) -> None:
        now_ms = self._clock.elapsed_ms()
        known = group.members.get(request.member_id)
        if request.member_id and known is None and not group.is_pending(request.member_id):
            group.member(request.member_id, request.group_instance_id)  # which says what it is not
        group.check_protocols(request.protocol_type, request.protocols, member_id=self._replaced(group, request))
        if known is not None:
            group.member(request.member_id, request.group_instance_id)
            group.join_again(known, request.protocols, now_ms, reply)
            return
        self._check_room(group, request)
        member = _new_member(request, client)
        if client.takes_id_first and not request.member_id and request.group_instance_id is None:
            group.add_pending(member.member_id, now_ms, member.session_timeout_ms)
            reply(JoinGroupAnswer(member.member_id, Code.MEMBER_ID_REQUIRED))
            return
        group.join_new(member, request.protocol_type, now_ms, reply)

    def _replaced(self, group: Group, request: JoinGroupRequest) -> str:
        """Give the id of the member whose place the joining one has or takes."""
        instance = None if request.group_instance_id is None else group.instance(request.group_instance_id)
        return request.member_id if instance is None else instance.member_id

    def _check_room(self, group: Group, request: JoinGroupRequest) -> None:
        replaces = request.group_instance_id is not None and group.instance(request.group_instance_id) is not None
        if group.size >= self._settings.members_max and not replaces:
            raise RefusedRequestError(
                f"the group {group.group_id!r} has {group.size} members, and takes no more",
                error_code=Code.GROUP_MAX_SIZE_REACHED,
            )

    def _leave(self, group: Group, leaving: LeavingMember) -> LeftMember:
        code = Code.NONE
        now_ms = self._clock.elapsed_ms()
        try:
            if leaving.member_id or leaving.group_instance_id is None:
                if not group.forget_pending(leaving.member_id, now_ms):
                    group.leave(group.member(leaving.member_id, leaving.group_instance_id), now_ms)
            else:
                self._leave_by_instance(group, leaving.group_instance_id, now_ms)
        except RefusedRequestError as refusal:
            code = Code(refusal.error_code)
        return LeftMember(leaving.member_id, leaving.group_instance_id, code)

    def _leave_by_instance(self, group: Group, group_instance_id: str, now_ms: int) -> None:
        """Let a static member go that an administrator names by its instance alone."""
        member = group.instance(group_instance_id)
        if member is None:
            raise RefusedRequestError(
                f"the group {group.group_id!r} has no instance {group_instance_id!r}", error_code=Code.UNKNOWN_MEMBER_ID
            )
        group.leave(member, now_ms)

    def _group_of(self, group_id: str) -> Group:
        group = self._groups.get(group_id)
        if group is None:
            raise RefusedRequestError(f"there is no group {group_id!r}", error_code=Code.UNKNOWN_MEMBER_ID)
        return group

    def _new_group(self, group_id: str) -> Group:
        group = Group(group_id, round(self._settings.rebalance_delay_s * 1000), idle_since_ms=self._clock.elapsed_ms())
        self._groups[group_id] = group
        return group

    def _drop(self, group: Group) -> None:
        self._unschedule(group)
        del self._groups[group.group_id]

    def _schedule(self, group: Group) -> None:
        """Have time reach the group when it has something to do."""
        self._unschedule(group)
        deadline_ms = group.next_deadline_ms()
        if deadline_ms is not None and not self._closed:
            delay_s = max(0, deadline_ms - self._clock.elapsed_ms()) / 1000
            self._timers[group.group_id] = self._clock.call_later(delay_s, lambda: self._tick(group))

    def _unschedule(self, group: Group) -> None:
        timer = self._timers.pop(group.group_id, None)
        if timer is not None:
            timer.cancel()

    def _tick(self, group: Group) -> None:
        group.tick(self._clock.elapsed_ms())
        self._schedule(group)


def _new_member(request: JoinGroupRequest, client: Client) -> Member:
    session_ms = round(request.session_timeout.total_seconds() * 1000)
    rebalance = request.rebalance_timeout or request.session_timeout
    return Member(
        request.member_id or f"{request.group_instance_id or client.client_id}-{uuid4()}",
        request.group_instance_id,
        client,
        request.protocols,
        session_ms,
        round(rebalance.total_seconds() * 1000),
        session_ends_ms=0,
    )


def _replying(answered: asyncio.Future[A]) -> Callable[[A], None]:
    def reply(answer: A) -> None:
        if not answered.done():  # who asked may have gone
            answered.set_result(answer)

    return reply
