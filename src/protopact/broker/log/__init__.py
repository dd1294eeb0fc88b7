"""The log of a partition: record batches in the order of their offsets, on disk or in memory.

The way of a batch: checked as its producer sent it, told from a retry, placed, appended, flushed, read, trimmed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.broker.log.batches import Batch, check_batches, place_batches, read_batch_headers
    from protopact.broker.log.flush import Flusher
    from protopact.broker.log.handles import FileHandles
    from protopact.broker.log.memory import MemoryLog
    from protopact.broker.log.port import PartitionLog
    from protopact.broker.log.producers import Duplicate, ProducerStates
    from protopact.broker.log.records import find_record_by_time
    from protopact.broker.log.recovery import remove_deleted
    from protopact.broker.log.segments import SegmentLog

__all__ = [
    "Batch",
    "Duplicate",
    "FileHandles",
    "Flusher",
    "MemoryLog",
    "PartitionLog",
    "ProducerStates",
    "SegmentLog",
    "check_batches",
    "find_record_by_time",
    "place_batches",
    "read_batch_headers",
    "remove_deleted",
]

__getattr__ = door(
    __name__,
    {
        "Batch": "batches",
        "Duplicate": "producers",
        "FileHandles": "handles",
        "Flusher": "flush",
        "MemoryLog": "memory",
        "PartitionLog": "port",
        "ProducerStates": "producers",
        "SegmentLog": "segments",
        "check_batches": "batches",
        "find_record_by_time": "records",
        "place_batches": "batches",
        "read_batch_headers": "batches",
        "remove_deleted": "recovery",
    },
)
