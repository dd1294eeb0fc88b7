"""The demo proves the main job: what one process publishes, another reads back by the registry alone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from protopact.connect import connect_registry
from protopact.demo.weather import read_rows, weather_schema
from protopact.integrations.kafka import produce_all
from protopact.serdes import Serializer
from protopact.server import background_registry
from protopact.testing import running_kafka

if TYPE_CHECKING:
    from collections.abc import Iterator

TOPIC = "weather-observations"


@pytest.fixture
def addresses() -> Iterator[tuple[str, str]]:
    with background_registry() as registry_url, running_kafka(partitions=4) as broker:
        yield registry_url, broker.bootstrap_servers


def framed_records(registry_url: str) -> dict[str, bytes]:
    with connect_registry(registry_url) as registry:
        write = Serializer(registry, weather_schema()).bind(TOPIC)
        return {row.place: write(row.value) for row in read_rows()}


def publish(addresses: tuple[str, str], records: dict[str, bytes]) -> None:
    conf = {"bootstrap.servers": addresses[1]}
    produce_all(conf, TOPIC, ((place.encode(), record) for place, record in records.items()))


def verify(addresses: tuple[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "protopact.cli", "demo", "verify", "--idle-timeout", "3"]
    where = ["--registry", addresses[0], "--bootstrap-servers", addresses[1], "--topic", TOPIC]
    return subprocess.run([*command, *where], capture_output=True, text=True, check=False, timeout=60)


def test_a_changed_payload_byte_and_a_lost_record_are_each_named_with_exit_code_1(addresses: tuple[str, str]) -> None:
    records = framed_records(addresses[0])
    changed = bytearray(records["seattle-weather.csv:700"])
    changed[-1] ^= 0x40
    records["seattle-weather.csv:700"] = bytes(changed)
    del records["seattle-temps.csv:8000"]
    publish(addresses, records)
    result = verify(addresses)
    assert result.returncode == 1
    faults = [line.split(maxsplit=1)[1] for line in result.stdout.splitlines() if line.startswith("FAULT")]
    assert len(faults) == 2
    assert faults[0].startswith("seattle-weather.csv:700 (weather-observations/")
    assert faults[1] == "seattle-temps.csv:8000: no record came for this row"


def test_the_demo_command_ends_by_itself_with_exit_code_0() -> None:
    command = [sys.executable, "-m", "protopact.cli", "demo"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "published 10220 records" in result.stdout
    assert "verified  10220 records" in result.stdout


def test_the_demo_schema_uses_an_import_an_enum_a_map_a_oneof_and_a_timestamp() -> None:
    text = weather_schema().to_schema_string()
    for part in ('import "weather/v1/station.proto"', "enum Weather", "map<", "oneof", "google.protobuf.Timestamp"):
        assert part in text
