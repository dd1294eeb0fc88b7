"""Sparse indexes: where in a segment some of its batches start, and the latest time before each.

An index is derived from its segment, and is made anew when it is missing or wrong. An entry is written to the index's
file after what stands before it in the segment is on disk: the last entry is where a recovery begins.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple, Protocol

from crc32c import crc32c

if TYPE_CHECKING:
    from pathlib import Path

    from protopact.broker.log.handles import FileHandles

_ENTRY = struct.Struct(">qqq")
_CRC_BYTES = 4
ENTRY_BYTES = _ENTRY.size + _CRC_BYTES


class Entry(NamedTuple):
    """A batch's first offset, its position in the segment, and the latest timestamp of all batches before it."""

    offset: int
    position: int
    newest_ms: int


class MisreadError(Exception):
    """A segment and its index do not agree at a position; whoever catches it makes the index anew, or gives up."""


class Index(Protocol):
    """Entries in the order of their positions; MisreadError for one whose bytes are not whole."""

    def __len__(self) -> int: ...

    def __getitem__(self, number: int, /) -> Entry: ...


class IndexInMemory:
    """The index of a segment that grows, or whose entries are not all written yet."""

    def __init__(self, written: bytes = b"") -> None:
        """Start with entries as they stand in a file."""
        self._entries = bytearray(written[: len(written) // ENTRY_BYTES * ENTRY_BYTES])
        # How many of them stand in the file, and from which position on the next is due.
        self.written = len(self)
        self.due_position = 0

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._entries) // ENTRY_BYTES

    def __getitem__(self, number: int, /) -> Entry:
        """Give an entry by its number."""
        return _decoded(bytes(self._entries[number * ENTRY_BYTES : (number + 1) * ENTRY_BYTES]))

    def add(self, entry: Entry) -> None:
        """Put an entry behind the last."""
        encoded = _ENTRY.pack(*entry)
        self._entries += encoded + crc32c(encoded).to_bytes(_CRC_BYTES, "big")

    def cut(self, count: int) -> None:
        """Keep the first entries alone."""
        del self._entries[count * ENTRY_BYTES :]
        self.written = min(self.written, count)

    def encoded(self, begin: int, end: int) -> bytes:
        """Give entries as they stand in a file."""
        return bytes(self._entries[begin * ENTRY_BYTES : end * ENTRY_BYTES])


class IndexInFile:
    """The index of a sealed segment: it stays in its file, so it costs no memory."""

    def __init__(self, path: Path, handles: FileHandles, count: int) -> None:
        """Take the number of entries as known."""
        self._path, self._handles, self._count = path, handles, count

    def __len__(self) -> int:
        """Count the entries."""
        return self._count

    def __getitem__(self, number: int, /) -> Entry:
        """Read an entry by its number."""
        try:
            return _decoded(os.pread(self._handles.get(self._path), ENTRY_BYTES, number * ENTRY_BYTES))
        except FileNotFoundError as error:
            raise MisreadError(f"{self._path.name} is gone") from error


def entry_by_offset(index: Index, offset: int) -> Entry:
    """Give the last entry whose batch starts at the offset or before."""
    return _entry(index, bisect_right(index, offset, key=lambda entry: entry.offset) - 1)


def entry_by_position(index: Index, position: int) -> Entry:
    """Give the last entry at the position or before."""
    return _entry(index, bisect_right(index, position, key=lambda entry: entry.position) - 1)


def entry_by_time(index: Index, timestamp_ms: int) -> Entry:
    """Give the last entry before which every batch is older than the time."""
    return _entry(index, bisect_left(index, timestamp_ms, key=lambda entry: entry.newest_ms) - 1)


def _entry(index: Index, number: int) -> Entry:
    if not len(index):
        raise MisreadError("the index is empty")
    return index[max(number, 0)]


def _decoded(encoded: bytes) -> Entry:
    if len(encoded) < ENTRY_BYTES or crc32c(encoded[:-_CRC_BYTES]) != int.from_bytes(encoded[-_CRC_BYTES:], "big"):
        raise MisreadError("an entry of the index is not whole")
    return Entry(*_ENTRY.unpack(encoded[:-_CRC_BYTES]))
