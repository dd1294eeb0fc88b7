"""What a program asked the system for, recorded by strace: files that it opened, programs that it ran, connections."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OPENS = ("open", "openat", "openat2")
_RUNS = ("execve", "execveat")
_TALKS = ("socket", "connect")

_LINE = re.compile(r"(?P<pid>\d+) +(?P<name>\w+)\((?P<more>.*)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_PLACE = re.compile(r"(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)>")
_FAMILY = re.compile(r"\b(?:AF|PF)_\w+")


def recording_calls(strace: str, record: Path) -> list[str]:
    """Give what to put in front of a command to have its calls, and those of its children, recorded."""
    calls = ",".join(f"?{name}" for name in (*_OPENS, *_RUNS, *_TALKS))
    # -D: the program stays our child. -xx -y: texts as bytes, places of relative paths by name.
    return [
        strace,
        "-D",
        "-f",
        "-xx",
        "-y",
        "-s",
        "8192",
        "-e",
        f"trace={calls}",
        "-e",
        "signal=none",
        "-o",
        str(record),
    ]


@dataclass(frozen=True)
class SystemCall:
    """One call: `what` is a path, made absolute, or an address family."""

    pid: int
    kind: str  # open, run, socket or connect
    what: str
    text: str

    def is_below(self, places: Sequence[str]) -> bool:
        """Tell whether the path is one of these places, or lies in one that ends with a slash."""
        return any(self.what == place or (place.endswith("/") and self.what.startswith(place)) for place in places)


def read_calls(record: Path, start: int = 0) -> Iterator[SystemCall]:
    """Read what strace wrote from a place in its record on, whether the call succeeded or not."""
    with record.open() as lines:
        lines.seek(start)
        for line in lines:
            match = _LINE.match(line)
            if match is None:  # the end of a call that was interrupted, a signal, an exit
                continue
            pid, name, more = int(match["pid"]), match["name"], match["more"]
            if name in _TALKS:
                family = _FAMILY.search(more)
                assert family is not None, line
                yield SystemCall(pid, name, family.group(), line)
            else:
                yield SystemCall(pid, "run" if name in _RUNS else "open", _path(more, line), line)


def _path(more: str, line: str) -> str:
    text = _TEXT.search(more)
    assert text is not None, f"not understood: {line}"
    place = _PLACE.match(more)
    return os.path.normpath(Path(_bytes(place[1]) if place else "/", _bytes(text[1])))


def _bytes(escaped: str) -> str:
    return bytes.fromhex(escaped.replace("\\x", "")).decode("utf-8", "surrogateescape")
