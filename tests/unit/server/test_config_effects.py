"""What the fields of a config, and the flags of a registration, do to schemas; or that they do nothing."""

from __future__ import annotations

from typing import Any

import pytest

A = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n  string b = 2;\n}\n'
MORE = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n  int32 c = 3;\n}\n'
MONEY = 'syntax = "proto3";\n\npackage m;\n\nmessage Money {\n  int64 units = 1;\n}\n'
ORDER = 'syntax="proto3"; import "money.proto"; message Order{m.Money price=1;}'
PII, OWN = [
    {"schemaEntity": {"entityPath": path, "entityType": "sr_field"}, "tags": ["PII"]} for path in ("A.a", "A.c")
]
GONE = {"schemaEntity": {"entityPath": "A.b", "entityType": "sr_field"}, "tags": ["SECRET"]}


def rules(**rule: object) -> dict[str, object]:
    named = {"name": "r", "kind": "TRANSFORM", "mode": "WRITEREAD", **rule}
    return {"domainRules": [named]}


# ── propagateSchemaTags ──────────────────────────────────────────────────────────────────────────


def test_a_new_version_gets_the_tags_of_the_newest_for_the_fields_that_both_have(ask: Any) -> None:
    ask.register("s", A, schemaTagsToAdd=[PII, GONE])
    assert ask.register("s", MORE, propagateSchemaTags=True)["version"] == 2
    assert ask.get("/subjects/s/versions/2", findTags="*")["schemaTags"] == [PII]
    assert ask.register("s", MORE, propagateSchemaTags=True)["version"] == 2


def test_without_being_asked_no_tag_is_propagated(ask: Any) -> None:
    ask.register("s", A, schemaTagsToAdd=[PII])
    assert ask.register("s", MORE)["version"] == 2
    assert "schemaTags" not in ask.get("/subjects/s/versions/2", findTags="*")


def test_what_a_request_says_of_tags_counts_more_than_what_is_propagated(ask: Any) -> None:
    ask.register("s", A, schemaTagsToAdd=[PII, GONE])
    ask.register("s", MORE, propagateSchemaTags=True, schemaTagsToAdd=[OWN], schemaTagsToRemove=[PII])
    assert ask.get("/subjects/s/versions/2", findTags="*")["schemaTags"] == [OWN]


def test_the_first_version_has_nothing_to_propagate(ask: Any) -> None:
    assert ask.register("s", A, propagateSchemaTags=True)["version"] == 1
    assert ask.get("/subjects/s/versions/1")["schema"] == A


# ── validateNewSchemas ───────────────────────────────────────────────────────────────────────────


def test_a_new_schema_may_refer_to_soft_deleted_versions_where_new_schemas_are_not_validated(strict: Any) -> None:
    strict.register("m", MONEY)
    strict.delete("/subjects/m/versions/1")
    refused = strict.register("s", ORDER, ("money.proto", "m", 1))
    assert (refused["error_code"], "No schema reference found" in refused["message"]) == (42201, True)
    strict.put("/config/s", {"validateNewSchemas": False})
    assert strict.register("s", ORDER, ("money.proto", "m", 1))["version"] == 1
    assert strict.register("t", ORDER, ("money.proto", "m", 1))["error_code"] == 42201


def test_what_is_referred_to_stays_though_it_was_deleted_before(strict: Any) -> None:
    strict.register("m", MONEY)
    strict.delete("/subjects/m/versions/1")
    strict.put("/config", {"validateNewSchemas": False})
    strict.register("s", ORDER, ("money.proto", "m", 1))
    assert strict.delete("/subjects/m/versions/1", permanent="true")["error_code"] == 42206


def test_the_newest_version_of_a_reference_is_a_live_one_where_there_is_one(strict: Any) -> None:
    strict.put("/config", {"validateNewSchemas": False})
    strict.register("m", MONEY)
    strict.register("m", MONEY.replace("units = 1;", "units = 1;\n  int32 nanos = 2;"))
    strict.delete("/subjects/m/versions/2")
    strict.register("s", ORDER, ("money.proto", "m", -1))
    assert strict.get("/subjects/s/versions/1")["references"][0]["version"] == 1


