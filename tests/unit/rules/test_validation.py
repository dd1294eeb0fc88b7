from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from protopact.errors import MissingExtraError, RuleError, RuleEvaluationError, RuleViolation, RuleViolationError
from protopact.rules import Protovalidate, Validation
from protopact.schema import load_schema

if TYPE_CHECKING:
    from protopact.schema import DescribedSchema

USER = """
syntax = "proto3";
package shop.v1;
import "buf/validate/validate.proto";
message User {
  string name = 1 [(buf.validate.field).string.max_len = NAME_MAX];
  int32 age = 2 [(buf.validate.field).int32 = {gte: 0, lte: 150}];
  repeated User children = 3 [(buf.validate.field).repeated.max_items = 2];
  map<string, int32> scores = 4 [(buf.validate.field).map = {keys: {string: {min_len: 1}}, values: {int32: {gt: 0}}}];
  map<bool, int32> flags = 5 [(buf.validate.field).map.values.int32.gt = 0];
  oneof contact { option (buf.validate.oneof).required = true; string phone = 6; string mail = 7; }
  EXTRA
  option (buf.validate.message).cel = {
    id: "user.old" message: "the old have names" expression: "this.age < 100 || this.name != ''"
  };
}
"""


def user(name_max: int = 3, extra: str = "") -> DescribedSchema:
    return load_schema(USER.replace("NAME_MAX", str(name_max)).replace("EXTRA", extra))


@pytest.fixture(scope="module")
def schema() -> DescribedSchema:
    return user()


def violations(schema: DescribedSchema, value: dict[str, Any]) -> list[RuleViolation]:
    check = Protovalidate().check_of(schema.message_class)
    assert check is not None
    try:
        check(schema.new_message(value))
    except RuleViolationError as error:
        return list(error.violations)
    return []


def test_a_message_that_keeps_its_rules_passes(schema: DescribedSchema) -> None:
    assert violations(schema, {"name": "Ann", "age": 30, "phone": "1"}) == []


def test_every_violation_is_told_with_its_path_and_rule(schema: DescribedSchema) -> None:
    value = {
        "age": 120,
        "children": [{"phone": "1"}, {"mail": "m", "name": "much too long"}],
        "scores": {'a"b': 0, "": 1},
        "flags": {True: 0},
    }
    assert {(each.path, each.rule_id) for each in violations(schema, value)} == {
        ("$", "user.old"),
        ("$.contact", "required"),
        ("$.children[1].name", "string.max_len"),
        ('$.scores["a\\"b"]', "int32.gt"),
        ('$.scores[""] (the key)', "string.min_len"),
        ("$.flags[true]", "int32.gt"),
    }


def test_violations_are_worded_on_one_line(schema: DescribedSchema) -> None:
    check = Protovalidate().check_of(schema.message_class)
    assert check is not None
    with pytest.raises(RuleViolationError) as caught:
        check(schema.new_message({"age": -1, "phone": "1"}))
    assert str(caught.value) == (
        "the shop.v1.User breaks rules of its schema: $.age: must be greater than or equal to 0 and less than or equal "
        "to 150 (int32.gte_lte)"
    )
    assert isinstance(caught.value, RuleError)


def test_two_versions_of_one_message_never_share_their_rules(schema: DescribedSchema) -> None:
    value = {"name": "Annabel", "phone": "1"}
    other = user(name_max=30)
    for _ in range(2):
        assert [each.rule_id for each in violations(schema, value)] == ["string.max_len"]
        assert violations(other, value) == []


def test_a_class_has_one_check_while_it_is_used(schema: DescribedSchema) -> None:
    check = Protovalidate().check_of(schema.message_class)
    assert Protovalidate().check_of(schema.message_class) is check


def test_a_schema_without_rules_costs_nothing() -> None:
    plain = load_schema('syntax = "proto3"; message M { string name = 1; }')
    assert Protovalidate().check_of(plain.message_class) is None


def test_rules_of_an_imported_message_count(schema: DescribedSchema) -> None:
    text = 'syntax = "proto3"; import "schema.proto"; message Team { shop.v1.User lead = 1; }'
    team = load_schema(text, imports=[schema], file_name="team.proto")
    assert [each.path for each in violations(team, {"lead": {"name": "Annabel", "phone": "1"}})] == ["$.lead.name"]


@pytest.mark.parametrize(
    "extra",
    [
        "string wrong = 9 [(buf.validate.field).int32.gt = 3];",
        'int32 wrong = 9 [(buf.validate.field).cel = {id: "x" expression: "this +"}];',
        "Other other = 9; message Other { string wrong = 9 [(buf.validate.field).int32.gt = 3]; }",
    ],
)
def test_rules_that_make_no_sense_are_refused_before_a_message_comes(extra: str) -> None:
    with pytest.raises(RuleError, match=r"the rules of shop\.v1\.User cannot be used: ") as caught:
        Protovalidate().check_of(user(extra=extra).message_class)
    assert not isinstance(caught.value, RuleViolationError)
    assert "\n" not in str(caught.value)


def test_a_rule_that_fails_while_it_is_evaluated_is_no_violation() -> None:
    schema = user(extra='int32 part = 9 [(buf.validate.field).cel = {id: "x" expression: "10 / this > 1"}];')
    assert violations(schema, {"part": 5, "phone": "1"}) == []
    with pytest.raises(RuleEvaluationError, match=r"a rule of shop\.v1\.User failed: .*divide by zero"):
        violations(schema, {"part": 0, "phone": "1"})


def test_protovalidate_is_one_validation_of_any() -> None:
    assert isinstance(Protovalidate(), Validation)


def test_without_protovalidate_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "protovalidate", None)
    with pytest.raises(MissingExtraError) as caught:
        Protovalidate()
    assert caught.value.hint == "install 'protopact[validation]'"
