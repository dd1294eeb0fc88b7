"""Each type of difference that Confluent knows, where it is found and whether it is refused (REGISTRY §4.1, §4.2)."""

from __future__ import annotations

from cProfile import Profile
from typing import TYPE_CHECKING

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protopact.compat import INCOMPATIBLE_FOR_CONFLUENT, DifferenceType, compare
from protopact.descriptor import FileSet

if TYPE_CHECKING:
    from collections.abc import Callable

    Found = Callable[..., list[str]]
    Schema = Callable[..., FileSet]

CASES = {
    "equal schemas differ in nothing": ("message A { int32 a = 1; }", "message A { int32 a = 1; }", []),
    "a changed package stands at the root": (
        "package p; message A {}",
        "package q; message A {}",
        ["!PACKAGE_CHANGED #/"],
    ),
    "a new message is added": ("message A {}", "message A {} message B {}", ["MESSAGE_ADDED #/B"]),
    "a message that has gone is refused": ("message A {} message B {}", "message A {}", ["!MESSAGE_REMOVED #/B"]),
    "a message before others moves them": (
        "message A {}",
        "message B {} message A {}",
        ["MESSAGE_MOVED #/A", "MESSAGE_ADDED #/B"],
    ),
    "an enum between messages moves nothing": ("message A {}", "enum E { Z = 0; } message A {}", ["ENUM_ADDED #/E"]),
    "a message moved into another is removed and added": (
        "message A {} message B {}",
        "message A { message B {} }",
        ["MESSAGE_ADDED #/A/B", "!MESSAGE_REMOVED #/B"],
    ),
    "a message turned into an enum is removed": (
        "message A {} message B {}",
        "message A {} enum B { Z = 0; }",
        ["!MESSAGE_REMOVED #/B", "ENUM_ADDED #/B"],
    ),
    "an enum may go": ("enum E { Z = 0; }", "", ["ENUM_REMOVED #/E"]),
    "enum values are compared by number": (
        "message A { enum E { Z = 0; X = 1; Y = 2; } }",
        "message A { enum E { Z = 0; W = 1; V = 3; } }",
        ["ENUM_CONST_CHANGED #/A/E/1", "ENUM_CONST_REMOVED #/A/E/2", "ENUM_CONST_ADDED #/A/E/3"],
    ),
    "fields come and go": (
        "message A { int32 a = 1; }",
        "message A { int32 b = 2; }",
        ["FIELD_REMOVED #/A/1", "FIELD_ADDED #/A/2"],
    ),
    "a field may be renamed": (
        "message A { message N { int32 a = 1; } }",
        "message A { message N { int32 b = 1; } }",
        ["FIELD_NAME_CHANGED #/A/N/1"],
    ),
    "a scalar is no message": (
        "message A { int32 a = 1; } message B {}",
        "message A { B a = 1; } message B {}",
        ["!FIELD_KIND_CHANGED #/A/1"],
    ),
    "a map is no message": (
        "message A { B a = 1; } message B {}",
        "message A { map<string, B> a = 1; } message B {}",
        ["!FIELD_KIND_CHANGED #/A/1"],
    ),
    "a map's values are compared like fields": (
        "message A { map<string, int32> a = 1; }",
        "message A { map<string, string> a = 1; }",
        ["!FIELD_SCALAR_KIND_CHANGED #/A/1"],
    ),
    "a map's keys are compared like fields": (
        "message A { map<int32, int32> a = 1; }",
        "message A { map<string, int64> a = 1; }",
        ["!FIELD_SCALAR_KIND_CHANGED #/A/1"],
    ),
    "another message is refused": (
        "message A { B a = 1; } message B {} message C {}",
        "message A { C a = 1; } message B {} message C {}",
        ["!FIELD_NAMED_TYPE_CHANGED #/A/1"],
    ),
    "labels of messages are not compared": (
        "message A { optional A a = 1; A b = 2; }",
        "message A { repeated A a = 1; repeated A b = 2; }",
        [],
    ),
    "a number's written label is compared": (
        "message A { optional int32 a = 1; }",
        "message A { repeated int32 a = 1; }",
        ["!FIELD_NUMERIC_LABEL_CHANGED #/A/1"],
    ),
    "an enum's written label is a number's": (
        "enum E { Z = 0; } message A { optional E a = 1; }",
        "enum E { Z = 0; } message A { repeated E a = 1; }",
        ["!FIELD_NUMERIC_LABEL_CHANGED #/A/1"],
    ),
    "a label that proto3 does not write is not seen": (
        "message A { int32 a = 1; int32 b = 2; repeated int32 c = 3; }",
        "message A { repeated int32 a = 1; optional int32 b = 2; int32 c = 3; }",
        [],
    ),
    "a text's written label may change": (
        "message A { optional string a = 1; repeated bytes b = 2; }",
        "message A { repeated string a = 1; optional bytes b = 2; }",
        ["FIELD_STRING_OR_BYTES_LABEL_CHANGED #/A/1", "FIELD_STRING_OR_BYTES_LABEL_CHANGED #/A/2"],
    ),
    "a oneof comes with its members": (
        "message A {}",
        "message A { oneof o { int32 a = 1; } }",
        ["ONEOF_ADDED #/A/o", "ONEOF_FIELD_ADDED #/A/o/1"],
    ),
    "a whole oneof may go, its members unmentioned": (
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        "message A {}",
        ["ONEOF_REMOVED #/A/o"],
    ),
    "a oneof may be renamed": (
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        "message A { oneof p { int32 a = 1; int32 b = 2; } }",
        ["ONEOF_REMOVED #/A/o", "ONEOF_ADDED #/A/p"],
    ),
    "a oneof that is renamed must keep its members": (
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        "message A { oneof p { int32 a = 1; } }",
        ["ONEOF_REMOVED #/A/o", "ONEOF_ADDED #/A/p", "!ONEOF_FIELD_REMOVED #/A/o/2"],
    ),
    "a member that has gone is refused": (
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        "message A { oneof o { int32 a = 1; } }",
        ["!ONEOF_FIELD_REMOVED #/A/o/2"],
    ),
    "a member may leave its oneof": (
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        "message A { oneof o { int32 a = 1; } int32 b = 2; }",
        ["ONEOF_FIELD_MOVED_TO_TOP_LEVEL #/A/2"],
    ),
    "a member may leave for a oneof of its own": (
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        "message A { oneof o { int32 a = 1; } oneof p { int32 b = 2; } }",
        ["ONEOF_ADDED #/A/p"],
    ),
    "a field that moves is still compared, at its new place": (
        "message A { int32 a = 1; }",
        "message A { oneof o { string b = 1; } }",
        ["ONEOF_ADDED #/A/o", "FIELD_NAME_CHANGED #/A/o/1", "!FIELD_SCALAR_KIND_CHANGED #/A/o/1"],
    ),
    "one field may move into a new oneof": (
        "message A { int32 a = 1; int32 b = 2; }",
        "message A { oneof o { int32 a = 1; int32 c = 3; } int32 b = 2; }",
        ["ONEOF_ADDED #/A/o", "ONEOF_FIELD_ADDED #/A/o/3"],
    ),
    "several fields must not": (
        "message A { int32 a = 1; int32 b = 2; }",
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        ["!MULTIPLE_FIELDS_MOVED_TO_ONEOF #/A/o", "ONEOF_ADDED #/A/o"],
    ),
    "no field may move into a oneof that has members": (
        "message A { oneof o { int32 a = 1; } int32 b = 2; }",
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        ["!FIELD_MOVED_TO_EXISTING_ONEOF #/A/o"],
    ),
    "oneofs must not be merged": (
        "message A { oneof o { int32 a = 1; } oneof p { int32 b = 2; } }",
        "message A { oneof o { int32 a = 1; int32 b = 2; } }",
        ["!FIELD_MOVED_TO_EXISTING_ONEOF #/A/o", "ONEOF_REMOVED #/A/p"],
    ),
    "the oneof of an optional field is none": (
        "message A { int32 a = 1; }",
        "message A { optional int32 a = 1; }",
        [],
    ),
    "reserved, options, defaults and comments are not looked at": (
        "message A { reserved 4; int32 a = 1; }",
        "message A { reserved 5, 6; int32 a = 1 [json_name = 'x', deprecated = true]; /* new */ }",
        [],
    ),
}  # fmt: skip
PROTO2 = {
    "a required field is not added": (
        "message A {}",
        "message A { required int32 a = 1; }",
        ["!REQUIRED_FIELD_ADDED #/A/1"],
    ),
    "a required field is not removed": (
        "message A { required int32 a = 1; }",
        "message A {}",
        ["!REQUIRED_FIELD_REMOVED #/A/1"],
    ),
    "required and optional are different labels of a number": (
        "message A { required int32 a = 1; required string b = 2; required A c = 3; }",
        "message A { optional int32 a = 1; optional string b = 2; optional A c = 3; }",
        ["!FIELD_NUMERIC_LABEL_CHANGED #/A/1", "FIELD_STRING_OR_BYTES_LABEL_CHANGED #/A/2"],
    ),
    "members of a oneof have no label": (
        "message A { optional int32 a = 1; }",
        "message A { oneof o { int32 a = 1; } }",
        ["ONEOF_ADDED #/A/o"],
    ),
    "defaults are not looked at": (
        "message A { optional int32 a = 1 [default = 3]; }",
        "message A { optional int32 a = 1 [default = 4]; }",
        [],
    ),
}
GROUPS = [
    ["int32", "int64", "uint32", "uint64", "bool", "E"],
    ["sint32", "sint64"],
    ["string", "bytes"],
    ["fixed32", "sfixed32"],
    ["fixed64", "sfixed64"],
    ["float"],
    ["double"],
]


