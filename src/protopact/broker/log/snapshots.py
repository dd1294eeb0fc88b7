"""Producer states over a restart: a snapshot now and then, and the batches behind it read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.broker.log.producers import ProducerStates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from protopact.broker.log.batches import Batch

_SNAPSHOTS_KEPT = 2


def write_snapshot(directory: Path, offset: int, producers: ProducerStates) -> None:
    """Keep what is known of producers up to the offset; OSError when that fails."""
    (directory / f"{offset:020}.snapshot").write_bytes(producers.snapshot())
    for _, path in _snapshots(directory)[:-_SNAPSHOTS_KEPT]:
        path.unlink(missing_ok=True)


def restore_producers(
    directory: Path, *, start_offset: int, end_offset: int, batches_from: Callable[[int], Iterable[Batch]], now_ms: int
) -> ProducerStates:
    """Give the states up to the end: the last whole snapshot, and the batches behind it, seen as if they came now.

    Snapshots beyond the end tell of batches that were lost with the machine's power, and are removed.
    """
    producers, offset = ProducerStates(), start_offset
    for snapshot_offset, path in _snapshots(directory):
        restored = ProducerStates.restore(path.read_bytes()) if snapshot_offset <= end_offset else None
        if restored is None:
            path.unlink()
        else:
            producers, offset = restored, max(snapshot_offset, start_offset)
    for batch in batches_from(offset):
        producers.appended(batch, now_ms)
    return producers


def _snapshots(directory: Path) -> list[tuple[int, Path]]:
    return sorted((int(path.stem), path) for path in directory.glob("*.snapshot") if path.stem.isdigit())
