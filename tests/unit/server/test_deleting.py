"""Deleting softly and for good: what is refused, what goes, and what never comes back."""

from __future__ import annotations

from typing import Any

import pytest

A = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n}\n'
B = 'syntax = "proto3";\n\nmessage B {\n  string b = 1;\n}\n'
C = 'syntax = "proto3";\n\nmessage C {\n  string c = 1;\n}\n'
MONEY = 'syntax = "proto3";\n\npackage m;\n\nmessage Money {\n  int64 units = 1;\n}\n'
ORDER = 'syntax="proto3"; import "money.proto"; message Order{m.Money price=1;}'
REFERRED = {
    "error_code": 42206,
    "message": "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=m,version=1}.",
}


@pytest.fixture
def three(ask: Any) -> Any:
    for text in (A, B, C):
        ask.register("s", text)
    return ask


def test_a_soft_deleted_version_is_hidden_but_readable_by_id(three: Any) -> None:
    assert three.raw("DELETE", "/subjects/s/versions/2").body == b"2"
    assert three.get("/subjects/s/versions") == [1, 3]
    assert three.get("/subjects/s/versions", deleted="true") == [1, 2, 3]
    assert three.get("/subjects/s/versions", deletedOnly="true") == [2]
    assert three.get("/subjects/s/versions", deletedAsNegative="true") == [1, -2, 3]
    assert three.get("/subjects/s/versions", deleted="true", deletedOnly="true") == [2]
    assert three.get("/subjects/s/versions/2")["error_code"] == 40402
    assert three.get("/subjects/s/versions/2", deleted="true")["deleted"] is True
    assert three.get("/schemas/ids/2")["schema"] == B
    assert three.get("/schemas/ids/2/versions") == []
    assert three.get("/schemas/ids/2/versions", deleted="true") == [{"subject": "s", "version": 2}]
    assert three.look_up("s", B)["error_code"] == 40403
    assert three.look_up("s", B, deleted="true")["error_code"] == 40403
    assert three.post("/subjects/s", {"schema": B, "schemaType": "PROTOBUF"}, deleted="true")["version"] == 2


def test_the_latest_version_is_the_newest_live_one(three: Any) -> None:
    assert three.delete("/subjects/s/versions/latest") == 3
    assert three.get("/subjects/s/versions/latest")["version"] == 2
    assert three.delete("/subjects/s/versions/-1") == 2


def test_versions_are_deleted_softly_first_and_then_for_good(three: Any) -> None:
    early = three.delete("/subjects/s/versions/1", permanent="true")
    assert early == {
        "error_code": 40407,
        "message": "Subject 's' Version 1 was not deleted first before being permanently deleted",
    }
    assert three.delete("/subjects/s/versions/1") == 1
    assert three.delete("/subjects/s/versions/1") == {
        "error_code": 40406,
        "message": "Subject 's' Version 1 was soft deleted.Set permanent=true to delete permanently",
    }
    assert three.delete("/subjects/s/versions/1", permanent="true") == 1
    assert three.delete("/subjects/s/versions/1", permanent="true")["error_code"] == 40402
    assert three.get("/subjects/s/versions", deleted="true") == [2, 3]


def test_subjects_are_deleted_softly_first_and_then_for_good(three: Any) -> None:
    early = three.delete("/subjects/s", permanent="true")
    assert early == {
        "error_code": 40405,
        "message": "Subject 's' was not deleted first before being permanently deleted",
    }
    assert three.delete("/subjects/s/versions/2") == 2
    assert three.delete("/subjects/s") == [1, 3]
    assert three.get("/subjects") == []
    assert three.get("/subjects", deleted="true") == three.get("/subjects", deletedOnly="true") == ["s"]
    assert three.get("/subjects/s/versions") == {"error_code": 40401, "message": "Subject 's' not found."}
    assert three.delete("/subjects/s") == {
        "error_code": 40404,
        "message": "Subject 's' was soft deleted.Set permanent=true to delete permanently",
    }
    assert three.delete("/subjects/s", permanent="true") == [1, 2, 3]
    assert three.get("/subjects", deleted="true") == []
    assert three.delete("/subjects/s", permanent="true")["error_code"] == 40401


@pytest.mark.parametrize("permanent", ["false", "true"])
def test_what_is_not_there_is_not_deleted(ask: Any, permanent: str) -> None:
    ask.register("s", A)
    assert ask.delete("/subjects/t", permanent=permanent)["error_code"] == 40401
    assert ask.delete("/subjects/t/versions/1", permanent=permanent)["error_code"] == 40401
    assert ask.delete("/subjects/t/versions/latest", permanent=permanent)["error_code"] == 40401
    assert ask.delete("/subjects/s/versions/2", permanent=permanent)["error_code"] == 40402
    assert ask.delete("/subjects/s/versions/0", permanent=permanent)["error_code"] == 42202


def test_a_schema_that_comes_again_takes_a_new_number_and_its_old_id(ask: Any) -> None:
    ask.register("s", A)
    ask.delete("/subjects/s/versions/1")
    again = ask.register("s", A)
    assert (again["version"], again["id"]) == (2, 1)
    assert ask.get("/subjects/s/versions", deleted="true") == [2]


