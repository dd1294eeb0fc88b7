"""Confluent's Python registry client, the plain one and the asynchronous one, on the whole surface of our server."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from peer import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from peer import Peer

    Their = Callable[..., Any]

HEAD = 'syntax = "proto3";\npackage parts;\n\n'
TEXT = f"{HEAD}message Part {{\n  string name = 1;\n}}\n"
LONGER = f"{HEAD}message Part {{\n  string name = 1;\n  int32 size = 2;\n}}\n"
OTHER_TYPE = f"{HEAD}message Part {{\n  int32 name = 1;\n}}\n"
WHOLE = """syntax = "proto3";
package whole;

import "part.proto";

message Whole {
  repeated parts.Part parts = 1;
}
"""
ALONE = 'syntax = "proto3";\nmessage Alone {}\n'
TO_PARTS = {"name": "part.proto", "subject": "parts", "version": 1}


def schema(text: str, *references: dict[str, object], **more: object) -> dict[str, object]:
    return {"schemaType": "PROTOBUF", "schema": text, "references": list(references), **more}


@pytest.fixture(params=[False, True], ids=["plain", "async"])
def their(request: pytest.FixtureRequest, python: Peer, registry: str) -> Their:
    """Call a method of their client: `their("get_versions", subject_name="parts")`."""

    def call(method: str, **arguments: object) -> Any:
        return python("client", registry=registry, is_async=request.param, method=method, arguments=arguments)

    return call


def refused(code: int) -> Any:
    """Expect their error for a code."""

    def matches(error: PeerError) -> bool:
        return (error.kind, error.code, error.status) == ("SchemaRegistryError", code, int(str(code)[:3]))

    return pytest.RaisesExc(PeerError, check=matches)


# ── schemas ──────────────────────────────────────────────────────────────────────────────────────


def test_they_register_look_up_and_read_back(their: Their) -> None:
    full = their("register_schema_full_response", subject_name="parts", schema=schema(TEXT))
    assert (full["subject"], full["version"], len(full["guid"])) == ("parts", 1, 36)
    assert their("register_schema", subject_name="parts", schema=schema(TEXT)) == full["id"]
    found = their("lookup_schema", subject_name="parts", schema=schema(TEXT))
    assert (found["id"], found["subject"], found["version"], found["schema"]) == (full["id"], "parts", 1, TEXT)
    assert found["guid"] == full["guid"]
    by_id = their("get_schema", schema_id=full["id"])
    assert (by_id["schema"], by_id["schemaType"]) == (TEXT, "PROTOBUF")
    assert their("get_schema_by_guid", guid=full["guid"]) == by_id
    assert their("get_subjects") == ["parts"]
    assert their("get_versions", subject_name="parts") == [1]
    assert their("get_version", subject_name="parts", version=1)["schema"] == TEXT
    assert their("get_schema_versions", schema_id=full["id"]) == [["parts", 1]]
    assert their("get_subjects_by_schema_id", schema_id=full["id"]) == ["parts"]
    assert "PROTOBUF" in their("get_schema_types")


def test_they_register_a_schema_with_a_reference(their: Their) -> None:
    their("register_schema", subject_name="parts", schema=schema(TEXT))
    schema_id = their("register_schema", subject_name="whole", schema=schema(WHOLE, TO_PARTS))
    assert their("lookup_schema", subject_name="whole", schema=schema(WHOLE, TO_PARTS))["id"] == schema_id
    latest = their("get_latest_version", subject_name="whole")
    assert (latest["id"], latest["version"], latest["references"]) == (schema_id, 1, [TO_PARTS])
    assert their("get_referenced_by", subject_name="parts", version=1) == [schema_id]
    with refused(42206):
        their("delete_version", subject_name="parts", version=1)
    with refused(42206):
        their("delete_subject", subject_name="parts")


def test_they_get_the_serialized_form(their: Their) -> None:
    schema_id = their("register_schema", subject_name="parts", schema=schema(TEXT))
    serialized = their("get_schema", schema_id=schema_id, fmt="serialized")["schema"]
    file = FileDescriptorProto.FromString(b64decode(serialized))
    assert (file.package, [message.name for message in file.message_type]) == ("parts", ["Part"])
    assert their("get_version", subject_name="parts", version="latest", fmt="serialized")["schema"] == serialized


def test_they_have_schemas_normalized(their: Their) -> None:
    turned = f"{HEAD}message Part {{\n  int32 size = 2;\n  string name = 1;\n}}\n"
    first = their("register_schema", subject_name="parts", schema=schema(LONGER), normalize_schemas=True)
    assert their("register_schema", subject_name="parts", schema=schema(turned), normalize_schemas=True) == first
    assert their("lookup_schema", subject_name="parts", schema=schema(turned), normalize_schemas=True)["version"] == 1
    their("register_schema", subject_name="as they come", schema=schema(LONGER))
    with refused(40403):
        their("lookup_schema", subject_name="as they come", schema=schema(turned))


def test_they_keep_metadata_and_rules(their: Their) -> None:
    # No tags: this client (2.16) cannot hash a schema that has some.
    metadata = {"properties": {"owner": "ann"}, "sensitive": ["owner"]}
    rule = {"name": "short", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "size(message.name) < 9"}
    sent = schema(TEXT, metadata=metadata, ruleSet={"domainRules": [rule]})
    their("register_schema", subject_name="parts", schema=sent)
    found = their("get_latest_with_metadata", subject_name="parts", metadata={"owner": "ann"})
    assert found["metadata"] == metadata
    (kept,) = found["ruleSet"]["domainRules"]
    assert {name: kept[name] for name in rule} == rule
    with refused(40403):
        their("get_latest_with_metadata", subject_name="parts", metadata={"owner": "bob"})
    with refused(42210):
        their("register_schema", subject_name="parts", schema=schema(TEXT, ruleSet={"domainRules": [rule, rule]}))


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("get_versions", {"subject_name": "nothing"}, 40401),
        ("get_latest_version", {"subject_name": "nothing"}, 40401),
        ("get_version", {"subject_name": "parts", "version": 9}, 40402),
        ("get_schema", {"schema_id": 9}, 40403),
        ("get_schema_by_guid", {"guid": "d41d8cd9-8f00-b204-e980-0998ecf8427e"}, 40403),
        ("lookup_schema", {"subject_name": "nothing", "schema": schema("message A {}")}, 40401),
        ("lookup_schema", {"subject_name": "parts", "schema": schema(ALONE)}, 40403),
        ("register_schema", {"subject_name": "parts", "schema": schema("message {")}, 42201),
        ("register_schema", {"subject_name": "parts", "schema": schema(OTHER_TYPE)}, 409),
        ("register_schema", {"subject_name": "whole", "schema": schema(WHOLE, {**TO_PARTS, "version": 9})}, 42201),
        ("delete_subject", {"subject_name": "nothing"}, 40401),
        ("delete_version", {"subject_name": "parts", "version": 9}, 40402),
        ("test_compatibility", {"subject_name": "parts", "schema": schema(TEXT), "version": 9}, 40402),
        ("get_config", {"subject_name": "parts"}, 40408),
        ("get_mode", {"subject_name": "parts"}, 40409),
        ("set_compatibility", {"level": "sideways"}, 42203),
        ("update_global_mode", {"mode": "SIDEWAYS"}, 42204),
        ("update_mode", {"subject_name": "parts", "mode": "IMPORT"}, 42205),
    ],
)
def test_they_get_the_codes_that_they_know(their: Their, method: str, arguments: dict[str, object], code: int) -> None:
    their("register_schema", subject_name="parts", schema=schema(TEXT))
    with refused(code):
        their(method, **arguments)


def test_an_incompatible_schema_is_refused_in_their_words(their: Their) -> None:
    their("register_schema", subject_name="parts", schema=schema(TEXT))
    with pytest.raises(PeerError, match='Schema being registered is incompatible with an earlier schema for subject "'):
        their("register_schema", subject_name="parts", schema=schema(OTHER_TYPE))


# ── compatibility, config, mode ──────────────────────────────────────────────────────────────────


def test_they_check_compatibility(their: Their) -> None:
    for text in (TEXT, LONGER):
        their("register_schema", subject_name="parts", schema=schema(text))
    for method in ("test_compatibility", "test_compatibility_all_versions"):
        assert their(method, subject_name="parts", schema=schema(TEXT)) is True
        assert their(method, subject_name="parts", schema=schema(OTHER_TYPE)) is False
        assert their(method, subject_name="parts", schema=schema("message {"), verbose=True) is False
    assert their("test_compatibility", subject_name="parts", schema=schema(OTHER_TYPE), version=1) is False
    assert their("test_compatibility", subject_name="nothing", schema=schema(TEXT)) is True


def test_they_set_levels(their: Their) -> None:
    assert their("get_compatibility") == "BACKWARD"
    their("set_compatibility", level="full")
    assert their("get_compatibility") == "FULL"
    their("set_compatibility", subject_name="parts", level="none")
    assert their("get_compatibility", subject_name="parts") == "NONE"
    for text in (TEXT, OTHER_TYPE):
        their("register_schema", subject_name="parts", schema=schema(text))
    assert their("get_versions", subject_name="parts") == [1, 2]


def test_they_set_and_forget_configs(their: Their) -> None:
    config = {"compatibility": "FORWARD", "compatibilityGroup": "major", "defaultMetadata": {"properties": {"a": "b"}}}
    assert their("set_config", subject_name="parts", config=config)["compatibility"] == "FORWARD"
    found = their("get_config", subject_name="parts")
    assert (found["compatibilityLevel"], found["compatibilityGroup"]) == ("FORWARD", "major")
    assert found["defaultMetadata"]["properties"] == {"a": "b"}
    their("delete_config", subject_name="parts")
    with refused(40408):
        their("get_config", subject_name="parts")
    their("set_config", config={"compatibility": "NONE"})
    assert their("get_config")["compatibilityLevel"] == "NONE"
    their("delete_config")
    assert their("get_config")["compatibilityLevel"] == "BACKWARD"


def test_they_set_modes(their: Their) -> None:
    assert their("get_global_mode") == "READWRITE"
    their("update_mode", subject_name="parts", mode="READONLY")
    assert their("get_mode", subject_name="parts") == "READONLY"
    with refused(42205):
        their("register_schema", subject_name="parts", schema=schema(TEXT))
    their("delete_mode", subject_name="parts")
    their("register_schema", subject_name="parts", schema=schema(TEXT))
    their("update_global_mode", mode="READONLY")
    assert their("get_global_mode") == "READONLY"
    with refused(42205):
        their("delete_subject", subject_name="parts")
    their("update_global_mode", mode="READWRITE")
    their("update_global_mode", mode="IMPORT", force=True)
    assert their("get_global_mode") == "IMPORT"


# ── deleting, contexts ───────────────────────────────────────────────────────────────────────────


def test_they_delete_versions_softly_and_for_good(their: Their) -> None:
    for text in (TEXT, LONGER):
        their("register_schema", subject_name="parts", schema=schema(text))
    assert their("delete_version", subject_name="parts", version=1) == 1
    assert their("get_versions", subject_name="parts") == [2]
    assert their("get_versions", subject_name="parts", deleted=True) == [1, 2]
    assert their("get_version", subject_name="parts", version=1, deleted=True)["schema"] == TEXT
    with refused(40406):
        their("delete_version", subject_name="parts", version=1)
    assert their("delete_version", subject_name="parts", version=1, permanent=True) == 1
    assert their("get_versions", subject_name="parts", deleted=True) == [2]


def test_they_delete_subjects_softly_and_for_good(their: Their) -> None:
    for text in (TEXT, LONGER):
        their("register_schema", subject_name="parts", schema=schema(text))
    with refused(40405):
        their("delete_subject", subject_name="parts", permanent=True)
    assert their("delete_subject", subject_name="parts") == [1, 2]
    assert their("get_subjects") == []
    assert their("get_subjects", deleted=True) == ["parts"]
    with refused(40404):
        their("delete_subject", subject_name="parts")
    assert their("delete_subject", subject_name="parts", permanent=True) == [1, 2]
    assert their("get_subjects", deleted=True) == []


def test_they_work_in_contexts(their: Their) -> None:
    here = their("register_schema", subject_name="parts", schema=schema(TEXT))
    there = their("register_schema", subject_name=":.eu:parts", schema=schema(LONGER))
    assert (here, there) == (1, 1)
    assert their("get_contexts") == [".", ".eu"]
    assert their("get_contexts", offset=1, limit=1) == [".eu"]
    assert their("get_subjects") == [":.eu:parts", "parts"]
    assert their("get_subjects", subject_prefix=":.eu:") == [":.eu:parts"]
    assert their("get_latest_version", subject_name=":.eu:parts")["schema"] == LONGER
    assert their("get_schema", schema_id=1, subject_name=":.eu:parts")["schema"] == LONGER
    in_context = {**TO_PARTS, "subject": ":.eu:parts"}
    their("register_schema", subject_name=":.eu:whole", schema=schema(WHOLE, TO_PARTS))
    their("register_schema", subject_name="whole", schema=schema(WHOLE, in_context))
    assert their("get_latest_version", subject_name="whole")["references"] == [in_context]


def test_their_lists_come_in_pages(their: Their) -> None:
    for name in ("a", "b", "c"):
        their("register_schema", subject_name=name, schema=schema(TEXT))
    assert their("get_subjects", offset=1, limit=1) == ["b"]
    assert their("get_subjects", subject_prefix="c") == ["c"]
    assert their("get_schema_versions", schema_id=1, offset=1) == [["b", 1], ["c", 1]]
    assert their("get_subjects_by_schema_id", schema_id=1, limit=2) == ["a", "b"]


def test_what_is_not_built_looks_as_if_it_were_an_older_server(their: Their) -> None:
    with refused(404):
        their("get_associations_by_resource_name", resource_name="orders", resource_namespace="-")
