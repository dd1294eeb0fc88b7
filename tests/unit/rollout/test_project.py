"""`protopact.toml` says what it means, and every mistake is named by its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.compat import Level, Policy
from protopact.errors import ConfigError
from protopact.rollout import SubjectRule, load_project

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
compatibility = "backward_transitive"
breaking_policy = "wire"

[subjects]
orders-value = "shop/order.proto"
":.eu:payments-value" = { message = "shop.Payment", compatibility = "NONE", breaking_policy = "confluent" }
"""


def test_subjects_take_the_terms_of_all_unless_they_say_their_own(tmp_path: Path) -> None:
    (tmp_path / "protopact.toml").write_text(WHOLE)
    project = load_project(tmp_path / "protopact.toml")
    assert (project.level, project.policy) == (Level.BACKWARD_TRANSITIVE, Policy.WIRE)
    assert project.rules == (
        SubjectRule("orders-value", "shop/order.proto", None, Level.BACKWARD_TRANSITIVE, Policy.WIRE),
        SubjectRule(":.eu:payments-value", None, "shop.Payment", Level.NONE, Policy.CONFLUENT),
    )


def test_without_terms_the_registry_s_own_count(tmp_path: Path) -> None:
    (tmp_path / "protopact.toml").write_text('[subjects]\na = "a.proto"\n')
    assert load_project(tmp_path / "protopact.toml").rules == (SubjectRule("a", "a.proto"),)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("", "subjects must be a table", ""),
        ("[subjects]", "subjects must be a table", ""),
        ("subject = {}", "subject is unknown", "did you mean 'subjects'?"),
        ('breakingPolicy = "wire"', "breakingPolicy is unknown", "did you mean 'breaking_policy'?"),
        ('compatibility = "BACKWRD"', "'BACKWRD' is no compatibility level", "one of NONE"),
        ('breaking_policy = "strict"', "'strict' is no breaking policy", "one of confluent"),
        ("compatibility = 1", "compatibility must be a text", ""),
        ("[subjects]\na = 1", "subjects.a must be the path of a file, or a table", ""),
        ("[subjects]\na = {}", "subjects.a must name a file or a message", ""),
        ('[subjects]\na = { file = "" }', "subjects.a.file must be a text", ""),
        ('[subjects]\na = { file = "x", levle = "y" }', "subjects.a.levle is unknown", ""),
        ('[subjects]\n"" = "x"', "subjects. must have a name", ""),
        ('[subjects]\n"a\\u0007" = "x"', "is not a valid", ""),
        ("[subjects", "cannot be read", ""),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, text: str, said: str, hint: str) -> None:
    (tmp_path / "protopact.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_project(tmp_path / "protopact.toml")
    assert str(tmp_path) in str(caught.value)
    assert said in str(caught.value)
    assert hint in caught.value.hint


def test_a_file_that_is_not_there_is_asked_for_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file") as caught:
        load_project(tmp_path / "protopact.toml")
    assert "[subjects]" in caught.value.hint
