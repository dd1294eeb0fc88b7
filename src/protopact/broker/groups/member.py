"""One member of a group: what it said, what it reads, and the answers that it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.broker.messages.members import JoinGroupAnswer, SyncGroupAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.broker.codes import Code
    from protopact.broker.messages.members import Protocol


@dataclass(frozen=True, slots=True)
class Client:
    """Who speaks for a member, and what its version of JoinGroup understands.

    `takes_id_first`: a new member is given an id, and joins with it (version 4 on). `may_skip`: it understands to lead
    without sharing out anew (version 9 on).
    """

    client_id: str
    host: str
    takes_id_first: bool = True
    may_skip: bool = True


@dataclass(slots=True)
class Member:
    """A member; `join_reply` and `sync_reply` are there while it waits for that answer."""

    member_id: str
    group_instance_id: str | None
    client: Client
    protocols: tuple[Protocol, ...]
    session_timeout_ms: int
    rebalance_timeout_ms: int
    session_ends_ms: int
    assignment: bytes = b""
    join_reply: Callable[[JoinGroupAnswer], None] | None = None
    sync_reply: Callable[[SyncGroupAnswer], None] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for the group: it cannot be expected to say that it lives meanwhile."""
        return self.join_reply is not None or self.sync_reply is not None

    def metadata(self, protocol: str) -> bytes:
        """Give what it said for a protocol."""
        return next((each.metadata for each in self.protocols if each.name == protocol), b"")

    def lives(self, now_ms: int) -> None:
        """Begin its session anew."""
        self.session_ends_ms = now_ms + self.session_timeout_ms

    def answer_join(self, answer: JoinGroupAnswer) -> None:
        """Give the answer that its join waits for, if it waits."""
        reply, self.join_reply = self.join_reply, None
        if reply is not None:
            reply(answer)

    def answer_sync(self, answer: SyncGroupAnswer) -> None:
        """Give the answer that its sync waits for, if it waits."""
        reply, self.sync_reply = self.sync_reply, None
        if reply is not None:
            reply(answer)

    def refuse(self, code: Code) -> None:
        """Answer whatever it waits for with an error."""
        self.answer_join(JoinGroupAnswer(self.member_id, code))
        self.answer_sync(SyncGroupAnswer(code))
