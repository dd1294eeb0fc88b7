"""What stays in memory: many messages through serializers and streams, each in a process of its own.

Resident memory is what Linux says in /proc/self/status; the peak there is of this process alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from protopact.connect import connect_registry
from protopact.errors import ConfigError, ProtopactError
from protopact.measure.samples import plain_samples
from protopact.serdes import Deserializer, Serializer
from protopact.stream import read_delimited, write_delimited

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.message import Message

T = TypeVar("T")

_STATUS = Path("/proc/self/status")
_MARKS_PERCENT = (10, 50, 100)
_STREAMED: Final = 5
_PEAK_GOAL_MB: Final = 60.0
_FLAT_GOAL_MB: Final = 1.0
_DIFFERENT: Final = 100


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """What one way of many messages took: resident memory at 10 %, 50 % and 100 % of them, and at its peak; in MB.

    `growth_mb` is what the last 90 % added. A goal is for the peak, or for the growth where that is what counts.
    """

    path: str
    messages: int
    at_10_mb: float
    at_50_mb: float
    at_100_mb: float
    growth_mb: float
    peak_mb: float
    mb_per_s: float
    goal: str
    is_missed: bool


def measure_memory(messages: int = 1_000_000) -> list[MemoryRow]:
    """Put medium messages through a serializer and a deserializer, and five times as many through a file and back.

    Each way runs in a process of its own. The file is a temporary one, of about 200 bytes for each message. ConfigError
    for fewer than ten messages, and where there is no /proc/self/status.
    """
    if messages < _MARKS_PERCENT[0]:
        raise ConfigError(f"messages is {messages}", option="messages", hint="use a number from 10 on")
    if not _STATUS.exists():
        raise ConfigError(f"memory is measured by {_STATUS}, which is not here", option="memory", hint="use Linux")
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "messages.binpb")
        return [
            _apart("records", messages, path),
            _apart("write", messages * _STREAMED, path),
            _apart("read", messages * _STREAMED, path),
        ]


def _apart(part: str, messages: int, path: str) -> MemoryRow:
    command = [sys.executable, "-m", "protopact.measure.memory", part, str(messages), path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (no shell; words are ours)
    if done.returncode:
        raise ProtopactError(f"the measuring of memory ({part}) failed: {done.stderr.strip()}")
    return MemoryRow(**json.loads(done.stdout))


# ── in the process ───────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Watch:
    """Sees items pass, and notes the resident memory at the marks."""

    total: int
    marks: list[float] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def passing(self, items: Iterable[T]) -> Iterator[T]:
        at = {self.total * percent // 100 for percent in _MARKS_PERCENT}
        for number, item in enumerate(items, 1):
            yield item
            if number in at:
                self.marks.append(_resident_mb("VmRSS"))

    def row(self, path: str, passed_bytes: int, *, is_flat_wanted: bool = False) -> MemoryRow:
        seconds = time.monotonic() - self.started
        growth, peak = self.marks[-1] - self.marks[0], _resident_mb("VmHWM")
        is_missed = growth > _FLAT_GOAL_MB if is_flat_wanted else peak > _PEAK_GOAL_MB
        return MemoryRow(
            path=path,
            messages=self.total,
            at_10_mb=self.marks[0],
            at_50_mb=self.marks[1],
            at_100_mb=self.marks[2],
            growth_mb=round(growth, 1),
            peak_mb=peak,
            mb_per_s=round(passed_bytes / 1e6 / seconds, 1),
            goal=f"growth ≤ {_FLAT_GOAL_MB:g} MB" if is_flat_wanted else f"peak ≤ {_PEAK_GOAL_MB:g} MB",
            is_missed=is_missed,
        )


def _records(messages: int, _: str) -> MemoryRow:
    """Write and read each message, half of them as messages and half as dicts; only one record is held at a time."""
    sample = next(sample for sample in plain_samples() if sample.size == "medium")
    with connect_registry("memory:") as registry:
        write = Serializer(registry, sample.schema).bind("bench")
        read = Deserializer(registry, into=sample.schema.message_class).bind("bench")
        read_dict = Deserializer(registry, into=dict).bind("bench")
        message: object = sample.schema.new_message(sample.value)
        values: object = sample.value
        passed, watch = 0, _Watch(messages)
        for number in watch.passing(range(messages)):
            raw = write(message if number % 2 else values)
            passed += len(raw)
            if number % 2:
                message = read(raw)
            else:
                values = read_dict(raw)
    return watch.row("records written and read", passed, is_flat_wanted=True)


def _write(messages: int, path: str) -> MemoryRow:
    different, watch = _messages(), _Watch(messages)
    write_delimited(path, (different[number % _DIFFERENT] for number in watch.passing(range(messages))))
    return watch.row("length-delimited file written", Path(path).stat().st_size)


def _read(messages: int, path: str) -> MemoryRow:
    message_class, watch = type(_messages()[0]), _Watch(messages)
    for _message in watch.passing(read_delimited(path, message_class)):
        pass
    return watch.row("length-delimited file read", Path(path).stat().st_size)


def _messages() -> list[Message]:
    """Give different messages, whose sizes are not all the same."""
    schema, value = next((each.schema, each.value) for each in plain_samples() if each.size == "medium")
    return [
        schema.new_message({**value, "id": 7**number % 2**62, "name": "x" * (number % 50)})
        for number in range(_DIFFERENT)
    ]


def _resident_mb(name: str) -> float:
    line = next(line for line in _STATUS.read_text(encoding="ascii").splitlines() if line.startswith(f"{name}:"))
    return round(int(line.split()[1]) * 1024 / 1e6, 1)


_PARTS = {"records": _records, "write": _write, "read": _read}

if __name__ == "__main__":
    row = _PARTS[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
    sys.stdout.write(json.dumps(asdict(row)))
