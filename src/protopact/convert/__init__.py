"""Plain Python values ⇄ messages, without a detour over JSON.

A field's value in a dict is what Python has for it: `int64` is an int, `bytes` stay bytes, an enum is its name, a
`Timestamp` an aware datetime, a `Duration` a timedelta, a wrapper its bare value, a `Struct` a dict, a map a dict
with keys of the map's own type. Fields without presence are always there; fields with presence are there when set.
`from_dict(to_dict(message), type(message)) == message` holds for every message without unknown fields, extensions,
NaN and `Value`s that hold nothing.

`to_json` and `from_json` are proto JSON, and take and give what protobuf's `json_format` does, but for what that takes
in error: an empty list for a message, a field or a key given twice, text that is no base64, messages nested so deep
that nobody can read their bytes.

The work is done by Python functions that are generated for each message type when it is first met; `converter_source`
shows them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.convert.columns import ColumnWriter, TimeUnit, check_columns, column_writer
    from protopact.convert.dicts import dict_decoder, dict_encoder, from_dict, to_dict
    from protopact.convert.json import from_json, json_decoder, json_encoder, to_json
    from protopact.convert.listing import converter_source
    from protopact.convert.shapes import depth_check
    from protopact.convert.values import Enums, PlainValue

__all__ = [
    "ColumnWriter",
    "Enums",
    "PlainValue",
    "TimeUnit",
    "check_columns",
    "column_writer",
    "converter_source",
    "depth_check",
    "dict_decoder",
    "dict_encoder",
    "from_dict",
    "from_json",
    "json_decoder",
    "json_encoder",
    "to_dict",
    "to_json",
]

__getattr__ = door(
    __name__,
    {
        "ColumnWriter": "columns",
        "Enums": "values",
        "PlainValue": "values",
        "TimeUnit": "columns",
        "check_columns": "columns",
        "column_writer": "columns",
        "converter_source": "listing",
        "depth_check": "shapes",
        "dict_decoder": "dicts",
        "dict_encoder": "dicts",
        "from_dict": "dicts",
        "from_json": "json",
        "json_decoder": "json",
        "json_encoder": "json",
        "to_dict": "dicts",
        "to_json": "json",
    },
)
