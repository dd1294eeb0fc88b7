"""A schema's GUID in a record header, with the payload bare.

    01                                               version byte
    89 79 1f a2 75 5c 4a 3b 9d 1e 5f 6a 7b 8c 9d 0e  the GUID, 16 bytes
    04 00 04                                         message indexes, as in the prefix

The header is `__value_schema_id` for a record's value and `__key_schema_id` for its key. Source: the class SchemaId of
https://github.com/confluentinc/schema-registry (package io.confluent.kafka.serializers.schema.id), since 8.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from protopact.errors import EncodeError, FramingError
from protopact.framing.prefix import decode_indexes, encode_indexes

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY_SCHEMA_HEADER = "__key_schema_id"
"""The header that names the schema of a record's key."""

VALUE_SCHEMA_HEADER = "__value_schema_id"
"""The header that names the schema of a record's value."""

_VERSION_BYTE = 1
_GUID_END = 17


@dataclass(frozen=True, slots=True)
class GuidPrefix:
    """What a schema header says: the GUID, the message indexes, and how many bytes they take."""

    guid: str
    indexes: tuple[int, ...]
    size: int


def encode_guid(guid: str, indexes: Sequence[int]) -> bytes:
    """Write a schema header's value; EncodeError for what is no GUID, and as `encode_prefix` for the indexes."""
    try:
        number = UUID(guid)
    except ValueError as error:
        raise EncodeError(f"{guid!r} is no GUID") from error
    return bytes((_VERSION_BYTE,)) + number.bytes + encode_indexes(indexes)


def decode_guid(data: bytes | bytearray | memoryview) -> GuidPrefix:
    """Read a schema header's value, or what starts with one; FramingError, with the offset, for anything else."""
    if not data:
        raise FramingError("the schema header is empty", offset=0)
    if data[0] != _VERSION_BYTE:
        raise FramingError(f"the schema header starts with byte {data[0]}, not 1", offset=0)
    if len(data) < _GUID_END:
        raise FramingError(f"the schema header ends within the GUID, after {len(data)} bytes", offset=len(data))
    indexes, size = decode_indexes(data, _GUID_END)
    return GuidPrefix(str(UUID(bytes=bytes(data[1:_GUID_END]))), indexes, size)
