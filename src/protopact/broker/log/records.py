"""The records inside a batch, as far as a broker must look: which of them is the first of a time.

Source of the format: https://kafka.apache.org/documentation/#record; snappy comes from Java in the frames of
https://github.com/xerial/snappy-java.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

import cramjam

from protopact.broker.codes import Code
from protopact.broker.log.batches import HEADER_BYTES, RECORD_BYTES_MIN, Batch, read_header
from protopact.errors import FramingError, RefusedRequestError
from protopact.framing import decode_zigzag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# What the records of one batch may grow to; a batch that is a decompression bomb is refused, not followed.
RECORDS_BYTES_MAX = 256 * 1024 * 1024
# As many as librdkafka puts into a batch at most: https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md
_RECORDS_MAX = 1_000_000
# Records are unfolded into ever larger rooms, until the wanted one is among them: most often it is in the first.
_ROOM_BYTES = 64 * 1024
_ROOM_GROWTH = 8
_ROOM_IS_FULL = "failed to write whole buffer"  # cramjam's words, by which what is in the room is known to be right

_XERIAL_MAGIC = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES = 16
_ATTRIBUTES_BYTES = 1

_DECOMPRESS_INTO = {
    "gzip": cramjam.gzip.decompress_into,
    "lz4": cramjam.lz4.decompress_into,
    "zstd": cramjam.zstd.decompress_into,
}


def find_record_by_time(batch_bytes: bytes, timestamp_ms: int, *, offset_min: int = 0) -> tuple[int, int] | None:
    """Give offset and timestamp of the batch's first record that is of the time or later; None if there is none.

    Records before `offset_min` do not count. At most eight times as much is unfolded as is needed to find it.
    RefusedRequestError 2 CORRUPT_MESSAGE when the records cannot be read, grow beyond 256 MiB, or are more than a
    million.
    """
    batch = read_header(batch_bytes)
    if batch.max_timestamp_ms < timestamp_ms or batch.last_offset < offset_min:
        return None
    if batch.log_append_time:
        return max(batch.base_offset, offset_min), batch.max_timestamp_ms
    for offset_delta, timestamp_delta in _record_places(batch, batch_bytes[HEADER_BYTES : batch.size_bytes]):
        offset, found_ms = batch.base_offset + offset_delta, batch.base_timestamp_ms + timestamp_delta
        if found_ms >= timestamp_ms and offset >= offset_min:
            return offset, found_ms
    return None


def latest_time(batch_bytes: bytes, *, offset_min: int) -> int:
    """Give the latest timestamp of the batch's records from the offset on; errors as `find_record_by_time`."""
    batch = read_header(batch_bytes)
    if batch.log_append_time or batch.base_offset >= offset_min:
        return batch.max_timestamp_ms
    places = _record_places(batch, batch_bytes[HEADER_BYTES : batch.size_bytes])
    return max(
        batch.base_timestamp_ms + delta_ms for delta, delta_ms in places if batch.base_offset + delta >= offset_min
    )


def _record_places(batch: Batch, written: bytes) -> Iterator[tuple[int, int]]:
    """Give each record's offset and timestamp, both counted from those of the batch."""
    if batch.record_count > _RECORDS_MAX:
        raise _unreadable(batch, f"{batch.record_count} records, more than {_RECORDS_MAX}")
    number = position = 0
    for records, are_all in _unfolded(batch, written):
        try:
            while number < batch.record_count:
                length, start = decode_zigzag(records, position, bits=32)
                if length < RECORD_BYTES_MIN - 1:
                    raise _unreadable(batch, f"record {number} is of {length} bytes")
                timestamp_delta, behind = decode_zigzag(records, start + _ATTRIBUTES_BYTES)
                offset_delta, _ = decode_zigzag(records, behind, bits=32)
                yield offset_delta, timestamp_delta
                number, position = number + 1, start + length
        except FramingError as error:
            if are_all:
                raise _unreadable(batch, str(error)) from error
        else:
            return


def _unfolded(batch: Batch, written: bytes) -> Iterator[tuple[Sequence[int], bool]]:
    """Give the records from the first on, ever more of them and in the end all, and whether these are all."""
    if batch.compression == "none":
        yield written, True
    elif batch.compression == "snappy":
        yield _unsnapped(batch, written), True
    else:
        room_bytes = _ROOM_BYTES
        while room_bytes < RECORDS_BYTES_MAX:
            yield _opened(batch, written, room_bytes)
            room_bytes *= _ROOM_GROWTH
        yield _opened(batch, written, RECORDS_BYTES_MAX)


def _opened(batch: Batch, written: bytes, room_bytes: int) -> tuple[bytes, bool]:
    # The pages of an anonymous mapping exist once they are written to: a large bound costs nothing.
    with mmap.mmap(-1, room_bytes) as room:
        try:
            return room[: _DECOMPRESS_INTO[batch.compression](written, room)], True
        except cramjam.DecompressionError as error:
            if room_bytes == RECORDS_BYTES_MAX:
                raise _unreadable(batch, f"{batch.compression}: {error}") from error
            return room[:] if _ROOM_IS_FULL in str(error) else b"", False


def _unsnapped(batch: Batch, written: bytes) -> bytes:
    try:
        return b"".join(_snappy_blocks(batch, written))
    except cramjam.DecompressionError as error:
        raise _unreadable(batch, f"snappy: {error}") from error


def _snappy_blocks(batch: Batch, written: bytes) -> Iterator[bytes]:
    """Give the blocks of xerial's frames, or the one of plain snappy."""
    bytes_left = RECORDS_BYTES_MAX
    for block in _xerial_frames(written) if written.startswith(_XERIAL_MAGIC) else [written]:
        bytes_left -= cramjam.snappy.decompress_raw_len(block)
        if bytes_left < 0:
            raise _unreadable(batch, f"snappy: more than {RECORDS_BYTES_MAX} bytes")
        yield bytes(cramjam.snappy.decompress_raw(block))


def _xerial_frames(written: bytes) -> Iterator[bytes]:
    position = _XERIAL_HEADER_BYTES
    while position < len(written):
        start = position + 4
        position = start + int.from_bytes(written[position:start], "big")
        yield written[start:position]


def _unreadable(batch: Batch, why: str) -> RefusedRequestError:
    return RefusedRequestError(
        f"the records of the batch at offset {batch.base_offset} cannot be read: {why}", error_code=Code.CORRUPT_MESSAGE
    )
