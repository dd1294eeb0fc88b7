"""The generated code of a message type, to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.convert.dicts import decoder_code, encoder_code
from protopact.convert.json import json_decoder_code, json_encoder_code

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from protopact.convert.dicts import Timestamps
    from protopact.convert.values import Enums


def converter_source(
    message_class: type[Message], *, enums: Enums = "name", timestamps: Timestamps = "datetime"
) -> str:
    """Give the Python code that turns dicts and JSON into messages of a class and back, with all types that it reaches.

    It is the code that runs, to be read and not to be imported: names that it does not define, such as `put_items` or
    `names_of_Status`, stand for objects that are bound to it when it is built.
    """
    ways = {
        "dict → message": encoder_code(message_class),
        "message → dict": decoder_code(message_class, enums=enums, timestamps=timestamps),
        "JSON → message": json_decoder_code(message_class),
        "message → JSON": json_encoder_code(message_class),
    }
    return "\n\n".join(f"# {way}\n\n{code}" for way, code in ways.items())
