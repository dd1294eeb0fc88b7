"""What a log must know over a restart beside its batches: where it starts, and up to where it is on disk."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING

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
        if self._path.exists():
            self._read()

    def keep(self, *, start_offset: int | None = None, flushed_offset: int | None = None) -> None:
        """Have the file say so, on disk; any thread may. OSError when that fails."""
        with self._writing:
            start = self.start_offset if start_offset is None else start_offset
            flushed = self.flushed_offset if flushed_offset is None else flushed_offset
            replace_file(self._path, json.dumps({"start_offset": start, "flushed_offset": flushed}).encode())
            self.start_offset, self.flushed_offset = start, flushed

    def _read(self) -> None:
        try:
            kept = json.loads(self._path.read_bytes())
            start, flushed = kept["start_offset"], kept["flushed_offset"]
            self.start_offset, self.flushed_offset = int(start), None if flushed is None else int(flushed)
        except (ValueError, KeyError, TypeError) as error:
            _log.error("%s cannot be read: %s", self._path, error)
