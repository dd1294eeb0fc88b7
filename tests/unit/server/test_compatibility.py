"""Compatibility, at registration and when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from protopact.compat import check
from protopact.server.decisions import comparing

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.server import Registry

A = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n}\n'
MORE = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n  string b = 2;\n}\n'
TEXT = 'syntax = "proto3";\n\nmessage A {\n  string a = 1;\n}\n'
TWO = A + "\nmessage Two {}\n"
MONEY = 'syntax = "proto3";\n\npackage m;\n\nmessage Money {\n  int64 units = 1;\n}\n'
ORDER = 'syntax="proto3"; import "money.proto"; message Order{m.Money price=1;}'


def body(schema: str, **more: object) -> dict[str, object]:
    return {"schema": schema, "schemaType": "PROTOBUF", **more}


@pytest.fixture
def with_a(strict: Any) -> Any:
    strict.register("s", A)
    return strict


def test_an_incompatible_schema_is_refused_with_the_reason(with_a: Any) -> None:
    refused = with_a.register("s", TEXT)
    assert refused["error_code"] == 409
    assert refused["message"] == (
        'Schema being registered is incompatible with an earlier schema for subject "s", details: '
        '[{errorType:"FIELD_SCALAR_KIND_CHANGED", description:"The kind of a SCALAR field at path \'#/A/1\' in the new '
        "schema does not match its kind in the old schema\"}, {oldSchemaVersion: 1}, {oldSchema: '" + A + "'}, "
        "{validateFields: 'false', compatibility: 'BACKWARD'}]"
    )
    assert with_a.get("/subjects/s/versions") == [1]


def test_the_code_of_an_incompatible_schema_is_a_setting(
    small_registry: Callable[..., Registry], asker: Callable[[Registry], Any]
) -> None:
    ask = asker(small_registry(incompatible_code=40901))
    ask.register("s", A)
    reply = ask.raw(
        "POST", "/subjects/s/versions", b'{"schemaType":"PROTOBUF","schema":"syntax=\\"proto3\\";message B{}"}'
    )
    assert reply.status == 409
    assert b'"error_code":40901' in reply.body


def test_force_registers_whatever_the_level(with_a: Any) -> None:
    assert with_a.post("/subjects/s/versions", body(TEXT), force="true")["version"] == 2


@pytest.mark.parametrize(
    ("level", "allowed"),
    [
        ("NONE", True),
        ("BACKWARD", True),
        ("FORWARD", False),
        ("FULL", False),
        ("BACKWARD_TRANSITIVE", False),
        ("FORWARD_TRANSITIVE", False),
        ("FULL_TRANSITIVE", False),
    ],
)
def test_a_level_says_who_must_read_whom_and_how_far_back(strict: Any, level: str, *, allowed: bool) -> None:
    strict.put("/config/s", {"compatibility": "NONE"})
    strict.register("s", TEXT)
    strict.register("s", A)
    strict.put("/config/s", {"compatibility": level})
    assert strict.post("/compatibility/subjects/s/versions", body(TWO)) == {"is_compatible": allowed}
    assert (strict.register("s", TWO).get("version") == 3) is allowed


def test_a_schema_is_checked_against_one_version_whatever_the_level(strict: Any) -> None:
    strict.put("/config/s", {"compatibility": "NONE"})
    strict.register("s", TEXT)
    strict.register("s", A)
    strict.put("/config/s", {"compatibility": "BACKWARD_TRANSITIVE"})

    def is_compatible(version: object) -> bool:
        return bool(strict.post(f"/compatibility/subjects/s/versions/{version}", body(MORE))["is_compatible"])

    assert [is_compatible(version) for version in (1, 2, "latest", "-1")] == [False, True, True, True]


def test_an_unknown_subject_is_compatible_with_anything_but_has_no_versions(strict: Any) -> None:
    assert strict.post("/compatibility/subjects/s/versions/latest", body(A)) == {"is_compatible": True}
    assert strict.post("/compatibility/subjects/s/versions", body(A)) == {"is_compatible": True}
    assert strict.post("/compatibility/subjects/s/versions/1", body(A)) == {
        "error_code": 40402,
        "message": "Version 1 not found.",
    }
    assert strict.post("/compatibility/subjects/s/versions/0", body(A))["error_code"] == 42202


def test_messages_come_only_when_asked_for(with_a: Any) -> None:
    path = "/compatibility/subjects/s/versions/latest"
    assert with_a.post(path, body(TEXT)) == {"is_compatible": False}
    told = with_a.post(path, body(TEXT), verbose="true")
    assert told["is_compatible"] is False
    assert told["messages"][0].startswith('{errorType:"FIELD_SCALAR_KIND_CHANGED"')
    assert told["messages"][1:] == [
        "{oldSchemaVersion: 1}",
        "{oldSchema: '" + A + "'}",
        "{validateFields: 'false', compatibility: 'BACKWARD'}",
    ]
    assert with_a.post(path, body(MORE), verbose="true") == {"is_compatible": True, "messages": []}


def test_a_schema_that_does_not_compile_is_refused_or_with_messages_incompatible(with_a: Any) -> None:
    for path in ("/compatibility/subjects/s/versions/latest", "/compatibility/subjects/s/versions"):
        assert with_a.post(path, body("message {"))["error_code"] == 42201
        told = with_a.post(path, body("message {"), verbose="true")
        assert told["is_compatible"] is False
        assert told["messages"][0].startswith("Invalid schema")


def test_nothing_is_kept_by_a_check(with_a: Any) -> None:
    with_a.post("/compatibility/subjects/s/versions", body(MORE))
    assert with_a.get("/subjects/s/versions") == [1]


def test_imports_are_compared_as_they_are_kept(strict: Any) -> None:
    strict.register("m", MONEY)
    strict.register("s", ORDER, ("money.proto", "m", 1))
    more = ORDER.replace("price=1;", "price=1; string note=2;")
    references = [{"name": "money.proto", "subject": "m", "version": 1}]
    assert strict.register("s", more, ("money.proto", "m", 1))["version"] == 2
    other = body(ORDER.replace("m.Money price", "string price"), references=references)
    assert strict.post("/compatibility/subjects/s/versions", other) == {"is_compatible": False}


def test_descriptors_of_history_come_from_the_store(with_a: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def counted(candidate: Any, history: Any, level: Any, **more: Any) -> Any:
        seen.append(len(history))
        return check(candidate, history, level, **more)

    monkeypatch.setattr(comparing, "check", counted)
    with_a.register("s", MORE)
    assert seen == [1]


def test_a_check_that_raced_with_a_registration_is_made_again(
    with_a: Any, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = registry._desk.service._judge
    real, calls = judge.judge, []

    def slow(*args: Any) -> Any:
        calls.append(args)
        verdict = real(*args)
        if len(calls) == 1:
            with_a.register("s", MORE.replace("string b", "int32 b"))
        return verdict

    monkeypatch.setattr(judge, "judge", slow)
    assert with_a.register("s", MORE)["error_code"] == 409
    assert len(calls) == 3


def test_a_strict_policy_refuses_a_number_that_an_older_version_used_whatever_the_level(strict: Any) -> None:
    strict.put("/config/s", {"compatibility": "NONE"})
    strict.register("s", MORE)
    strict.register("s", A)
    again = MORE.replace("string b = 2", "int64 c = 2")
    strict.put("/config/s", {"compatibility": "BACKWARD"})
    assert strict.post("/compatibility/subjects/s/versions", body(again)) == {"is_compatible": True}
    strict.put("/config/s", {"breakingPolicy": "wire"})
    told = strict.post("/compatibility/subjects/s/versions", body(again), verbose="true")
    assert told["is_compatible"] is False
    assert "{oldSchemaVersion: 1}" in told["messages"]
    assert strict.post("/compatibility/subjects/s/versions/2", body(again)) == {"is_compatible": True}
    assert strict.register("s", again)["error_code"] == 409
    assert strict.register("s", A + "\nmessage B {}\n")["version"] == 3
