"""What a process did to the files below a directory, and what of it the disk was made to keep: recorded by strace.

After a loss of power, a file holds what was written before its last synchronisation; what was written later may be
there or not, each write on its own. A file is there from its first synchronisation on, or from that of its directory;
a new name and a removal hold from the synchronisation of the directory on, and before that the file system may have
kept them up to any one of them, in their order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING

from disk_record import NEVER, SYNCHRONISES, Event, change

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator
    from pathlib import Path

OPENS = ("open", "openat", "creat")
WRITES = ("write", "pwrite64", "writev", "pwritev")
NAMES = ("rename", "renameat", "renameat2", "unlink", "unlinkat")
# Calls that change files in ways which are not understood here: seen on our files, they are refused.
FOREIGN = ("fallocate", "link", "linkat", "symlink", "symlinkat", "copy_file_range", "splice", "pwritev2", "truncate")
MAPS = ("mmap",)
WRITTEN_MAX = 1 << 21
RESULT_MAX = 1 << 15  # a result may be a number with its file's whole path, four letters for each
UNKEPT = "-shm"  # SQLite's shared memory, which it makes anew

_LINE = re.compile(r"(?P<pid>\d+) +(?P<time>\d+\.\d+) (?P<rest>.*)", re.DOTALL)
_CALL = re.compile(r"(?P<name>\w+)\((?P<more>.*)", re.DOTALL)
_RESULT = re.compile(r"\) += (?P<value>-?\d+)")
_NUMBER = re.compile(r"(?P<fd>\d+)<(?P<path>[^>]*)>(?:, )?(?P<more>.*)", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_PLACED = re.compile(r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:\\x[0-9a-f]{2})*)"')


def recording_tree(strace: str, record: Path) -> list[str]:
    """Give what to put in front of a command to have its changes of files recorded."""
    calls = ",".join(
        f"?{call}" for call in (*OPENS, *WRITES, *NAMES, *SYNCHRONISES, *FOREIGN, *MAPS, "lseek", "ftruncate")
    )
    return [
        strace, "-D", "-f", "-xx", "-y", "-ttt", "-s", str(WRITTEN_MAX), "-e", f"trace={calls}",
        "-o", str(record),
    ]  # fmt: skip


@dataclass
class Naming(Event):
    """A file was made, named anew (`to`) or removed."""

    kind: str = ""
    to: str = ""


@dataclass
class _Opened:
    path: str
    appends: bool
    position: int = 0


@dataclass
class Reader:
    """Reads a record line by line: which files are open where, and how long each of them is by now."""

    below: str
    events: list[Event] = field(default_factory=list)
    _opened: dict[tuple[str, str], _Opened] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)

    def take(self, text: str, at: float, began: int, ended: int) -> None:
        """Take one call with all its words and its result, or without one where the process ended before."""
        call = _CALL.match(text)
        assert call is not None, text[:200]
        name, more = call["name"], call["more"]
        found = _RESULT.search(more[-RESULT_MAX:])
        result = int(found["value"]) if found else None
        if name in OPENS:
            self._open(more, result, Event("", at, began, ended))
        elif name in NAMES:
            self._name(name, more, result, Naming("", at, began, ended))
        elif name in FOREIGN or (name in MAPS and "MAP_SHARED" in more and "PROT_WRITE" in more):
            ours = "".join(f"\\x{byte:02x}" for byte in self.below.encode())
            unkept = "".join(f"\\x{byte:02x}" for byte in UNKEPT.encode())
            assert ours not in more or unkept in more, f"not understood: {name}({more[:200]}"
        elif name not in MAPS:
            self._change(name, more, result, Event("", at, began, ended))

    def _open(self, more: str, result: int | None, event: Event) -> None:
        if result is None or result < 0:
            return
        path = _path(more)
        if not self._ours(path) or ("O_WRONLY" not in more and "O_RDWR" not in more):
            return
        # A number may be another file's again before the record tells that it was closed: threads write it in turns.
        self._opened[str(result), path] = _Opened(path, "O_APPEND" in more)
        if path not in self._sizes:
            self._sizes[path] = 0
            made = Naming(path, event.time, event.began, event.ended, kind="make")
            self.events.append(made)
        elif "O_TRUNC" in more:
            self._sizes[path], event.path, event.size = 0, path, 0
            self.events.append(event)

    def _name(self, name: str, more: str, result: int | None, event: Naming) -> None:
        paths = [_join(place, text) for place, text in _PLACED.findall(more)]
        if result != 0 or not any(self._ours(path) for path in paths) or "AT_REMOVEDIR" in more:
            return
        event.path, event.kind = paths[0], "remove" if name.startswith("unlink") else "rename"
        if event.kind == "rename":
            event.to = paths[1]
            self._sizes[event.to] = self._sizes.pop(event.path)
        else:
            self._sizes.pop(event.path)
        self.events.append(event)

    def _change(self, name: str, more: str, result: int | None, event: Event) -> None:
        place = _NUMBER.match(more)
        if place is None or not self._ours(path := bytes.fromhex(place["path"].replace("\\x", "")).decode()):
            return
        assert result is None or result >= 0, f"a call failed: {name} {path} {more[-80:]}"
        opened = self._opened.get((place["fd"], path))
        event.path = path
        if name in SYNCHRONISES:
            self.events.append(event)
        elif name == "lseek":
            assert result is not None
            if opened is not None:
                opened.position = result
        elif name == "ftruncate":
            size = re.match(r"\d+", place["more"])
            assert size is not None, more[:200]
            event.size = self._sizes[path] = int(size.group())
            self.events.append(event)
        elif name in WRITES:
            assert opened is not None, f"written to before it was opened: {path}"
            self._write(name, place["more"], result, event, opened)

    def _write(self, name: str, more: str, result: int | None, event: Event, opened: _Opened) -> None:
        parts = _TEXT.findall(more)
        assert not any(cut for _, cut in parts), "strace cut a write short"
        data = b"".join(bytes.fromhex(text.replace("\\x", "")) for text, _ in parts)
        event.data = data if result is None else data[:result]
        if name.startswith("p"):
            event.offset = int(re.findall(r", (\d+)", more[more.rindex('"') :])[-1])
        else:
            event.offset = self._sizes[event.path] if opened.appends else opened.position
            opened.position = event.offset + len(event.data)
        self._sizes[event.path] = max(self._sizes[event.path], event.offset + len(event.data))
        self.events.append(event)

    def _ours(self, path: str) -> bool:
        return (path == self.below or path.startswith(f"{self.below}/")) and not path.endswith(UNKEPT)


def _path(more: str) -> str:
    place = _PLACED.match(more)
    assert place is not None, more[:200]
    return _join(place[1] or "", place[2])


def _join(place: str, text: str) -> str:
    start, end = (bytes.fromhex(part.replace("\\x", "")).decode() for part in (place, text))
    return str(PurePath(start or "/", end))


def read_tree_record(record: Path, below: Path) -> list[Event]:
    """Read what strace wrote about the files below a directory, in the order in which the calls began."""
    reader = Reader(str(below))
    unfinished: dict[str, tuple[str, float, int]] = {}
    with record.open() as lines:
        for number, line in enumerate(lines):
            match = _LINE.match(line)
            assert match is not None, line[:200]
            pid, rest = match["pid"], match["rest"].rstrip("\n")
            if rest.startswith(("+++", "---", "???")):
                continue
            if rest.startswith("<..."):
                text, at, began = unfinished.pop(pid)
                reader.take(text + rest[rest.index("resumed>") + len("resumed>") :], at, began, number)
            elif rest.endswith("<unfinished ...>"):
                unfinished[pid] = (rest.removesuffix("<unfinished ...>"), float(match["time"]), number)
            else:
                reader.take(rest, float(match["time"]), number, number)
    for text, at, began in unfinished.values():
        reader.take(text + "<unfinished", at, began, NEVER)
    return sorted(reader.events, key=lambda event: event.began)


@dataclass
class _File:
    kept: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)

    def image(self, lives: Callable[[], bool]) -> bytes:
        image = bytearray(self.kept)
        for event in self.pending:
            if lives():
                change(image, event)
        return bytes(image)


@dataclass
class _Named:
    event: Naming
    file: _File
    kept: bool = False


class Tree:
    """The files below a directory as a loss of power would leave them."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._files: dict[str, _File] = {}
        self._names: list[_Named] = []
        self._synchronising: list[tuple[Event, _File | None, list[Event], list[_Named]]] = []

    def reach(self, event: Event) -> None:
        """Go on to just before an event: synchronisations that have ended by then have kept what was there."""
        for each in list(self._synchronising):
            synchronising, file, changes, names = each
            if synchronising.ended < event.began:
                self._synchronising.remove(each)
                for named in names:
                    named.kept = True
                if file is not None:
                    self._keep(file, changes)

    def begin(self, event: Event) -> None:
        """Begin an event."""
        if isinstance(event, Naming):
            self._name(event)
        elif event.synchronises:
            file = self._files.get(event.path)
            changes = [change for change in file.pending if change.ended < event.began] if file else []
            self._synchronising.append((event, file, changes, list(self._kept_by(event.path, file))))
        else:
            self._files[event.path].pending.append(event)

    def whole(self) -> dict[str, bytes]:
        """Give the files as the system shows them, whether kept or not."""
        return {path: file.image(lambda: True) for path, file in self._files.items()}

    def after_loss(self, chance: random.Random | None = None) -> dict[str, bytes]:
        """Give the files: nothing that is not kept, or by `chance` each of those writes, and some of those names."""
        reached = chance.randint(0, len(self._names)) if chance else 0
        files: dict[str, _File] = {}
        for number, named in enumerate(self._names):
            if named.kept or number < reached:
                _apply(files, named)
        lives = (lambda: chance.random() < 0.5) if chance else (lambda: False)
        return {path: file.image(lives) for path, file in files.items()}

    def _name(self, event: Naming) -> None:
        file = _File() if event.kind == "make" else self._files[event.path]
        named = _Named(event, file)
        self._names.append(named)
        _apply(self._files, named)

    def _kept_by(self, path: str, file: _File | None) -> Iterator[_Named]:
        for named in self._names:
            places = {str(PurePath(place).parent) for place in (named.event.path, named.event.to) if place}
            if path in places or (named.file is file and named.event.kind == "make"):
                yield named

    def _keep(self, file: _File, changes: list[Event]) -> None:
        gone = {id(event) for event in changes}
        for event in changes:
            change(file.kept, event)
        file.pending = [event for event in file.pending if id(event) not in gone]


def _apply(files: dict[str, _File], named: _Named) -> None:
    event = named.event
    if event.kind == "make":
        files[event.path] = named.file
    else:
        files.pop(event.path, None)
        if event.kind == "rename":
            files[event.to] = named.file
