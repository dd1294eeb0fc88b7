"""The Confluent wire format: a schema's id or GUID and message indexes, and the varints they are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.framing.guid import KEY_SCHEMA_HEADER, VALUE_SCHEMA_HEADER, GuidPrefix, decode_guid, encode_guid
    from protopact.framing.prefix import MAGIC_BYTE, Prefix, decode_prefix, encode_prefix
    from protopact.framing.varint import decode_varint, decode_zigzag, encode_varint, encode_zigzag

__all__ = [
    "KEY_SCHEMA_HEADER",
    "MAGIC_BYTE",
    "VALUE_SCHEMA_HEADER",
    "GuidPrefix",
    "Prefix",
    "decode_guid",
    "decode_prefix",
    "decode_varint",
    "decode_zigzag",
    "encode_guid",
    "encode_prefix",
    "encode_varint",
    "encode_zigzag",
]

__getattr__ = door(
    __name__,
    {
        "KEY_SCHEMA_HEADER": "guid",
        "MAGIC_BYTE": "prefix",
        "VALUE_SCHEMA_HEADER": "guid",
        "GuidPrefix": "guid",
        "Prefix": "prefix",
        "decode_guid": "guid",
        "decode_prefix": "prefix",
        "decode_varint": "varint",
        "decode_zigzag": "varint",
        "encode_guid": "guid",
        "encode_prefix": "prefix",
        "encode_varint": "varint",
        "encode_zigzag": "varint",
    },
)
