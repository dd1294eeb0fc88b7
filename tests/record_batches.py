"""Record batches as clients make them: aiokafka's builder writes them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from crc32c import crc32c

from protopact.broker.log import place_batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protopact.broker.log import PartitionLog

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def make_batch(
    timestamps: Sequence[int] = (1000,),
    *,
    size: int = 10,
    codec: str = "none",
    producer_id: int = -1,
    epoch: int = -1,
    sequence: int = -1,
    transactional: bool = False,
) -> bytes:
    """Give a batch with a record for each timestamp."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=CODECS[codec],
        is_transactional=transactional,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=sequence,
        batch_size=1 << 30,
    )
    for number, timestamp in enumerate(timestamps):
        builder.append(number, timestamp=timestamp, key=b"%d" % number, value=b"v" * size, headers=[("h", b"\x00")])
    return bytes(builder.build())


def with_header(batch: bytes, **fields: int) -> bytes:
    """Give the batch with other values in its header, and the CRC that belongs to them."""
    places = {
        "length": (8, ">i"),
        "magic": (16, ">b"),
        "attributes": (21, ">h"),
        "last_offset_delta": (23, ">i"),
        "max_timestamp": (35, ">q"),
        "base_sequence": (53, ">i"),
        "record_count": (57, ">i"),
    }
    changed = bytearray(batch)
    for name, value in fields.items():
        position, form = places[name]
        struct.pack_into(form, changed, position, value)
    return with_crc(bytes(changed))


def with_crc(batch: bytes) -> bytes:
    """Give the batch with the CRC that belongs to its bytes."""
    return batch[:17] + crc32c(batch[21:]).to_bytes(4, "big") + batch[21:]


def append(log: PartitionLog, *batches: bytes, epoch: int = 0) -> bytes:
    """Append the batches in one call, and give what is kept of them."""
    placed, headers = place_batches(b"".join(batches), log.end_offset, epoch, None)
    log.append(placed, headers)
    for header in headers:
        log.producers.appended(header, 0)
    return placed
