"""Tags and rules of schemas, and the catalog of tags."""

from __future__ import annotations

from typing import Any

import pytest

A = 'syntax = "proto3";\n\npackage p;\n\nmessage A {\n  int32 a = 1;\n  message In {\n    string b = 1;\n  }\n}\n'
TAGGED = """syntax = "proto3"; import "confluent/meta.proto"; package p;
message A {
  option (confluent.message_meta) = { tags: "AUDIT" };
  int32 a = 1 [(confluent.field_meta) = { doc: "d", tags: ["PII", "GDPR"] }];
  oneof o { string c = 2 [(confluent.field_meta).tags = "PII"]; }
  message In { string b = 1; }
}
"""


def entity(path: str, *tags: str, kind: str = "sr_field") -> dict[str, object]:
    return {"schemaEntity": {"entityPath": path, "entityType": kind}, "tags": list(tags)}


def rule(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "type": "CEL", "kind": "CONDITION", "mode": "WRITE", "expr": "true", **more}


# ── tags ─────────────────────────────────────────────────────────────────────────────────────────


def test_tags_are_found_with_their_entities(ask: Any) -> None:
    ask.register("s", TAGGED)
    everything = [
        entity("A", "AUDIT", kind="sr_record"),
        entity("A.a", "PII", "GDPR"),
        entity("A.c", "PII"),
    ]
    assert ask.get("/schemas/ids/1", findTags="*")["schemaTags"] == everything
    assert ask.get("/subjects/s/versions/1", findTags="GDPR")["schemaTags"] == [entity("A.a", "GDPR")]
    assert "schemaTags" not in ask.get("/schemas/ids/1", findTags="NONE")
    assert "schemaTags" not in ask.get("/schemas/ids/1")


def test_tags_are_added_and_removed_when_a_schema_is_registered(ask: Any) -> None:
    first = ask.register("s", A, schemaTagsToAdd=[entity("A.In.b", "PII"), entity("A", "X", kind="sr_record")])
    assert 'import "confluent/meta.proto"' in first["schema"]
    assert ask.get("/schemas/ids/1", findTags="*")["schemaTags"] == [
        entity("A", "X", kind="sr_record"),
        entity("A.In.b", "PII"),
    ]
    assert ask.register("s", first["schema"])["version"] == 1
    second = ask.register("s", first["schema"], schemaTagsToRemove=[entity("A.In.b", "PII")])
    assert second["version"] == 2
    assert ask.get("/schemas/ids/2", findTags="*")["schemaTags"] == [entity("A", "X", kind="sr_record")]
    refused = ask.register("s", A, schemaTagsToAdd=[entity("A.nope", "PII")])
    assert refused["error_code"] == 42201
    assert "A.nope" in refused["message"]


def test_a_schema_whose_tags_a_registration_changes_tells_its_version(ask: Any) -> None:
    tags = [entity("A.a", "PII")]
    assert ask.register("s", A, schemaTagsToAdd=tags)["metadata"] == {"properties": {"confluent:version": "1"}}
    assert ask.register("s", A, schemaTagsToAdd=tags)["version"] == 1
    again = ask.register("s", A, schemaTagsToAdd=[entity("A.In.b", "PII")])
    assert (again["version"], again["metadata"]) == (2, {"properties": {"confluent:version": "2"}})


def test_a_version_is_tagged_by_registering_the_next_one(ask: Any) -> None:
    ask.register("s", A, metadata={"properties": {"owner": "me"}})
    body = {"newVersion": 2, "tagsToAdd": [entity("A.a", "PII")]}
    tagged = ask.post("/subjects/s/versions/latest/tags", body)
    assert tagged["version"] == 2
    assert tagged["metadata"] == {"properties": {"owner": "me", "confluent:version": "2"}}
    assert ask.get("/subjects/s/versions/2", findTags="*")["schemaTags"] == [entity("A.a", "PII")]
    for source in ("1", "2", "latest"):  # again, as a client asks whose answer was lost
        assert ask.post(f"/subjects/s/versions/{source}/tags", body) == tagged
    assert ask.post("/subjects/s/versions/2/tags", {**body, "newVersion": 4})["error_code"] == 42201
    assert ask.post("/subjects/s/versions/9/tags", body)["error_code"] == 40402
    assert ask.post("/subjects/t/versions/1/tags", body)["error_code"] == 40401


@pytest.mark.parametrize("more", [{}, {"newVersion": 2}, {"tagsToAdd": [], "tagsToRemove": [entity("A.a", "PII")]}])
@pytest.mark.parametrize("version", ["1", "latest"])
def test_a_version_that_is_tagged_twice_counts_once(ask: Any, version: str, more: dict[str, object]) -> None:
    ask.register("s", TAGGED)
    body = {"tagsToAdd": [entity("A.In.b", "PII")], **more}
    first, again = (ask.post(f"/subjects/s/versions/{version}/tags", body) for _ in range(2))
    assert first["version"] == 2
    assert again == first
    assert ask.get("/subjects/s/versions") == [1, 2]


