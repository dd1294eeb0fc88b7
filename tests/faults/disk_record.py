"""What a process wrote to a database's files, and what of it the disk was made to keep: recorded by strace.

After a loss of power, a file holds what was written before its last synchronisation; what was written later may be
there or not, each write on its own. A file is there from its first synchronisation on.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SYNCHRONISES = ("fsync", "fdatasync")
# Every call that changes a file, so that one which is not understood here is seen and refused.
CHANGES = ("write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "fallocate")
REMOVES = ("unlink", "unlinkat", "rename", "renameat", "renameat2")
WRITTEN_MAX = 1 << 17
NEVER = 1 << 60

_LINE = re.compile(r"(?P<pid>\d+) +(?P<time>\d+\.\d+) (?P<rest>.*)")
_CALL = re.compile(r"(?P<name>\w+)\(\d+<(?P<path>[^>]+)>(?:, (?P<more>.*))?")
_BYTES = re.compile(r'"(?P<bytes>(?:\\x[0-9a-f]{2})*)"(?P<cut>\.\.\.)?, (?P<length>\d+), (?P<offset>\d+)')


def recording(strace: str, files: Sequence[Path], record: Path) -> list[str]:
    """Give what to put in front of a command to have its changes of these files recorded."""
    calls = ",".join((*SYNCHRONISES, *CHANGES, *REMOVES))
    paths = [part for file in files for part in ("-P", str(file))]
    # -D: the program stays our child. -xx -y -ttt: all bytes as they are, files by name, times in microseconds.
    return [
        strace, "-D", "-f", "-xx", "-y", "-ttt", "-s", str(WRITTEN_MAX), "-e", f"trace={calls}", *paths,
        "-o", str(record),
    ]  # fmt: skip


def wait_complete(record: Path, pid: int, *, timeout_s: float = 30) -> None:
    """Wait until strace has written down that the process ended."""
    end_at = time.monotonic() + timeout_s
    ended = re.compile(rf"^{pid} +[\d.]+ \+\+\+", re.MULTILINE)
    while not ended.search(record.read_text()[-4096:]):
        assert time.monotonic() < end_at, "strace did not end"
        time.sleep(0.05)


@dataclass
class Event:
    """A call on a file: it writes `data` at `offset`, gives the file a new `size`, or else synchronises it.

    `began` and `ended` are lines of the record, `time` is when it began.
    """

    path: str
    time: float
    began: int
    ended: int
    data: bytes | None = None
    offset: int = 0
    size: int | None = None

    @property
    def synchronises(self) -> bool:
        return self.data is None and self.size is None


def read_record(record: Path) -> list[Event]:
    """Read what strace wrote, in the order in which the calls began."""
    events: list[Event] = []
    unfinished: dict[str, Event] = {}
    with record.open() as lines:
        for number, line in enumerate(lines):
            match = _LINE.match(line)
            assert match is not None, line[:200]
            pid, rest = match["pid"], match["rest"]
            if rest.startswith(("+++", "---", "???")):  # the last are calls that the kill cut off
                continue
            assert " = -1 " not in rest[-80:], f"a call failed: {rest[:80]} {rest[-80:]}"
            if rest.startswith("<..."):
                unfinished.pop(pid).ended = number
                continue
            event = _event(rest, float(match["time"]), number)
            if rest.endswith("<unfinished ...>"):
                event.ended = NEVER
                unfinished[pid] = event
            events.append(event)
    return events


def _event(text: str, at: float, number: int) -> Event:
    call = _CALL.match(text)
    assert call is not None, text[:200]
    path = bytes.fromhex(call["path"].replace("\\x", "")).decode()
    if call["name"] in SYNCHRONISES:
        return Event(path, at, number, number)
    if call["name"] == "ftruncate":
        size = re.match(r"\d+", call["more"] or "")
        assert size is not None, text[:200]
        return Event(path, at, number, number, size=int(size.group()))
    written = _BYTES.match(call["more"] or "") if call["name"] == "pwrite64" else None
    assert written is not None, f"not understood: {text[:200]}"
    assert not written["cut"], "strace cut a write short"
    data = bytes.fromhex(written["bytes"].replace("\\x", ""))
    assert len(data) == int(written["length"])
    return Event(path, at, number, number, data, int(written["offset"]))


class Disk:
    """A database's files as a loss of power would leave them."""

    def __init__(self, start: dict[str, bytes]) -> None:
        """Begin with these files, kept whole."""
        self._kept = {path: bytearray(data) for path, data in start.items()}
        self._pending: dict[str, list[Event]] = {}
        self._synchronising: list[tuple[Event, list[Event]]] = []

    def reach(self, event: Event) -> None:
        """Go on to just before an event: synchronisations that have ended by then have kept what was written."""
        for synchronising, covered in list(self._synchronising):
            if synchronising.ended < event.began:
                self._synchronising.remove((synchronising, covered))
                self._keep(synchronising.path, covered)

    def begin(self, event: Event) -> None:
        """Begin an event."""
        pending = self._pending.setdefault(event.path, [])
        if event.synchronises:
            self._synchronising.append((event, [change for change in pending if change.ended < event.began]))
        else:
            pending.append(event)

    def after_loss(self, chance: random.Random | None = None) -> Iterator[tuple[str, bytes]]:
        """Give the files: nothing that is not kept, or by `chance` each of those writes for itself."""
        for path in self._kept.keys() | (self._pending.keys() if chance else ()):
            image = bytearray(self._kept.get(path, b""))
            for event in self._pending.get(path, ()):
                if chance is not None and chance.random() < 0.5:
                    change(image, event)
            yield path, bytes(image)

    def _keep(self, path: str, covered: list[Event]) -> None:
        image = self._kept.setdefault(path, bytearray())
        gone = {id(event) for event in covered}
        for event in covered:
            change(image, event)
        self._pending[path] = [event for event in self._pending[path] if id(event) not in gone]


def change(image: bytearray, event: Event) -> None:
    """Write what an event writes into a file's image, or give the file its new size."""
    if event.size is not None:
        del image[event.size :]
        image.extend(bytes(event.size - len(image)))
    if event.data is not None:
        end = event.offset + len(event.data)
        image.extend(bytes(max(0, end - len(image))))
        image[event.offset : end] = event.data
