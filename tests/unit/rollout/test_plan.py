"""From what is wanted and what is held to steps: decided without a registry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protopact.compat import Level, Policy
from protopact.compiler import compile_text
from protopact.registry import Config
from protopact.rollout import Action, Held, HeldVersion, Step, Wanted, make_plan

MONEY = 'syntax = "proto3"; package shop; message Money {{ {} }}'
FIRST, WIDER, OTHER = "int64 units = 1;", "int64 units = 1; int32 nanos = 2;", "string units = 1;"
NOTHING = Held(Level.BACKWARD, Policy.CONFLUENT)


def money(fields: str = FIRST, **more: Level | Policy | None) -> Wanted:
    return Wanted("shop/money.proto", compile_text(MONEY.format(fields), file_name="shop/money.proto"), **more)


def order(imported: Wanted, **more: Level | Policy | None) -> Wanted:
    text = 'syntax = "proto3"; package shop; import "shop/money.proto"; message Order { Money price = 1; }'
    file_set = compile_text(text, file_name="order.proto", dependencies=imported.file_set.files)
    return Wanted("orders-value", file_set, **more)


def held(*states: Wanted, level: Level = Level.BACKWARD, policy: Policy = Policy.CONFLUENT) -> Held:
    """A subject whose versions are these, oldest first."""
    versions = [
        HeldVersion(number, number, state.file_set, {name: (subject, 1) for name, subject in state.imports().items()})
        for number, state in enumerate(states, 1)
    ]
    return Held(level, policy, tuple(range(1, len(states) + 1)), None, tuple(reversed(versions)))


def one(wanted: Wanted, found: Held, *, sets_policies: bool = True) -> Step:
    (step,) = make_plan([(wanted, found)], sets_policies=sets_policies).steps
    return step


def test_a_subject_without_versions_is_created() -> None:
    step = one(money(), NOTHING)
    assert (step.action, step.reasons, step.config, step.version) == (Action.CREATE, (), None, None)


def test_a_schema_that_is_held_is_left_alone() -> None:
    plan = make_plan([(money(), replace(NOTHING, versions=(1, 2), same=2))], sets_policies=True)
    assert [(step.action, step.version, step.reasons) for step in plan.steps] == [(Action.UNCHANGED, 2, ())]
    assert plan.changes == plan.findings == ()


def test_a_schema_that_an_older_version_holds_is_left_alone_and_told() -> None:
    step = one(money(), replace(NOTHING, versions=(1, 2), same=1))
    assert step.action is Action.UNCHANGED
    assert step.reasons == ("version 1 holds it, and 2 is the newest: registering it again would change nothing",)


def test_an_update_says_what_changes() -> None:
    step = one(money(WIDER), held(money()))
    assert step.action is Action.UPDATE
    assert step.reasons == ("FIELD_ADDED #/Money/2 (- → int32 nanos = 2)",)


def test_an_update_of_the_text_alone_says_so() -> None:
    assert one(money(), held(money())).reasons == ("no type changes; the text or an import does",)


def test_an_incompatible_schema_is_a_finding_with_version_and_reason() -> None:
    step = one(money(OTHER, level=Level.BACKWARD_TRANSITIVE), held(money(), money()))
    assert step.action is Action.INCOMPATIBLE
    assert step.is_finding
    assert step.report is not None
    (reason,) = step.reasons
    assert reason.startswith("version 2: FIELD_SCALAR_KIND_CHANGED #/Money/1 (int64 units = 1 → string units = 1): ")


def test_a_transitive_level_sees_what_a_plain_one_does_not() -> None:
    history = held(money(), money("int32 nanos = 2;"))
    wanted = money(OTHER + " int32 nanos = 2;")
    assert one(wanted, history).action is Action.UPDATE
    assert one(replace(wanted, level=Level.BACKWARD_TRANSITIVE), history).action is Action.INCOMPATIBLE


def test_a_stricter_policy_refuses_with_an_example() -> None:
    wanted = money("int32 units = 1;", policy=Policy.WIRE)
    step = one(wanted, held(money()))
    assert step.action is Action.INCOMPATIBLE
    assert "was written as `int64 units = 1`" in step.reasons[0]
    assert one(replace(wanted, policy=None), held(money())).action is Action.UPDATE


def test_what_imports_a_finding_is_blocked_and_nothing_else_is() -> None:
    broken = money(OTHER)
    plan = make_plan(
        [
            (broken, held(money())),
            (order(broken), NOTHING),
            (replace(money(), subject="alone"), NOTHING),
        ],
        sets_policies=True,
    )
    assert [step.action for step in plan.steps] == [Action.INCOMPATIBLE, Action.BLOCKED, Action.CREATE]
    assert plan.steps[1].reasons == ("imports shop/money.proto, which cannot be registered",)
    assert len(plan.findings) == 2


def test_an_import_that_changes_makes_its_importer_change() -> None:
    wider = money(WIDER)
    plan = make_plan([(wider, held(money())), (order(wider), held(order(money())))], sets_policies=True)
    assert [step.action for step in plan.steps] == [Action.UPDATE, Action.UPDATE]


def test_level_and_policy_are_set_where_they_differ_from_what_holds() -> None:
    same = replace(NOTHING, versions=(1,), same=1)
    step = one(money(level=Level.FULL, policy=Policy.WIRE_JSON), same)
    assert step.action is Action.CONFIGURE
    assert step.config == Config(compatibility_level="FULL", breaking_policy="wire_json")
    assert step.reasons == ("compatibility BACKWARD → FULL", "breaking policy confluent → wire_json")
    assert one(money(level=Level.BACKWARD, policy=Policy.CONFLUENT), same).action is Action.UNCHANGED


def test_a_registry_that_keeps_no_policy_is_not_told_one() -> None:
    same = replace(NOTHING, versions=(1,), same=1)
    step = one(money(policy=Policy.WIRE), same, sets_policies=False)
    assert (step.action, step.policy) == (Action.UNCHANGED, Policy.WIRE)


def test_a_refused_schema_leaves_the_config_alone() -> None:
    step = one(money(OTHER, level=Level.FULL), held(money()))
    assert (step.action, step.config) == (Action.INCOMPATIBLE, None)


def test_where_the_mode_forbids_it_a_change_is_blocked() -> None:
    assert one(money(), replace(NOTHING, mode="READONLY")).reasons == (
        "the registry takes no schema here: the mode is READONLY",
    )
    assert one(money(WIDER), replace(held(money()), mode="IMPORT")).action is Action.BLOCKED
    assert one(money(), replace(NOTHING, mode="READONLY", versions=(1,), same=1)).action is Action.UNCHANGED


def test_a_schema_of_another_type_is_a_finding_unless_nothing_is_checked() -> None:
    foreign = replace(held(money()), history=(HeldVersion(1, 1, None, {}),))
    assert one(money(), foreign).reasons == ("version 1 is a schema of another type",)
    assert one(money(level=Level.NONE), foreign).action is Action.UPDATE


@pytest.mark.parametrize("level", [Level.NONE, Level.BACKWARD, Level.FORWARD, Level.FORWARD_TRANSITIVE, Level.FULL])
def test_backward_transitive_is_recommended_and_the_reason_is_given(level: Level) -> None:
    found = [(replace(money(), subject=name, level=level), NOTHING) for name in ("a", "b", "c")]
    (sentence,) = make_plan(found, sets_policies=True).advice
    assert sentence.startswith(f"BACKWARD_TRANSITIVE is recommended for Protobuf; {level}, the level of a, b and c, ")


@pytest.mark.parametrize("level", [Level.BACKWARD_TRANSITIVE, Level.FULL_TRANSITIVE])
def test_a_level_that_covers_the_recommended_one_needs_no_advice(level: Level) -> None:
    assert make_plan([(money(level=level), NOTHING)], sets_policies=True).advice == ()
