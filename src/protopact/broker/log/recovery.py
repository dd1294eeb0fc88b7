"""What a directory holds when a log is opened: its segments, with what a crash left made whole again."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

from protopact.broker.log.segment import Segment

if TYPE_CHECKING:
    from pathlib import Path

    from protopact.broker.log.checkpoint import Checkpoint
    from protopact.broker.log.handles import FileHandles

_log = logging.getLogger(__name__)

_DELETED = ".deleted"


def open_segments(directory: Path, handles: FileHandles, known: Checkpoint, *, index_bytes: int) -> list[Segment]:
    """Give the segments in order; all but the last are sealed, the last may be, too.

    What was known to be on disk is never cut off: where it is damaged, the segment keeps that in mind and refuses to
    be read there. What was not is cut off behind the last whole batch, with all segments that follow.
    """
    _remove_leftovers(directory)
    bases = sorted(int(path.stem) for path in directory.glob("*.log") if path.stem.isdigit())
    _remove_before(known.start_offset, directory, bases)
    segments = [Segment(directory, base, handles, index_bytes=index_bytes) for base in bases]
    for number, segment in enumerate(segments):
        following = segments[number + 1 :]
        if not _open(segment, following[0].base_offset if following else None, known.flushed_offset):
            _drop(following)
            return segments[: number + 1]
    return segments


def set_aside(directory: Path) -> Path:
    """Give the log's directory the name of one that is being deleted, so that no part of it comes back."""
    aside = directory.with_name(directory.name + _DELETED)
    shutil.rmtree(aside, ignore_errors=True)
    return directory.rename(aside)


def remove_deleted(parent: Path) -> None:
    """Remove what is left of logs below the directory whose deletion was interrupted."""
    for aside in parent.glob(f"*{_DELETED}"):
        _log.warning("%s: removed, its deletion had been interrupted", aside)
        shutil.rmtree(aside, ignore_errors=True)


def _open(segment: Segment, next_base: int | None, flushed_offset: int | None) -> bool:
    """Take what the segment holds; False when its end was lost, and what follows is void."""
    if next_base is not None and segment.open_sealed(next_base):
        return True
    bytes_behind = segment.recover()
    if next_base is None:
        certain_offset = flushed_offset or 0
    else:
        # A log that has rolled has a checkpoint: where it is gone, nothing may be cut off.
        certain_offset = next_base if flushed_offset is None else min(flushed_offset, next_base)
    if segment.next_offset < certain_offset:
        segment.examine(certain_offset if next_base is None else next_base)
        return True
    if bytes_behind:
        last_offset = segment.next_offset - 1
        _log.warning(
            "%s: %d bytes behind offset %d, no whole batch, are cut off", segment.path, bytes_behind, last_offset
        )
        segment.cut_off()
    if next_base == segment.next_offset:
        segment.seal()
    return next_base in {None, segment.next_offset}


def _drop(segments: list[Segment]) -> None:
    """Remove segments behind a cut, the last first: an interruption leaves no gap."""
    for segment in reversed(segments):
        size = segment.path.stat().st_size
        _log.warning("%s: removed with %d bytes, for records before it were lost", segment.path, size)
        segment.remove()


def _remove_before(start_offset: int, directory: Path, bases: list[int]) -> None:
    """Remove segments that end before the start: their deletion was interrupted, or undone by a loss of power."""
    while len(bases) > 1 and bases[1] <= start_offset:
        base = bases.pop(0)
        for kind in ("log", "index"):
            (directory / f"{base:020}.{kind}").unlink(missing_ok=True)


def _remove_leftovers(directory: Path) -> None:
    for path in directory.glob("*.index"):
        if not path.with_suffix(".log").exists():
            path.unlink()
