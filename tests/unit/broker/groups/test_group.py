"""A group by itself: explicit times, no waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.broker.codes import Code
from protopact.broker.groups.group import Group, GroupState
from protopact.broker.groups.member import Client, Member
from protopact.broker.messages.members import JoinGroupAnswer, Protocol, SyncGroupAnswer
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

SESSION_MS = 10_000
REBALANCE_MS = 60_000


class Person:
    """A member's client: what it was answered, and what it does next."""

    def __init__(self, group: Group, name: str, *, instance: str | None = None, may_skip: bool = True) -> None:
        self.group = group
        self.name = name
        self.instance = instance
        self.may_skip = may_skip
        self.joins: list[JoinGroupAnswer] = []
        self.syncs: list[SyncGroupAnswer] = []

    def join(self, now_ms: int = 0, *, protocols: tuple[str, ...] = ("range",), said: bytes = b"") -> Person:
        known = self.group.members.get(self.name)
        spoken = tuple(Protocol(name, said) for name in protocols)
        if known is not None:
            self.group.join_again(known, spoken, now_ms, self.joins.append)
            return self
        client = Client("tests", "/here", may_skip=self.may_skip)
        member = Member(self.name, self.instance, client, spoken, SESSION_MS, REBALANCE_MS, session_ends_ms=0)
        self.group.join_new(member, "consumer", now_ms, self.joins.append)
        return self

    def sync(self, now_ms: int = 0, assignments: Mapping[str, bytes] | None = None) -> Person:
        self.group.sync(self.group.members[self.name], assignments or {}, now_ms, self.syncs.append)
        return self

    @property
    def assignment(self) -> bytes:
        return self.syncs[-1].assignment


@pytest.fixture
def group() -> Group:
    return Group("readers")


def settled(group: Group, *names: str, now_ms: int = 0) -> list[Person]:
    """Give the members of a stable group; the first of them leads and has given each its own name to read."""
    people = [Person(group, name).join(now_ms) for name in names]
    for person in people:  # each that came later has begun a rebalance, which the others obey
        if person.joins and person.joins[-1].generation_id < len(names):
            person.join(now_ms)
    for person in people[::-1]:
        person.sync(now_ms, {name: name.encode() for name in names})
    assert group.state is GroupState.STABLE
    return people


def test_a_first_member_is_the_leader_of_the_first_generation_at_once(group: Group) -> None:
    one = Person(group, "one").join()
    answer = one.joins[0]
    assert (answer.generation_id, answer.leader, answer.protocol_name) == (1, "one", "range")
    assert [member.member_id for member in answer.members] == ["one"]


def test_everyone_reads_what_the_leader_said(group: Group) -> None:
    one, two = settled(group, "one", "two")
    assert (one.assignment, two.assignment) == (b"one", b"two")


def test_only_the_leader_is_told_all_members(group: Group) -> None:
    one, two = settled(group, "one", "two")
    assert len(one.joins[-1].members) == 2
    assert two.joins[-1].members == ()


def test_a_new_member_waits_until_the_others_have_joined_again(group: Group) -> None:
    (one,) = settled(group, "one")
    two = Person(group, "two").join(1)
    assert two.joins == []
    assert group.heartbeat(group.members["one"], 2) is Code.REBALANCE_IN_PROGRESS
    one.join(3)
    assert two.joins[0].generation_id == one.joins[-1].generation_id == 2


def test_who_does_not_join_again_in_time_is_no_member_any_more(group: Group) -> None:
    settled(group, "one")
    two = Person(group, "two").join(1)
    group.heartbeat(group.members["one"], REBALANCE_MS)  # it lives, but does not obey
    group.tick(REBALANCE_MS + 1)
    assert list(group.members) == ["two"]
    assert two.joins[0].leader == "two"


def test_who_says_nothing_for_a_session_is_no_member_any_more(group: Group) -> None:
    one, _ = settled(group, "one", "two")
    group.heartbeat(group.members["one"], SESSION_MS - 1)
    assert group.next_deadline_ms() == SESSION_MS
    group.tick(SESSION_MS)
    assert list(group.members) == ["one"]
    one.join(SESSION_MS + 1)
    assert one.joins[-1].members[0].member_id == "one"


def test_who_waits_for_the_group_need_not_say_that_it_lives(group: Group) -> None:
    settled(group, "one")
    two = Person(group, "two").join(1)
    group.heartbeat(group.members["one"], SESSION_MS)
    group.tick(SESSION_MS + 2)
    assert "two" in group.members
    assert two.joins == []


def test_who_leaves_has_the_others_share_out_anew(group: Group) -> None:
    one, _ = settled(group, "one", "two")
    group.leave(group.members["two"], 5)
    assert group.state is GroupState.PREPARING
    one.join(6).sync(6, {"one": b"all"})
    assert one.assignment == b"all"


def test_a_group_that_everyone_has_left_is_empty_and_says_since_when(group: Group) -> None:
    settled(group, "one")
    group.leave(group.members["one"], 7)
    assert (group.state, group.generation, group.idle_since_ms) == (GroupState.EMPTY, 2, 7)
    assert group.next_deadline_ms() is None


def test_a_rebalance_answers_those_who_wait_for_the_leader(group: Group) -> None:
    one = Person(group, "one").join()
    two = Person(group, "two").join()
    one.join()
    two.sync()
    Person(group, "three").join(1)
    assert two.syncs[0].error_code is Code.REBALANCE_IN_PROGRESS


def test_a_leader_that_says_nothing_is_replaced(group: Group) -> None:
    one = Person(group, "one").join()
    two = Person(group, "two").join()
    one.join()
    two.sync()
    group.tick(REBALANCE_MS)
    assert list(group.members) == ["two"]
    two.join(REBALANCE_MS + 1)
    assert two.joins[-1].leader == "two"