def test_the_rules_of_a_version_are_merged_and_removed_by_name(ask: Any) -> None:
    ask.register("s", A, ruleSet={"domainRules": [rule("one"), rule("two")]})
    body = {"rulesToMerge": {"domainRules": [rule("one", expr="false"), rule("three")]}, "rulesToRemove": ["two"]}
    changed = ask.post("/subjects/s/versions/1/tags", body)
    assert [(one["name"], one["expr"]) for one in changed["ruleSet"]["domainRules"]] == [
        ("one", "false"),
        ("three", "true"),
    ]


# ── rules ────────────────────────────────────────────────────────────────────────────────────────


def test_rules_are_kept_with_their_schema(ask: Any) -> None:
    rules = {"domainRules": [rule("one", params={"k": "v"}, onFailure="DLQ", disabled=False)], "enableAt": "x"}
    ask.register("s", A, ruleSet=rules)
    assert ask.get("/schemas/ids/1")["ruleSet"] == rules


@pytest.mark.parametrize(
    ("rule_set", "reason"),
    [
        ({"domainRules": [rule("")]}, "Empty rule name"),
        ({"domainRules": [rule("a" * 257)]}, "too long"),
        ({"domainRules": [rule("1a")]}, "'1a'"),
        ({"domainRules": [rule("a b")]}, "'a b'"),
        ({"domainRules": [rule("a")], "encodingRules": [rule("a")]}, "duplicate name 'a'"),
        ({"domainRules": [rule("a", type=None)]}, "Missing rule type"),
        ({"domainRules": [rule("a", mode="UPGRADE")]}, "cannot have the mode UPGRADE"),
        ({"migrationRules": [rule("a", mode="WRITE")]}, "cannot have the mode WRITE"),
        ({"domainRules": [rule("a", onSuccess="NONE,ERROR")]}, "two actions"),
    ],
)
def test_rules_that_make_no_sense_are_refused(ask: Any, rule_set: object, reason: str) -> None:
    refused = ask.register("s", A, ruleSet=rule_set)
    assert refused["error_code"] == 42210
    assert reason in refused["message"]


def test_two_actions_fit_a_rule_of_two_directions(ask: Any) -> None:
    rules = {"domainRules": [rule("a", mode="WRITEREAD", onFailure="NONE,ERROR")]}
    assert ask.register("s", A, ruleSet=rules)["version"] == 1


# ── the catalog ──────────────────────────────────────────────────────────────────────────────────

DEFINITIONS = "/catalog/v1/types/tagdefs"
ON_ENTITY = "/catalog/v1/entity/type/sr_schema/name/sr:.:1/tags"


def test_tags_are_defined_changed_and_forgotten(ask: Any) -> None:
    created = ask.post(DEFINITIONS, [{"name": "PII", "description": "d", "entityTypes": ["sr_field"]}, {"name": "X"}])
    assert [one["name"] for one in created] == ["PII", "X"]
    assert ask.get(f"{DEFINITIONS}/PII") == created[0]
    assert ask.get(DEFINITIONS) == created
    assert ask.get(DEFINITIONS, prefix="P") == created[:1]
    again = ask.post(DEFINITIONS, [{"name": "PII"}, {"name": ""}, 1])
    assert [one["error"]["error_code"] for one in again] == [409, 400, 400]
    (changed,) = ask.put(DEFINITIONS, [{"name": "PII", "description": "e"}])
    assert (changed["description"], changed["version"], changed["guid"]) == ("e", 2, created[0]["guid"])
    assert ask.put(DEFINITIONS, [{"name": "NO"}])[0]["error"]["error_code"] == 404
    assert ask.raw("DELETE", f"{DEFINITIONS}/PII").status == 204
    assert ask.raw("DELETE", f"{DEFINITIONS}/PII").status == 404
    assert ask.get(f"{DEFINITIONS}/PII")["error_code"] == 404
    assert ask.post(DEFINITIONS, {})["error_code"] == 400


def test_a_definition_that_is_changed_twice_alike_counts_one_version(ask: Any) -> None:
    ask.post(DEFINITIONS, [{"name": "PII"}])
    change = [{"name": "PII", "description": "personal"}]
    first, again = (ask.put(DEFINITIONS, change) for _ in range(2))
    assert first[0]["version"] == 2
    assert again == first
    assert len([entry for entry in ask.get("/audit") if entry["what"] == "set-tagdefs"]) == 2


def test_defined_tags_are_put_on_entities_and_taken_off(ask: Any) -> None:
    ask.post(DEFINITIONS, [{"name": "PII"}])
    item = {"typeName": "PII", "entityType": "sr_schema", "entityName": "sr:.:1", "attributes": {"k": "v"}}
    added = ask.post("/catalog/v1/entity/tags", [item, {**item, "typeName": "NO"}])
    assert added[0] == {"entityStatus": "ACTIVE", **item}
    assert added[1]["error"]["error_code"] == 404
    ask.put("/catalog/v1/entity/tags", [item])
    assert ask.get(ON_ENTITY) == added[:1]
    assert ask.raw("DELETE", f"{ON_ENTITY}/PII").status == 204
    assert ask.raw("DELETE", f"{ON_ENTITY}/PII").status == 404
    assert ask.get(ON_ENTITY) == []
