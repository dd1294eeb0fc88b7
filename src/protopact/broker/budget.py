"""How many bytes may be in memory at a time for all connections together: of requests, and of answers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Budget:
    """Bytes to be taken and given back. Who finds too few left is called when it is his turn, first come, first served.

    Something larger than the whole is granted when nothing else is out.
    """

    def __init__(self, bytes_max: int) -> None:
        """Begin with everything left."""
        self._bytes_max = bytes_max
        self._out = 0
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()

    def take(self, size: int, granted: Callable[[], None]) -> bool:
        """Take `size` bytes now and say True, or have `granted` called when they were taken."""
        if not self._waiting and self._fits(size):
            self._out += size
            return True
        self._waiting.append((size, granted))
        return False

    def give(self, size: int) -> None:
        """Give back what was taken."""
        self._out -= size
        while self._waiting and self._fits(self._waiting[0][0]):
            taken, granted = self._waiting.popleft()
            self._out += taken
            granted()

    def withdraw(self, granted: Callable[[], None]) -> None:
        """Wait no more."""
        self._waiting = deque(each for each in self._waiting if each[1] != granted)
        self.give(0)

    def _fits(self, size: int) -> bool:
        return self._out == 0 or self._out + size <= self._bytes_max


class Allowance:
    """Bytes that may be out; nobody waits for them, but may take less when little is left."""

    def __init__(self, bytes_max: int) -> None:
        """Begin with everything left."""
        self._left = bytes_max

    @property
    def left(self) -> int:
        """Give how many bytes are left, not less than none."""
        return max(0, self._left)

    def take(self, size: int) -> None:
        """Take bytes, or give them back where `size` is negative."""
        self._left -= size
