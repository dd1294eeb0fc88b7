"""Configs: set field by field, inherited from context to subject, and what they do to schemas."""

from __future__ import annotations

from typing import Any

import pytest

A = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n}\n'
A2 = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n  string b = 2;\n}\n'
LONG = 'syntax="proto3"; message A { string b = 2; int32 a = 1; }'
RULES = {"domainRules": [{"name": "r", "type": "CEL", "kind": "CONDITION", "mode": "WRITE", "expr": "true"}]}


def test_a_fresh_registry_is_backward_compatible(strict: Any) -> None:
    assert strict.get("/config") == {"compatibilityLevel": "BACKWARD"}
    assert strict.get("/config/s") == {
        "error_code": 40408,
        "message": "Subject 's' does not have subject-level compatibility configured",
    }
    assert strict.get("/config/s", defaultToGlobal="true") == {"compatibilityLevel": "BACKWARD"}


def test_an_update_changes_the_fields_that_are_sent_and_null_clears_one(strict: Any) -> None:
    assert strict.put("/config/s", {"compatibility": "full"}) == {"compatibility": "FULL"}
    assert strict.put("/config/s", {"normalize": True, "more": 1}) == {"compatibility": "FULL", "normalize": True}
    assert strict.get("/config/s") == {"compatibilityLevel": "FULL", "normalize": True}
    assert strict.put("/config/s", {"compatibility": None}) == {"normalize": True}
    assert strict.get("/config/s") == {"normalize": True}
    assert strict.put("/config/s", {"normalize": None}) == {}


def test_a_deleted_config_is_given_back_and_is_gone(strict: Any) -> None:
    strict.put("/config/s", {"compatibility": "NONE"})
    assert strict.delete("/config/s") == {"compatibilityLevel": "NONE"}
    assert strict.delete("/config/s") == {"error_code": 40401, "message": "Subject 's' not found."}
    strict.put("/config", {"compatibility": "NONE"})
    assert strict.delete("/config") == {"compatibilityLevel": "NONE"}
    assert strict.delete("/config") == strict.get("/config") == {"compatibilityLevel": "BACKWARD"}


def test_a_level_is_looked_for_in_the_subject_its_context_and_everywhere(strict: Any) -> None:
    def level(subject: str) -> str:
        return str(strict.get(f"/config/{subject}", defaultToGlobal="true")["compatibilityLevel"])

    strict.put("/config/:.__GLOBAL:", {"compatibility": "FULL_TRANSITIVE"})
    assert (level("s"), level(":.eu:s")) == ("FULL_TRANSITIVE", "FULL_TRANSITIVE")
    strict.put("/config", {"compatibility": "NONE"})
    assert (level("s"), level(":.eu:s")) == ("NONE", "FULL_TRANSITIVE")
    strict.put("/contexts/eu/config", {"compatibility": "FORWARD"})
    assert (level("s"), level(":.eu:s")) == ("NONE", "FORWARD")
    assert strict.get("/config/:.eu:") == {"compatibilityLevel": "FORWARD"}
    strict.put("/config/:.eu:s", {"compatibility": "BACKWARD_TRANSITIVE"})
    assert level(":.eu:s") == "BACKWARD_TRANSITIVE"


def test_a_subject_with_a_config_of_its_own_inherits_flags_and_group_but_no_metadata(strict: Any) -> None:
    wide = {"validateFields": True, "compatibilityGroup": "major", "defaultMetadata": {"properties": {"k": "v"}}}
    strict.put("/config", wide)
    strict.put("/config/s", {"normalize": True})
    assert strict.get("/config/s", defaultToGlobal="true") == {
        "compatibilityLevel": "BACKWARD",
        "compatibilityGroup": "major",
        "normalize": True,
        "validateFields": True,
    }


