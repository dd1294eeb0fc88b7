"""What a log must know over a restart beside its batches: where it starts, and up to where it is on disk."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING

from crc32c import crc32c

from protopact.broker.log.handles import replace_file

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)


class Checkpoint:
    """Two offsets in a file; `flushed_offset` is None when nothing was kept of it."""

    def __init__(self, directory: Path) -> None:
        """Read the file where there is one; one that cannot be read is logged, and counts as none."""
        self._path = directory / "checkpoint"
        self._writing = threading.Lock()
        self.start_offset = 0
        self.flushed_offset: int | None = None
        kept = self._read()
        if kept is not None:
            self.start_offset, self.flushed_offset = kept["start_offset"] or 0, kept["flushed_offset"]

    def keep(self, *, start_offset: int | None = None, flushed_offset: int | None = None) -> None:
        """Have the file say so, on disk; any thread may. OSError when that fails."""
        with self._writing:
            start = self.start_offset if start_offset is None else start_offset
            flushed = self.flushed_offset if flushed_offset is None else flushed_offset
            body = json.dumps({"start_offset": start, "flushed_offset": flushed}).encode()
            replace_file(self._path, b"%s %s" % (_crc(body), body))
            self.start_offset, self.flushed_offset = start, flushed

    def _read(self) -> dict[str, int | None] | None:
        if not self._path.exists():
            return None
        crc, _, body = self._path.read_bytes().partition(b" ")
        if crc != _crc(body):
            _log.error("%s does not have its CRC: it is not believed", self._path)
            return None
        kept: dict[str, int | None] = json.loads(body)
        return kept


def _crc(body: bytes) -> bytes:
    return b"%08x" % crc32c(body)
