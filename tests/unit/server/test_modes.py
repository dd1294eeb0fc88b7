"""Modes: what each lets be done, how they are inherited, and how they are set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.server import Registry

A = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n}\n'
A2 = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n  string b = 2;\n}\n'
MONEY = 'syntax = "proto3";\n\npackage m;\n\nmessage Money {\n  int64 units = 1;\n}\n'
ORDER = 'syntax="proto3"; import "money.proto"; message Order{m.Money price=1;}'


def test_a_fresh_registry_may_be_read_and_written(ask: Any) -> None:
    assert ask.get("/mode") == {"mode": "READWRITE"}
    assert ask.get("/mode/s") == {
        "error_code": 40409,
        "message": "Subject 's' does not have subject-level mode configured",
    }
    assert ask.get("/mode/s", defaultToGlobal="true") == {"mode": "READWRITE"}


def test_a_mode_is_set_inherited_and_forgotten(ask: Any) -> None:
    assert ask.put("/mode", {"mode": "readonly"}) == {"mode": "READONLY"}
    assert ask.get("/mode/s", defaultToGlobal="true") == {"mode": "READONLY"}
    assert ask.get("/mode/:.eu:s", defaultToGlobal="true") == {"mode": "READWRITE"}
    ask.put("/mode/s", {"mode": "READWRITE"})
    assert ask.register("s", A)["version"] == 1
    assert ask.delete("/mode/s") == {"mode": "READWRITE"}
    assert ask.delete("/mode/s") == {"error_code": 40401, "message": "Subject 's' not found."}
    assert ask.delete("/mode") == {"mode": "READONLY"}
    assert ask.get("/mode") == {"mode": "READWRITE"}


def test_deleting_a_mode_recursively_forgets_those_of_its_subjects(ask: Any) -> None:
    for scope in ("s", "t", ":.eu:s"):
        ask.put(f"/mode/{scope}", {"mode": "READONLY"})
    assert ask.delete("/mode", recursive="true") == {}
    assert ask.get("/mode/s")["error_code"] == ask.get("/mode/t")["error_code"] == 40409
    assert ask.get("/mode/:.eu:s") == {"mode": "READONLY"}
    assert ask.delete("/mode/:.eu:", recursive="true") == {}
    assert ask.get("/mode/:.eu:s")["error_code"] == 40409


@pytest.mark.parametrize("mode", ["READONLY", "READONLY_OVERRIDE"])
def test_a_read_only_scope_is_not_changed_but_answers_what_it_has(ask: Any, mode: str) -> None:
    ask.register("s", A)
    ask.put("/mode", {"mode": mode})
    refused = {"error_code": 42205, "message": "Subject s is in read-only mode"}
    assert ask.register("s", A2) == refused
    assert ask.delete("/subjects/s") == refused
    assert ask.delete("/subjects/s/versions/1") == refused
    assert ask.put("/config/s", {"compatibility": "NONE"}) == refused
    assert ask.delete("/config/s") == refused
    assert ask.register("s", A)["id"] == 1
    assert ask.look_up("s", A)["id"] == 1
    assert ask.get("/subjects/s/versions") == [1]


def test_an_override_counts_more_than_a_subjects_own_mode(ask: Any) -> None:
    ask.put("/mode/s", {"mode": "READWRITE"})
    ask.put("/mode", {"mode": "READONLY_OVERRIDE"})
    assert ask.register("s", A)["error_code"] == 42205


@pytest.mark.parametrize(
    ("body", "error_code"), [({"mode": "WRITE"}, 42204), ({}, 42204), ({"mode": None}, 42204), ([], 400), (None, 422)]
)
def test_a_mode_that_is_none_is_refused(ask: Any, body: object, error_code: int) -> None:
    refused = ask.put("/mode", body)
    assert refused["error_code"] == error_code
    if error_code == 42204:
        assert refused["message"] == "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD."


def test_the_mode_of_a_registry_may_be_fixed(
    small_registry: Callable[..., Registry], asker: Callable[[Registry], Any]
) -> None:
    ask = asker(small_registry(mode_mutable=False))
    refused = {"error_code": 42205, "message": "Mode changes are not allowed"}
    assert ask.put("/mode", {"mode": "READONLY"}) == ask.delete("/mode") == refused


def test_forwarding_is_no_mode_of_a_single_subject(ask: Any) -> None:
    assert ask.put("/mode/s", {"mode": "FORWARD"})["error_code"] == 42205
    assert ask.put("/mode", {"mode": "FORWARD"}) == {"mode": "FORWARD"}
    assert ask.register("s", A)["error_code"] == 42205
    assert ask.register("s", A, id=9)["id"] == 9


# ── importing ────────────────────────────────────────────────────────────────────────────────────


def test_importing_needs_an_empty_scope_unless_forced(ask: Any) -> None:
    ask.register("s", A)
    refused = {"error_code": 42205, "message": "Cannot import since found existing subjects"}
    assert ask.put("/mode", {"mode": "IMPORT"}) == ask.put("/mode/s", {"mode": "IMPORT"}) == refused
    assert ask.put("/mode/t", {"mode": "IMPORT"}) == ask.put("/mode/:.eu:", {"mode": "IMPORT"}) == {"mode": "IMPORT"}
    assert ask.put("/mode", {"mode": "IMPORT"}, force="true") == {"mode": "IMPORT"}
    assert ask.put("/mode", {"mode": "IMPORT"}) == {"mode": "IMPORT"}


def test_setting_the_import_mode_clears_away_what_was_deleted(ask: Any) -> None:
    ask.register("s", A)
    ask.delete("/subjects/s")
    assert ask.get("/schemas/ids/1")["schema"] == A
    assert ask.put("/mode", {"mode": "IMPORT"}) == {"mode": "IMPORT"}
    assert ask.get("/subjects", deleted="true") == []
    assert ask.get("/schemas/ids/1")["error_code"] == 40403


def test_what_was_deleted_but_is_referred_to_stands_in_the_way(ask: Any) -> None:
    ask.register("m", MONEY)
    ask.register("s", ORDER, ("money.proto", "m", 1))
    ask.delete("/subjects/s")
    ask.delete("/subjects/m")
    assert ask.put("/mode/m", {"mode": "IMPORT"}) == {
        "error_code": 42206,
        "message": "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=m,version=1}.",
    }
    assert ask.put("/mode", {"mode": "IMPORT"}) == {"mode": "IMPORT"}


def test_an_imported_schema_keeps_its_id_and_version(ask: Any) -> None:
    ask.put("/mode", {"mode": "IMPORT"})
    first = ask.register("s", A, id=40, version=3)
    assert (first["id"], first["version"], "metadata" in first) == (40, 3, False)
    assert ask.register("s", A2.replace("int32", "string"), id=7, version=1)["version"] == 1
    assert ask.get("/subjects/s/versions") == [1, 3]
    assert ask.register("s", A2, id=41)["version"] == 4
    assert ask.register("s", A, id=40, version=3) == first
    ask.put("/mode", {"mode": "READWRITE"})
    assert ask.register("t", MONEY)["id"] == 42
    assert ask.register("u", A)["id"] == 40


def test_an_import_overwrites_nothing(ask: Any) -> None:
    ask.put("/mode", {"mode": "IMPORT"})
    ask.register("s", A, id=1, version=1)
    refused = ask.register("s", A2, id=1)
    assert refused == {"error_code": 42205, "message": "Overwrite new schema with id 1 is not permitted."}
    assert ask.register("s", A2, id=2, version=1)["error_code"] == 42205
    assert ask.register("s", A2) == {"error_code": 42205, "message": "Subject s is not in read-write mode"}
    assert ask.get("/schemas/ids/1")["schema"] == A


def test_one_content_may_be_imported_under_two_ids(ask: Any) -> None:
    ask.put("/mode", {"mode": "IMPORT"})
    assert [ask.register("s", A, id=n, version=n)["id"] for n in (5, 9)] == [5, 9]
    assert ask.get("/schemas/ids/9")["schema"] == A
    guid = ask.get("/schemas/ids/5")["guid"]
    assert ask.get(f"/schemas/guids/{guid}/ids") == [{"context": ".", "id": 5}, {"context": ".", "id": 9}]
    ask.put("/mode", {"mode": "READWRITE"})
    assert ask.register("t", A)["id"] == 5


AVRO = '{"type":"record","name":"R","fields":[{"name":"f","type":"string"}]}'


@pytest.mark.parametrize("schema_type", ["AVRO", "JSON"])
def test_a_schema_of_another_type_is_imported_and_served_as_it_came(ask: Any, schema_type: str) -> None:
    ask.put("/mode", {"mode": "IMPORT"})
    ask.register("m", AVRO, id=6, schemaType=schema_type)
    kept = ask.register("s", AVRO, ("m", "m", 1), id=7, version=2, schemaType=schema_type)
    assert (kept["id"], kept["version"], kept["schemaType"], kept["schema"]) == (7, 2, schema_type, AVRO)
    found = ask.get("/schemas/ids/7", format="serialized")
    assert (found["schema"], found["schemaType"]) == (AVRO, schema_type)
    assert found["references"] == [{"name": "m", "subject": "m", "version": 1}]
    assert ask.get("/subjects/s/versions/2", findTags="*", format="ignore_extensions")["schema"] == AVRO
    assert ask.raw("GET", "/schemas/ids/7/schema").body == AVRO.encode()
    assert ask.register("s", AVRO, schemaType=schema_type)["error_code"] == 42201
    ask.put("/mode", {"mode": "READWRITE"})
    assert ask.register("s", AVRO, id=8, schemaType=schema_type)["error_code"] == 42201
    ask.put("/config", {"compatibility": "BACKWARD"})
    refused = ask.register("s", A)
    assert refused["error_code"] == 409
    assert "Incompatible because of different schema type" in refused["message"]
