"""Plans against a real registry: what is held is seen, steps are done in order, doing them again changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.connect import connect_registry
from protopact.errors import IncompatibleSchemaError, RegistryError
from protopact.rollout import (
    Action,
    apply_steps,
    fetch_held,
    fetch_versions,
    keeps_policies,
    load_project,
    make_plan,
    wanted_schemas,
)
from protopact.schema import load_schema
from protopact.serdes import Serializer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from protopact.client import SchemaRegistryClient
    from protopact.rollout import Plan

WIDER = 'syntax = "proto3";\npackage shop;\nmessage Money {\n  int64 units = 1;\n  int32 nanos = 2;\n}\n'
OTHER = 'syntax = "proto3";\npackage shop;\nmessage Money {\n  string units = 1;\n}\n'
STRICT = 'compatibility = "FULL_TRANSITIVE"\nbreaking_policy = "wire"\n[subjects]\norders-value = "shop/order.proto"\n'


def planned(registry: SchemaRegistryClient, directory: Path) -> Plan:
    wanted = wanted_schemas(directory, load_project(directory / "protopact.toml"))
    return make_plan(fetch_held(registry, wanted), sets_policies=keeps_policies(registry))


def applied(registry: SchemaRegistryClient, directory: Path) -> list[tuple[str, str, int]]:
    done = apply_steps(registry, planned(registry, directory))
    return [(each.step.wanted.subject, str(each.step.action), each.version) for each in done]


def test_steps_are_done_in_order_and_again_nothing_is(
    registry: SchemaRegistryClient, shop: Callable[..., Path]
) -> None:
    directory = shop()
    assert applied(registry, directory) == [("shop/money.proto", "create", 1), ("orders-value", "create", 1)]
    assert applied(registry, directory) == [("shop/money.proto", "unchanged", 1), ("orders-value", "unchanged", 1)]
    assert applied(registry, shop({"shop/money.proto": WIDER})) == [
        ("shop/money.proto", "update", 2),
        ("orders-value", "update", 2),
    ]
    (reference,) = registry.get_version("orders-value").references
    assert (reference.subject, reference.version) == ("shop/money.proto", 2)
    assert planned(registry, directory).changes == ()


def test_planning_changes_nothing(registry: SchemaRegistryClient, shop: Callable[..., Path]) -> None:
    assert len(planned(registry, shop(project=STRICT)).changes) == 2
    assert registry.get_subjects() == []
    with pytest.raises(RegistryError):
        registry.get_config("orders-value")


def test_what_a_serializer_registered_is_held_already(
    registry: SchemaRegistryClient, shop: Callable[..., Path]
) -> None:
    directory = shop()
    schema = load_schema(directory / "shop" / "order.proto", imports=directory)
    Serializer(registry, schema).serialize({"price": {"units": 1}}, topic="orders")
    assert [step.action for step in planned(registry, directory).steps] == [Action.UNCHANGED, Action.UNCHANGED]


def test_a_going_back_to_an_older_version_is_told(registry: SchemaRegistryClient, shop: Callable[..., Path]) -> None:
    directory = shop()
    applied(registry, directory)
    applied(registry, shop({"shop/money.proto": WIDER}))
    money, _ = planned(registry, shop()).steps
    assert (money.action, money.version) == (Action.UNCHANGED, 1)
    assert "2 is the newest" in money.reasons[0]


def test_level_and_policy_are_set_before_the_schema(registry: SchemaRegistryClient, shop: Callable[..., Path]) -> None:
    directory = shop(project=STRICT)
    applied(registry, directory)
    config = registry.get_config("orders-value")
    assert (config.compatibility_level, config.breaking_policy) == ("FULL_TRANSITIVE", "wire")
    assert planned(registry, directory).changes == ()


def test_a_looser_level_lets_a_change_pass_that_was_refused(
    registry: SchemaRegistryClient, shop: Callable[..., Path]
) -> None:
    applied(registry, shop())
    directory = shop({"shop/money.proto": OTHER})
    assert [step.action for step in planned(registry, directory).steps] == [Action.INCOMPATIBLE, Action.BLOCKED]
    directory = shop({"shop/money.proto": OTHER}, f'compatibility = "NONE"\n{STRICT.partition("wire")[2][2:]}')
    assert applied(registry, directory) == [("shop/money.proto", "update", 2), ("orders-value", "update", 2)]


def test_the_first_refusal_ends_it_and_what_was_done_stays(
    registry: SchemaRegistryClient, shop: Callable[..., Path]
) -> None:
    plan = planned(registry, shop())
    steps = apply_steps(registry, plan)
    assert next(steps).version == 1
    registry.register("orders-value", 'syntax = "proto3"; package other; message Other { int64 id = 1; }')
    with pytest.raises(IncompatibleSchemaError):
        next(steps)
    assert registry.get_subjects() == ["orders-value", "shop/money.proto"]


def test_the_registry_s_own_level_counts_where_none_is_said(
    registry: SchemaRegistryClient, shop: Callable[..., Path]
) -> None:
    applied(registry, shop())
    registry.set_compatibility("NONE")
    assert [step.action for step in planned(registry, shop({"shop/money.proto": OTHER})).steps] == [
        Action.UPDATE,
        Action.UPDATE,
    ]


def test_a_context_is_planned_on_its_own(registry: SchemaRegistryClient, shop: Callable[..., Path]) -> None:
    applied(registry, shop())
    directory = shop(project='[subjects]\n":.eu:orders-value" = "shop/order.proto"\n')
    assert applied(registry, directory) == [
        (":.eu:shop/money.proto", "create", 1),
        (":.eu:orders-value", "create", 1),
    ]
    assert planned(registry, directory).changes == ()


def test_versions_come_with_their_imports_and_where_those_are(
    registry: SchemaRegistryClient, shop: Callable[..., Path]
) -> None:
    applied(registry, shop())
    (version,) = fetch_versions(registry, "orders-value", [1])
    assert version.file_set is not None
    assert [file.name for file in version.file_set.files][:-1] == ["shop/money.proto"]
    assert version.references == {"shop/money.proto": ("shop/money.proto", 1)}


def test_a_registry_without_an_identity_keeps_no_policies(registry: SchemaRegistryClient) -> None:
    assert keeps_policies(registry)
    from protopact.client import SchemaRegistryClient
    from protopact.flow import Reply

    with SchemaRegistryClient(sender=lambda _call, _server: Reply(404, body=b"{}")) as other:
        assert not keeps_policies(other)


def test_a_file_on_disk_serves_as_a_registry_too(tmp_path: Path, shop: Callable[..., Path]) -> None:
    for action in ("create", "unchanged"):
        with connect_registry(f"sqlite:{tmp_path / 'registry.db'}") as registry:
            assert {each[1] for each in applied(registry, shop())} == {action}
