"""What every suite shares: how much to run, and whether an absent part may be skipped."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn, Protocol

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable

# Workers and the processes that tests start keep what they compile: without it, each of some hundred starts would
# compile everything anew where this variable is set, and each worker rewrite every assertion.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# PROTOPACT_COUNT=full runs the long campaigns (`just prove`); anything else the small ones, of the same tests.
FULL = os.environ.get("PROTOPACT_COUNT") == "full"

settings.register_profile("small", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("full", parent=settings.get_profile("small"), max_examples=2000)
settings.load_profile("full" if FULL else "small")


class Absent(Protocol):
    def __call__(self, part: str, reason: str) -> NoReturn: ...


@pytest.fixture(scope="session")
def count() -> Callable[[int, int], int]:
    """Choose a campaign's length: `count(200, 100_000)` is the first, or the second under PROTOPACT_COUNT=full."""
    return lambda small, full: full if FULL else small


@pytest.fixture(scope="session")
def absent() -> Absent:
    """Say that a part which a test needs is not here: `absent("live", "no Kafka answers")`.

    The test is skipped, but fails where PROTOPACT_REQUIRE names the part ("live,interop"), as `.ci/run` does.
    """
    required = {part.strip() for part in os.environ.get("PROTOPACT_REQUIRE", "").split(",")}

    def stop(part: str, reason: str) -> NoReturn:
        if part in required:
            pytest.fail(f"{part} is required here: {reason}", pytrace=False)
        pytest.skip(f"{part}: {reason}")

    return stop


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Show a line past pytest's capture: progress, or a figure that was measured."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def show(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{line}", file=sys.stderr, flush=True)  # noqa: T201  (that is its purpose)

    return show
