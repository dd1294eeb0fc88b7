from __future__ import annotations

import math
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from protopact.convert import ColumnWriter, column_writer, from_dict
from protopact.errors import ConfigError, ConversionError, MissingExtraError, SchemaError
from protopact.schema import load_schema

if TYPE_CHECKING:
    from protopact.schema import DescribedSchema

HEAD = """
syntax = "proto3";
package all.v1;
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/empty.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
"""
ALL = (
    HEAD
    + """
message All {
  int32 i32 = 1; int64 i64 = 2; uint32 u32 = 3; uint64 u64 = 4; sint32 s32 = 5; fixed64 f64 = 6;
  float f = 7; double d = 8; bool b = 9; string s = 10; bytes raw = 11;
  Colour colour = 12; repeated Colour colours = 13; optional int32 maybe = 14;
  oneof one { string left = 15; Leaf right = 16; }
  Leaf leaf = 17; repeated Leaf leaves = 18; map<string, Leaf> by_name = 19; map<int32, Colour> painted = 20;
  google.protobuf.Timestamp at = 21; repeated google.protobuf.Timestamp ats = 22;
  google.protobuf.Duration took = 23; google.protobuf.Int64Value boxed = 24;
  repeated google.protobuf.StringValue boxes = 25; google.protobuf.Struct extra = 26;
  google.protobuf.Value value = 27; google.protobuf.Any any = 28; google.protobuf.Empty empty = 29;
  All again = 30; repeated All more = 31;
}
message Leaf { string name = 1; optional int32 size = 2; Leaf2 deep = 3; }
message Leaf2 { repeated string tags = 1; }
enum Colour { NONE = 0; RED = 1; }
"""
)
AT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(scope="module")
def schema() -> DescribedSchema:
    return load_schema(ALL)


def loaded(text: str) -> type[Any]:
    return load_schema(HEAD + text).message_class


def rows(writer: ColumnWriter, *messages: Any) -> list[dict[str, Any]]:
    batch = writer.batch(messages)
    batch.validate(full=True)
    found: list[dict[str, Any]] = batch.to_pylist()
    return found


def test_each_kind_of_field_has_its_kind_of_column(schema: DescribedSchema) -> None:
    types = {field.name: str(field.type) for field in column_writer(schema.message_class).schema}
    assert types == {
        "i32": "int32",
        "i64": "int64",
        "u32": "uint32",
        "u64": "uint64",
        "s32": "int32",
        "f64": "uint64",
        "f": "float",
        "d": "double",
        "b": "bool",
        "s": "string",
        "raw": "binary",
        "colour": "string",
        "colours": "list<item: string not null>",
        "maybe": "int32",
        "left": "string",
        "right": LEAF,
        "leaf": LEAF,
        "leaves": f"list<item: {LEAF} not null>",
        "by_name": f"map<string, {LEAF} ('by_name')>".replace(" ('by_name')", ""),
        "painted": "map<int32, string>",
        "at": "timestamp[us, tz=UTC]",
        "ats": "list<item: timestamp[us, tz=UTC] not null>",
        "took": "duration[us]",
        "boxed": "int64",
        "boxes": "list<item: string not null>",
        "extra": "string",
        "value": "string",
        "any": "struct<type_url: string not null, value: binary not null>",
        "empty": "struct<>",
        "again": "binary",
        "more": "list<item: binary not null>",
    }


LEAF = "struct<name: string not null, size: int32, deep: struct<tags: list<item: string not null> not null>>"


def test_only_fields_with_presence_can_be_null(schema: DescribedSchema) -> None:
    nullable = {field.name for field in column_writer(schema.message_class).schema if field.nullable}
    assert nullable == {
        "maybe", "left", "right", "leaf", "at", "took", "boxed", "extra", "value", "any", "empty", "again"
    }  # fmt: skip


def test_values_come_out_as_they_went_in(schema: DescribedSchema) -> None:
    data: dict[str, Any] = {
        "i32": -(2**31), "i64": 2**63 - 1, "u32": 2**32 - 1, "u64": 2**64 - 1, "s32": -1, "f64": 2**64 - 1,
        "f": 0.5, "d": -0.0, "b": True, "s": "é\0😀", "raw": b"\xff\0",
        "colour": "RED", "colours": ["NONE", "RED"], "maybe": 0,
        "right": {"name": "r"},
        "leaf": {"name": "l", "size": 0, "deep": {"tags": ["a", "b"]}},
        "leaves": [{"name": "1"}, {"name": "2", "size": 2}],
        "by_name": {"x": {"name": "X"}}, "painted": {7: "RED"},
        "at": AT, "ats": [AT, AT], "took": timedelta(seconds=-1, microseconds=-5), "boxed": 0, "boxes": ["", "b"],
        "extra": {"a": [1.5, None, "é"]}, "value": "v", "empty": {},
        "any": {"type_url": "t", "value": b"v"},
    }  # fmt: skip
    message, empty = from_dict(data, schema.message_class), schema.message_class()
    (full, none) = rows(column_writer(schema.message_class), message, empty)
    unset = {"size": None, "deep": None}
    assert full == data | {
        "left": None,
        "right": {"name": "r"} | unset,
        "leaves": [{"name": "1"} | unset, {"name": "2", "size": 2, "deep": None}],
        "by_name": [("x", {"name": "X"} | unset)],
        "painted": [(7, "RED")],
        "extra": '{"a": [1.5, null, "é"]}',
        "value": '"v"',
        "again": None,
        "more": [],
    }
    assert math.copysign(1, full["d"]) == -1
    assert {name: value for name, value in none.items() if value is not None} == {
        "i32": 0, "i64": 0, "u32": 0, "u64": 0, "s32": 0, "f64": 0, "f": 0.0, "d": 0.0, "b": False, "s": "",
        "raw": b"", "colour": "NONE", "colours": [], "leaves": [], "by_name": [], "painted": [], "ats": [],
        "boxes": [], "more": [],
    }  # fmt: skip


