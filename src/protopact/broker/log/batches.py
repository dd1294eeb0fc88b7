"""Record batches as producers send them and segments keep them: checked, placed, never encoded anew.

Source of the format (magic 2): https://kafka.apache.org/documentation/#recordbatch
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crc32c import crc32c

from protopact.broker.codes import Code
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator


# Base offset, length of what follows, leader epoch, magic, CRC, attributes, last offset delta, base timestamp, max
# timestamp, producer id, producer epoch, base sequence, number of records.
_HEADER = struct.Struct(">qiibIhiqqqhii")
HEADER_BYTES = _HEADER.size
LENGTH_END = 12
_MAGIC = 2
RECORD_BYTES_MIN = 7  # length, attributes, two deltas, key, value and the number of headers, each in one byte
_MAGIC_AT = 16
_EPOCH_END = 16
_CRC_AT, _CRC_END = 17, 21
# The CRC covers everything behind it: not the place in the log, which the broker writes.
CRC_COVERS_FROM = _CRC_END
_MAX_TIMESTAMP_AT, _MAX_TIMESTAMP_END = 35, 43

_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
_CODEC_BITS, _APPEND_TIME_BIT, _TRANSACTIONAL_BIT, _CONTROL_BIT = 0x07, 0x08, 0x10, 0x20

_PLACE = struct.Struct(">qii")
_CRC = struct.Struct(">I")
_ATTRIBUTES = struct.Struct(">h")
_TIMESTAMP = struct.Struct(">q")


@dataclass(frozen=True, slots=True)
class Batch:
    """What the header of a batch says; `size_bytes` is the whole batch, offset and length included."""

    base_offset: int
    size_bytes: int
    leader_epoch: int
    attributes: int
    last_offset_delta: int
    base_timestamp_ms: int
    max_timestamp_ms: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    record_count: int

    @property
    def last_offset(self) -> int:
        """Give the offset of the last record."""
        return self.base_offset + self.last_offset_delta

    @property
    def next_offset(self) -> int:
        """Give the offset that follows the last record."""
        return self.base_offset + self.last_offset_delta + 1

    @property
    def compression(self) -> str:
        """Give the codec of the records: none, gzip, snappy, lz4 or zstd."""
        return _CODECS[self.attributes & _CODEC_BITS]

    @property
    def is_transactional(self) -> bool:
        """Whether the batch is part of a transaction."""
        return bool(self.attributes & _TRANSACTIONAL_BIT)

    @property
    def is_control(self) -> bool:
        """Whether the batch holds a transaction's marker instead of records."""
        return bool(self.attributes & _CONTROL_BIT)

    @property
    def log_append_time(self) -> bool:
        """Whether all records have the time at which the broker got them, which is the header's maximum."""
        return bool(self.attributes & _APPEND_TIME_BIT)


def check_batches(records: bytes) -> tuple[Batch, ...]:
    """Check what a producer sent for a partition, and give the headers; nothing is decompressed.

    Apache Kafka takes exactly one batch of magic 2 (ProduceRequest of version 3 and later), so this does, too.
    RefusedRequestError: 2 CORRUPT_MESSAGE for sizes or a CRC that do not fit, 87 INVALID_RECORD for another magic,
    another number of batches, counts that contradict each other, control batches and a producer without a sequence,
    76 UNSUPPORTED_COMPRESSION_TYPE for an unknown codec, 32 INVALID_TIMESTAMP for the broker's own type of timestamps.
    """
    if not records:
        raise RefusedRequestError("the request holds no record batch", error_code=Code.INVALID_RECORD)
    _check_frame(records)
    batch, crc = _unpack(records, 0)
    if crc32c(memoryview(records)[_CRC_END:]) != crc:
        raise RefusedRequestError(
            "the record batch does not have the CRC that it names", error_code=Code.CORRUPT_MESSAGE
        )
    _check_header(batch)
    return (batch,)


def place_batches(
    records: bytes, base_offset: int, leader_epoch: int, append_time_ms: int | None
) -> tuple[bytes, tuple[Batch, ...]]:
    """Write the place in the partition into checked batches: give their bytes, copied once, and the headers.

    With `append_time_ms`, all records get that time; the CRC covers it, and is computed anew.
    """
    view = memoryview(records)
    pieces: list[bytes | memoryview] = []
    batches: list[Batch] = []
    position = 0
    while position < len(view):
        end = position + LENGTH_END + int.from_bytes(view[position + 8 : position + LENGTH_END], "big")
        pieces.append(_PLACE.pack(base_offset, end - position - LENGTH_END, leader_epoch))
        whole = view[position:end]
        pieces += [whole[_EPOCH_END:]] if append_time_ms is None else _with_append_time(whole, append_time_ms)
        batch = _placed(whole, base_offset, leader_epoch, append_time_ms)
        batches.append(batch)
        base_offset, position = batch.next_offset, end
    return b"".join(pieces), tuple(batches)


def read_batch_headers(view: bytes | memoryview) -> Iterator[Batch]:
    """Give the header of each whole batch in trusted bytes, in order; a batch that is cut off ends it."""
    position = 0
    while position + HEADER_BYTES <= len(view):
        batch = read_header(view, position)
        position += batch.size_bytes
        if position > len(view):
            return
        yield batch


