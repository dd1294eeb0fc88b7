"""The tables of what is refused."""

from __future__ import annotations

import pytest

from protopact.compat import INCOMPATIBLE_FOR_CONFLUENT, RULES, DifferenceType, Policy
from protopact.errors import ConfigError


def test_every_type_has_a_rule_and_every_refusal_a_reason() -> None:
    assert set(RULES) == set(DifferenceType)
    assert [
        type_ for type_, rule in RULES.items() if (rule.reader, rule.step) != (None, None) and not rule.reason
    ] == []


def test_confluents_policy_refuses_what_confluent_refuses() -> None:
    assert {
        "PACKAGE_CHANGED", "MESSAGE_REMOVED", "FIELD_KIND_CHANGED", "FIELD_SCALAR_KIND_CHANGED",
        "FIELD_NAMED_TYPE_CHANGED", "FIELD_NUMERIC_LABEL_CHANGED", "REQUIRED_FIELD_ADDED", "REQUIRED_FIELD_REMOVED",
        "ONEOF_FIELD_REMOVED", "MULTIPLE_FIELDS_MOVED_TO_ONEOF", "FIELD_MOVED_TO_EXISTING_ONEOF",
    } == INCOMPATIBLE_FOR_CONFLUENT  # fmt: skip


@pytest.mark.parametrize("type_", DifferenceType)
def test_a_stricter_policy_refuses_all_that_a_milder_one_does(type_: DifferenceType) -> None:
    rule = RULES[type_]
    for refuses in (rule.refuses, rule.refuses_step):
        verdicts = [refuses(policy) for policy in Policy]
        assert verdicts == sorted(verdicts)


@pytest.mark.parametrize("policy", Policy)
def test_a_policy_is_known_by_its_name(policy: Policy) -> None:
    assert Policy.parse(policy.text) is policy
    assert Policy.parse(policy) is policy


def test_an_unknown_policy_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="'strict' is no breaking policy") as caught:
        Policy.parse("strict")
    assert caught.value.option == "policy"
    assert caught.value.hint == "one of confluent, wire, wire_json, source"
