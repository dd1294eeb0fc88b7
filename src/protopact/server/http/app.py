"""The registry over HTTP: a plain ASGI 3 application. It knows of bytes, limits and headers, and nothing of schemas."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, quote

from protopact.errors import RegistryError
from protopact.flow import Call, Reply, perform_async
from protopact.registry import CONTENT_TYPE, REPR_DIGEST, repr_digest
from protopact.server.http.incoming import BodyRoom, GoneError, Message, Receive, busy
from protopact.server.http.logs import log_request, logs_requests
from protopact.server.media import ACCEPT_LENGTH_MAX, accepted_type
from protopact.server.problems import refusal

if TYPE_CHECKING:
    from protopact.server.exchange import Registry
    from protopact.server.guard.access import Principal
    from protopact.server.http.hosts import Hosts
    from protopact.server.prepared import Prepared

Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

_REQUEST_ID = "x-request-id"
_PLAIN_ID = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,128}")  # no comma: it joins repeated ones
_OUR_TYPE = (b"content-type", CONTENT_TYPE.encode())
_DIGEST = REPR_DIGEST.encode()
_PROCESS = uuid.uuid4().hex[:16].encode()
_numbers = itertools.count(1)
_QUERY_FIELDS_MAX = 100
_LARGE_BYTES = 64 * 1024
_LARGE_MAX = 16


def asgi_app(registry: Registry, *, hosts: Hosts | None = None) -> App:
    """Give the ASGI application that serves a registry, with the limits of its settings.

    Every answer carries `X-Request-ID`, the client's or a new one, and `Repr-Digest`, by which alterations are seen.
    Errors have the dialect's body; what went wrong inside is logged under the same id, never sent. Closing the
    registry is the owner's part. With `hosts`, calls to other names are refused (421).
    """
    return App(registry, hosts)


class Answer(NamedTuple):
    """What goes out for one call: the status, the headers and the body, all of it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class App:
    """The application; a server whose connections can send asks it for answers, and first for those that are ready."""

    def __init__(self, registry: Registry, hosts: Hosts | None) -> None:
        self._registry = registry
        self._hosts = hosts
        self._bodies = BodyRoom(registry.settings)
        self._in_flight = 0
        self._large_in_flight = 0
        self._turns = asyncio.Lock()
        registry.metrics.watch("requests_in_flight", "Calls being answered", lambda: self._in_flight)
        registry.metrics.watch("body_bytes", "Bytes of the bodies of calls", lambda: self._bodies.bytes)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one call, as ASGI 3 has it."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"the registry speaks HTTP, not {scope['type']}")
        found = self.find_prepared(scope)
        ready = None if found is None else Answer(200, [*found.headers, (b"x-request-id", new_id())], found.body)
        answer = ready or await self.answer(scope, receive)
        if answer is not None:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            await send({"type": "http.response.body", "body": answer.body})

    def find_prepared(self, scope: Message) -> Prepared | None:
        """Find an answer that is ready, for a caller who takes our type and sends no id of its own.

        This is the way of nearly all calls, so it decodes nothing that it does not need.
        """
        if scope["method"] != "GET" or logs_requests():
            return None
        authorization = b""
        for name, value in scope["headers"]:
            if name == b"x-request-id" or (name == b"accept" and not _takes_ours(value[:ACCEPT_LENGTH_MAX])):
                return None
            if name == b"authorization":
                authorization = value
            elif name == b"host" and self._hosts is not None and not self._hosts.knows(value.decode("latin-1")):
                return None
        return self._registry.find_prepared(_path(scope), scope["query_string"], authorization)

    async def answer(self, scope: Message, receive: Receive) -> Answer | None:
        """Work out the answer to a call; None where nobody waits for it any more."""
        headers = _headers(scope["headers"])
        start = time.perf_counter()
        try:
            reply = await self._reply(scope, headers, receive)
        except GoneError:
            return None
        except Exception as error:  # noqa: BLE001  (the client must get an answer, and no stack trace)
            reply = refusal(error, request_id=headers[_REQUEST_ID])
        if logs_requests():
            took_s = time.perf_counter() - start
            log_request(scope["method"], _path(scope), reply.status, request_id=headers[_REQUEST_ID], took_s=took_s)
        return _as_sent(reply, headers[_REQUEST_ID], with_body=scope["method"] != "HEAD")

    async def _reply(self, scope: Message, headers: dict[str, str], receive: Receive) -> Reply:
        """Answer a call: know who asks before the body is read, and read the body before the call counts as one."""
        call = Call("", "")
        with self._bodies.body(headers) as body:
            try:
                if self._hosts is not None:
                    self._hosts.check(headers.get("host", ""))
                call = _call(scope, headers)
                principal = await perform_async(self._registry.identify(call))
                call = replace(call, body=await body.read(receive))
                exchanged = self._exchanged_in_turn if len(call.body) > _LARGE_BYTES else self._exchanged
                return await exchanged(call, principal)
            except RegistryError as error:
                self._registry.metrics.refused(error.status)
                told = self._registry.told(error, call) | _TOLD.get(error.status, {})
                # A request that was not read to its end leaves a connection that nobody can use again.
                return refusal(error, headers=told if body.is_whole else told | _PARTING)

    async def _exchanged_in_turn(self, call: Call, principal: Principal) -> Reply:
        """Answer a call that takes the event loop some milliseconds to read: one at a time, and not too many at once.

        Between two of them, whatever else is ready gets its turn.
        """
        if self._large_in_flight >= _LARGE_MAX:
            raise busy()
        self._large_in_flight += 1
        try:
            async with self._turns:
                await asyncio.sleep(0)
            return await self._exchanged(call, principal)
        finally:
            self._large_in_flight -= 1

    async def _exchanged(self, call: Call, principal: Principal) -> Reply:
        if self._in_flight >= self._registry.settings.concurrency_max:
            raise busy()
        self._in_flight += 1
        try:
            return await perform_async(self._registry.exchange(call, principal))
        finally:
            self._in_flight -= 1


