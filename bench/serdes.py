"""What the frame and the look-up cost: ratios of protopact's serializers to bare upb, in paired, interleaved rounds.

    python bench/serdes.py [--json] [--rounds N]

A round times bare upb and one path, one after the other, on the same message; the ratio is the median over all rounds.
Goals are those of the project's plan; paths without a goal are shown beside it.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import google.protobuf

from protopact import Deserializer, Serializer, connect_registry, load_schema, to_dict

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.schema import DescribedSchema

HEAD = """
syntax = "proto3";
package bench.v1;
import "google/protobuf/timestamp.proto";
"""
SMALL_TEXT = "message Small { int64 id = 1; string name = 2; double score = 3; }"
MEDIUM_TEXT = """
message Medium {
  int64 id = 1;
  string name = 2;
  string email = 3;
  Status status = 4;
  google.protobuf.Timestamp created_at = 5;
  google.protobuf.Timestamp updated_at = 6;
  Address address = 7;
  repeated string tags = 8;
  map<string, string> labels = 9;
  oneof contact { string phone = 10; string handle = 11; }
  message Address { string street = 1; string city = 2; string country = 3; int32 zip = 4; }
}
enum Status { STATUS_UNSPECIFIED = 0; STATUS_ACTIVE = 1; }
"""
LARGE_TEXT = "message Large { repeated Medium items = 1; }"
AT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
SMALL: dict[str, object] = {"id": 123456789, "name": "Ada Lovelace", "score": 98.5}
MEDIUM: dict[str, object] = {
    "id": 123456789012,
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "status": "STATUS_ACTIVE",
    "created_at": AT,
    "updated_at": AT,
    "address": {"street": "12 St James's Square", "city": "London", "country": "GB", "zip": 10115},
    "tags": ["mathematics", "poetry", "engines"],
    "labels": {"team": "analytical", "tier": "gold"},
    "phone": "+44 20 7946 0958",
}
LARGE: dict[str, object] = {"items": [MEDIUM] * 50}
LOOPS = {"Small": 500, "Medium": 250, "Large": 10}
GOALS = {
    "write": {"Small": 2.0, "Medium": 1.5, "Large": 1.05},
    "read": {"Small": 2.0, "Medium": 1.5, "Large": 1.05},
    "dict write": {"Small": 4.0, "Medium": 16.0, "Large": 16.0},
    "dict read": {"Small": 3.5, "Medium": 9.5, "Large": 16.0},
}


@dataclass(frozen=True)
class Case:
    """One message: its name in the table, its schema, and its value."""

    label: str
    size: str
    schema: DescribedSchema
    value: dict[str, object]


@dataclass(frozen=True)
class Path:
    """One way to write or read, with the bare call that it is measured against."""

    name: str
    goal: str | None
    bare: Callable[[], object]
    call: Callable[[], object]


@dataclass(frozen=True)
class Row:
    path: str
    message: str
    payload_bytes: int
    bare_ns: float
    ns: float
    ratio: float
    goal: float | None


def cases() -> list[Case]:
    """Give the three messages, each the first of its file, and the medium one second, and in a file of 1000."""
    first, medium_first, large_first = (
        load_schema(HEAD + text, file_name=f"bench{number}.proto")
        for number, text in enumerate((SMALL_TEXT + MEDIUM_TEXT, MEDIUM_TEXT, LARGE_TEXT + MEDIUM_TEXT))
    )
    others = " ".join(f"message Other{number} {{ int32 a = 1; }}" for number in range(999))
    crowded = load_schema(HEAD + MEDIUM_TEXT + others, file_name="crowded.proto")
    return [
        Case("small", "Small", first, SMALL),
        Case("medium", "Medium", medium_first, MEDIUM),
        Case("medium at [1]", "Medium", first.for_message("Medium"), MEDIUM),
        Case("… of 1000", "Medium", crowded, MEDIUM),
        Case("large", "Large", large_first, LARGE),
    ]


def paths(case: Case) -> tuple[int, list[Path]]:
    """Give the payload's size and every path for one message."""
    registry, schema = connect_registry("memory:"), case.schema
    message: Any = schema.new_message(case.value)
    cls: Any = schema.message_class
    values = to_dict(message)
    serializer, topic = Serializer(registry, schema), "bench"
    write = serializer.bind(topic)
    raw, payload = write(message), message.SerializeToString()
    to_message, to_values = Deserializer(registry), Deserializer(registry, into=dict)
    to_class = Deserializer(registry, into=cls)
    read, read_class, read_dict = to_message.bind(topic), to_class.bind(topic), to_values.bind(topic)
    assert to_dict(read(raw)) == to_dict(read_class(raw)) == values
    assert read_dict(raw) == values

    def bare_write() -> bytes:
        return message.SerializeToString()  # type: ignore[no-any-return]

    def bare_read() -> object:
        return cls.FromString(payload)

    return len(payload), [
        Path("message → wire  .bind", "write", bare_write, lambda: write(message)),
        Path("message → wire  .serialize", None, bare_write, lambda: serializer.serialize(message, topic=topic)),
        Path("message → wire  __call__", None, bare_write, lambda: serializer(message, topic)),
        Path("wire → message  .bind", "read", bare_read, lambda: read(raw)),
        Path("wire → message  .bind into class", "read", bare_read, lambda: read_class(raw)),
        Path("wire → message  .deserialize", None, bare_read, lambda: to_message.deserialize(raw, topic=topic)),
        Path("dict → wire     .bind", "dict write", bare_write, lambda: write(values)),
        Path("wire → dict     .bind", "dict read", bare_read, lambda: read_dict(raw)),
    ]


