"""The seven levels: who reads whom, and how far back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.compat import Direction, Level, check
from protopact.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.descriptor import FileSet

    Schema = Callable[..., FileSet]

# A reader of REMOVES misses a message of BASE; a reader of BASE misses none of REMOVES.
BASE = "message A {} message B {}"
REMOVES = "message A {}"
OTHER = "message A {} message C {}"


@pytest.mark.parametrize(
    ("level", "accepted"),
    [
        ("NONE", {"removing", "adding", "replacing"}),
        ("BACKWARD", {"adding"}),
        ("BACKWARD_TRANSITIVE", {"adding"}),
        ("FORWARD", {"removing"}),
        ("FORWARD_TRANSITIVE", {"removing"}),
        ("FULL", set()),
        ("FULL_TRANSITIVE", set()),
    ],
)
def test_a_level_says_who_must_read_whom(schema: Schema, level: str, accepted: set[str]) -> None:
    base, fewer, other = schema(BASE), schema(REMOVES), schema(OTHER)
    steps = {"removing": (fewer, base), "adding": (base, fewer), "replacing": (other, base)}
    assert {name for name, (new, old) in steps.items() if check(new, [old], level).compatible} == accepted


@pytest.mark.parametrize("level", Level)
def test_only_a_transitive_level_asks_older_versions(schema: Schema, level: Level) -> None:
    latest, older = schema(REMOVES), schema(OTHER)
    report = check(latest, [latest, older], level)
    reads_older = level in {Level.FORWARD_TRANSITIVE, Level.NONE} or not level.transitive
    assert report.compatible is reads_older


@pytest.mark.parametrize("level", Level)
def test_a_first_schema_is_always_compatible(schema: Schema, level: Level) -> None:
    assert check(schema(BASE), [], level, policy="source").compatible


def test_a_level_is_known_by_its_name_in_any_case() -> None:
    assert Level.parse("full_transitive") is Level.FULL_TRANSITIVE
    assert Level.FULL_TRANSITIVE.directions == (Direction.BACKWARD, Direction.FORWARD)
    assert not Level.NONE.directions


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ConfigError, match="'SIDEWAYS' is no compatibility level") as caught:
        Level.parse("SIDEWAYS")
    assert caught.value.option == "level"
