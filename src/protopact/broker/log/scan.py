"""A segment read batch by batch: by the headers alone, or with every CRC checked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from crc32c import crc32c

from protopact.broker.log.batches import CRC_COVERS_FROM, HEADER_BYTES, Batch, named_crc, plausible_header
from protopact.broker.log.index import MisreadError

if TYPE_CHECKING:
    from collections.abc import Iterator

_WINDOW_BYTES = 16 * 1024
_SCAN_BYTES = 1024 * 1024


class Place(NamedTuple):
    """A batch and where it stands in its segment."""

    position: int
    batch: Batch

    @property
    def end(self) -> int:
        """Give the position behind the batch."""
        return self.position + self.batch.size_bytes


def walk(descriptor: int, position: int, offset: int, end: int) -> Iterator[Place]:
    """Give the batches from the position up to the end, the first of which is at the offset.

    Only headers are looked at, each of which must follow the one before: MisreadError where one does not.
    """
    window = _Window(descriptor, _WINDOW_BYTES)
    while position < end:
        batch = plausible_header(window.read(position, HEADER_BYTES), offset_min=offset)
        if batch is None or batch.base_offset != offset or position + batch.size_bytes > end:
            raise MisreadError(f"no batch of offset {offset} at byte {position}")
        yield Place(position, batch)
        position, offset = position + batch.size_bytes, batch.next_offset


def is_whole(descriptor: int, place: Place) -> bool:
    """Whether the batch has the CRC that it names; a large batch is not held in memory for it."""
    header = os.pread(descriptor, HEADER_BYTES, place.position)
    crc, position = 0, place.position + CRC_COVERS_FROM
    while position < place.end:
        part = os.pread(descriptor, min(place.end - position, _SCAN_BYTES), position)
        if not part:
            return False
        crc = crc32c(part, crc)
        position += len(part)
    return crc == named_crc(header)


class _Window:
    """What was last read of a file, so that headers close to each other cost one call."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor, self._size = descriptor, size
        self._begin, self._bytes = 0, b""

    def read(self, position: int, size: int) -> bytes:
        begin = position - self._begin
        if begin < 0 or begin + size > len(self._bytes):
            self._begin, self._bytes = position, os.pread(self._descriptor, self._size, position)
            begin = 0
        return self._bytes[begin : begin + size]