@pytest.mark.parametrize(("original", "update", "expected"), CASES.values(), ids=CASES)
def test_every_difference_is_found_at_its_place(found: Found, original: str, update: str, expected: list[str]) -> None:
    assert found(original, update) == expected


@pytest.mark.parametrize(("original", "update", "expected"), PROTO2.values(), ids=PROTO2)
def test_proto2_writes_labels(found: Found, original: str, update: str, expected: list[str]) -> None:
    assert found(original, update, syntax="proto2") == expected


def test_every_type_of_confluents_has_a_case(found: Found) -> None:
    cases = [found(original, update) for original, update, _ in CASES.values()]
    cases += [found(original, update, syntax="proto2") for original, update, _ in PROTO2.values()]
    seen = {entry.split()[0].strip("!") for case in cases for entry in case}
    known = list(DifferenceType)
    assert seen == set(known[: known.index(DifferenceType.FIELD_MOVED_TO_EXISTING_ONEOF) + 1])
    refused = {entry.split()[0].strip("!") for case in cases for entry in case if entry.startswith("!")}
    assert refused == set(INCOMPATIBLE_FOR_CONFLUENT)


def test_scalars_of_one_group_may_replace_one_another(found: Found) -> None:
    def fields(types: list[str]) -> str:
        declared = " ".join(f"{type_} f{at} = {at};" for at, type_ in enumerate(types, 1))
        return f"enum E {{ Z = 0; }} message A {{ {declared} }}"

    scalars = [type_ for group in GROUPS for type_ in group]
    pairs = [(one, other) for one in scalars for other in scalars]
    refused = found(fields([one for one, _ in pairs]), fields([other for _, other in pairs]))
    apart = [at for at, pair in enumerate(pairs, 1) if not any({*pair} <= {*group} for group in GROUPS)]
    assert refused == [f"!FIELD_SCALAR_KIND_CHANGED #/A/{at}" for at in apart]


