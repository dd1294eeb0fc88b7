"""The contract of Kafka brokers on Apache Kafka."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract.kafka_clients import Broker
from contract.kafka_fixtures import clients, proxy
from contract.kafka_refusals import APACHE_REFUSES

if TYPE_CHECKING:
    from kafka_service import KafkaService

__all__ = ["broker", "clients", "proxy"]

CONTRACT = Path(__file__).parent.parent / "contract"

# Every test of the contract; `broker` is ours.
for path in sorted(CONTRACT.glob("test_kafka_*.py")):
    tests = {name: test for name, test in vars(import_module(f"contract.{path.stem}")).items() if name[:5] == "test_"}
    assert not tests.keys() & globals().keys(), f"{path.name} names a test as another file does"
    globals().update(tests)


@pytest.fixture(scope="session")
def broker(kafka: KafkaService) -> Broker:
    return Broker(kafka.bootstrap_servers, APACHE_REFUSES)