_PARTING = {"connection": "close"}
_TOLD = {503: {"retry-after": "1"}, 408: _PARTING, 413: _PARTING}


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Give the headers by name, a repeated one as a list, and an id for the request where it has no usable one."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    if not _PLAIN_ID.fullmatch(headers.get(_REQUEST_ID, "")):
        headers[_REQUEST_ID] = new_id().decode()
    return headers


def new_id() -> bytes:
    """Give an id that no other request has."""
    return b"%b-%08x" % (_PROCESS, next(_numbers))


@lru_cache(maxsize=256)
def _takes_ours(accept: bytes) -> bool:
    """Whether a reply to this Accept header has the type that we prefer."""
    return accepted_type(accept.decode("latin-1")) == CONTENT_TYPE


def _call(scope: Message, headers: dict[str, str]) -> Call:
    return Call(
        method="GET" if scope["method"] == "HEAD" else scope["method"],
        path=_path(scope),
        query=_query(scope["query_string"]) if scope["query_string"] else (),
        headers=headers,
    )


def _path(scope: Message) -> str:
    """Give the path as it was sent: an encoded slash must not become one before the path is split."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    return raw.decode("latin-1")


def _query(raw: bytes) -> tuple[tuple[str, str], ...]:
    try:
        text = raw.decode("ascii")
        return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX, errors="strict"))
    except ValueError as error:
        raise RegistryError("the query cannot be read", error_code=400) from error


def _as_sent(reply: Reply, request_id: str, *, with_body: bool) -> Answer:
    headers = [
        (b"content-length", b"%d" % len(reply.body)),
        (b"x-request-id", request_id.encode("latin-1")),
        (_DIGEST, repr_digest(reply.body)),
    ]
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    if "content-type" not in reply.headers:
        headers.append(_OUR_TYPE)
    return Answer(reply.status, headers, reply.body if with_body else b"")


async def _live(receive: Receive, send: Send) -> None:
    while True:
        phase = (await receive())["type"]
        await send({"type": f"{phase}.complete"})
        if phase == "lifespan.shutdown":
            return
