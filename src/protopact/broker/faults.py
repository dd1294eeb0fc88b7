"""Faults that a test asks for: a connection refused or dropped, an answer that is late, lost or an error."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from protopact.broker.apis import APIS
from protopact.broker.codes import Code
from protopact.errors import ConfigError, RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protopact.broker.apis import Api
    from protopact.broker.node import Caller, Node


@dataclass(slots=True)
class _Fault:
    """One fault: which requests it meets (`None`: all), after how many others, how often, and what it does."""

    kind: Literal["delay", "drop", "lose", "error"]
    request: str | None
    skipped: int
    times: int | None
    delay_s: float = 0.0
    error: Code = Code.NONE

    def meets(self, request: str) -> bool:
        if self.request not in {None, request} or self.times == 0:
            return False
        if self.skipped > 0:
            self.skipped -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The faults of one broker. Requests are named as Kafka names them: `Produce`, `Fetch`, `JoinGroup`."""

    def __init__(self) -> None:
        """Begin without a fault."""
        self._faults: list[_Fault] = []
        self.refuses_connections = False

    def refuse_connections(self, *, refuse: bool = True) -> None:
        """Close every new connection at once, until told otherwise."""
        self.refuses_connections = refuse

    def delay(self, seconds: float, request: str | None = None, *, skip: int = 0, times: int | None = None) -> None:
        """Do requests later: `skip` of them are left out first, then `times` are met, or all."""
        self._add(_Fault("delay", request, skip, times, delay_s=seconds))

    def drop(self, request: str | None = None, *, skip: int = 0, times: int | None = 1) -> None:
        """Drop the connection instead of doing the request."""
        self._add(_Fault("drop", request, skip, times))

    def lose_answer(self, request: str | None = None, *, skip: int = 0, times: int | None = 1) -> None:
        """Do the request, then drop the connection instead of answering."""
        self._add(_Fault("lose", request, skip, times))

    def error(self, error: str, request: str, *, skip: int = 0, times: int | None = 1) -> None:
        """Answer with an error, by its name in Kafka's protocol (`NOT_LEADER_OR_FOLLOWER`), without doing the request.

        ConfigError when no such error is known, or, as for the other faults, no such request.
        """
        _check("error", error, Code.__members__)
        self._add(_Fault("error", request, skip, times, error=Code[error]))

    def clear(self) -> None:
        """Go on without faults."""
        self._faults.clear()
        self.refuses_connections = False

    async def through(self, api: Api, node: Node, request: object, caller: Caller) -> object | None:
        """Have the request done and give its answer, or whatever the faults make of it."""
        met = [fault for fault in tuple(self._faults) if fault.meets(api.name)] if self._faults else []
        for fault in met:
            if fault.kind == "delay":
                await asyncio.sleep(fault.delay_s)
            elif fault.kind == "drop":
                raise RefusedRequestError("a test drops the connection", error_code=Code.NONE)
            elif fault.kind == "error":
                from protopact.broker.handlers.refusing import refused_answer  # it knows the messages of all requests

                return refused_answer(node, request, fault.error, caller)
        answer = await api.handle(node, request, caller)
        if any(fault.kind == "lose" for fault in met):
            raise RefusedRequestError("a test loses the answer", error_code=Code.NONE)
        return answer

    def _add(self, fault: _Fault) -> None:
        if fault.request is not None:
            _check("request", fault.request, [api.name for api in APIS.values()])
        self._faults.append(fault)


def _check(what: str, name: str, names: Iterable[str]) -> None:
    if name not in names:
        from difflib import get_close_matches

        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        raise ConfigError(f"no {what} is called {name!r}", option=what, hint=hint)
