"""The demo's reading side: given two addresses and a topic, read every record and compare it with its row.

This side holds no schema and no generated code: what it knows of a record it learns from the registry.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from protopact.connect import connect_registry
from protopact.demo.weather import read_rows
from protopact.errors import SerdeError
from protopact.integrations.kafka import consume
from protopact.serdes import Deserializer

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.convert import PlainValue
    from protopact.integrations.kafka import KafkaRecord


@dataclass(slots=True)
class Verified:
    """What was read: records that equal their row, the seconds it took, and every fault with its record named."""

    equal: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


def verify_topic(*, registry_url: str, bootstrap_servers: str, topic: str, idle_timeout_s: float = 15.0) -> Verified:
    """Read `topic` from its start until every row was seen, or no record comes for `idle_timeout_s` seconds.

    A record that cannot be read, differs from its row, or comes twice is a fault, and so is a row that never came.
    """
    missing = {row.place: row.value for row in read_rows()}
    expected = dict(missing)
    result = Verified()
    started = time.perf_counter()
    with connect_registry(registry_url) as registry:
        read = Deserializer(registry, into=dict).bind(topic)

        def check(record: KafkaRecord) -> None:
            fault = _find_fault(record, expected, missing, read)
            if fault is None:
                result.equal += 1
            else:
                result.faults.append(f"{_name(record)}: {fault}")

        consume(
            {"bootstrap.servers": bootstrap_servers},
            [topic],
            check,
            group_id="protopact-demo",
            until=lambda: not missing,
            idle_timeout_s=idle_timeout_s,
        )
    result.seconds = time.perf_counter() - started
    result.faults.extend(f"{place}: no record came for this row" for place in missing)
    return result


def _find_fault(
    record: KafkaRecord,
    expected: dict[str, dict[str, PlainValue]],
    missing: dict[str, dict[str, PlainValue]],
    read: Callable[[bytes | None], object],
) -> str | None:
    place = (record.key or b"").decode(errors="replace")
    if place not in expected:
        return "no row of the data has this key"
    if missing.pop(place, None) is None:
        return "the record came twice"
    try:
        value = read(record.value)
    except SerdeError as error:
        return str(error)
    if value != expected[place]:
        return f"the record says {value!r}, the row says {expected[place]!r}"
    return None


def _name(record: KafkaRecord) -> str:
    key = (record.key or b"").decode(errors="replace")
    return f"{key} ({record.topic}/{record.partition}@{record.offset})"