def test_a_follower_that_joins_again_unchanged_disturbs_nobody(group: Group) -> None:
    _, two = settled(group, "one", "two")
    generation = group.generation
    two.join(3)
    assert two.joins[-1].generation_id == generation
    assert group.state is GroupState.STABLE


def test_a_leader_that_joins_again_shares_out_anew(group: Group) -> None:
    one, _ = settled(group, "one", "two")
    one.join(3)
    assert group.state is GroupState.PREPARING


def test_a_member_that_wants_other_topics_has_all_share_out_anew(group: Group) -> None:
    _, two = settled(group, "one", "two")
    two.join(3, said=b"other topics")
    assert group.state is GroupState.PREPARING


def test_a_join_that_comes_twice_answers_the_first_and_waits_with_the_second(group: Group) -> None:
    settled(group, "one")
    two = Person(group, "two").join(1)
    two.join(2)
    assert [answer.error_code for answer in two.joins] == [Code.REBALANCE_IN_PROGRESS]
    Person.join(Person(group, "one"), 3)
    assert two.joins[-1].generation_id == 2


def test_the_protocol_is_the_one_that_all_know_and_most_want(group: Group) -> None:
    people = [
        Person(group, "one").join(protocols=("sticky", "range")),
        Person(group, "two").join(protocols=("range", "sticky")),
        Person(group, "three").join(protocols=("range", "sticky", "own")),
    ]
    for person, protocols in zip(people, [("sticky", "range"), ("range", "sticky")], strict=False):
        person.join(protocols=protocols)
    assert people[0].joins[-1].protocol_name == "range"


@pytest.mark.parametrize(
    ("protocol_type", "protocols"),
    [("consumer", ("other",)), ("connect", ("range",)), ("", ("range",)), ("consumer", ())],
)
def test_a_member_without_a_common_protocol_is_refused(
    group: Group, protocol_type: str, protocols: tuple[str, ...]
) -> None:
    settled(group, "one")
    with pytest.raises(RefusedRequestError) as refused:
        group.check_protocols(protocol_type, tuple(Protocol(name, b"") for name in protocols))
    assert refused.value.error_code == Code.INCONSISTENT_GROUP_PROTOCOL


def test_a_rebalance_waits_for_who_was_given_an_id(group: Group) -> None:
    group.add_pending("two", 0, SESSION_MS)
    one = Person(group, "one").join()
    assert one.joins == []
    group.tick(SESSION_MS)
    assert one.joins[0].generation_id == 1


def test_an_empty_group_waits_for_more_members_if_it_is_told_to() -> None:
    group = Group("readers", rebalance_delay_ms=3000)
    one, two = Person(group, "one").join(), Person(group, "two").join(10)
    assert group.next_deadline_ms() == 3000
    group.tick(3000)
    assert len(one.joins[0].members) == 2
    assert two.joins[0].generation_id == 1


class TestStaticMembers:
    def stable(self, group: Group) -> tuple[Person, Person]:
        one = Person(group, "one", instance="a").join()
        two = Person(group, "two", instance="b").join()
        one.join()
        two.sync()
        one.sync(0, {"one": b"1", "two": b"2"})
        return one, two

    def test_who_comes_again_within_its_session_gets_its_own_back_and_disturbs_nobody(self, group: Group) -> None:
        self.stable(group)
        again = Person(group, "two-again", instance="b").join(5)
        assert again.joins[0].generation_id == group.generation == 2
        assert again.sync(6).assignment == b"2"
        assert group.state is GroupState.STABLE

    def test_a_leader_that_comes_again_still_leads_but_does_not_share_out(self, group: Group) -> None:
        self.stable(group)
        again = Person(group, "one-again", instance="a").join(5)
        assert (again.joins[0].leader, again.joins[0].skip_assignment) == ("one-again", True)
        assert len(again.joins[0].members) == 2

    def test_a_leader_that_cannot_skip_is_told_that_its_former_self_leads(self, group: Group) -> None:
        self.stable(group)
        again = Person(group, "one-again", instance="a", may_skip=False).join(5)
        assert (again.joins[0].leader, again.joins[0].members) == ("one", ())

    def test_the_former_self_is_fenced(self, group: Group) -> None:
        self.stable(group)
        Person(group, "two-again", instance="b").join(5)
        with pytest.raises(RefusedRequestError) as refused:
            group.member("two", "b")
        assert refused.value.error_code == Code.FENCED_INSTANCE_ID

    def test_who_comes_again_with_other_topics_has_all_share_out_anew(self, group: Group) -> None:
        self.stable(group)
        Person(group, "two-again", instance="b").join(5, said=b"other topics")
        assert group.state is GroupState.PREPARING

    def test_who_is_away_keeps_its_place_until_its_session_ends(self, group: Group) -> None:
        one, _ = self.stable(group)
        Person(group, "three").join(1)
        one.join(2)
        group.heartbeat(group.members["two"], REBALANCE_MS)
        group.tick(REBALANCE_MS + 2)
        assert "two" in group.members
        group.tick(REBALANCE_MS + SESSION_MS)
        assert "two" not in group.members


@pytest.mark.parametrize("state", ["empty", "preparing", "completing"])
def test_closing_answers_everyone_who_waits(group: Group, state: str) -> None:
    one = Person(group, "one").join()
    two = Person(group, "two").join() if state != "empty" else one
    if state == "completing":
        one.join()
        two.sync()
    group.close(Code.COORDINATOR_NOT_AVAILABLE)
    assert all(not member.is_waiting for member in group.members.values())
