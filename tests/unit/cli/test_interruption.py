"""Ctrl-C is a wish while work is done, and is never lost."""

from __future__ import annotations

import signal

import pytest

from protopact.cli.interruption import Interruption


def test_a_press_is_a_wish_and_a_second_one_interrupts() -> None:
    interruption = Interruption()
    interruption.press(signal.SIGINT, None)
    assert interruption.asked()
    with pytest.raises(KeyboardInterrupt):
        interruption.press(signal.SIGINT, None)


def test_a_press_just_before_a_wait_interrupts_it() -> None:
    interruption, waited = Interruption(), False
    interruption.press(signal.SIGINT, None)  # after it was asked whether there was one
    with pytest.raises(KeyboardInterrupt), interruption.at_once():
        waited = True
    assert not waited
