"""Ctrl-C as a wish: work that is begun is finished and told, before the command ends."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


class Interruption:
    """Whether Ctrl-C was pressed. Pressed again, or inside `at_once`, it interrupts as ever (KeyboardInterrupt)."""

    def __init__(self) -> None:
        self._asked = False
        self._at_once = False

    def asked(self) -> bool:
        """Say whether the command is to end."""
        return self._asked

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Have Ctrl-C interrupt what the block waits for, one that was pressed before it included."""
        self._at_once = True
        try:
            if self._asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._at_once = False

    def press(self, _number: int, _frame: FrameType | None) -> None:
        """Take a press of Ctrl-C, as a handler of its signal."""
        again, self._asked = self._asked, True
        if again or self._at_once:
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Have Ctrl-C be such a wish for the length of the block."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = signal.signal(signal.SIGINT, interruption.press)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, before)
