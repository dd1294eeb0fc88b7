"""Whatever members do, a group stays a group: one leader, rising generations, and an answer for everyone."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from protopact.broker.codes import Code
from protopact.broker.groups.group import Group, GroupState
from protopact.broker.groups.member import Client, Member
from protopact.broker.messages.members import JoinGroupAnswer, Protocol, SyncGroupAnswer

SESSION_MS = 10_000
REBALANCE_MS = 30_000
NAMES = st.sampled_from(["a", "b", "c", "d", "e"])


class Members(RuleBasedStateMachine):
    """Up to five members that join, sync, fall silent, go and come again, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        self.generation = 0
        self.asked = self.answered = 0
        self.told: dict[int, dict[str, bytes]] = {}  # by generation, what its leader said
        self.read: dict[str, tuple[int, bytes]] = {}

    @initialize(delay_ms=st.sampled_from([0, 500]))
    def begin(self, delay_ms: int) -> None:
        self.group = Group("group", rebalance_delay_ms=delay_ms)

    @rule(name=NAMES, static=st.booleans(), said=st.sampled_from([b"", b"other"]))
    def join(self, *, name: str, static: bool, said: bytes) -> None:
        self.asked += 1
        spoken = (Protocol("range", said),)
        known = self.group.members.get(name)
        if known is not None:
            self.group.join_again(known, spoken, self.now_ms, self._joined)
            return
        instance = f"instance-{name}" if static else None
        member = Member(name, instance, Client("c", "/h"), spoken, SESSION_MS, REBALANCE_MS, session_ends_ms=0)
        self.group.join_new(member, "consumer", self.now_ms, self._joined)

    @rule(name=NAMES)
    def expect(self, name: str) -> None:
        if name not in self.group.members:
            self.group.add_pending(name, self.now_ms, SESSION_MS)

    @precondition(lambda self: self.group.members)
    @rule(data=st.data())
    def sync(self, data: st.DataObject) -> None:
        member = self.group.members[data.draw(st.sampled_from(sorted(self.group.members)))]
        if member.join_reply is not None:
            return  # it waits for its join, so it cannot ask
        says = {name: f"{self.group.generation}:{name}".encode() for name in self.group.members}
        if self.group.state is GroupState.COMPLETING and member.member_id == self.group.leader:
            self.told[self.group.generation] = says
        self.asked += 1
        name, generation = member.member_id, self.group.generation

        def reply(answer: SyncGroupAnswer) -> None:
            self.answered += 1
            if answer.error_code is Code.NONE:
                self.read[name] = (generation, answer.assignment)

        self.group.sync(member, says, self.now_ms, reply)

    @precondition(lambda self: self.group.members)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.group.leave(self.group.members[data.draw(st.sampled_from(sorted(self.group.members)))], self.now_ms)

    @precondition(lambda self: self.group.members)
    @rule(data=st.data())
    def live(self, data: st.DataObject) -> None:
        self.group.heartbeat(self.group.members[data.draw(st.sampled_from(sorted(self.group.members)))], self.now_ms)

    @rule(passed_ms=st.sampled_from([1, 400, 5_000, SESSION_MS, REBALANCE_MS]))
    def wait(self, passed_ms: int) -> None:
        until_ms = self.now_ms + passed_ms
        while (due_ms := self.group.next_deadline_ms()) is not None and due_ms <= until_ms:
            self.now_ms = max(self.now_ms, due_ms)
            self.group.tick(self.now_ms)
        self.now_ms = until_ms

    @invariant()
    def generations_only_rise(self) -> None:
        if hasattr(self, "group"):
            assert self.group.generation >= self.generation
            self.generation = self.group.generation

    @invariant()
    def a_formed_group_has_one_leader_who_is_a_member(self) -> None:
        if hasattr(self, "group") and self.group.state in {GroupState.COMPLETING, GroupState.STABLE}:
            assert self.group.leader in self.group.members

    @invariant()
    def everyone_reads_what_the_leader_of_the_generation_said(self) -> None:
        for name, (generation, assignment) in self.read.items():
            assert assignment == self.told[generation].get(name, b"")

    @invariant()
    def whoever_asked_waits_or_was_answered(self) -> None:
        if hasattr(self, "group"):
            members = self.group.members.values()
            waiting = sum((each.join_reply is not None) + (each.sync_reply is not None) for each in members)
            assert self.asked == self.answered + waiting

    def teardown(self) -> None:
        """When all deadlines have passed and nobody asks any more, nobody waits and nobody is left."""
        if not hasattr(self, "group"):
            return
        for _ in range(50):
            due_ms = self.group.next_deadline_ms()
            if due_ms is None:
                break
            self.now_ms = max(self.now_ms, due_ms)
            self.group.tick(self.now_ms)
        assert self.asked == self.answered
        assert self.group.members == {}

    def _joined(self, _answer: JoinGroupAnswer) -> None:
        self.answered += 1


TestMembers = Members.TestCase
