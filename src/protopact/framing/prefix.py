"""The prefix of a record in the Confluent wire format.

    00            magic byte
    00 00 00 2a   schema id, 32 bits, big-endian
    04 00 04      message indexes: how many, then each, as zig-zag varints (here [0, 2])

The one index `[0]`, the first message of the file, is written as the single byte `00`; its long form `02 00` is
read as well. Source: https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/
(section "Wire format"); the varints are Kafka's, which hold 32 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.errors import EncodeError, FramingError
from protopact.framing.varint import decode_zigzag, encode_zigzag

if TYPE_CHECKING:
    from collections.abc import Sequence

MAGIC_BYTE = 0
"""The first byte of a record in the Confluent wire format."""

_ID_END = 5
_INDEX_MAX = (1 << 31) - 1
_SCHEMA_ID_MAX = (1 << 31) - 1
_DEPTH_MAX = 64  # protoc refuses messages nested 32 deep, so no schema needs as many indexes
_FIRST_MESSAGE = (0,)
_GUID_MAGIC_BYTE = 1


@dataclass(frozen=True, slots=True)
class Prefix:
    """What stands before a payload: the schema id, the message indexes, and the prefix's own size in bytes."""

    schema_id: int
    indexes: tuple[int, ...]
    size: int


def encode_prefix(schema_id: int, indexes: Sequence[int]) -> bytes:
    """Write the prefix for a message of a schema, `[0]` in its short form.

    EncodeError when the id is not from 0 to 2^31-1, when there is no index, or when an index is out of range.
    """
    if not 0 <= schema_id <= _SCHEMA_ID_MAX:
        raise EncodeError(f"schema id {schema_id} is not from 0 to 2^31-1")
    return bytes((MAGIC_BYTE,)) + schema_id.to_bytes(4, "big") + encode_indexes(indexes)


def encode_indexes(indexes: Sequence[int]) -> bytes:
    """Write message indexes, `[0]` in its short form; EncodeError as in `encode_prefix`."""
    if not 0 < len(indexes) <= _DEPTH_MAX:
        raise EncodeError(f"a message has 1 to {_DEPTH_MAX} indexes, not {len(indexes)}")
    if not all(0 <= index <= _INDEX_MAX for index in indexes):
        raise EncodeError(f"message indexes {list(indexes)} are not all from 0 to 2^31-1")
    if tuple(indexes) == _FIRST_MESSAGE:
        return b"\x00"
    return encode_zigzag(len(indexes)) + b"".join(map(encode_zigzag, indexes))


def decode_prefix(data: bytes | bytearray | memoryview | None) -> Prefix:
    """Read the prefix at the start of a record.

    FramingError, with the offset of the first byte that is wrong or missing, for anything that is no such prefix;
    the cost of a refusal does not depend on the counts that hostile bytes claim.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise FramingError(f"a record is bytes, not {type(data).__name__}", offset=0)
    if not data:
        raise FramingError("the record is empty", offset=0)
    if data[0] != MAGIC_BYTE:
        raise FramingError(f"the record starts with byte {data[0]}, not 0", offset=0, hint=_magic_hint(data[0]))
    if len(data) < _ID_END:
        raise FramingError(f"the record ends within the schema id, after {len(data)} bytes", offset=len(data))
    schema_id = int.from_bytes(data[1:_ID_END], "big")
    if schema_id > _SCHEMA_ID_MAX:
        raise FramingError(f"schema id {schema_id} is above 2^31-1", offset=1)
    indexes, size = decode_indexes(data, _ID_END)
    return Prefix(schema_id, indexes, size)


def decode_indexes(data: bytes | bytearray | memoryview, offset: int) -> tuple[tuple[int, ...], int]:
    """Read the message indexes at `offset`; give them and the offset of the byte behind. FramingError otherwise."""
    count, end = decode_zigzag(data, offset, bits=32)
    if count == 0:
        return _FIRST_MESSAGE, end
    if not 0 < count <= _DEPTH_MAX:
        raise FramingError(f"{count} message indexes are announced, not 1 to {_DEPTH_MAX}", offset=offset)
    indexes = []
    for _ in range(count):
        start = end
        index, end = decode_zigzag(data, start, bits=32)
        if index < 0:
            raise FramingError(f"message index {index} is negative", offset=start)
        indexes.append(index)
    return tuple(indexes), end


def _magic_hint(byte: int) -> str:
    if byte == _GUID_MAGIC_BYTE:
        return "1 starts a schema GUID, which belongs in a record header"
    return "was it written by a serializer that uses a schema registry?"
