"""The registry over HTTP: a plain ASGI 3 application. It knows of bytes, limits and headers, and nothing of schemas."""

from __future__ import annotations

import asyncio
import itertools
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl, quote

from protopact.errors import RegistryError
from protopact.flow import Call, Reply, perform_async
from protopact.registry import CONTENT_TYPE
from protopact.server.media import ACCEPT_LENGTH_MAX, accepted_type
from protopact.server.problems import refusal

if TYPE_CHECKING:
    from protopact.server.exchange import Registry
    from protopact.settings import ServerSettings

# The interface of ASGI 3: what a server calls an application with.
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

_REQUEST_ID = "x-request-id"
_PLAIN_ID = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,128}")  # no comma: it joins repeated ones
_OUR_TYPE = (b"content-type", CONTENT_TYPE.encode())
_PROCESS = uuid.uuid4().hex[:16]
_numbers = itertools.count(1)
_PATIENCE = 16
_QUERY_FIELDS_MAX = 100


class _GoneError(Exception):
    """The client went away before it had sent its request."""


def asgi_app(registry: Registry) -> AsgiApp:
    """Give the ASGI application that serves a registry, with the limits of its settings.

    Every answer carries `X-Request-ID`: the client's, or a new one. Errors have the dialect's body; what went wrong
    inside is logged under the same id, never sent. Closing the registry is the owner's part.
    """
    return _App(registry)


class _App:
    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._settings = registry.settings
        self._in_flight = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            raise RuntimeError(f"the registry speaks HTTP, not {scope['type']}")
        body = self._prepared(scope)
        if body is not None:
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [
                        (b"content-length", b"%d" % len(body)),
                        (b"x-request-id", _new_id().encode()),
                        _OUR_TYPE,
                    ],
                }
            )
            await send({"type": "http.response.body", "body": body})
            return
        headers = _headers(scope["headers"])
        reply = await self._answered(scope, headers, receive)
        if reply is not None:
            await _send(reply, headers[_REQUEST_ID], send, with_body=scope["method"] != "HEAD")

    def _prepared(self, scope: Message) -> bytes | None:
        """Find a body that is ready, for a caller who takes our type and sends no id of its own.

        This is the way of nearly all calls, so it decodes nothing that it does not need.
        """
        if scope["method"] != "GET":
            return None
        for name, value in scope["headers"]:
            if name == b"x-request-id" or (name == b"accept" and not _takes_ours(value[:ACCEPT_LENGTH_MAX])):
                return None
        return self._registry.find_prepared(_path(scope), scope["query_string"])

    async def _answered(self, scope: Message, headers: dict[str, str], receive: Receive) -> Reply | None:
        """Give the reply to a call, or None where nobody waits for it any more."""
        self._in_flight += 1
        try:
            return await self._reply(scope, headers, receive)
        except _GoneError:
            return None
        except Exception as error:  # noqa: BLE001  (the client must get an answer, and no stack trace)
            return refusal(error, request_id=headers[_REQUEST_ID])
        finally:
            self._in_flight -= 1

    async def _reply(self, scope: Message, headers: dict[str, str], receive: Receive) -> Reply:
        if self._in_flight > self._settings.concurrency_max:
            return refusal(RegistryError("the registry is busy, try again", error_code=503), headers=_RETRY)
        try:
            body = await _body(headers, receive, self._settings)
            call = _call(scope, headers, body)
        except RegistryError as error:
            return refusal(error, headers=_PARTING if error.status in _UNREAD else None)
        return await perform_async(self._registry.exchange(call))


# A request that is refused before its end leaves a connection that nobody can use again.
_UNREAD = {408, 413}
_PARTING = {"connection": "close"}
_RETRY = {"retry-after": "1"}


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Give the headers by name, a repeated one as a list, and an id for the request where it has no usable one."""
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]},{text}" if key in headers else text
    if not _PLAIN_ID.fullmatch(headers.get(_REQUEST_ID, "")):
        headers[_REQUEST_ID] = _new_id()
    return headers


def _new_id() -> str:
    """Give an id that no other request has."""
    return f"{_PROCESS}-{next(_numbers):08x}"


@lru_cache(maxsize=256)
def _takes_ours(accept: bytes) -> bool:
    """Whether a reply to this Accept header has the type that we prefer."""
    return accepted_type(accept.decode("latin-1")) == CONTENT_TYPE


def _call(scope: Message, headers: dict[str, str], body: bytes) -> Call:
    return Call(
        method="GET" if scope["method"] == "HEAD" else scope["method"],
        path=_path(scope),
        query=_query(scope["query_string"]) if scope["query_string"] else (),
        headers=headers,
        body=body,
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


async def _body(headers: dict[str, str], receive: Receive, settings: ServerSettings) -> bytes:
    """Read the body; RegistryError 413 where it is too long, 408 where it is too slow."""
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return b""
    try:
        async with asyncio.timeout(settings.body_s):
            return await _read(headers, receive, settings.body_bytes_max)
    except TimeoutError as error:
        raise RegistryError("the request took too long to arrive", error_code=408) from error


async def _read(headers: dict[str, str], receive: Receive, bytes_max: int) -> bytes:
    """Read a body to its end, even one that is too long: a client that still sends would not see the reply.

    One that is far too long is not worth that.
    """
    length = headers.get("content-length", "")
    if length.isdigit() and int(length[:20]) > bytes_max * _PATIENCE:
        raise _too_long(bytes_max)
    chunks: list[bytes] = []
    size, more = 0, True
    while more and size <= bytes_max * _PATIENCE:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        chunk: bytes = message.get("body", b"")
        size, more = size + len(chunk), message.get("more_body", False)
        if size <= bytes_max:
            chunks.append(chunk)
    if size > bytes_max:
        raise _too_long(bytes_max)
    return b"".join(chunks)


def _too_long(bytes_max: int) -> RegistryError:
    return RegistryError(f"the request's body is longer than {bytes_max:,} bytes", error_code=413)


async def _send(reply: Reply, request_id: str, send: Send, *, with_body: bool) -> None:
    headers = [
        (b"content-length", b"%d" % len(reply.body)),
        (b"x-request-id", request_id.encode("latin-1")),
    ]
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    if "content-type" not in reply.headers:
        headers.append(_OUR_TYPE)
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body if with_body else b""})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        phase = (await receive())["type"]
        await send({"type": f"{phase}.complete"})
        if phase == "lifespan.shutdown":
            return
