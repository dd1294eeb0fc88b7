"""A sender that answers from a script, so that flows are tried without sockets and without waiting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from protopact.errors import TransportError
from protopact.flow import Call, Reply, perform

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.flow import Flow

T = TypeVar("T")


def answer(value: object, status: int = 200, **headers: str) -> Reply:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Reply(status, {name.replace("_", "-"): text for name, text in headers.items()}, body)


def silence(server: int = 0) -> TransportError:
    return TransportError("no answer", url=f"http://server{server}", attempts=1)


class Script:
    """Answers each call with the next of `replies`; an exception among them is raised."""

    def __init__(self, *replies: Reply | Exception) -> None:
        self.replies = list(replies)
        self.calls: list[tuple[Call, int]] = []
        self.slept: list[float] = []

    def __call__(self, call: Call, server: int, /) -> Reply:
        self.calls.append((call, server))
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def perform(self, flow: Flow[T]) -> T:
        return perform(flow, sender=self, sleep=self.slept.append)

    @property
    def asked(self) -> list[str]:
        return [f"{call.method} {call.path}" for call, _ in self.calls]

    @property
    def servers(self) -> list[int]:
        return [server for _, server in self.calls]


class Routes:
    """Answers a call by its method and path with query; what is not listed is a 404."""

    def __init__(self, routes: dict[str, object | Callable[[Call], Reply]]) -> None:
        self.routes = routes
        self.asked: list[str] = []

    def __call__(self, call: Call, server: int, /) -> Reply:
        query = "&".join(f"{name}={value}" for name, value in call.query)
        route = f"{call.method} {call.path}" + (f"?{query}" if query else "")
        self.asked.append(route)
        found = self.routes.get(route)
        if found is None:
            return answer({"error_code": 40403, "message": f"nothing at {route}"}, 404)
        return found if isinstance(found, Reply) else found(call) if callable(found) else answer(found)