def timed(call: Callable[[], object], loops: int) -> float:
    """Give nanoseconds per call."""
    started = time.perf_counter_ns()
    for _ in range(loops):
        call()
    return (time.perf_counter_ns() - started) / loops


def empty_call_ns(loops: int) -> float:
    """Give what the loop and the lambda around each call cost, which is taken off both sides."""
    return min(timed(lambda: None, loops) for _ in range(20))


def measure(rounds: int) -> list[Row]:
    rows = []
    for case in cases():
        size, candidates = paths(case)
        loops, overhead = LOOPS[case.size], empty_call_ns(4000)
        samples: dict[str, list[tuple[float, float]]] = {path.name: [] for path in candidates}
        for _ in range(rounds):
            for path in candidates:
                few = max(1, loops // 10) if "dict" in path.name else loops
                samples[path.name].append((timed(path.bare, few) - overhead, timed(path.call, few) - overhead))
        for path in candidates:
            bare, ours = zip(*samples[path.name], strict=True)
            ratio = statistics.median(one / other for other, one in samples[path.name])
            goal = GOALS[path.goal][case.size] if path.goal else None
            medians = statistics.median(bare), statistics.median(ours)
            rows.append(Row(path.name, case.label, size, *medians, ratio, goal))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=150, help="paired rounds per path (150)")
    options = parser.parse_args()
    rows = measure(options.rounds)
    if options.json:
        about = {"python": platform.python_version(), "protobuf": google.protobuf.__version__}
        json.dump({**about, "rounds": options.rounds, "rows": [asdict(row) for row in rows]}, sys.stdout, indent=1)
        print()
        return
    print(f"{'path':34}{'message':14}{'bytes':>7}{'bare ns':>10}{'ns':>10}{'ratio':>8}{'goal':>7}")
    for row in sorted(rows, key=lambda row: row.path):
        goal = "" if row.goal is None else f"{row.goal:.2f}"
        missed = "  missed" if row.goal is not None and row.ratio > row.goal else ""
        print(
            f"{row.path:34}{row.message:14}{row.payload_bytes:>7}{row.bare_ns:>10.0f}{row.ns:>10.0f}"
            f"{row.ratio:>8.2f}{goal:>7}{missed}"
        )


if __name__ == "__main__":
    main()
