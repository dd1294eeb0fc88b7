"""What breaks between two states of the same files, by file and path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.compat import Level, Policy
from protopact.compiler import compile_files
from protopact.rollout import compare_trees

if TYPE_CHECKING:
    from protopact.descriptor import FileSet

MONEY = 'syntax = "proto3"; package shop; message Money {{ {} }}'
ORDER = 'syntax = "proto3"; package shop; import "money.proto"; message Order { Money price = 1; }'
ENUMS = 'edition = "2023"; package shop; message A {} enum E { ZERO = 0; }'


def compiled(**files: str) -> dict[str, FileSet]:
    texts = {f"{name}.proto": text for name, text in files.items()}
    return dict(zip(texts, compile_files(texts, texts), strict=True))


def found(
    new: dict[str, FileSet],
    old: dict[str, FileSet],
    level: Level = Level.BACKWARD,
    policy: Policy = Policy.CONFLUENT,
) -> set[tuple[str, str, str]]:
    findings = list(compare_trees(new, old, "before", level, policy))
    assert {finding.against for finding in findings} <= {"before"}
    return {(finding.file, str(finding.difference.type), finding.difference.path) for finding in findings}


def test_equal_trees_have_no_finding() -> None:
    tree = compiled(money=MONEY.format("int64 units = 1;"), order=ORDER)
    assert found(tree, tree, Level.FULL, Policy.SOURCE) == set()


def test_a_changed_import_breaks_whoever_imports_it() -> None:
    old = compiled(money=MONEY.format("int64 units = 1;"), order=ORDER)
    new = compiled(money=MONEY.format("string units = 1;"), order=ORDER)
    assert found(new, old) == {
        ("money.proto", "FIELD_SCALAR_KIND_CHANGED", "#/Money/1"),
        ("order.proto", "FIELD_NAMED_TYPE_CHANGED", "#/Order/1"),
        ("order.proto", "FIELD_SCALAR_KIND_CHANGED", "#/Money/1"),
    }


def test_a_file_that_is_gone_takes_its_messages_with_it() -> None:
    old = compiled(money=MONEY.format(""), enums=ENUMS)
    new = compiled(money=MONEY.format(""))
    assert found(new, old) == {("enums.proto", "MESSAGE_REMOVED", "#/A")}
    assert ("enums.proto", "ENUM_REMOVED", "#/E") in found(new, old, policy=Policy.SOURCE)


def test_a_new_file_breaks_nobody() -> None:
    assert found(compiled(money=MONEY.format("")), {}, Level.FULL, Policy.SOURCE) == set()


def test_the_level_says_who_must_be_able_to_read() -> None:
    old, new = compiled(money=MONEY.format("")), compiled(money=MONEY.format("") + " message Coin {}")
    assert found(new, old) == set()
    assert found(new, old, Level.FORWARD) == {("money.proto", "MESSAGE_REMOVED", "#/Coin")}
    (finding,) = compare_trees(new, old, "before", Level.FORWARD, Policy.CONFLUENT)
    assert finding.description.startswith("The old schema is missing a MESSAGE type")


def test_renames_are_found_where_the_policy_cares() -> None:
    old = compiled(money=MONEY.format("int64 units = 1; enum E { ZERO = 0; }"))
    new = compiled(money=MONEY.format("int64 whole = 1; enum E { NONE = 0; }"))
    assert found(new, old, policy=Policy.WIRE) == set()
    assert found(new, old, policy=Policy.WIRE_JSON) >= {
        ("money.proto", "FIELD_NAME_CHANGED", "#/Money/1"),
        ("money.proto", "ENUM_CONST_CHANGED", "#/Money/E/0"),
    }
