"""`breaking`: a directory against another, against git, against the registry."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unit.cli.running import Ran

MONEY = 'syntax = "proto3";\npackage shop;\nmessage Money {{\n  {} = 1;\n}}\n'
pytestmark = pytest.mark.usefixtures("store")


def commit(directory: Path) -> None:
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    for words in (["init", "--quiet"], ["add", "--all"], [*who, "commit", "--quiet", "--message", "a state"]):
        subprocess.run(["git", "-C", str(directory), *words], check=True, capture_output=True)


def types(ran: Ran) -> set[tuple[str, str, str]]:
    return {(found["file"], found["type"], found["path"]) for found in ran.said["findings"]}


@pytest.fixture
def against(run: Callable[..., Ran], shop: Callable[..., Path]) -> Callable[[str], str]:
    """Put the shop as it is where it will be compared with, and give the option's value."""

    def keep(kind: str) -> str:
        if kind == "git":
            commit(shop())
            return "git#HEAD"
        if kind == "registry":
            assert run("apply", shop()).code == 0
            return "registry"
        return str(shop(name="before"))

    return keep


@pytest.mark.parametrize("kind", ["directory", "git", "registry"])
def test_what_breaks_is_exit_code_100_with_file_path_and_reason(
    run: Callable[..., Ran], shop: Callable[..., Path], against: Callable[[str], str], kind: str
) -> None:
    where = against(kind)
    clean = run("breaking", shop(), "--against", where)
    assert (clean.code, clean.said) == (0, {"against": where, "compared": 2, "findings": []})

    broken = run("breaking", shop(money=MONEY.format("string units")), "--against", where)
    assert broken.code == 100
    assert types(broken) >= {
        ("shop/money.proto", "FIELD_SCALAR_KIND_CHANGED", "#/Money/1"),
        ("shop/order.proto", "FIELD_NAMED_TYPE_CHANGED", "#/Order/1"),
    }
    finding = broken.said["findings"][0]
    assert (finding["before"], finding["after"]) == ("int64 units = 1", "string units = 1")
    assert finding["reason"] == "the types are encoded differently"
    assert finding["against"] == ("shop/money.proto v1" if kind == "registry" else where)


@pytest.mark.parametrize("kind", ["directory", "git", "registry"])
def test_the_policy_says_what_counts(
    run: Callable[..., Ran], shop: Callable[..., Path], against: Callable[[str], str], kind: str
) -> None:
    where = against(kind)
    narrowed, renamed = shop(name="a", money=MONEY.format("int32 units")), shop(name="b", money=MONEY.format("int64 u"))
    if kind == "git":
        narrowed = renamed = shop(money=MONEY.format("int32 u"))
    assert run("breaking", narrowed, "--against", where, "--policy", "confluent").code == 0
    default = run("breaking", narrowed, "--against", where)
    assert default.code == 100
    assert "was written as `int64 units = 1`" in default.said["findings"][0]["example"]
    by_json = run("breaking", renamed, "--against", where, "--policy", "wire_json")
    assert ("shop/money.proto", "FIELD_NAME_CHANGED", "#/Money/1") in types(by_json)


def test_a_file_that_is_gone_and_one_that_moved_break(
    run: Callable[..., Ran], shop: Callable[..., Path], against: Callable[[str], str]
) -> None:
    where = against("directory")
    directory = shop(order='syntax = "proto3";\npackage shop;\nmessage Order {}\n')
    (directory / "shop" / "money.proto").rename(directory / "money.proto")
    found = types(run("breaking", directory, "--against", where))
    assert ("shop/money.proto", "MESSAGE_REMOVED", "#/Money") in found


def test_files_that_the_other_side_does_not_have_break_nobody(
    run: Callable[..., Ran], shop: Callable[..., Path]
) -> None:
    directory = shop()
    assert run("breaking", directory, "--against", "registry").said["compared"] == 0
    (directory / "protopact.toml").unlink()
    assert run("breaking", directory, "--against", "registry").code == 0


def test_without_a_config_each_file_is_compared_with_the_subject_of_its_path(
    run: Callable[..., Ran], shop: Callable[..., Path], against: Callable[[str], str]
) -> None:
    against("registry")
    directory = shop(money=MONEY.format("string units"))
    (directory / "protopact.toml").unlink()
    assert {found[0] for found in types(run("breaking", directory, "--against", "registry"))} == {"shop/money.proto"}


def test_level_and_policy_of_the_config_count(run: Callable[..., Ran], shop: Callable[..., Path]) -> None:
    where = str(shop(name="before"))
    added = f"{MONEY.format('int64 units')}message Coin {{}}\n"
    assert run("breaking", shop(money=added), "--against", where).code == 0
    forward = 'compatibility = "FORWARD"\nbreaking_policy = "confluent"'
    assert run("breaking", shop(money=added, project=forward), "--against", where).code == 100
    assert run("breaking", shop(money=added, project=forward), "--against", where, "--level", "BACKWARD").code == 0


def test_people_get_a_table_and_the_examples_below_it(run: Callable[..., Ran], shop: Callable[..., Path]) -> None:
    where = str(shop(name="before"))
    clean = run("breaking", shop(), "--against", where, "--format", "table")
    assert clean.out == f"nothing breaks: 2 files compared with {where}\n"
    shown = run("breaking", shop(money=MONEY.format("int32 units")), "--against", where, "--format", "table").out
    assert "FIELD_RANGE_CHANGED" in shown
    assert "#/Money/1: for example 08" in shown


@pytest.mark.parametrize("where", ["git#nowhere", "nowhere"])
def test_a_state_that_is_not_there_is_an_error(run: Callable[..., Ran], shop: Callable[..., Path], where: str) -> None:
    directory = shop()
    commit(directory)
    assert run("breaking", directory, "--against", where).code == 1
