"""Proto JSON ⇄ messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.convert.json.decode import from_json, json_decoder, json_decoder_code
    from protopact.convert.json.encode import json_encoder, json_encoder_code, to_json

__all__ = [
    "from_json",
    "json_decoder",
    "json_decoder_code",
    "json_encoder",
    "json_encoder_code",
    "to_json",
]

__getattr__ = door(
    __name__,
    {
        "from_json": "decode",
        "json_decoder": "decode",
        "json_decoder_code": "decode",
        "json_encoder": "encode",
        "json_encoder_code": "encode",
        "to_json": "encode",
    },
)