# ── validateRules ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"type": "CEL", "kind": "CONDITION"}, "Missing expression in rule 'r'"),
        ({"type": "ENCRYPT", "params": {"encrypt.kek.name": "k"}}, "Missing tags in rule 'r'"),
        ({"type": "ENCRYPT", "tags": ["PII"]}, "Missing parameter encrypt.kek.name in rule 'r'"),
        ({"type": "ENCRYPT_PAYLOAD"}, "Missing parameter encrypt.kek.name in rule 'r'"),
        (
            {"type": "ENCRYPT", "tags": ["PII"], "params": {"encrypt.kek.name": "k"}},
            "Nothing in the schema has a tag of rule 'r': PII",
        ),
    ],
)
def test_a_rule_that_could_do_nothing_is_refused_where_rules_are_validated(
    ask: Any, rule: dict[str, object], reason: str
) -> None:
    ask.put("/config/s", {"validateRules": True})
    refused = ask.register("s", A, ruleSet=rules(**rule))
    assert refused["error_code"] == 42210
    assert reason in refused["message"]
    assert ask.register("s", A, ruleSet=rules(**rule, disabled=True))["version"] == 1
    assert ask.register("t", A, ruleSet=rules(**rule))["version"] == 1


ENCRYPT = rules(type="ENCRYPT", tags=["PII"], params={"encrypt.kek.name": "k"})


def test_a_rule_for_tags_of_a_field_of_an_import_or_of_the_metadata_may_be_registered(ask: Any) -> None:
    ask.put("/config", {"validateRules": True})
    field = {"schemaEntity": {"entityPath": "Money.units", "entityType": "sr_field"}, "tags": ["PII"]}
    ask.register("m", MONEY, schemaTagsToAdd=[field])
    assert ask.register("imports", ORDER, ("money.proto", "m", 1), ruleSet=ENCRYPT)["version"] == 1
    assert ask.register("inline", A, schemaTagsToAdd=[PII], ruleSet=ENCRYPT)["version"] == 1
    assert ask.register("metadata", A, metadata={"tags": {"**.a": ["PII"]}}, ruleSet=ENCRYPT)["version"] == 1


def test_a_key_may_be_named_by_the_metadata(ask: Any) -> None:
    ask.put("/config", {"validateRules": True})
    named = {"properties": {"encrypt.kek.name": "k"}}
    assert ask.register("s", A, metadata=named, ruleSet=rules(type="ENCRYPT_PAYLOAD"))["version"] == 1


def test_rules_of_the_config_are_validated_with_the_schema_that_gets_them(ask: Any) -> None:
    ask.put("/config/s", {"validateRules": True, "defaultRuleSet": ENCRYPT})
    assert ask.register("s", A)["error_code"] == 42210
    assert ask.register("s", A, schemaTagsToAdd=[PII])["version"] == 1


# ── validateFields ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("level", ["NONE", "BACKWARD"])
def test_reserved_names_are_looked_at_in_the_first_version_and_at_every_level(strict: Any, level: str) -> None:
    strict.put("/config/s", {"compatibility": level, "validateFields": True})
    reserved = {"properties": {"confluent:reserved": "b"}}
    refused = strict.register("s", A, metadata=reserved)
    assert (refused["error_code"], "conflicts with the reserved field b" in refused["message"]) == (409, True)
    assert strict.register("s", MORE, metadata=reserved)["version"] == 1
    assert strict.register("s", MORE, metadata={"properties": {}})["error_code"] == 409


# ── compatibilityPolicy, aliasForDeks, and flags as texts ────────────────────────────────────────


@pytest.mark.parametrize("policy", ["STRICT", "LENIENT", "LOGICAL"])
def test_a_compatibility_policy_is_kept_and_changes_no_verdict_on_protobuf(strict: Any, policy: str) -> None:
    strict.register("s", A)
    assert strict.put("/config/s", {"compatibilityPolicy": policy}) == {"compatibilityPolicy": policy}
    assert strict.get("/config/s")["compatibilityPolicy"] == policy
    asked = {"schemaType": "PROTOBUF", "schema": A.replace("int32 a", "string a")}
    assert strict.post("/compatibility/subjects/s/versions", asked) == {"is_compatible": False}
    asked["schema"] = MORE
    assert strict.post("/compatibility/subjects/s/versions", asked) == {"is_compatible": True}


def test_an_alias_for_keys_is_kept_and_redirects_no_schema(ask: Any) -> None:
    assert ask.put("/config/s", {"aliasForDeks": "other"}) == {"aliasForDeks": "other"}
    ask.register("s", A)
    assert ask.get("/subjects") == ["s"]


def test_a_flag_may_be_said_as_a_text_as_scripts_do(strict: Any) -> None:
    assert strict.put("/config/s", {"normalize": "true", "validateFields": "False"}) == {
        "normalize": True,
        "validateFields": False,
    }
