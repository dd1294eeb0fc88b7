"""All groups: time reaches them, and those that nobody uses are forgotten."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from protopact.broker.clock import MovedClock
from protopact.broker.codes import Code
from protopact.broker.groups import GroupCoordinator
from protopact.broker.groups.member import Client
from protopact.broker.messages.members import (
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    LeavingMember,
    Protocol,
    SyncGroupRequest,
)
from protopact.broker.state import Committed, MemoryState
from protopact.errors import RefusedRequestError
from protopact.settings import BrokerSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

OLD = Client("tests", "/here", takes_id_first=False, may_skip=False)
NEW = Client("tests", "/here")
SETTINGS = BrokerSettings(members_max=2, offsets_retention_s=60)


def joining(member_id: str = "", *, session_s: float = 10, instance: str | None = None) -> JoinGroupRequest:
    return JoinGroupRequest(
        "group",
        member_id,
        "consumer",
        (Protocol("range", b""),),
        timedelta(seconds=session_s),
        timedelta(seconds=30),
        instance,
    )


def in_loop(work: Callable[[GroupCoordinator, MovedClock], Awaitable[None]]) -> None:
    async def run() -> None:
        clock = MovedClock()
        await work(GroupCoordinator(MemoryState(), SETTINGS, clock), clock)

    asyncio.run(run())


def test_a_new_member_is_given_an_id_and_joins_with_it() -> None:
    async def work(groups: GroupCoordinator, _: MovedClock) -> None:
        first = await groups.join(joining(), NEW)
        assert first.error_code is Code.MEMBER_ID_REQUIRED
        second = await groups.join(joining(first.member_id), NEW)
        assert (second.error_code, second.member_id, second.leader) == (Code.NONE, first.member_id, first.member_id)

    in_loop(work)


def test_an_id_that_nobody_gave_is_unknown() -> None:
    async def work(groups: GroupCoordinator, _: MovedClock) -> None:
        assert (await groups.join(joining("mine"), NEW)).error_code is Code.UNKNOWN_MEMBER_ID
        await groups.join(joining(), OLD)
        assert (await groups.join(joining("mine"), NEW)).error_code is Code.UNKNOWN_MEMBER_ID

    in_loop(work)


@pytest.mark.parametrize("session_s", [0.5, 3600])
def test_a_session_that_is_too_short_or_too_long_is_refused(session_s: float) -> None:
    async def work(groups: GroupCoordinator, _: MovedClock) -> None:
        answer = await groups.join(joining(session_s=session_s), OLD)
        assert answer.error_code is Code.INVALID_SESSION_TIMEOUT

    in_loop(work)


def test_a_full_group_takes_nobody_and_counts_whom_it_gave_an_id() -> None:
    async def work(groups: GroupCoordinator, _: MovedClock) -> None:
        await groups.join(joining(), NEW)
        await groups.join(joining(), NEW)
        assert (await groups.join(joining(), NEW)).error_code is Code.GROUP_MAX_SIZE_REACHED

    in_loop(work)


def test_time_ends_the_session_of_a_member_that_says_nothing() -> None:
    async def work(groups: GroupCoordinator, clock: MovedClock) -> None:
        joined = await groups.join(joining(), OLD)
        await groups.sync(SyncGroupRequest("group", 1, joined.member_id))
        clock.advance(9)
        alive = HeartbeatRequest("group", 1, joined.member_id)
        assert groups.heartbeat(alive).error_code is Code.NONE
        clock.advance(10)
        assert groups.heartbeat(alive).error_code is Code.UNKNOWN_MEMBER_ID

    in_loop(work)


def test_a_former_generation_and_another_instance_are_told_so() -> None:
    async def work(groups: GroupCoordinator, _: MovedClock) -> None:
        joined = await groups.join(joining(instance="a"), OLD)
        assert groups.heartbeat(HeartbeatRequest("group", 9, joined.member_id)).error_code is Code.ILLEGAL_GENERATION
        fenced = groups.heartbeat(HeartbeatRequest("group", 1, "former", "a"))
        assert fenced.error_code is Code.FENCED_INSTANCE_ID

    in_loop(work)


def test_an_administrator_removes_a_static_member_by_its_instance() -> None:
    async def work(groups: GroupCoordinator, _: MovedClock) -> None:
        await groups.join(joining(instance="a"), OLD)
        left = groups.leave(LeaveGroupRequest("group", members=(LeavingMember("", "a"), LeavingMember("", "b"))))
        assert [each.error_code for each in left.members] == [Code.NONE, Code.UNKNOWN_MEMBER_ID]

    in_loop(work)


def test_a_group_without_members_is_forgotten_with_its_offsets_when_nobody_commits_any_more() -> None:
    async def work(groups: GroupCoordinator, clock: MovedClock) -> None:
        groups.check_commit("group", -1, "", None)
        await groups.offsets.commit("group", {("orders", 0): Committed(5)})
        clock.advance(50)
        groups.check_commit("group", -1, "", None)
        clock.advance(50)
        await groups.forget_idle()
        assert groups.find("group") is not None
        clock.advance(20)
        await groups.forget_idle()
        assert groups.find("group") is None
        assert groups.offsets.of("group") == {}

    in_loop(work)


def test_a_group_with_members_is_not_deleted() -> None:
    async def work(groups: GroupCoordinator, _: MovedClock) -> None:
        await groups.join(joining(), OLD)
        with pytest.raises(RefusedRequestError) as refused:
            await groups.delete("group")
        assert refused.value.error_code == Code.NON_EMPTY_GROUP

    in_loop(work)


def test_stopping_answers_whoever_waits() -> None:
    async def work(groups: GroupCoordinator, _: MovedClock) -> None:
        first = await groups.join(joining(), OLD)
        await groups.sync(SyncGroupRequest("group", 1, first.member_id))
        waiting = asyncio.ensure_future(groups.join(joining(), OLD))
        await asyncio.sleep(0)
        groups.close()
        assert (await waiting).error_code is Code.COORDINATOR_NOT_AVAILABLE

    in_loop(work)
