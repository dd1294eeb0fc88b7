"""What a partition's log can do, wherever it keeps its records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from protopact.broker.codes import Code
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protopact.broker.log.batches import Batch
    from protopact.broker.log.producers import ProducerStates


# What newest_timestamp gives for a log without records, as Kafka's protocol says it.
NO_RECORD = (-1, -1)


class PartitionLog(Protocol):
    """Record batches in the order of their offsets.

    All calls come from one thread, but for `flush`, which may come from another meanwhile.
    """

    @property
    def start_offset(self) -> int:
        """Give the first offset that can be read."""
        ...

    @property
    def end_offset(self) -> int:
        """Give the offset that the next record will get."""
        ...

    @property
    def flushed_offset(self) -> int:
        """Give the offset below which everything is safe from a loss of power."""
        ...

    @property
    def size_bytes(self) -> int:
        """Give the size of all batches that are kept."""
        ...

    @property
    def producers(self) -> ProducerStates:
        """Give what is known of idempotent producers; whoever appends asks it before and tells it after."""
        ...

    def append(self, placed: bytes, batches: Sequence[Batch]) -> None:
        """Keep placed batches, the first of which is at the end offset; they are with the operating system then.

        RefusedRequestError 56 KAFKA_STORAGE_ERROR when they cannot be written; the log is as it was before.
        """
        ...

    def read(self, offset: int, *, bytes_max: int, until_offset: int) -> bytes:
        """Give whole batches from the one that holds the offset on, none with a record at `until_offset` or later.

        At least one, even when it is larger than `bytes_max`; nothing at the end. RefusedRequestError:
        1 OFFSET_OUT_OF_RANGE before the start or beyond the end, 2 CORRUPT_MESSAGE where the log is damaged.
        """
        ...

    def find_by_time(self, timestamp_ms: int) -> tuple[int, int] | None:
        """Give offset and timestamp of the first record that is of the time or later."""
        ...

    def newest_timestamp(self) -> tuple[int, int]:
        """Give offset and timestamp of the first record of the latest time; (-1, -1) when there is no record."""
        ...

    def delete_before(self, offset: int) -> None:
        """Have the log start at the offset, for good. RefusedRequestError 1 OFFSET_OUT_OF_RANGE beyond the end."""
        ...

    def trim(self, now_ms: int, *, retention_bytes: int, retention_ms: int, segment_ms: int) -> int:
        """Remove old records by Kafka's rules, and give how many segments went; -1 is no bound."""
        ...

    def flush(self) -> None:
        """Wait until all that was appended before is on disk; may be called in another thread.

        RefusedRequestError 56 KAFKA_STORAGE_ERROR when the disk refuses: the log takes nothing more until it is
        opened again, for what the operating system still holds may differ from what the disk has.
        """
        ...

    def close(self) -> None:
        """Flush, and let go of all files."""
        ...

    def delete(self) -> None:
        """Remove the log with all its files."""
        ...


def out_of_range(offset: int, start_offset: int, end_offset: int) -> RefusedRequestError:
    """Give the refusal of an offset that the log does not have."""
    return RefusedRequestError(
        f"offset {offset} is not within {start_offset} and {end_offset}", error_code=Code.OFFSET_OUT_OF_RANGE
    )
