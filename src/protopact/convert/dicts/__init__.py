"""Dicts ⇄ messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.convert.dicts.decode import Timestamps, decoder_code, dict_decoder, to_dict
    from protopact.convert.dicts.encode import dict_encoder, encoder_code, from_dict
    from protopact.convert.dicts.structs import read_list_value, read_struct, read_value

__all__ = [
    "Timestamps",
    "decoder_code",
    "dict_decoder",
    "dict_encoder",
    "encoder_code",
    "from_dict",
    "read_list_value",
    "read_struct",
    "read_value",
    "to_dict",
]

__getattr__ = door(
    __name__,
    {
        "Timestamps": "decode",
        "decoder_code": "decode",
        "dict_decoder": "decode",
        "dict_encoder": "encode",
        "encoder_code": "encode",
        "from_dict": "encode",
        "read_list_value": "structs",
        "read_struct": "structs",
        "read_value": "structs",
        "to_dict": "decode",
    },
)
