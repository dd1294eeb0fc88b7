"""What stricter policies refuse as a step, at whatever level: freed and reused numbers, broken source code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.compat import check
from protopact.compat.steps import Ranges

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.descriptor import FileSet

    Schema = Callable[..., FileSet]

STEPS = {
    "a field's number is freed": (
        "message A { int32 a = 1; }",
        'message A { reserved "a"; }',
        "wire",
        {"FIELD_NUMBER_FREED #/A/1"},
    ),
    "a field's name is freed": (
        "message A { int32 a = 1; }",
        "message A { reserved 1; }",
        "wire_json",
        {"FIELD_NAME_FREED #/A/1"},
    ),
    "an enum value's number is freed": (
        "enum E { Z = 0; A = 1; }",
        'enum E { Z = 0; reserved "A"; }',
        "wire",
        {"ENUM_NUMBER_FREED #/E/1"},
    ),
    "an enum value's name is freed": (
        "enum E { Z = 0; A = 1; }",
        "enum E { Z = 0; reserved 1; }",
        "wire_json",
        {"ENUM_NAME_FREED #/E/1", "ENUM_CONST_REMOVED #/E/1"},
    ),
    "a reserved number is freed": (
        "message A { reserved 2, 4 to 9; }",
        "message A { reserved 2 to 5, 7 to 9; }",
        "wire",
        {"RESERVED_NUMBER_FREED #/A"},
    ),
    "a reserved name is freed": (
        'message A { reserved "a", "b"; }',
        'message A { reserved "b"; }',
        "wire_json",
        {"RESERVED_NAME_FREED #/A"},
    ),
    "an enum's reserved number is freed": (
        "enum E { Z = 0; reserved 4 to max; }",
        "enum E { Z = 0; reserved 5 to max; }",
        "wire",
        {"RESERVED_NUMBER_FREED #/E"},
    ),
    "a reserved number is used": (
        "message A { reserved 1, 2; }",
        "message A { reserved 2; int32 a = 1; }",
        "wire",
        {"RESERVED_NUMBER_FREED #/A", "RESERVED_NUMBER_USED #/A/1"},
    ),
    "a field goes": (
        "message A { int32 a = 1; }",
        'message A { reserved 1; reserved "a"; }',
        "source",
        {"FIELD_REMOVED #/A/1"},
    ),
    "an enum goes": ("enum E { Z = 0; }", "", "source", {"ENUM_REMOVED #/E"}),
    "presence changes": (
        "message A { int32 a = 1; }",
        "message A { optional int32 a = 1; }",
        "source",
        {"FIELD_PRESENCE_CHANGED #/A/1"},
    ),
    "a oneof is renamed": (
        "message A { oneof o { int32 a = 1; } }",
        "message A { oneof p { int32 a = 1; } }",
        "source",
        {"ONEOF_REMOVED #/A/o", "FIELD_ONEOF_CHANGED #/A/p/1"},
    ),
}
MILDER = {"wire": "confluent", "wire_json": "wire", "source": "wire_json"}
LEVELS = ["BACKWARD", "FORWARD", "FULL"]


def shown(report: object) -> set[str]:
    return {f"{one.type} {one.path}" for one in report.incompatible}  # type: ignore[attr-defined]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_step_is_refused_at_every_level(schema: Schema, level: str, step: tuple[str, str, str, set[str]]) -> None:
    before, after, policy, expected = step
    old, new = schema(before), schema(after)
    wanted = expected if level != "FORWARD" else {one for one in expected if not one.startswith("ENUM_CONST")}
    assert shown(check(new, [old], level, policy=policy)) == wanted
    assert shown(check(new, [old], level, policy=MILDER[policy])) == set()


def test_adding_is_no_step_back(schema: Schema) -> None:
    old, new = schema("message A {}"), schema("message A { int32 a = 1; } enum E { Z = 0; }")
    for level in LEVELS:
        assert shown(check(new, [old], level, policy="source")) == set()


@pytest.mark.parametrize(
    ("after", "type_"),
    [
        ("string b = 2;", "FIELD_NUMBER_REUSED"),
        ("A b = 2;", "FIELD_NUMBER_REUSED"),
        ("int32 b = 2;", "FIELD_NUMBER_REUSED"),
        ("repeated int64 b = 2;", "FIELD_NUMBER_REUSED"),
    ],
)
def test_a_number_that_an_old_version_used_is_not_taken_for_another_type(
    schema: Schema, after: str, type_: str
) -> None:
    oldest = schema("message A { int32 a = 1; int64 gone = 2; }")
    latest = schema("message A { int32 a = 1; reserved 3; }")
    candidate = schema(f"message A {{ int32 a = 1; {after} reserved 3; }}")
    assert check(candidate, [latest, oldest], "BACKWARD").compatible
    report = check(candidate, [latest, oldest], "BACKWARD", policy="wire")
    assert shown(report) == {f"{type_} #/A/2"}
    assert [version.index for version in report.versions] == [0, 1]
    assert report.refused_by is report.versions[1]


def test_a_number_may_be_taken_again_for_the_same_type(schema: Schema) -> None:
    oldest, latest = schema("message A { int64 a = 2; }"), schema("message A {}")
    assert check(schema("message A { int64 b = 2; }"), [latest, oldest], "BACKWARD", policy="wire").compatible


def test_a_number_that_the_newest_version_uses_is_settled(schema: Schema) -> None:
    oldest, latest = schema("message A { int64 a = 2; }"), schema("message A { string b = 2; }")
    assert check(latest, [latest, oldest], "BACKWARD", policy="wire").compatible


def test_an_enum_number_that_an_old_version_used_is_not_taken_for_another_name(schema: Schema) -> None:
    oldest, latest = schema("enum E { Z = 0; PAID = 1; }"), schema("enum E { Z = 0; }")
    report = check(schema("enum E { Z = 0; LOST = 1; }"), [latest, oldest], "FULL", policy="wire")
    assert shown(report) == {"ENUM_NUMBER_REUSED #/E/1"}


def test_a_number_that_an_old_version_reserved_is_not_used(schema: Schema) -> None:
    oldest, latest = schema("message A { reserved 5 to 9; }"), schema("message A {}")
    report = check(schema("message A { int32 a = 7; }"), [latest, oldest], "FORWARD", policy="wire")
    assert shown(report) == {"RESERVED_NUMBER_USED #/A/7"}


def test_the_source_policy_refuses_another_type_of_the_same_size(schema: Schema) -> None:
    old, new = schema("message A { bool a = 1; }"), schema("message A { int32 a = 1; }")
    assert "FIELD_TYPE_CHANGED #/A/1" in shown(check(new, [old], "BACKWARD", policy="source"))


def test_ranges_cover_what_lies_within_one_merged_range() -> None:
    ranges = Ranges([(7, 9), (1, 3), (4, 5)])
    assert list(ranges) == [(1, 5), (7, 9)]
    assert ranges.covers(2, 5)
    assert not ranges.covers(5, 7)
    assert not ranges.covers(0, 0)
    assert not Ranges([]).covers(1, 1)
