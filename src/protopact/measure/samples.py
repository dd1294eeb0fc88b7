"""The messages that are measured: small (28 bytes), medium (187 bytes) and large (50 medium ones, 9.5 kB)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from protopact.rules import Protovalidate
from protopact.schema import load_schema

if TYPE_CHECKING:
    from protopact.schema import DescribedSchema

_HEAD = """
syntax = "proto3";
package bench.v1;
import "google/protobuf/timestamp.proto";
"""
_SMALL = "message Small { int64 id = 1; string name = 2; double score = 3; }"
_MEDIUM = """
message Medium {
  int64 id = 1;
  string name = 2;
  string email = 3;
  Status status = 4;
  google.protobuf.Timestamp created_at = 5;
  google.protobuf.Timestamp updated_at = 6;
  Address address = 7;
  repeated string tags = 8;
  map<string, string> labels = 9;
  oneof contact { string phone = 10; string handle = 11; }
  message Address { string street = 1; string city = 2; string country = 3; int32 zip = 4; }
}
enum Status { STATUS_UNSPECIFIED = 0; STATUS_ACTIVE = 1; }
"""
_LARGE = "message Large { repeated Medium items = 1; }" + _MEDIUM
_OTHERS = 999
_AT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
_SMALL_VALUE: dict[str, object] = {"id": 123456789, "name": "Ada Lovelace", "score": 98.5}
_MEDIUM_VALUE: dict[str, object] = {
    "id": 123456789012,
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "status": "STATUS_ACTIVE",
    "created_at": _AT,
    "updated_at": _AT,
    "address": {"street": "12 St James's Square", "city": "London", "country": "GB", "zip": 10115},
    "tags": ["mathematics", "poetry", "engines"],
    "labels": {"team": "analytical", "tier": "gold"},
    "phone": "+44 20 7946 0958",
}
_TEXTS: dict[str, tuple[str, dict[str, object]]] = {
    "small": (_SMALL, _SMALL_VALUE),
    "medium": (_MEDIUM, _MEDIUM_VALUE),
    "large": (_LARGE, {"items": [_MEDIUM_VALUE] * 50}),
}
_RULES = 'import "buf/validate/validate.proto";\n'
_NAME, _RULED_NAME = "string name = 2;", "string name = 2 [(buf.validate.field).string = {min_len: 1, max_len: 100}];"


@dataclass(frozen=True, slots=True)
class Sample:
    """One message: its size's word and its name in tables, its schema, and its value."""

    size: str
    label: str
    schema: DescribedSchema
    value: dict[str, object]


@cache
def plain_samples() -> tuple[Sample, ...]:
    """Give the three sizes, each the first message of its file."""
    return tuple(
        Sample(size, size, load_schema(_HEAD + text, file_name=f"{size}.proto"), value)
        for size, (text, value) in _TEXTS.items()
    )


@cache
def placed_samples() -> tuple[Sample, ...]:
    """Give the medium message elsewhere: as the second of its file, and in a file of 1000 messages."""
    second = load_schema(_HEAD + _SMALL + _MEDIUM, file_name="second.proto").for_message("Medium")
    others = " ".join(f"message Other{number} {{ int32 a = 1; }}" for number in range(_OTHERS))
    crowded = load_schema(_HEAD + _MEDIUM + others, file_name="crowded.proto")
    return (
        Sample("medium", "medium, second in its file", second, _MEDIUM_VALUE),
        Sample("medium", "medium, in a file of 1000", crowded, _MEDIUM_VALUE),
    )


@cache
def ruled_samples() -> tuple[Sample, ...]:
    """Give the three sizes with a rule about each name; MissingExtraError without protovalidate, which knows them."""
    Protovalidate()
    heading = _HEAD + _RULES
    return tuple(
        Sample(
            size, size, load_schema(heading + text.replace(_NAME, _RULED_NAME), file_name=f"ruled_{size}.proto"), value
        )
        for size, (text, value) in _TEXTS.items()
    )
