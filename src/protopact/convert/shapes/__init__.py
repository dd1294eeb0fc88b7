"""What descriptors say of a type: its fields, whether it is a well-known one, how deep it can be nested."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.convert.shapes.depth import DEPTH_MAX, depth_check, is_deep
    from protopact.convert.shapes.fields import (
        contested_oneof,
        descriptor_of,
        enum_type,
        is_map,
        is_message,
        message_type,
        takes_none,
    )
    from protopact.convert.shapes.well_known import (
        ANY,
        DURATION,
        FIELD_MASK,
        LIST_VALUE,
        STRUCT,
        TIMESTAMP,
        VALUE,
        WRAPPERS,
        well_known_name,
    )

__all__ = [
    "ANY",
    "DEPTH_MAX",
    "DURATION",
    "FIELD_MASK",
    "LIST_VALUE",
    "STRUCT",
    "TIMESTAMP",
    "VALUE",
    "WRAPPERS",
    "contested_oneof",
    "depth_check",
    "descriptor_of",
    "enum_type",
    "is_deep",
    "is_map",
    "is_message",
    "message_type",
    "takes_none",
    "well_known_name",
]

__getattr__ = door(
    __name__,
    {
        "ANY": "well_known",
        "DEPTH_MAX": "depth",
        "DURATION": "well_known",
        "FIELD_MASK": "well_known",
        "LIST_VALUE": "well_known",
        "STRUCT": "well_known",
        "TIMESTAMP": "well_known",
        "VALUE": "well_known",
        "WRAPPERS": "well_known",
        "contested_oneof": "fields",
        "depth_check": "depth",
        "descriptor_of": "fields",
        "enum_type": "fields",
        "is_deep": "depth",
        "is_map": "fields",
        "is_message": "fields",
        "message_type": "fields",
        "takes_none": "fields",
        "well_known_name": "well_known",
    },
)
