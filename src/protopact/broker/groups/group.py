"""One group as a state machine: time and requests come in, answers go out through the calls that were given with them.

The states and their ways are those of Kafka's classic group protocol: an *empty* group, *preparing* a rebalance while
members come (again), *completing* it until the leader has said who reads what, and *stable*.
Sources: https://cwiki.apache.org/confluence/display/KAFKA/Kafka+Client-side+Assignment+Proposal, KIP-345 (static
members), KIP-394 (a member gets its id before it joins), and the behaviour of Apache Kafka 4.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from protopact.broker.codes import Code
from protopact.broker.messages.members import JoinedMember, JoinGroupAnswer, SyncGroupAnswer
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from protopact.broker.groups.member import Member
    from protopact.broker.messages.members import Protocol


class GroupState(Enum):
    """What a group is doing, by the name that clients are shown."""

    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    COMPLETING = "CompletingRebalance"
    STABLE = "Stable"


@dataclass(slots=True)
class Group:
    """A consumer group. Nothing here waits, and nothing knows what time it is but by `now_ms`."""

    group_id: str
    rebalance_delay_ms: int = 0
    state: GroupState = GroupState.EMPTY
    generation: int = 0
    protocol_type: str = ""
    protocol: str = ""
    leader: str = ""
    members: dict[str, Member] = field(default_factory=dict)
    idle_since_ms: int = 0
    _pending: dict[str, int] = field(default_factory=dict)  # ids that were given out, and until when they are good
    _static: dict[str, str] = field(default_factory=dict)  # the member that an instance is now
    _rebalance_ends_ms: int | None = None
    _rebalance_begins_ms: int = 0

    @property
    def size(self) -> int:
        """How many are members, or were given an id and may become one."""
        return len(self.members) + len(self._pending)

    # ── joining ──────────────────────────────────────────────────────────────────────────────────

    def add_pending(self, member_id: str, now_ms: int, session_timeout_ms: int) -> None:
        """Expect a member to whom an id was given; a rebalance waits for it."""
        self._pending[member_id] = now_ms + session_timeout_ms

    def is_pending(self, member_id: str) -> bool:
        """Say whether an id was given to who has not joined yet."""
        return member_id in self._pending

    def check_protocols(self, protocol_type: str, protocols: tuple[Protocol, ...], *, member_id: str = "") -> None:
        """Refuse with INCONSISTENT_GROUP_PROTOCOL a member that no protocol has in common with all others."""
        others = [member for member in self.members.values() if member.member_id != member_id]
        names = {each.name for each in protocols}
        common = names.intersection(*({each.name for each in member.protocols} for member in others))
        if not protocol_type or not common or (others and protocol_type != self.protocol_type):
            raise RefusedRequestError(
                f"the group {self.group_id!r} shares no protocol with the member",
                error_code=Code.INCONSISTENT_GROUP_PROTOCOL,
            )

    def join_new(
        self, member: Member, protocol_type: str, now_ms: int, reply: Callable[[JoinGroupAnswer], None]
    ) -> None:
        """Take a new member in, and rebalance. An instance that comes again takes the place of what it was before."""
        self._pending.pop(member.member_id, None)
        before = None if member.group_instance_id is None else self._static.get(member.group_instance_id)
        self.protocol_type = protocol_type
        member.join_reply = reply
        member.lives(now_ms)
        if before is not None:
            self._replace(self.members[before], member, now_ms)
        else:
            self._enter(member)
            self._rebalance(now_ms)

    def join_again(
        self, member: Member, protocols: tuple[Protocol, ...], now_ms: int, reply: Callable[[JoinGroupAnswer], None]
    ) -> None:
        """Let a member come (again): it may have missed an answer, changed its mind, or obey a rebalance."""
        unchanged = member.protocols == protocols
        member.answer_join(JoinGroupAnswer(member.member_id, Code.REBALANCE_IN_PROGRESS))
        member.protocols = protocols
        member.join_reply = reply
        member.lives(now_ms)
        settled = self.state is GroupState.COMPLETING or (
            self.state is GroupState.STABLE and member.member_id != self.leader
        )
        if settled and unchanged:
            member.answer_join(self._joined(member))
        else:
            self._rebalance(now_ms)

    # ── assignments, life and leaving ────────────────────────────────────────────────────────────

    def member(self, member_id: str, group_instance_id: str | None) -> Member:
        """Give a member; UNKNOWN_MEMBER_ID for none, FENCED_INSTANCE_ID for one whose instance is another by now."""
        if group_instance_id is not None:
            current = self._static.get(group_instance_id)
            if current is not None and current != member_id:
                raise RefusedRequestError(
                    f"{group_instance_id!r} is another member of the group {self.group_id!r} by now",
                    error_code=Code.FENCED_INSTANCE_ID,
                )
        found = self.members.get(member_id)
        if found is None:
            raise RefusedRequestError(
                f"the group {self.group_id!r} has no member {member_id!r}", error_code=Code.UNKNOWN_MEMBER_ID
            )
        return found

    def instance(self, group_instance_id: str) -> Member | None:
        """Give the member that an instance is now, or None."""
        member_id = self._static.get(group_instance_id)
        return None if member_id is None else self.members[member_id]

    def check_generation(self, generation: int) -> None:
        """Refuse with ILLEGAL_GENERATION who speaks of another generation."""
        if generation != self.generation:
            raise RefusedRequestError(
                f"the group {self.group_id!r} is in its generation {self.generation}, not {generation}",
                error_code=Code.ILLEGAL_GENERATION,
            )

    def check_protocol(self, protocol_type: str | None, protocol: str | None) -> None:
        """Refuse with INCONSISTENT_GROUP_PROTOCOL who speaks of another protocol; None says nothing."""
        if protocol_type not in {None, self.protocol_type} or protocol not in {None, self.protocol}:
            raise RefusedRequestError(
                f"the group {self.group_id!r} has chosen {self.protocol!r} of the type {self.protocol_type!r}",
                error_code=Code.INCONSISTENT_GROUP_PROTOCOL,
            )

    def sync(
        self,
        member: Member,
        assignments: Mapping[str, bytes],
        now_ms: int,
        reply: Callable[[SyncGroupAnswer], None],
    ) -> None:
        """Give a member what it is to read, once the leader has said so for all."""
        member.lives(now_ms)
        if self.state is GroupState.PREPARING:
            reply(SyncGroupAnswer(Code.REBALANCE_IN_PROGRESS))
            return
        member.answer_sync(SyncGroupAnswer(Code.REBALANCE_IN_PROGRESS))
        member.sync_reply = reply
        if self.state is GroupState.STABLE:
            member.answer_sync(self._assigned(member))
        elif member.member_id == self.leader:
            self._settle(assignments, now_ms)

    def heartbeat(self, member: Member, now_ms: int) -> Code:
        """Begin the member's session anew, and tell it whether it is to join again."""
        member.lives(now_ms)
        return Code.REBALANCE_IN_PROGRESS if self.state is GroupState.PREPARING else Code.NONE

    def leave(self, member: Member, now_ms: int) -> None:
        """Let a member go; the others share out anew what it read."""
        self._remove(member, Code.UNKNOWN_MEMBER_ID)
        self._rebalance(now_ms)

    def forget_pending(self, member_id: str, now_ms: int) -> bool:
        """Expect no longer who was given an id; False when nobody was."""
        if self._pending.pop(member_id, None) is None:
            return False
        self._complete_if_all_came(now_ms)
        return True

    # ── time ─────────────────────────────────────────────────────────────────────────────────────

    def next_deadline_ms(self) -> int | None:
        """Give the time at which `tick` has something to do, or None."""
        sessions = [member.session_ends_ms for member in self.members.values() if not member.is_waiting]
        ends = [] if self._rebalance_ends_ms is None else [self._rebalance_ends_ms]
        return min([*sessions, *self._pending.values(), *ends], default=None)

    def tick(self, now_ms: int) -> None:
        """Let go whose session or whose id has run out, and end a rebalance that took its time."""
        self._pending = {member_id: until for member_id, until in self._pending.items() if until > now_ms}
        gone = [each for each in self.members.values() if not each.is_waiting and each.session_ends_ms <= now_ms]
        for member in gone:
            self._remove(member, Code.UNKNOWN_MEMBER_ID)
        if gone:
            self._rebalance(now_ms)
        self._complete_if_all_came(now_ms)
        if self._rebalance_ends_ms is not None and self._rebalance_ends_ms <= now_ms:
            self._end_waiting(now_ms)

    def close(self, code: Code) -> None:
        """Answer everyone who waits with an error."""
        for member in self.members.values():
            member.refuse(code)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    def _enter(self, member: Member) -> None:
        self.members[member.member_id] = member
        if member.group_instance_id is not None:
            self._static[member.group_instance_id] = member.member_id

    def _remove(self, member: Member, code: Code) -> None:
        del self.members[member.member_id]
        if member.group_instance_id is not None:
            self._static.pop(member.group_instance_id, None)
        member.refuse(code)

    def _replace(self, before: Member, member: Member, now_ms: int) -> None:
        """Put an instance in its own place. Where nothing has changed, the others need not notice (KIP-345)."""
        same_choice = before.metadata(self.protocol) == member.metadata(self.protocol)
        led = before.member_id == self.leader
        member.assignment = before.assignment
        self._remove(before, Code.FENCED_INSTANCE_ID)
        self._enter(member)
        if led:
            self.leader = member.member_id
        if self.state is GroupState.STABLE and same_choice and self._chosen() == self.protocol:
            # Who leads but cannot be told to skip the assignment is told that its former self leads (KIP-814).
            answer = self._joined(member, skip_assignment=True)
            member.answer_join(
                answer if member.client.may_skip or not led else replace(answer, leader=before.member_id, members=())
            )
        else:
            self._rebalance(now_ms)

    def _rebalance(self, now_ms: int) -> None:
        """Have all members join again, and wait for them as long as the most patient of them asks for.

        Where that is going on already, there may be nobody left to wait for.
        """
        if self.state is not GroupState.PREPARING:
            self._prepare(now_ms)
        self._complete_if_all_came(now_ms)

    def _prepare(self, now_ms: int) -> None:
        for member in self.members.values():
            member.answer_sync(SyncGroupAnswer(Code.REBALANCE_IN_PROGRESS))
            if self.state is GroupState.COMPLETING:
                member.assignment = b""
        was_empty = self.state is GroupState.EMPTY
        self.state = GroupState.PREPARING
        self._rebalance_begins_ms = now_ms + (self.rebalance_delay_ms if was_empty else 0)
        self._rebalance_ends_ms = now_ms + max(
            (member.rebalance_timeout_ms for member in self.members.values()), default=0
        )
        if self._rebalance_begins_ms > now_ms:
            self._rebalance_ends_ms = self._rebalance_begins_ms

    def _complete_if_all_came(self, now_ms: int) -> None:
        if self.state is not GroupState.PREPARING or self._pending or self._rebalance_begins_ms > now_ms:
            return
        if all(member.join_reply is not None for member in self.members.values()):
            self._begin_generation(now_ms)

    def _end_waiting(self, now_ms: int) -> None:
        """End the time for joining, or for the leader's word: who has not come is no member any more.

        A static member that has not joined stays: it has until the end of its session to come back.
        """
        if self.state is GroupState.PREPARING:
            self._remove_late(lambda member: member.join_reply is None and member.group_instance_id is None)
            self._begin_generation(now_ms)
        elif self.state is GroupState.COMPLETING:
            self._remove_late(lambda member: member.sync_reply is None)
            self._rebalance(now_ms)

    def _remove_late(self, is_late: Callable[[Member], bool]) -> None:
        for member in [each for each in self.members.values() if is_late(each)]:
            self._remove(member, Code.UNKNOWN_MEMBER_ID)

    def _begin_generation(self, now_ms: int) -> None:
        """Choose protocol and leader, and tell all who came."""
        self.generation += 1
        self._rebalance_ends_ms = None
        if not self.members:
            self.state, self.protocol, self.leader, self.idle_since_ms = GroupState.EMPTY, "", "", now_ms
            return
        came = [member for member in self.members.values() if member.join_reply is not None]
        if not came:
            self._rebalance_ends_ms = now_ms + max(member.rebalance_timeout_ms for member in self.members.values())
            return
        self.state = GroupState.COMPLETING
        self.protocol = self._chosen()
        if self.leader not in {member.member_id for member in came}:
            self.leader = came[0].member_id
        self._rebalance_ends_ms = now_ms + max(member.rebalance_timeout_ms for member in came)
        for member in came:
            member.lives(now_ms)
            member.answer_join(self._joined(member))

    def _settle(self, assignments: Mapping[str, bytes], now_ms: int) -> None:
        """Take the leader's word, and tell everyone his part."""
        self.state = GroupState.STABLE
        self._rebalance_ends_ms = None
        for member in self.members.values():
            member.assignment = assignments.get(member.member_id, b"")
            if member.sync_reply is not None:
                member.lives(now_ms)
                member.answer_sync(self._assigned(member))

    def _chosen(self) -> str:
        """Choose the protocol that all know and most want: each votes for the first in its list that all know."""
        known = [[each.name for each in member.protocols] for member in self.members.values()]
        common = set(known[0]).intersection(*known)
        votes = Counter(next(name for name in names if name in common) for names in known)
        return votes.most_common(1)[0][0]

    def _joined(self, member: Member, *, skip_assignment: bool = False) -> JoinGroupAnswer:
        is_leader = member.member_id == self.leader
        return JoinGroupAnswer(
            member.member_id,
            generation_id=self.generation,
            protocol_type=self.protocol_type,
            protocol_name=self.protocol or "",
            leader=self.leader,
            skip_assignment=is_leader and skip_assignment,
            members=_described(self.members.values(), self.protocol) if is_leader else (),
        )

    def _assigned(self, member: Member) -> SyncGroupAnswer:
        return SyncGroupAnswer(
            protocol_type=self.protocol_type, protocol_name=self.protocol, assignment=member.assignment
        )


def _described(members: Iterable[Member], protocol: str) -> tuple[JoinedMember, ...]:
    return tuple(JoinedMember(each.member_id, each.metadata(protocol), each.group_instance_id) for each in members)
