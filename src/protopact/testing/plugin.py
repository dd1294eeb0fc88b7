"""The pytest plugin: fixtures that are loaded when a test asks for one of them, and not before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.testing import RunningKafka, RunningRegistry

_SHARED: pytest.StashKey[RunningKafka] = pytest.StashKey()


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Iterator[RunningKafka]:
    """Give a broker that lives for the whole run, in this process and in memory; `create_topic()` keeps tests apart.

    What a test sets in `kafka.faults` ends with the test.
    """
    from protopact.testing import running_kafka

    with running_kafka() as running:
        pytestconfig.stash[_SHARED] = running
        yield running
        del pytestconfig.stash[_SHARED]


@pytest.fixture
def fresh_kafka() -> Iterator[RunningKafka]:
    """Give a broker for this test alone: nothing is in it, and its clock may be moved."""
    from protopact.testing import running_kafka

    with running_kafka() as running:
        yield running


@pytest.fixture
def registry() -> Iterator[RunningRegistry]:
    """Give an empty schema registry for this test, in this process: its `client`, and over HTTP its `url`."""
    from protopact.testing import running_registry

    with running_registry() as running:
        yield running


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Let the shared broker go on without faults, before the test's own fixtures are taken down."""
    shared = item.config.stash.get(_SHARED, None)
    if shared is not None:
        shared.faults.clear()