def test_a_message_within_its_own_type_is_its_bytes(schema: DescribedSchema) -> None:
    inner = schema.new_message({"s": "in"})
    (row,) = rows(column_writer(schema.message_class), schema.new_message({"again": inner, "more": [inner, inner]}))
    assert row["again"] == inner.SerializeToString()
    assert row["more"] == [inner.SerializeToString()] * 2


def test_an_enums_number_without_a_name_is_kept(schema: DescribedSchema) -> None:
    message = schema.message_class.FromString(b"\x60\x09")
    assert rows(column_writer(schema.message_class), message)[0]["colour"] == "9"
    assert rows(column_writer(schema.message_class, enums="number"), message)[0]["colour"] == 9


def test_proto2_fields_are_null_where_unset_and_groups_are_structs() -> None:
    text = """
    syntax = "proto2";
    message M { optional int32 a = 1 [default = 7]; repeated group G = 2 { optional string s = 1; } }
    """
    cls = load_schema(text).message_class
    row = rows(column_writer(cls), cls.FromString(b"\x13\x0a\x01x\x14"))
    assert row == [{"a": None, "g": [{"s": "x"}]}]


def test_field_names_that_python_cannot_write_or_that_shadow_methods_are_columns() -> None:
    cls = loaded("message M { int32 class = 1; int32 HasField = 2; optional int32 SerializeToString = 3; }")
    assert rows(column_writer(cls), cls.FromString(b"\x08\x01\x10\x02\x18\x03")) == [
        {"class": 1, "HasField": 2, "SerializeToString": 3}
    ]


@pytest.mark.parametrize(("seconds", "year"), [(-62_135_596_800, 1), (253_402_300_799, 9999), (9_223_372_037, 2262)])
def test_microseconds_hold_all_timestamps_there_are(schema: DescribedSchema, seconds: int, year: int) -> None:
    message = schema.message_class()
    message.at.seconds, message.at.nanos = seconds, 999_999_999
    at = rows(column_writer(schema.message_class), message)[0]["at"]
    assert (at.year, at.microsecond) == (year, 999_999)


def test_nanoseconds_are_exact_and_refuse_what_they_cannot_hold(schema: DescribedSchema) -> None:
    writer, message = column_writer(schema.message_class, time_unit="ns"), schema.message_class()
    message.at.seconds, message.at.nanos = -1, 999_999_999
    assert writer.batch([message])["at"].cast(pa.int64()).to_pylist() == [-1]
    message.at.seconds = 9_223_372_037
    with pytest.raises(ConversionError, match=r"\$\.at: the timestamp is outside the years 1678 to 2261") as caught:
        writer.batch([message])
    assert caught.value.hint == "use time_unit='us'"


@pytest.mark.parametrize(
    ("field", "seconds", "nanos", "reason"),
    [
        ("at", 253_402_300_800, 0, "outside the years 1 to 9999"),
        ("at", -(2**63), 0, "outside the years 1 to 9999"),
        ("at", 0, -1, "the nanos are out of range"),
        ("at", 0, 1_000_000_000, "the nanos are out of range"),
        ("took", 2**63 - 1, 0, "longer than 10,000 years"),
    ],
)
def test_times_that_are_none_are_refused_with_their_path(
    schema: DescribedSchema, field: str, seconds: int, nanos: int, reason: str
) -> None:
    message = schema.message_class()
    getattr(message, field).seconds, getattr(message, field).nanos = seconds, nanos
    with pytest.raises(ConversionError, match=reason) as caught:
        column_writer(schema.message_class).batch([schema.message_class(), message])
    assert caught.value.issues[0].path == f"$.{field}"


def test_a_struct_that_json_cannot_say_is_refused(schema: DescribedSchema) -> None:
    message = schema.message_class()
    message.value.number_value = math.nan
    with pytest.raises(ConversionError, match=r"\$\.value: a Value holds infinity or NaN"):
        column_writer(schema.message_class).batch([message])


def test_a_type_that_unfolds_without_measure_is_refused() -> None:
    levels = " ".join(f"message L{n} {{ L{n + 1} a = 1; L{n + 1} b = 2; }}" for n in range(40))
    cls = load_schema(f'syntax = "proto3"; {levels} message L40 {{ int32 a = 1; }}').message_class
    with pytest.raises(SchemaError, match="more than 10000 fields"):
        column_writer(cls)


def test_no_messages_are_a_batch_of_no_rows(schema: DescribedSchema) -> None:
    batch = column_writer(schema.message_class).batch([])
    assert (batch.num_rows, batch.schema) == (0, column_writer(schema.message_class).schema)


def test_options_that_do_not_exist_are_refused(schema: DescribedSchema) -> None:
    for options in ({"enums": "text"}, {"time_unit": "ms"}):
        with pytest.raises(ConfigError) as caught:
            column_writer(schema.message_class, **options)  # type: ignore[arg-type]
        assert caught.value.option in options


def test_without_pyarrow_the_extra_is_named(schema: DescribedSchema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError) as caught:
        column_writer(schema.message_class)
    assert caught.value.hint == "install 'protopact[arrow]'"
