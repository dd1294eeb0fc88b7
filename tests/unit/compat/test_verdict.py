"""Reports: what each version says, and how a registry words it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.compat import DifferenceType, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.descriptor import FileSet

    Schema = Callable[..., FileSet]

NUMBER = "message A { int32 a = 1; int32 b = 2; }"
TEXT = "message A { int32 a = 1; string b = 2; }"
KIND = (
    '{errorType:"FIELD_SCALAR_KIND_CHANGED", description:"The kind of a SCALAR field at path \'#/A/2\' '
    'in the %s schema does not match its kind in the %s schema"}'
)


def test_a_verbose_answer_is_worded_as_confluent_words_it(schema: Schema) -> None:
    report = check(schema(TEXT), [schema(NUMBER)], "BACKWARD")
    assert report.messages(old_version=3, old_schema="text") == (
        KIND % ("new", "old"),
        "{oldSchemaVersion: 3}",
        "{oldSchema: 'text'}",
        "{validateFields: 'false', compatibility: 'BACKWARD'}",
    )


def test_forward_speaks_of_the_old_schema_as_reader(schema: Schema) -> None:
    assert check(schema(TEXT), [schema(NUMBER)], "FORWARD").messages()[0] == KIND % ("old", "new")


def test_full_says_first_what_old_readers_miss(schema: Schema) -> None:
    report = check(schema(TEXT), [schema(NUMBER)], "FULL")
    assert report.messages(validate_fields=True) == (
        KIND % ("old", "new"),
        KIND % ("new", "old"),
        "{validateFields: 'true', compatibility: 'FULL'}",
    )


def test_full_names_the_version_only_where_the_candidate_cannot_read_it(schema: Schema) -> None:
    report = check(schema("message A {} message B {}"), [schema("message A {}")], "FULL")
    assert report.messages(old_version=1, old_schema="x")[1:] == ("{validateFields: 'false', compatibility: 'FULL'}",)


def test_a_long_old_schema_is_cut_at_ten_kibibytes(schema: Schema) -> None:
    report = check(schema(TEXT), [schema(NUMBER)], "BACKWARD")
    exact, longer = "x" * 10_240, "x" * 10_241
    assert report.messages(old_schema=exact)[1] == f"{{oldSchema: '{exact}'}}"
    assert report.messages(old_schema=longer)[1] == f"{{oldSchema: <truncated> '{exact}...'}}"


def test_a_compatible_candidate_has_no_messages_but_keeps_its_differences(schema: Schema) -> None:
    report = check(schema(NUMBER), [schema("message A { int32 a = 1; }")], "BACKWARD")
    assert report.compatible
    assert report.refused_by is None
    assert report.messages(old_version=1) == ()
    assert [[one.type for one in found] for found in report.differences] == [[DifferenceType.FIELD_ADDED]]


def test_the_first_version_that_refuses_ends_the_check(schema: Schema) -> None:
    history = [schema(NUMBER), schema(TEXT), schema(NUMBER), schema(TEXT)]
    report = check(schema(NUMBER), history, "BACKWARD_TRANSITIVE")
    assert [version.index for version in report.versions] == [0, 1]
    assert [version.compatible for version in report.versions] == [True, False]
    assert report.refused_by is report.versions[1]
    assert [one.path for one in report.incompatible] == ["#/A/2"]


def test_each_side_may_name_the_subject_and_version_of_its_imports(schema: Schema) -> None:
    old = schema("message A { d.M a = 1; }", dep="package d; message M { int32 x = 1; }")
    new = schema("message A { d.M a = 1; }", dep="package d; message M { string x = 1; }")
    first, second = {"dep.proto": ("money", 1)}, {"dep.proto": ("money", 2)}
    same = check(new, [old], "FULL", candidate_references=first, history_references=[first])
    other = check(new, [old], "FULL", candidate_references=second, history_references=[first])
    assert (same.compatible, other.compatible) == (True, False)