# ── imported messages ────────────────────────────────────────────────────────────────────────────

HOLDS = "message A { d.M a = 1; }"


def test_an_imported_message_is_compared_and_its_holder_refused(schema: Schema) -> None:
    old = schema(HOLDS, dep="package d; message M { int32 x = 1; }")
    new = schema(HOLDS, dep="package d; message M { string x = 1; }")
    assert [str(one.type) + one.path for one in compare(old, new)] == [
        "FIELD_NAMED_TYPE_CHANGED#/A/1",
        "FIELD_SCALAR_KIND_CHANGED#/M/1",
    ]


def test_the_same_version_of_a_subject_is_not_compared(schema: Schema) -> None:
    old = schema(HOLDS, dep="package d; message M { int32 x = 1; }")
    new = schema(HOLDS, dep="package d; message M { string x = 1; }")
    first, second = {"dep.proto": ("money", 1)}, {"dep.proto": ("money", 2)}
    assert compare(old, new, original_references=first, update_references=first) == ()
    assert len(compare(old, new, original_references=first, update_references=second)) == 2
    assert len(compare(old, new, original_references=first)) == 2


def test_an_imported_message_may_come_from_another_package(schema: Schema) -> None:
    old = schema("message A { d.O.M a = 1; }", dep="package d; message O { message M { int32 x = 1; } }")
    new = schema("message A { e.O.M a = 1; }", dep="package e; message O { message M { int64 x = 1; } }")
    assert compare(old, new) == ()


