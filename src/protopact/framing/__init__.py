"""The Confluent wire format: magic byte, schema id, message indexes, and the varints they are written in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.framing.prefix import MAGIC_BYTE, Prefix, decode_prefix, encode_prefix
    from protopact.framing.varint import decode_varint, decode_zigzag, encode_varint, encode_zigzag

__all__ = [
    "MAGIC_BYTE",
    "Prefix",
    "decode_prefix",
    "decode_varint",
    "decode_zigzag",
    "encode_prefix",
    "encode_varint",
    "encode_zigzag",
]

__getattr__ = door(
    __name__,
    {
        "MAGIC_BYTE": "prefix",
        "Prefix": "prefix",
        "decode_prefix": "prefix",
        "decode_varint": "varint",
        "decode_zigzag": "varint",
        "encode_prefix": "prefix",
        "encode_varint": "varint",
        "encode_zigzag": "varint",
    },
)
