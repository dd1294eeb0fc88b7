"""A producer and a consumer that were written for Confluent's client, with their imports changed and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from orders import CASES, schema_for

from protopact import Deserializer, Serializer
from protopact.testing import running_kafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from protopact import SchemaRegistryClient

SCRIPTS = Path(__file__).parent / "migration"
RUN_S = 90
THEIRS = ("confluent_kafka.schema_registry", "confluent_kafka.serialization")
OURS = ("protopact.confluent.schema_registry", "protopact.confluent.serialization")


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    with running_kafka() as kafka:
        for topic in ("theirs", "ours"):
            kafka.create_topic(topic)
        yield kafka.bootstrap_servers


def migrated(name: str, directory: Path) -> Path:
    """Give a script with its imports changed; every changed line is an import."""
    text = (SCRIPTS / name).read_text()
    for theirs, ours in zip(THEIRS, OURS, strict=True):
        text = text.replace(theirs, ours)
    lines = zip((SCRIPTS / name).read_text().splitlines(), text.splitlines(), strict=True)
    assert all(old.startswith("from confluent_kafka.") for old, new in lines if old != new)
    path = directory / name
    path.write_text(text)
    return path


def run(python: str, script: Path, *arguments: str) -> Any:
    command = [python, str(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stderr
    return json.loads(done.stdout)


def test_changing_the_imports_is_the_whole_migration(
    *,
    broker: str,
    registry: str,
    confluent_python: str,
    generated: Path,
    tmp_path: Path,
    say: Callable[[str], None],
) -> None:
    place = ("-b", broker, "-s", registry, "--generated", str(generated))
    written = {
        "theirs": run(confluent_python, SCRIPTS / "producer.py", *place, "-t", "theirs"),
        "ours": run(sys.executable, migrated("producer.py", tmp_path), *place, "-t", "ours"),
    }
    read: dict[tuple[str, str], Any] = {}
    for topic in written:
        read["theirs", topic] = run(confluent_python, SCRIPTS / "consumer.py", *place, "-t", topic)
        # Another group: the mock cluster lets nobody join one whose last member has left.
        script = migrated("consumer.py", tmp_path)
        read["ours", topic] = run(sys.executable, script, *place, "-t", topic, "-g", "migrated")
    first = read["theirs", "theirs"]
    assert len(first["records"]) == len(first["again"]) == 20
    for found in read.values():
        assert found["records"] == first["records"]
        assert found["again"] == first["again"]
    writing = written["ours"]["per_s"] / written["theirs"]["per_s"]
    reading = read["ours", "ours"]["per_s"] / read["theirs", "theirs"]["per_s"]
    say(f"same script, imports changed: serializer {writing:.1f} times as fast, deserializer {reading:.1f} times")


def test_a_guid_in_a_header_is_the_same_on_both_sides(
    *, registry: str, client: SchemaRegistryClient, confluent_python: str, generated: Path, tmp_path: Path
) -> None:
    case = next(case for case in CASES if case.message == "Order.Line")
    headers: dict[str, bytes] = {}
    payload = Serializer(client, schema_for(case), framing="guid").serialize(case.value, topic="guid", headers=headers)
    header = headers["__value_schema_id"]
    for python, script in ((confluent_python, SCRIPTS / "guid.py"), (sys.executable, migrated("guid.py", tmp_path))):
        found = run(python, script, registry, str(generated), payload.hex(), header.hex())
        assert found["sku"] == case.value["sku"]
        assert [(name, bytes.fromhex(value)) for name, value in found["headers"]] == list(headers.items())
        back = Deserializer(client, into=dict).deserialize(bytes.fromhex(found["payload"]), headers=headers)
        assert (back["sku"], back["count"]) == ("b", 3)
