"""Lists of schemas, searches, and what the registry tells of itself."""

from __future__ import annotations

from typing import Any

import pytest

from protopact.registry import content_guid
from protopact.server.guard.attended import AttendedStore

A = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n}\n'
B = 'syntax = "proto3";\n\nmessage B {\n  string b = 1;\n}\n'
C = 'syntax = "proto3";\n\nmessage C {\n  string c = 1;\n}\n'
MONEY = 'syntax = "proto3";\n\npackage m;\n\nmessage Money {\n  int64 units = 1;\n}\n'
ORDER = 'syntax="proto3"; import "money.proto"; message Order{m.Money price=1;}'
RULE = {"name": "r", "type": "CEL", "kind": "CONDITION", "mode": "WRITE", "expr": "true"}


def places(found: Any) -> list[tuple[str, int]]:
    return [(item["subject"], item["version"]) for item in found]


@pytest.fixture
def full(ask: Any) -> Any:
    for subject, text in [("t", A), ("s", A), ("s", B), ("s", C), (":.eu:s", A)]:
        ask.register(subject, text)
    ask.delete("/subjects/s/versions/3")
    return ask


def test_schemas_are_listed_by_subject_and_version(full: Any) -> None:
    found = full.get("/schemas")
    assert places(found) == [("s", 1), ("s", 2), ("t", 1)]
    assert found[0]["schema"] == A
    assert (found[0]["id"], found[0]["schemaType"]) == (1, "PROTOBUF")
    assert places(full.get("/schemas", deleted="true"))[:3] == [("s", 1), ("s", 2), ("s", 3)]
    assert places(full.get("/schemas", latestOnly="true")) == [("s", 2), ("t", 1)]
    assert places(full.get("/schemas", latestOnly="true", deleted="true")) == [("s", 3), ("t", 1)]


def test_schemas_are_filtered_by_prefix_and_come_in_pages(full: Any) -> None:
    assert places(full.get("/schemas", subjectPrefix="t")) == [("t", 1)]
    assert places(full.get("/schemas", subjectPrefix=":*:"))[0] == (":.eu:s", 1)
    assert places(full.get("/schemas", subjectPrefix=":.eu:")) == [(":.eu:s", 1)]
    assert places(full.get("/contexts/eu/schemas")) == [(":.eu:s", 1)]
    assert places(full.get("/schemas", offset=1, limit=1)) == [("s", 2)]
    assert places(full.get("/schemas", offset=2, limit=5000)) == [("t", 1)]


def test_schemas_are_filtered_by_the_type_of_their_rules(ask: Any) -> None:
    ask.register("s", A)
    ask.register("t", A, ruleSet={"domainRules": [RULE]})
    assert places(ask.get("/schemas", ruleType="CEL")) == [("t", 1)]
    assert ask.get("/schemas", ruleType="ENCRYPT") == []


def test_schemas_are_listed_with_their_aliases(full: Any) -> None:
    full.put("/config/short", {"alias": "t"})
    found = full.get("/schemas", aliases="true")
    assert [item.get("aliases") for item in found] == [None, None, ["short"]]
    assert places(full.get("/schemas", aliases="true", subjectPrefix="sh")) == [("t", 1)]
    assert full.get("/schemas", subjectPrefix="sh") == []
    assert full.get("/schemas", aliases="true", subjectPrefix=":.eu:sh") == []


def test_a_schema_is_found_by_its_metadata(ask: Any) -> None:
    for version, owner in enumerate(["me", "you", "me"], 1):
        text = f'syntax="proto3"; message M{version} {{}}'
        ask.register("s", text, metadata={"properties": {"owner": owner, "k": "v"}})

    def find(*pairs: tuple[str, str], subject: str = "s") -> Any:
        from protopact.flow import Call, perform

        query = tuple(item for key, value in pairs for item in (("key", key), ("value", value)))
        return perform(ask.registry.exchange(Call("GET", f"/subjects/{subject}/metadata", query)))

    assert b'"version":3' in find(("owner", "me")).body
    assert b'"version":2' in find(("owner", "you"), ("k", "v")).body
    assert b"40403" in find(("owner", "nobody")).body
    assert b"40401" in find(("owner", "me"), subject="t").body


def test_a_guid_tells_the_ids_of_its_content(full: Any) -> None:
    assert full.get(f"/schemas/guids/{content_guid(A)}/ids") == [{"context": ".", "id": 1}, {"context": ".eu", "id": 1}]
    assert full.get("/schemas/guids/nope/ids") == []


def test_references_are_given_with_their_context_on_request(ask: Any) -> None:
    ask.register(":.eu:m", MONEY)
    ask.register(":.eu:s", ORDER, ("money.proto", "m", 1))
    plain = ask.get("/subjects/:.eu:s/versions/1")["references"]
    assert plain == [{"name": "money.proto", "subject": "m", "version": 1}]
    for path in ("/subjects/:.eu:s/versions/1", "/contexts/eu/schemas/ids/2"):
        assert ask.get(path, referenceFormat="qualified")["references"][0]["subject"] == ":.eu:m"
    assert ask.get("/contexts/eu/schemas/ids/2")["references"] == plain


CUSTOM = """syntax = "proto2";
import "google/protobuf/descriptor.proto";
import "confluent/meta.proto";
extend google.protobuf.FieldOptions { optional string colour = 50001; }
message A {
  extensions 100 to 199;
  extend A { optional int32 more = 100; }
  optional int32 a = 1 [deprecated = true, (colour) = "red", (confluent.field_meta) = { tags: "PII" }];
}
"""


def test_extensions_and_custom_options_are_left_out_on_request(ask: Any) -> None:
    ask.register("s", CUSTOM)
    whole = ask.get("/schemas/ids/1")
    bare = ask.get("/schemas/ids/1", format="ignore_extensions")
    assert whole["guid"] == bare["guid"]
    for part in ("extend ", "extensions", "colour"):
        assert part in whole["schema"]
        assert part not in bare["schema"]
    for part in ("deprecated = true", "confluent.field_meta", "PII"):
        assert part in bare["schema"]


def test_the_registry_tells_of_itself(ask: Any) -> None:
    assert ask.get("/v1/metadata/id")["scope"]["path"] == []
    assert set(ask.get("/v1/metadata/version")) == {"version", "commitId"}
    assert ask.get("/v1/metadata/deployment") == {"attributes": []}


def test_the_list_of_subjects_is_worked_out_again_when_anything_changed(
    full: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    subjects = AttendedStore.subjects

    def counting(self: AttendedStore, context: str | None, prefix: str = "", *, deleted: bool = False) -> Any:
        asked.append(prefix)
        return subjects(self, context, prefix, deleted=deleted)

    monkeypatch.setattr(AttendedStore, "subjects", counting)
    assert [full.get("/subjects") for _ in range(3)] == [[":.eu:s", "s", "t"]] * 3
    assert [full.get("/subjects", subjectPrefix="t") for _ in range(2)] == [["t"]] * 2
    assert asked == ["", "t"]
    full.register("u", A)
    assert full.get("/subjects") == [":.eu:s", "s", "t", "u"]
    full.delete("/subjects/u")
    assert full.get("/subjects") == [":.eu:s", "s", "t"]
    assert full.get("/subjects", deletedOnly="true") == ["u"]
