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
    """A broker for the whole run, in this process and in memory: `kafka.create_topic()` gives a topic of one's own.

    What a test sets in `kafka.faults` ends with the test.
    """
    from protopact.testing import running_kafka

    with running_kafka() as running:
        pytestconfig.stash[_SHARED] = running
        yield running
        del pytestconfig.stash[_SHARED]


@pytest.fixture
def fresh_kafka() -> Iterator[RunningKafka]:
    """A broker for this test alone: nothing in it, and its clock may be moved."""
    from protopact.testing import running_kafka

    with running_kafka() as running:
        yield running


@pytest.fixture
def registry() -> Iterator[RunningRegistry]:
    """An empty schema registry for this test, in this process: `registry.client`, or over HTTP at `registry.url`."""
    from protopact.testing import running_registry

    with running_registry() as running:
        yield running


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Let the shared broker go on without faults, before the test's own fixtures are taken down."""
    shared = item.config.stash.get(_SHARED, None)
    if shared is not None:
        shared.faults.clear()
