"""The demo's writing side: every row of the data becomes one schema-governed record on a topic."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from protopact.connect import connect_registry
from protopact.demo.weather import read_rows, weather_schema
from protopact.integrations.kafka import ensure_topics, produce_all
from protopact.serdes import Serializer

if TYPE_CHECKING:
    from collections.abc import Iterator


_PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Published:
    """What was published: records, their bytes as Protobuf and as JSON, and the seconds it took."""

    records: int
    protobuf_bytes: int
    json_bytes: int
    seconds: float
    subjects: tuple[str, ...]


def publish_rows(*, registry_url: str, bootstrap_servers: str, topic: str) -> Published:
    """Publish every row of the data to `topic`, keyed by the row's place, each delivery confirmed.

    The first record registers the schema and what it imports. Raises `BrokerError` when a delivery is not confirmed.
    """
    ensure_topics(bootstrap_servers, [topic], partitions=_PARTITIONS)
    rows = list(read_rows())
    sizes: list[int] = []
    with connect_registry(registry_url) as registry:
        write = Serializer(registry, weather_schema()).bind(topic)

        def records() -> Iterator[tuple[bytes, bytes]]:
            for row in rows:
                value = write(row.value)
                sizes.append(len(value))
                yield row.place.encode(), value

        started = time.perf_counter()
        count = produce_all({"bootstrap.servers": bootstrap_servers}, topic, records())
        seconds = time.perf_counter() - started
        subjects = tuple(registry.get_subjects())
    return Published(
        records=count,
        protobuf_bytes=sum(sizes),
        json_bytes=sum(len(_as_json(row.value)) for row in rows),
        seconds=seconds,
        subjects=subjects,
    )


def _as_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), default=_rfc3339).encode()


def _rfc3339(value: object) -> str:
    assert isinstance(value, datetime)
    return value.isoformat().replace("+00:00", "Z")
