"""Real servers, one of each kind for a whole run."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent / "services"))

from kafka_service import running_kafka
from postgres_service import running_postgres
from service_process import ServiceMissingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kafka_service import KafkaService
    from postgres_service import PostgresService

CONTRACT = Path(__file__).parent.parent / "contract"
pytest.register_assert_rewrite(*(f"contract.{path.stem}" for path in CONTRACT.glob("*.py")))


@pytest.fixture(scope="session")
def kafka(absent: Callable[[str, str], None], say: Callable[[str], None]) -> Iterator[KafkaService]:
    """Give a running Apache Kafka; skipped where Java or Maven is missing, unless `live` is required."""
    with ExitStack() as stack:
        try:
            service = stack.enter_context(running_kafka(say=say))
        except ServiceMissingError as error:
            absent("live", str(error))
        yield service


@pytest.fixture(scope="session")
def postgres(absent: Callable[[str, str], None], say: Callable[[str], None]) -> Iterator[PostgresService]:
    """Give a running PostgreSQL; skipped where it is not installed, unless `live` is required."""
    with ExitStack() as stack:
        try:
            service = stack.enter_context(running_postgres(say=say))
        except ServiceMissingError as error:
            absent("live", str(error))
        yield service
