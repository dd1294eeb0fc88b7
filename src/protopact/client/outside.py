"""The world beyond the client: what sends a call, and the two senders that do it over HTTP.

The only place that knows the HTTP package, which is loaded when the first sender is made.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NoReturn, Protocol
from urllib.parse import urlencode

from protopact.errors import MissingExtraError, TransportError
from protopact.flow import Reply
from protopact.registry import is_whole

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    import httpx2

    from protopact.client.addresses import Address
    from protopact.flow import Call
    from protopact.settings import ClientSettings

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CONNECTIONS_MAX = 6


class Sender(Protocol):
    """What performs a call: the server's number counts from 0. It raises TransportError and nothing else."""

    def __call__(self, call: Call, server: int, /) -> Reply:
        """Send the call and wait for its reply."""
        ...


class AsyncSender(Protocol):
    """What performs a call on an event loop."""

    async def __call__(self, call: Call, server: int, /) -> Reply:
        """Send the call and wait for its reply."""
        ...


class HttpSender:
    """Calls over HTTP from threads. Redirects are not followed; time and size of an answer are bounded."""

    def __init__(
        self, addresses: Sequence[Address], settings: ClientSettings, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        self._http = _load_http()
        self._addresses, self._settings = tuple(addresses), settings
        self._client = self._http.Client(**_options(self._http, self._addresses, settings, ssl_context))
        self._turns = threading.BoundedSemaphore(_CONNECTIONS_MAX)

    def __call__(self, call: Call, server: int, /) -> Reply:
        """Send the call; TransportError when no whole answer came in time, counted from when a connection is free."""
        with self._turns:
            return self._send(call, self._addresses[server])

    def _send(self, call: Call, address: Address) -> Reply:
        body, deadline = bytearray(), time.monotonic() + self._settings.timeout_s
        try:
            with self._client.stream(**_request(call, address)) as response:
                _check_head(response, address, self._settings)
                for chunk in response.iter_raw():
                    body += chunk
                    _check_body(body, address, self._settings)
                    if time.monotonic() > deadline:
                        _fail(address, f"the answer took longer than {self._settings.timeout_s:g} s")
                return _reply(response, bytes(body), address)
        except (self._http.HTTPError, self._http.InvalidURL, OSError, ValueError) as error:
            raise _failed(address, error) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class AsyncHttpSender:
    """Calls over HTTP from tasks. Redirects are not followed; time and size of an answer are bounded."""

    def __init__(
        self, addresses: Sequence[Address], settings: ClientSettings, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        import asyncio

        self._http = _load_http()
        self._addresses, self._settings = tuple(addresses), settings
        self._client = self._http.AsyncClient(**_options(self._http, self._addresses, settings, ssl_context))
        self._turns = asyncio.BoundedSemaphore(_CONNECTIONS_MAX)
        self._timeout = asyncio.timeout

    async def __call__(self, call: Call, server: int, /) -> Reply:
        """Send the call; TransportError when no whole answer came in time, counted from when a connection is free."""
        async with self._turns:
            return await self._send(call, self._addresses[server])

    async def _send(self, call: Call, address: Address) -> Reply:
        body = bytearray()
        try:
            async with (
                self._timeout(self._settings.timeout_s),
                self._client.stream(**_request(call, address)) as response,
            ):
                _check_head(response, address, self._settings)
                async for chunk in response.aiter_raw():
                    body += chunk
                    _check_body(body, address, self._settings)
                return _reply(response, bytes(body), address)
        except (self._http.HTTPError, self._http.InvalidURL, OSError, ValueError) as error:
            raise _failed(address, error) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _load_http() -> ModuleType:
    try:
        import httpx2
    except ImportError as error:
        raise MissingExtraError(
            "a registry over HTTP needs the package httpx2, which is not installed",
            option="url",
            hint="pip install 'protopact[registry]'",
        ) from error
    return httpx2


def _options(
    http: ModuleType, addresses: Sequence[Address], settings: ClientSettings, ssl_context: ssl.SSLContext | None
) -> dict[str, object]:
    # Proxies named by the environment never stand before a registry on this machine.
    local = all(address.host in _LOOPBACK for address in addresses)
    return {
        "timeout": http.Timeout(settings.timeout_s),
        "limits": http.Limits(max_connections=_CONNECTIONS_MAX, max_keepalive_connections=_CONNECTIONS_MAX),
        "follow_redirects": False,
        "trust_env": not local,
        "verify": ssl_context if ssl_context is not None else any(a.url.startswith("https:") for a in addresses),
    }


def _request(call: Call, address: Address) -> dict[str, object]:
    query = f"?{urlencode(call.query)}" if call.query else ""
    # An answer that is not compressed cannot unfold into more than it took to send.
    headers: Mapping[str, str] = {"accept-encoding": "identity", "user-agent": "protopact", **call.headers}
    if address.authorization is not None:
        headers = {**headers, "authorization": address.authorization}
    return {
        "method": call.method,
        "url": f"{address.url}{call.path}{query}",
        "headers": headers,
        "content": call.body or None,
    }


def _check_head(response: httpx2.Response, address: Address, settings: ClientSettings) -> None:
    if response.headers.get("content-encoding", "identity") != "identity":
        _fail(address, "the answer is compressed, which was not asked for")
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length[:20]) > settings.reply_bytes_max:
        _fail(address, f"the answer is larger than {settings.reply_bytes_max} bytes")


def _check_body(body: bytearray, address: Address, settings: ClientSettings) -> None:
    if len(body) > settings.reply_bytes_max:
        _fail(address, f"the answer is larger than {settings.reply_bytes_max} bytes")


def _reply(response: httpx2.Response, body: bytes, address: Address) -> Reply:
    reply = Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)
    if not is_whole(reply):
        _fail(address, "the answer was altered on its way: its body is not the one of its Repr-Digest")
    return reply


def _fail(address: Address, reason: str) -> NoReturn:
    raise TransportError(f"no usable answer from {address.url}: {reason}", url=address.url, attempts=1)


def _failed(address: Address, error: Exception) -> TransportError:
    reason = " ".join(str(error).split())[:300] or "no answer in time"
    kind = type(error).__name__
    return TransportError(f"no answer from {address.url}: {kind}: {reason}", url=address.url, attempts=1)
