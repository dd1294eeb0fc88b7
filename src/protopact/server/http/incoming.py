"""Requests' bodies on their way in: how long one may be, how slow, and how much room all of them have together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from protopact.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.settings import ServerSettings

# The interface of ASGI 3: what a server calls an application with.
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]

_PATIENCE = 16
_LENGTH_DIGITS_MAX = 20


class GoneError(Exception):
    """The client went away before it had sent its request."""


class BodyRoom:
    """The memory that there is for the bodies of all requests; `bytes` of it are taken."""

    def __init__(self, settings: ServerSettings) -> None:
        """Keep to these settings."""
        self.settings = settings
        self.bytes = 0

    @contextmanager
    def body(self, headers: Mapping[str, str]) -> Iterator[Body]:
        """Give the body of a request with these headers; what it takes is given back when the block ends."""
        body = Body(self, headers)
        try:
            yield body
        finally:
            self.bytes -= body.bytes


class Body:
    """The body of one request. `is_whole` says whether it has been read to its end; `bytes` of it are in memory."""

    def __init__(self, room: BodyRoom, headers: Mapping[str, str]) -> None:
        """Take room when it is read."""
        self._room = room
        self._length = headers.get("content-length", "0")
        self.bytes = 0
        self.is_whole = self._length == "0" and "transfer-encoding" not in headers

    async def read(self, receive: Receive) -> bytes:
        """Read the body.

        RegistryError 413 where it is too long, 408 where it is too slow, 503 where there is no room for it; GoneError
        where the client is gone.
        """
        if self.is_whole:
            return b""
        try:
            async with asyncio.timeout(self._room.settings.body_s):
                return await self._read(receive)
        except TimeoutError as error:
            raise RegistryError("the request took too long to arrive", error_code=408) from error

    async def _read(self, receive: Receive) -> bytes:
        """Read to the end, even what is too long: a client that still sends would not see the reply.

        What is far too long is not worth that.
        """
        bytes_max = self._room.settings.body_bytes_max
        if self._length.isdigit() and int(self._length[:_LENGTH_DIGITS_MAX]) > bytes_max * _PATIENCE:
            raise _too_long(bytes_max)
        chunks: list[bytes] = []
        size = 0
        while not self.is_whole and size <= bytes_max * _PATIENCE:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise GoneError
            chunk: bytes = message.get("body", b"")
            size, self.is_whole = size + len(chunk), not message.get("more_body", False)
            if size <= bytes_max:
                self._take(len(chunk))
                chunks.append(chunk)
        if size > bytes_max:
            raise _too_long(bytes_max)
        return b"".join(chunks)

    def _take(self, size: int) -> None:
        self.bytes += size
        self._room.bytes += size
        if self._room.bytes > self._room.settings.bodies_bytes_max:
            raise busy()


def busy() -> RegistryError:
    """Give the error for a call that comes when there are too many."""
    return RegistryError("the registry is busy, try again", error_code=503)


def _too_long(bytes_max: int) -> RegistryError:
    return RegistryError(f"the request's body is longer than {bytes_max:,} bytes", error_code=413)
