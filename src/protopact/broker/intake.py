"""Requests as they come in: whole frames in their order, read no faster than they are served.

Reading stops while enough requests wait, or while a large one finds no room in the broker's memory. Nothing is set
aside for bytes that were only announced.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from protopact.broker.frames import Frames
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.broker.budget import Budget

_WAITING_MAX = 16
_COUNTED_BYTES_MIN = 64 * 1024  # smaller requests are not worth counting


class Intake:
    """One connection's requests."""

    def __init__(
        self, budget: Budget, request_bytes_max: int, *, read_on: Callable[[bool], None], refuse: Callable[[str], None]
    ) -> None:
        """Take from `budget`; `read_on` starts and stops reading, `refuse` is told what cannot be a request."""
        self._budget = budget
        self._frames = Frames(request_bytes_max)
        self._read_on = read_on
        self._refuse = refuse
        self._waiting: deque[tuple[memoryview, int]] = deque()
        self._arrived = asyncio.Event()
        self._taken: int | None = None  # from the budget, for the frame that is coming in
        self._asked = False
        self._closed = False

    @property
    def is_owed(self) -> bool:
        """Whether the client has begun a request and is expected to go on with it."""
        return self._frames.begun and not self._asked and len(self._waiting) < _WAITING_MAX

    def receive(self, data: bytes) -> None:
        """Take what the connection brought."""
        self._frames.receive(data)
        self._take_frames()

    async def next(self) -> tuple[memoryview, int]:
        """Give the next request, and what its frame took from the budget, which is to be given back after it."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        request = self._waiting.popleft()
        self._take_frames()
        return request

    def close(self) -> None:
        """Drop what waits and give back its bytes."""
        self._closed = True
        if self._asked:
            self._budget.withdraw(self._granted)
        self._budget.give((self._taken or 0) + sum(taken for _, taken in self._waiting))
        self._taken = None
        self._waiting.clear()

    def _take_frames(self) -> None:
        try:
            while not self._closed and len(self._waiting) < _WAITING_MAX and self._has_room():
                frame = self._frames.take()
                if frame is None:
                    break
                self._waiting.append((frame, self._taken or 0))
                self._taken = None
                self._arrived.set()
        except RefusedRequestError as refusal:
            self._refuse(str(refusal))
            return
        if not self._closed:
            self._read_on(not self._asked and len(self._waiting) < _WAITING_MAX)

    def _has_room(self) -> bool:
        """Say whether the next frame may come in; its bytes are taken from the budget then."""
        size = self._frames.size()
        if size is None or self._taken is not None:
            return True
        if size < _COUNTED_BYTES_MIN:
            self._taken = 0
        elif not self._asked and self._budget.take(size, self._granted):
            self._taken = size
        else:
            self._asked = True
        return self._taken is not None

    def _granted(self) -> None:
        self._asked = False
        self._taken = self._frames.size()
        self._take_frames()