def test_moving_a_message_into_an_import_removes_it_and_out_of_one_adds_it(schema: Schema) -> None:
    inside = schema("message A { M a = 1; } message M { int32 x = 1; }")
    outside = schema(HOLDS, dep="package d; message M { int32 x = 1; }")
    assert [str(one) for one in compare(inside, outside)] == ["MESSAGE_REMOVED #/M (message M → -)"]
    assert [str(one) for one in compare(outside, inside)] == ["MESSAGE_ADDED #/M (- → message M)"]


def test_a_message_that_holds_itself_is_compared_once(schema: Schema) -> None:
    old = schema(HOLDS, dep="package d; message M { M next = 1; int32 x = 2; }")
    new = schema(HOLDS, dep="package d; message M { M next = 1; string x = 2; }")
    assert [one.path for one in compare(old, new)] == ["#/A/1", "#/M/2"]


def test_built_in_messages_are_read_and_equal(schema: Schema) -> None:
    text = 'import "google/protobuf/struct.proto"; message A { google.protobuf.Struct a = 1; }'
    assert compare(schema(text), schema(text)) == ()


def test_an_incompatible_message_is_felt_through_a_chain_of_imports(schema: Schema) -> None:
    chain = " ".join(f"message M{at} {{ M{at + 1} next = 1; }}" for at in range(500))
    old = schema("message A { d.M0 a = 1; }", dep=f"package d; {chain} message M500 {{ int32 x = 1; }}")
    new = schema("message A { d.M0 a = 1; }", dep=f"package d; {chain} message M500 {{ string x = 1; }}")
    differences = compare(old, new)
    assert differences[0].path == "#/A/1"
    assert len(differences) == 502


def test_the_number_of_ways_to_a_message_does_not_matter(schema: Schema) -> None:
    doubling = " ".join(f"message M{at} {{ M{at + 1} a = 1; M{at + 1} b = 2; }}" for at in range(60))
    old = schema("message A { d.M0 a = 1; }", dep=f"package d; {doubling} message M60 {{ int32 x = 1; }}")
    new = schema("message A { d.M0 a = 1; }", dep=f"package d; {doubling} message M60 {{ string x = 1; }}")
    assert len(compare(old, new)) == 1 + 2 * 60 + 1


def test_the_work_grows_with_the_number_of_fields() -> None:
    small, large = [calls_to_compare(count) for count in (500, 8_000)]
    assert large < 16 * 1.2 * small


def calls_to_compare(count: int) -> int:
    """Count the calls that comparing so many changed fields takes: unlike seconds, the same on a busy machine."""
    old, new = (
        FileDescriptorProto(name="a.proto", syntax="proto3"),
        FileDescriptorProto(name="a.proto", syntax="proto3"),
    )
    for file, type_ in ((old, 5), (new, 9)):
        message = file.message_type.add(name="A")
        for number in range(20_000, 20_000 + count):
            message.field.add(name=f"f{number}", number=number, type=type_, label=1)
    sets = FileSet("a.proto", (old,)), FileSet("a.proto", (new,))
    profile = Profile()
    assert len(profile.runcall(compare, *sets)) == count
    return sum(entry.callcount for entry in profile.getstats())
