"""Open files, no more than a bound at a time: many partitions have more segments than a process may have files."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class FileHandles:
    """Files opened for reading and writing when they are used; the one not used for longest is closed for another.

    Logs may share one. It belongs to the thread of the logs' event loop.
    """

    def __init__(self, handles_max: int = 256) -> None:
        """Open nothing yet."""
        self._handles_max = handles_max
        self._open: OrderedDict[Path, int] = OrderedDict()

    def get(self, path: Path) -> int:
        """Give the file's descriptor, good until the next call; OSError when it cannot be opened."""
        descriptor = self._open.get(path)
        if descriptor is None:
            while len(self._open) >= self._handles_max:
                os.close(self._open.popitem(last=False)[1])
            descriptor = self._open[path] = os.open(path, os.O_RDWR)
        else:
            self._open.move_to_end(path)
        return descriptor

    def forget(self, path: Path) -> None:
        """Close the file if it is open."""
        descriptor = self._open.pop(path, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Close all files; each is opened again when it is used."""
        for path in list(self._open):
            self.forget(path)

    def __del__(self) -> None:
        """Leave no file open behind."""
        self.close()

    def __len__(self) -> int:
        """Count the open files."""
        return len(self._open)


def write_whole(descriptor: int, data: bytes, position: int) -> None:
    """Write all of the data at the position, in as many steps as the operating system makes of it."""
    written = os.pwrite(descriptor, data, position)
    if written < len(data):
        view = memoryview(data)
        while written < len(data):
            written += os.pwrite(descriptor, view[written:], position + written)


def sync_file(path: Path) -> None:
    """Wait until what was written to the file is on disk, by a descriptor of its own: any thread may."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, data: bytes) -> None:
    """Put the data in the file's place, whole or not at all, and wait until it is on disk."""
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(data)
    sync_file(beside)
    beside.replace(path)
    sync_file(path.parent)
