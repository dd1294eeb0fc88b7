"""Differences in words: Confluent's texts to the letter, since clients compare them."""

from __future__ import annotations

import pytest

from protopact.compat import INCOMPATIBLE_FOR_CONFLUENT, Difference, DifferenceType, Example

TEXTS = {
    "PACKAGE_CHANGED": "The package at '#/A' in the new schema does not match the package in the old schema",
    "MESSAGE_REMOVED": "The new schema is missing a MESSAGE type at path '#/A' in the old schema",
    "FIELD_KIND_CHANGED": "The type of a field at path '#/A' in the new schema does not match the old schema",
    "FIELD_SCALAR_KIND_CHANGED": (
        "The kind of a SCALAR field at path '#/A' in the new schema does not match its kind in the old schema"
    ),
    "FIELD_NAMED_TYPE_CHANGED": (
        "The type of a MESSAGE field at path '#/A' in the new schema does not match its type in the old schema"
    ),
    "FIELD_NUMERIC_LABEL_CHANGED": (
        "The label for a NUMERIC field at path '#/A' in the new schema does not match its label in the old schema"
    ),
    "REQUIRED_FIELD_ADDED": "A required field  at path '#/A' in the new schema is missing in the old schema",
    "REQUIRED_FIELD_REMOVED": "The new schema is missing a required field at path: '#/A' in the old schema",
    "ONEOF_FIELD_REMOVED": "The new schema is missing a oneof field at path '#/A' in the old schema",
    "MULTIPLE_FIELDS_MOVED_TO_ONEOF": (
        "Multiple fields in the oneof at path '#/A' in the new schema are outside a oneof in the old schema"
    ),
    "FIELD_MOVED_TO_EXISTING_ONEOF": (
        "A field in the oneof at path '#/A' in the new schema is outside an existing oneof in the old schema"
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_refused_difference_is_worded_as_confluent_words_it(name: str) -> None:
    one = Difference(DifferenceType(name), "#/A")
    assert one.message() == f'{{errorType:"{name}", description:"{TEXTS[name]}"}}'


def test_every_type_that_confluent_refuses_has_its_text() -> None:
    assert set(TEXTS) == set(INCOMPATIBLE_FOR_CONFLUENT)


def test_forward_swaps_old_and_new() -> None:
    one = Difference(DifferenceType.MESSAGE_REMOVED, "#/A")
    expected = "The old schema is missing a MESSAGE type at path '#/A' in the new schema"
    assert one.description(reader="old", writer="new") == expected


def test_a_difference_of_ours_says_the_reason_and_the_words_of_both_sides() -> None:
    one = Difference(DifferenceType.FIELD_JSON_NAME_CHANGED, "#/A/1", "a", "b", incompatible=True, reason="why")
    assert one.description() == "At path '#/A/1': why; old schema: a; new schema: b"
    assert str(one) == "FIELD_JSON_NAME_CHANGED #/A/1 (a → b)"


def test_an_example_reads_as_a_sentence() -> None:
    example = Example(b"\x08\x07", "int32 a = 1", "bool a = 1", "7", "True")
    assert str(example) == "08 07 was written as `int32 a = 1` and means 7; read as `bool a = 1` it is True"
