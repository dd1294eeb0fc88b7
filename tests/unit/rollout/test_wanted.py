"""A directory and its `protopact.toml` say which subject holds what, imports first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.compat import Level
from protopact.errors import ConfigError, MessageNotFoundError, SchemaError
from protopact.registry import Reference
from protopact.rollout import Project, load_project, read_tree, wanted_by_path, wanted_schemas

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from protopact.rollout import Wanted

PAYMENT = 'syntax = "proto3";\npackage shop;\nmessage Payment {\n  int64 id = 1;\n}\nmessage Refund {\n}\n'


def wanted(directory: Path) -> tuple[Wanted, ...]:
    return wanted_schemas(directory, load_project(directory / "protopact.toml"))


def test_imports_come_first_each_under_its_own_path(shop: Callable[..., Path]) -> None:
    found = wanted(shop())
    assert [(each.subject, each.file) for each in found] == [
        ("shop/money.proto", "shop/money.proto"),
        ("orders-value", "shop/order.proto"),
    ]
    assert found[1].references({"shop/money.proto": 3}) == (Reference("shop/money.proto", "shop/money.proto", 3),)
    assert "message Order" in found[1].text


def test_an_import_is_held_in_the_context_of_its_importer(shop: Callable[..., Path]) -> None:
    found = wanted(shop(project='[subjects]\n":.eu:orders-value" = "shop/order.proto"\n'))
    assert [each.subject for each in found] == [":.eu:shop/money.proto", ":.eu:orders-value"]
    references = found[1].references({":.eu:shop/money.proto": 1})
    assert references == (Reference("shop/money.proto", "shop/money.proto", 1),)


def test_a_subject_may_name_a_message_instead_of_its_file(shop: Callable[..., Path]) -> None:
    project = '[subjects]\npayments-value = { message = "shop.Payment" }\nrefunds-value = { message = "Refund" }\n'
    found = wanted(shop({"deep/down/payment.proto": PAYMENT}, project))
    assert [(each.subject, each.file) for each in found] == [
        ("payments-value", "deep/down/payment.proto"),
        ("refunds-value", "deep/down/payment.proto"),
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('{ message = "shop.Nothing" }', "no file defines the message 'shop.Nothing'"),
        ('{ file = "shop/money.proto", message = "shop.Order" }', r"shop/money\.proto does not define"),
        ('{ message = "Twin" }', r"is defined in a\.proto and b\.proto"),
        ('"shop/nothing.proto"', r"shop/nothing\.proto"),
        ('{ file = "shop/nothing.proto", message = "Order" }', r"shop/nothing\.proto"),
        ('"../outside.proto"', "outside"),
    ],
)
def test_a_rule_that_finds_no_one_schema_is_refused(shop: Callable[..., Path], rule: str, said: str) -> None:
    twin = 'syntax = "proto3";\npackage {};\nmessage Twin {{}}\n'
    directory = shop({"a.proto": twin.format("a"), "b.proto": twin.format("b")}, f"[subjects]\nx = {rule}\n")
    with pytest.raises((ConfigError, MessageNotFoundError, SchemaError), match=said):
        wanted(directory)


@pytest.mark.parametrize("home", ['"shop/money.proto"', '{ message = "Money" }'])
@pytest.mark.parametrize("place", [0, 1])
def test_an_import_with_a_rule_of_its_own_is_held_by_that_one(shop: Callable[..., Path], home: str, place: int) -> None:
    rules = ['orders-value = "shop/order.proto"']
    content = f"file = {home}" if home.startswith('"') else home.strip("{} ")
    rules.insert(place, f'"shop/money.proto" = {{ {content}, compatibility = "FULL" }}')
    found = wanted(shop(project="\n".join(["[subjects]", *rules])))
    assert [(each.subject, each.level) for each in found] == [
        ("shop/money.proto", Level.FULL),
        ("orders-value", None),
    ]


def test_one_subject_cannot_hold_two_files(shop: Callable[..., Path]) -> None:
    project = '[subjects]\norders-value = "shop/order.proto"\n"shop/money.proto" = "payment.proto"\n'
    with pytest.raises(ConfigError, match="would hold both"):
        wanted(shop({"payment.proto": PAYMENT}, project))


def test_a_broken_file_that_nothing_names_stands_in_nobody_s_way(shop: Callable[..., Path]) -> None:
    assert len(wanted(shop({"draft.proto": "message {"}))) == 2


def test_without_rules_each_file_is_the_subject_of_its_path(shop: Callable[..., Path]) -> None:
    file_sets = read_tree(shop({"a.proto": 'syntax = "proto3";\nimport "shop/order.proto";\n'})).compile()
    found = wanted_by_path(file_sets, Project((), Level.FULL))
    assert [each.subject for each in found] == ["shop/money.proto", "shop/order.proto", "a.proto"]
    assert {each.level for each in found} == {Level.FULL}