def test_numbers_begin_anew_after_all_is_gone_but_ids_do_not(three: Any) -> None:
    three.delete("/subjects/s")
    three.delete("/subjects/s", permanent="true")
    again = three.register("s", A)
    assert (again["version"], again["id"]) == (1, 4)


def test_a_removed_schema_is_no_longer_served_even_where_its_answer_was_prepared(ask: Any, registry: Any) -> None:
    ask.register("s", A)
    ask.register("t", A)
    paths = ["/schemas/ids/1", "/contexts/./schemas/ids/1", "/schemas/ids/1/"]
    assert {ask.get(path)["schema"] for path in paths} == {A}
    for subject in ("s", "t"):
        assert {ask.get(path)["schema"] for path in paths} == {A}
        ask.delete(f"/subjects/{subject}")
        ask.delete(f"/subjects/{subject}", permanent="true")
    assert {ask.get(path)["error_code"] for path in paths} == {40403}
    assert registry.find_prepared("/schemas/ids/1", b"") is None


def test_config_and_mode_go_with_the_last_version(ask: Any) -> None:
    ask.register("s", A)
    ask.put("/config/s", {"compatibility": "FULL"})
    ask.put("/mode/s", {"mode": "READWRITE"})
    ask.delete("/subjects/s")
    assert ask.get("/config/s") == {"compatibilityLevel": "FULL"}
    ask.delete("/subjects/s/versions/1", permanent="true")
    assert (ask.get("/config/s")["error_code"], ask.get("/mode/s")["error_code"]) == (40408, 40409)


def test_what_a_live_schema_refers_to_stays(ask: Any) -> None:
    ask.register("m", MONEY)
    ask.register("s", ORDER, ("money.proto", "m", 1))
    assert ask.delete("/subjects/m") == ask.delete("/subjects/m/versions/1") == REFERRED
    ask.delete("/subjects/s")
    assert ask.delete("/subjects/m") == [1]
    assert ask.delete("/subjects/m", permanent="true") == REFERRED
    assert ask.delete("/subjects/m/versions/1", permanent="true") == REFERRED
    ask.delete("/subjects/s", permanent="true")
    assert ask.delete("/subjects/m", permanent="true") == [1]


def test_a_subject_that_refers_to_itself_can_be_deleted_whole(ask: Any) -> None:
    ask.register("m", MONEY)
    ask.register("m", ORDER, ("money.proto", "m", 1))
    assert ask.delete("/subjects/m/versions/1") == REFERRED
    assert ask.delete("/subjects/m") == [1, 2]
    assert ask.delete("/subjects/m", permanent="true") == [1, 2]


def test_references_are_to_live_versions(ask: Any) -> None:
    ask.register("m", MONEY)
    ask.register("s", ORDER, ("money.proto", "m", 1))
    ask.delete("/subjects/s")
    ask.delete("/subjects/m")
    refused = ask.register("t", ORDER, ("money.proto", "m", 1))
    assert refused["error_code"] == 42201
    assert 'No schema reference found for subject "m" and version 1' in refused["message"]
    assert ask.get("/schemas/ids/2", format="ignore_extensions")["schema"].endswith("}\n")


def test_a_version_that_is_referred_to_is_not_replaced(ask: Any) -> None:
    ask.register("m", MONEY)
    ask.register("s", ORDER, ("money.proto", "m", 1))
    ask.delete("/subjects/s")
    ask.delete("/subjects/m")
    assert ask.register("m", MONEY)["version"] == 2
    assert ask.get("/subjects/m/versions", deleted="true") == [1, 2]


def test_a_schema_whose_reference_was_deleted_meanwhile_is_refused(
    ask: Any, registry: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask.register("m", MONEY)
    draftsman = registry._desk.draftsman
    draft = draftsman.draft

    def slow(*args: Any, **more: Any) -> Any:
        made = draft(*args, **more)
        if made.references:
            assert ask.delete("/subjects/m") == [1]
        return made

    monkeypatch.setattr(type(draftsman), "draft", lambda _self, *args, **more: slow(*args, **more))
    refused = ask.register("s", ORDER, ("money.proto", "m", 1))
    assert refused["error_code"] == 42201
    assert ask.get("/subjects") == []


def test_deleted_versions_do_not_count_for_compatibility(strict: Any) -> None:
    strict.register("s", A)
    other = A.replace("int32", "string")
    assert strict.register("s", other)["error_code"] == 409
    strict.delete("/subjects/s/versions/1")
    assert strict.register("s", other)["version"] == 2


def test_only_an_empty_context_is_deleted(ask: Any) -> None:
    ask.register(":.eu:s", A)
    ask.put("/config/:.eu:", {"compatibility": "NONE"})
    assert ask.delete("/contexts/eu")["error_code"] == 42211
    ask.delete("/subjects/:.eu:s")
    assert ask.delete("/contexts/.eu")["error_code"] == 42211
    ask.delete("/subjects/:.eu:s", permanent="true")
    assert ask.raw("DELETE", "/contexts/eu").status == 204
    assert ask.get("/contexts") == ["."]
    assert ask.get("/config/:.eu:") == {"compatibilityLevel": "BACKWARD"}
    assert ask.delete("/contexts/eu")["error_code"] == 40401
    assert ask.register(":.eu:s", B)["id"] == 2
    assert ask.delete("/contexts/.")["error_code"] == 42211