@pytest.mark.parametrize(
    ("body", "error_code", "message"),
    [
        ({"compatibility": "ALWAYS"}, 42203, "Invalid compatibility level. Valid values are none, backward, forward,"),
        ({"compatibilityPolicy": "MILD"}, 42203, "Invalid compatibility policy. Valid values are STRICT"),
        ({"breakingPolicy": "none"}, 42203, "Invalid breaking policy"),
        ({"compatibility": 1}, 400, "compatibilityLevel must be a text"),
        ({"normalize": "yes"}, 400, "normalize must be a boolean"),
        ({"alias": "a\x01b"}, 42208, "The specified subject 'a?b' is not a valid."),
        ({"compatibilityGroup": "\ud800"}, 400, "a text holds a lone surrogate"),
        ({"defaultMetadata": {"properties": {"k": 1}}}, 400, "defaultMetadata.properties.k must be a text"),
        ({"overrideRuleSet": {"domainRules": [{"name": "r"}]}}, 42210, "Invalid rule set: Missing rule type"),
        ([], 400, "the config must be an object"),
        (None, 422, "the config must not be null"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(strict: Any, body: object, error_code: int, message: str) -> None:
    refused = strict.put("/config/s", body)
    assert (refused["error_code"], refused["message"][: len(message)]) == (error_code, message)
    assert strict.get("/config/s")["error_code"] == 40408


def test_a_bad_subject_has_no_config(strict: Any) -> None:
    assert strict.put("/config/__EMPTY", {"compatibility": "NONE"})["error_code"] == 42208


# ── what a config does ───────────────────────────────────────────────────────────────────────────


def test_an_alias_stands_for_its_subject_in_every_call(strict: Any) -> None:
    strict.put("/config/short", {"alias": "long"})
    assert strict.register("short", A)["version"] == 1
    assert strict.get("/subjects") == ["long"]
    assert strict.get("/subjects/short/versions") == [1]
    assert strict.get("/subjects/short/versions/1")["subject"] == "long"
    assert strict.look_up("short", A)["subject"] == "long"
    assert strict.get("/schemas/ids/1", subject="short")["subject"] == "long"
    assert strict.post("/compatibility/subjects/short/versions", {"schema": A, "schemaType": "PROTOBUF"}) == {
        "is_compatible": True
    }
    assert strict.get("/config/short") == {"alias": "long"}
    assert strict.delete("/subjects/short") == [1]


def test_normalize_in_the_config_is_as_good_as_in_the_call(strict: Any) -> None:
    called = strict.post("/subjects/c/versions", {"schema": LONG, "schemaType": "PROTOBUF"}, normalize="true")
    assert called["schema"].index("int32 a") < called["schema"].index("string b")
    plain = strict.register("p", LONG)
    assert plain["id"] != called["id"]
    strict.put("/config", {"normalize": True})
    assert strict.register("s", LONG)["id"] == called["id"]
    assert strict.look_up("s", LONG)["version"] == 1


def test_a_normal_schema_is_found_again_by_any_spelling(strict: Any) -> None:
    body = {"schema": LONG, "schemaType": "PROTOBUF"}
    first = strict.post("/subjects/s/versions", body, normalize="true")
    turned = {"schema": 'syntax="proto3"; message A { int32 a=1; string b=2; }', "schemaType": "PROTOBUF"}
    assert strict.post("/subjects/s/versions", turned, normalize="true")["version"] == 1
    assert strict.post("/subjects/s", turned, normalize="true")["id"] == first["id"]
    stored = {"schema": first["schema"], "schemaType": "PROTOBUF"}
    assert strict.post("/subjects/s", stored, normalize="true")["id"] == 1


def test_defaults_and_overrides_frame_what_a_schema_says(strict: Any) -> None:
    strict.put(
        "/config/s",
        {
            "defaultMetadata": {"properties": {"owner": "nobody", "team": "data"}},
            "overrideMetadata": {"properties": {"legal": "yes"}},
            "defaultRuleSet": RULES,
        },
    )
    first = strict.register("s", A, metadata={"properties": {"owner": "me", "legal": "no"}})
    assert first["metadata"]["properties"] == {"owner": "me", "team": "data", "legal": "yes"}
    assert [rule["name"] for rule in first["ruleSet"]["domainRules"]] == ["r"]
    assert strict.register("s", A, metadata={"properties": {"owner": "me"}})["version"] == 1


def test_a_compatibility_group_parts_the_versions_that_are_compared(strict: Any) -> None:
    strict.put("/config/s", {"compatibilityGroup": "major"})
    strict.register("s", A, metadata={"properties": {"major": "1"}})
    other = A.replace("int32", "string")
    assert strict.register("s", other, metadata={"properties": {"major": "1"}})["error_code"] == 409
    assert strict.register("s", other, metadata={"properties": {"major": "2"}})["version"] == 2
    assert strict.register("s", A2, metadata={"properties": {"major": "1"}})["version"] == 3


def test_reserved_fields_stay_reserved_and_unused(strict: Any) -> None:
    strict.put("/config/s", {"validateFields": True})
    strict.register("s", A, metadata={"properties": {"confluent:reserved": "old, b"}})
    used = strict.register("s", A2, metadata={"properties": {"confluent:reserved": "old,b"}})
    assert used["error_code"] == 409
    assert "conflicts with the reserved field b" in used["message"]
    freed = strict.register("s", A2, metadata={"properties": {"confluent:reserved": "old"}})
    assert "reserved field b removed" in freed["message"]


def test_the_breaking_policy_is_the_subjects_own(strict: Any) -> None:
    freed = 'syntax = "proto3"; message A {}'
    strict.register("s", A)
    strict.put("/config/s", {"breakingPolicy": "wire"})
    refused = strict.register("s", freed)
    assert refused["error_code"] == 409
    assert "FIELD_NUMBER_FREED" in refused["message"]
    strict.put("/config/s", {"breakingPolicy": None})
    assert strict.register("s", freed)["version"] == 2
