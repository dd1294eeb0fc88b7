"""What stricter policies refuse for the sake of readers (REGISTRY §4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.compat import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.descriptor import FileSet

    Schema = Callable[..., FileSet]

WIRE = {
    "one number becomes many": (
        "message A { int32 a = 1; }",
        "message A { repeated int32 a = 1; }",
        "FIELD_CARDINALITY_CHANGED",
    ),
    "many numbers become one": (
        "message A { repeated int32 a = 1; }",
        "message A { int32 a = 1; }",
        "FIELD_CARDINALITY_CHANGED",
    ),
    "many messages become one": (
        "message A { repeated A a = 1; }",
        "message A { A a = 1; }",
        "FIELD_CARDINALITY_CHANGED",
    ),
    "one message becomes many": (
        "message A { A a = 1; }",
        "message A { repeated A a = 1; }",
        "FIELD_CARDINALITY_CHANGED",
    ),
    "many texts become one": (
        "message A { repeated string a = 1; }",
        "message A { string a = 1; }",
        "FIELD_CARDINALITY_CHANGED",
    ),
    "64 bits become 32": ("message A { int64 a = 1; }", "message A { int32 a = 1; }", "FIELD_RANGE_CHANGED"),
    "a number becomes a bool": ("message A { int32 a = 1; }", "message A { bool a = 1; }", "FIELD_RANGE_CHANGED"),
    "a signed number becomes unsigned": (
        "message A { int32 a = 1; }",
        "message A { uint32 a = 1; }",
        "FIELD_RANGE_CHANGED",
    ),
    "a map's values are cut": (
        "message A { map<string, int64> a = 1; }",
        "message A { map<string, int32> a = 1; }",
        "FIELD_RANGE_CHANGED",
    ),
    "a negative enum value becomes unsigned": (
        "enum E { Z = 0; N = -1; } message A { E a = 1; }",
        "enum E { Z = 0; N = -1; } message A { uint64 a = 1; }",
        "FIELD_RANGE_CHANGED",
    ),
    "bytes become a text": ("message A { bytes a = 1; }", "message A { string a = 1; }", "FIELD_BYTES_TO_STRING"),
    "a member leaves its oneof": (
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        "message A { oneof o { int32 a = 1; } int32 b = 2; }",
        "ONEOF_PARTED",
    ),
    "a member leaves for another oneof": (
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        "message A { oneof o { int32 a = 1; } oneof p { int32 b = 2; } }",
        "ONEOF_PARTED",
    ),
}
PROTO2 = {
    "a default changes": (
        "message A { optional int32 a = 1 [default = 3]; }",
        "message A { optional int32 a = 1; }",
        "FIELD_DEFAULT_CHANGED",
    ),
    "a text becomes required": (
        "message A { optional string a = 1; }",
        "message A { required string a = 1; }",
        "FIELD_REQUIRED_CHANGED",
    ),
    "a message becomes a group": (
        "message A { message B {} optional B b = 1; }",
        "message A { optional group B = 1 {} }",
        "FIELD_ENCODING_CHANGED",
    ),
}
JSON = {
    "a field is renamed": (
        "message A { int32 a = 1; }",
        'message A { int32 b = 1 [json_name = "a"]; }',
        "FIELD_NAME_CHANGED",
    ),
    "a field's JSON name changes": (
        "message A { int32 a = 1; }",
        'message A { int32 a = 1 [json_name = "b"]; }',
        "FIELD_JSON_NAME_CHANGED",
    ),
    "an enum value is renamed": ("enum E { Z = 0; }", "enum E { X = 0; }", "ENUM_CONST_CHANGED"),
    "an enum value is removed": (
        "enum E { Z = 0; A = 1; }",
        'enum E { Z = 0; reserved 1; reserved "A"; }',
        "ENUM_CONST_REMOVED",
    ),
    "a number gets quotes": ("message A { int32 a = 1; }", "message A { int64 a = 1; }", "FIELD_JSON_FORM_CHANGED"),
    "a text becomes base64": ("message A { string a = 1; }", "message A { bytes a = 1; }", "FIELD_JSON_FORM_CHANGED"),
    "a name becomes a number": (
        "enum E { Z = 0; } message A { E a = 1; }",
        "enum E { Z = 0; } message A { int32 a = 1; }",
        "FIELD_JSON_FORM_CHANGED",
    ),
    "an enum gives way to one with other names": (
        "enum E { Z = 0; } enum F { Y = 0; } message A { E a = 1; }",
        "enum E { Z = 0; } enum F { Y = 0; } message A { F a = 1; }",
        "FIELD_ENUM_CHANGED",
    ),
}
HARMLESS = {
    "32 bits become 64": ("message A { int32 a = 1; uint32 b = 2; }", "message A { int64 a = 1; uint64 b = 2; }"),
    "an unsigned number fits a larger signed one": ("message A { uint32 a = 1; }", "message A { int64 a = 1; }"),
    "a bool becomes a number": ("message A { bool a = 1; }", "message A { int32 a = 1; }"),
    "a text becomes bytes": ("message A { string a = 1; }", "message A { bytes a = 1; }"),
    "presence comes and goes": (
        "message A { int32 a = 1; optional int32 b = 2; }",
        "message A { optional int32 a = 1; int32 b = 2; }",
    ),
    "a field is renamed": ("message A { int32 a = 1; }", "message A { int32 b = 1; }"),
    "a oneof is renamed": (
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        "message A { oneof p { int32 a = 1; int32 b = 2; } }",
    ),
    "the last member leaves its oneof": ("message A { oneof o { int32 a = 1; } }", "message A { int32 a = 1; }"),
    "one field joins a new oneof": (
        "message A { int32 a = 1; }",
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
    ),
}


def types(report_of: object) -> set[str]:
    return {str(one.type) for one in report_of.incompatible}  # type: ignore[attr-defined]


@pytest.mark.parametrize(("before", "after", "type_"), WIRE.values(), ids=WIRE)
def test_the_wire_policy_refuses_what_confluent_accepts(schema: Schema, before: str, after: str, type_: str) -> None:
    old, new = schema(before), schema(after)
    assert check(new, [old], "BACKWARD").compatible
    assert types(check(new, [old], "BACKWARD", policy="wire")) == {type_}


@pytest.mark.parametrize(("before", "after", "type_"), PROTO2.values(), ids=PROTO2)
def test_the_wire_policy_knows_proto2(schema: Schema, before: str, after: str, type_: str) -> None:
    old, new = schema(before, syntax="proto2"), schema(after, syntax="proto2")
    assert type_ in types(check(new, [old], "BACKWARD", policy="wire"))


@pytest.mark.parametrize(("before", "after"), HARMLESS.values(), ids=HARMLESS)
def test_the_wire_policy_accepts_what_reads_alike(schema: Schema, before: str, after: str) -> None:
    assert types(check(schema(after), [schema(before)], "BACKWARD", policy="wire")) == set()


@pytest.mark.parametrize(("before", "after", "type_"), JSON.values(), ids=JSON)
def test_the_json_policy_refuses_what_the_wire_policy_accepts(
    schema: Schema, before: str, after: str, type_: str
) -> None:
    old, new = schema(before), schema(after)
    assert types(check(new, [old], "BACKWARD", policy="wire")) == set()
    assert types(check(new, [old], "BACKWARD", policy="wire_json")) == {type_}


def test_the_level_decides_who_reads(schema: Schema) -> None:
    narrow, wide = schema("message A { int32 a = 1; }"), schema("message A { int64 a = 1; }")
    assert check(wide, [narrow], "BACKWARD", policy="wire").compatible
    assert not check(wide, [narrow], "FORWARD", policy="wire").compatible
    assert check(narrow, [wide], "FORWARD", policy="wire").compatible
    assert not check(narrow, [wide], "BACKWARD", policy="wire").compatible


def test_imported_messages_are_looked_at_too(schema: Schema) -> None:
    old = schema("message A { d.M a = 1; }", dep="package d; message M { int64 x = 1; }")
    new = schema("message A { d.M a = 1; }", dep="package d; message M { int32 x = 1; }")
    report = check(new, [old], "BACKWARD", policy="wire")
    assert [(str(one.type), one.path) for one in report.incompatible] == [("FIELD_RANGE_CHANGED", "#/M/1")]


def test_an_imported_message_is_found_in_another_package(schema: Schema) -> None:
    old = schema("message A { d.M a = 1; }", dep="package d; message M { int64 x = 1; }")
    new = schema("message A { e.M a = 1; }", dep="package e; message M { int32 x = 1; }")
    assert types(check(new, [old], "BACKWARD", policy="wire")) == {"FIELD_RANGE_CHANGED"}


def test_a_new_package_hides_nothing(schema: Schema) -> None:
    old, new = schema("package p; message A { int64 a = 1; }"), schema("package q; message A { int32 a = 1; }")
    assert types(check(new, [old], "BACKWARD", policy="wire")) == {"PACKAGE_CHANGED", "FIELD_RANGE_CHANGED"}


def test_a_refusal_has_a_reason_and_on_the_wire_a_payload(schema: Schema) -> None:
    old, new = schema("message A { int64 a = 1; }"), schema("message A { int32 a = 1; }")
    (one,) = check(new, [old], "BACKWARD", policy="wire").incompatible
    assert (one.path, one.original, one.update) == ("#/A/1", "int64 a = 1", "int32 a = 1")
    assert one.reason == "some values read as other values"
    assert one.example is not None
    assert one.example.payload == bytes.fromhex("08 87 80 80 80 10")
    assert (one.example.means, one.example.reads) == ("4294967303", "7")