def read_header(view: bytes | memoryview, position: int = 0) -> Batch:
    """Give the header that starts at the position; its 61 bytes must be there."""
    return _unpack(view, position)[0]


def plausible_header(header: bytes, *, offset_min: int) -> Batch | None:
    """Give the header if it can be one that this broker wrote at or after the offset; None when it cannot."""
    if len(header) < HEADER_BYTES or header[_MAGIC_AT] != _MAGIC:
        return None
    batch = read_header(header)
    sane = (
        batch.size_bytes >= HEADER_BYTES
        and batch.base_offset >= offset_min
        and batch.last_offset_delta >= 0
        and batch.record_count >= 0
        and batch.attributes & _CODEC_BITS < len(_CODECS)
    )
    return batch if sane else None


def named_crc(header: bytes) -> int:
    """Give the CRC that the header names; it covers what stands from `CRC_COVERS_FROM` on."""
    crc: int = _CRC.unpack_from(header, _CRC_AT)[0]
    return crc


def _check_frame(records: bytes) -> None:
    """Refuse what is not one whole batch of magic 2."""
    if len(records) > _MAGIC_AT and records[_MAGIC_AT] != _MAGIC:
        raise RefusedRequestError(
            f"the record batch has magic {records[_MAGIC_AT]}; only magic {_MAGIC} is taken",
            error_code=Code.INVALID_RECORD,
            hint="use a client of Kafka 0.11 or later",
        )
    if len(records) < HEADER_BYTES:
        raise RefusedRequestError(
            f"a record batch has a header of {HEADER_BYTES} bytes; {len(records)} came", error_code=Code.CORRUPT_MESSAGE
        )
    size = LENGTH_END + int.from_bytes(records[8:LENGTH_END], "big", signed=True)
    if size < HEADER_BYTES or size > len(records):
        raise RefusedRequestError(
            f"the record batch names a size of {size} bytes; {len(records)} came", error_code=Code.CORRUPT_MESSAGE
        )
    if size < len(records):
        raise RefusedRequestError(
            f"more follows the record batch of {size} bytes: {len(records)} came, and one batch is taken at a time",
            error_code=Code.INVALID_RECORD,
        )


def _check_header(batch: Batch) -> None:
    """Refuse what no client may write."""
    if batch.attributes & _CODEC_BITS >= len(_CODECS):
        raise RefusedRequestError(
            f"the record batch has the unknown codec {batch.attributes & _CODEC_BITS}",
            error_code=Code.UNSUPPORTED_COMPRESSION_TYPE,
        )
    if batch.record_count != batch.last_offset_delta + 1 or batch.record_count <= 0:
        raise RefusedRequestError(
            f"the record batch counts {batch.record_count} records but {batch.last_offset_delta + 1} offsets",
            error_code=Code.INVALID_RECORD,
        )
    if batch.compression == "none" and batch.record_count * RECORD_BYTES_MIN > batch.size_bytes - HEADER_BYTES:
        raise RefusedRequestError(
            f"the record batch counts {batch.record_count} records in {batch.size_bytes - HEADER_BYTES} bytes",
            error_code=Code.INVALID_RECORD,
        )
    if batch.is_control:
        raise RefusedRequestError("clients do not write control batches", error_code=Code.INVALID_RECORD)
    if batch.producer_id >= 0 and batch.base_sequence < 0:
        raise RefusedRequestError(
            f"the record batch of producer {batch.producer_id} has no sequence number", error_code=Code.INVALID_RECORD
        )
    if batch.log_append_time:
        raise RefusedRequestError(
            "the record batch claims the time of its append, which is the broker's to set",
            error_code=Code.INVALID_TIMESTAMP,
        )


def _unpack(view: bytes | memoryview, position: int) -> tuple[Batch, int]:
    base_offset, length, leader_epoch, _, crc, *rest = _HEADER.unpack_from(view, position)
    return Batch(base_offset, LENGTH_END + length, leader_epoch, *rest), crc


def _placed(whole: memoryview, base_offset: int, leader_epoch: int, append_time_ms: int | None) -> Batch:
    _, length, _, _, _, attributes, delta, base_ms, max_ms, *producer = _HEADER.unpack_from(whole)
    if append_time_ms is not None:
        attributes, max_ms = attributes | _APPEND_TIME_BIT, append_time_ms
    return Batch(base_offset, LENGTH_END + length, leader_epoch, attributes, delta, base_ms, max_ms, *producer)


def _with_append_time(whole: memoryview, append_time_ms: int) -> list[bytes | memoryview]:
    """Give what follows the leader epoch, with the timestamp type, the time and the CRC over both."""
    attributes = _ATTRIBUTES.unpack_from(whole, _CRC_END)[0] | _APPEND_TIME_BIT
    middle = _ATTRIBUTES.pack(attributes) + whole[_CRC_END + 2 : _MAX_TIMESTAMP_AT] + _TIMESTAMP.pack(append_time_ms)
    rest = whole[_MAX_TIMESTAMP_END:]
    crc = crc32c(rest, crc32c(middle))
    return [whole[_MAGIC_AT:_CRC_AT], _CRC.pack(crc), middle, rest]
