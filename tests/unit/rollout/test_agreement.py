"""A plan says what the registry will say: both look at the same versions, by the same rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.compat import Level, Policy
from protopact.errors import IncompatibleSchemaError
from protopact.registry import Config, Metadata
from protopact.rollout import Action, fetch_held, load_project, make_plan, wanted_schemas

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from protopact.client import SchemaRegistryClient

PROJECT = '[subjects]\nmoney-value = "shop/money.proto"\n'
MONEY = 'syntax = "proto3";\npackage shop;\nmessage Money {{\n{}}}\n'
VERSIONS = (
    "  int64 units = 1;\n  string note = 2;\n",
    "  int64 units = 1;\n",
    "  int64 units = 1;\n  bool gift = 3;\n",
)
NEXT = {
    "the number of an older version": "  int64 units = 1;\n  int32 nanos = 2;\n  bool gift = 3;\n",
    "a new number": "  int64 units = 1;\n  bool gift = 3;\n  int32 nanos = 4;\n",
    "another type": "  string units = 1;\n  bool gift = 3;\n",
    "a narrower type": "  int32 units = 1;\n  bool gift = 3;\n",
    "another name": "  int64 amount = 1;\n  bool gift = 3;\n",
}


@pytest.mark.parametrize("fields", NEXT.values(), ids=NEXT)
def test_a_plan_and_the_registry_agree_at_every_level_and_policy(
    registry: SchemaRegistryClient, shop: Callable[..., Path], fields: str
) -> None:
    registry.set_config(Config(compatibility_level="NONE"), "money-value")
    for version in VERSIONS:
        registry.register("money-value", MONEY.format(version))
    directory = shop({"shop/money.proto": MONEY.format(fields), "shop/order.proto": None}, PROJECT)
    wanted = list(wanted_schemas(directory, load_project(directory / "protopact.toml")))
    verdicts = {}
    for level in Level:
        for policy in Policy:
            registry.set_config(Config(compatibility_level=str(level), breaking_policy=policy.text), "money-value")
            plan = make_plan(fetch_held(registry, wanted), sets_policies=True)
            planned = next(step for step in plan.steps if step.wanted.subject == "money-value")
            answered = registry.test_compatibility("money-value", MONEY.format(fields), version=None)
            verdicts[level, policy] = (planned.action is Action.UPDATE, answered.is_compatible)
    assert {place: verdict for place, verdict in verdicts.items() if len(set(verdict)) > 1} == {}


def test_what_a_plan_refuses_the_registry_refuses_to_register(registry: SchemaRegistryClient) -> None:
    registry.set_config(Config(compatibility_level="NONE"), "money-value")
    for version in VERSIONS:
        registry.register("money-value", MONEY.format(version))
    registry.set_config(Config(compatibility_level="BACKWARD", breaking_policy="wire"), "money-value")
    with pytest.raises(IncompatibleSchemaError, match="oldSchemaVersion: 1"):
        registry.register("money-value", MONEY.format(NEXT["the number of an older version"]))


@pytest.mark.parametrize(("overridden", "fits"), [(None, True), ("1", False), ("3", True)])
def test_a_plan_and_the_registry_compare_within_the_same_group(
    registry: SchemaRegistryClient, shop: Callable[..., Path], overridden: str | None, *, fits: bool
) -> None:
    override = None if overridden is None else Metadata(properties={"major": overridden})
    for major, version in (("1", MONEY.format("  string units = 1;\n")), ("2", MONEY.format("  int64 units = 1;\n"))):
        registry.set_config(Config(compatibility_group="major", compatibility_level="BACKWARD"), "money-value")
        registry.register("money-value", version, metadata=Metadata(properties={"major": major}))
    registry.set_config(Config(override_metadata=override), "money-value")
    text = MONEY.format("  int64 units = 1;\n  int32 nanos = 2;\n")
    directory = shop({"shop/money.proto": text, "shop/order.proto": None}, PROJECT)
    (step,) = make_plan(
        fetch_held(registry, wanted_schemas(directory, load_project(directory / "protopact.toml"))), sets_policies=True
    ).steps
    answered = registry.test_compatibility("money-value", text, version=None).is_compatible
    assert (step.action is Action.UPDATE, answered) == (fits, fits)
