"""`plan` and `apply`: dry run first, in order, idempotent, and exit codes that a pipeline can use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from protopact.connect import connect_registry
from protopact.server import Guard, Users, background_registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unit.cli.running import Ran

MONEY = 'syntax = "proto3";\npackage shop;\nmessage Money {{\n  {} units = 1;\n}}\n'
pytestmark = pytest.mark.usefixtures("store")


def test_a_plan_is_made_done_and_then_there_is_nothing_to_do(
    run: Callable[..., Ran], shop: Callable[..., Path]
) -> None:
    planned = run("plan", shop())
    assert planned.code == 0
    assert [(step["action"], step["subject"]) for step in planned.said["steps"]] == [
        ("create", "shop/money.proto"),
        ("create", "orders-value"),
    ]
    assert planned.said["doable"]
    assert "BACKWARD_TRANSITIVE is recommended for Protobuf" in planned.said["advice"][0]

    applied = run("apply", shop())
    assert applied.code == 0
    assert [(done["done"], done["version"], done["id"]) for done in applied.said["done"]] == [
        ("create", 1, 1),
        ("create", 1, 2),
    ]
    again = run("apply", shop())
    assert (again.code, [done["done"] for done in again.said["done"]]) == (0, ["unchanged", "unchanged"])


def test_an_incompatible_change_is_exit_code_100_and_nothing_is_done(
    run: Callable[..., Ran], shop: Callable[..., Path]
) -> None:
    run("apply", shop())
    for command in ("plan", "apply"):
        refused = run(command, shop(money=MONEY.format("string")))
        assert refused.code == 100
        assert [step["action"] for step in refused.said["steps"]] == ["incompatible", "blocked"]
        assert "FIELD_SCALAR_KIND_CHANGED #/Money/1" in refused.said["steps"][0]["reasons"][0]
    assert len(run("schema", "list", "shop/money.proto").said) == 1


def test_people_get_a_table_reasons_a_summary_and_advice(run: Callable[..., Ran], shop: Callable[..., Path]) -> None:
    created = run("plan", shop(), "--format", "table")
    assert "shop/money.proto" in created.out
    assert "can be applied: 2 of 2 subjects change" in created.out
    assert created.err.startswith("advice: BACKWARD_TRANSITIVE")
    assert "create" in run("apply", shop(), "--format", "table").out
    assert "nothing to do" in run("plan", shop(), "--format", "table").out
    refused = run("plan", shop(money=MONEY.format("string")), "--format", "table")
    assert "incompatible shop/money.proto: version 1: FIELD_SCALAR_KIND_CHANGED" in refused.out
    assert "cannot be applied: 2 of 2 subjects are refused" in refused.out


def test_the_config_may_stand_elsewhere_and_the_directory_is_this_one(
    run: Callable[..., Ran], shop: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = shop()
    monkeypatch.chdir(directory)
    assert len(run("plan").said["steps"]) == 2
    other = directory.parent / "other.toml"
    other.write_text('[subjects]\nmoney-value = "shop/money.proto"\n')
    (step,) = run("plan", "--config", other).said["steps"]
    assert step["subject"] == "money-value"


def test_a_missing_config_is_an_error_that_says_what_it_holds(run: Callable[..., Ran], tmp_path: Path) -> None:
    missing = run("plan", tmp_path)
    assert missing.code == 1
    assert "there is no file" in missing.err
    assert "hint: it says which subject holds which file" in missing.err


@pytest.mark.parametrize("style", ["json", "table"])
def test_a_refusal_midway_tells_what_was_done_and_what_was_not(
    run: Callable[..., Ran],
    shop: Callable[..., Path],
    store: str,
    tmp_path: Path,
    *,
    monkeypatch: pytest.MonkeyPatch,
    style: str,
) -> None:
    # Who may not write a subject learns it from the registry when it is the subject's turn.
    monkeypatch.setenv("PROTOPACT_USER_PASSWORD", "correct horse")
    monkeypatch.setenv("PROTOPACT_REGISTRY_PASSWORD", "correct horse")
    monkeypatch.setenv("PROTOPACT_REGISTRY_USER", "ann")
    users = tmp_path / "users.json"
    roles = ["--role", "reader:*", "--role", "writer:shop/*"]
    assert run("registry", "users", "add", "ann", *roles, "--users", users).code == 0
    with background_registry(store, guard=Guard(users=Users(users))) as url:
        failed = run("apply", shop(), "--registry", url, "--format", style)
    assert failed.code == 1
    assert failed.err.startswith("error: ")
    assert [done["done"] for done in run("apply", shop()).said["done"]] == ["unchanged", "create"]
    if style == "json":
        said = json.loads(failed.out)
        assert ([done["subject"] for done in said["done"]], said["failed"]) == (["shop/money.proto"], "orders-value")
    else:
        assert "failed at orders-value" in failed.out
        assert "1 steps were done and stay, 1 were not" in failed.out


def test_a_registry_that_takes_nothing_is_seen_by_the_plan(
    run: Callable[..., Ran], shop: Callable[..., Path], store: str
) -> None:
    with connect_registry(store) as registry:
        registry.set_mode("READONLY", "orders-value")
    planned = run("plan", shop())
    assert (planned.code, planned.said["steps"][1]["action"]) == (100, "blocked")
    assert planned.said["steps"][1]["reasons"] == ["the registry takes no schema here: the mode is READONLY"]
