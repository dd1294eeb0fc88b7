"""What the house offers is pinned, resolves, and is sorted as it stands."""

from __future__ import annotations

from importlib import import_module

import pytest

from architecture.public_api import doors, public_api
from architecture.source import PACKAGE, REPOSITORY

GOLDEN = REPOSITORY / "tests" / "golden" / "public_api.txt"


@pytest.mark.parametrize("door", doors())
def test_every_name_of_a_door_resolves(door: str) -> None:
    module = import_module(door)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("door", doors())
def test_a_door_refuses_a_name_that_it_does_not_offer(door: str) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = import_module(door).no_such_name


def test_every_room_has_a_door_that_offers_names() -> None:
    rooms = {f"protopact.{path.parent.name}" for path in PACKAGE.glob("*/__init__.py")}
    assert rooms - set(doors()) - OFFERLESS == set()


# `integrations` is a corridor: each library has a room of its own in it. `cli` is run, not imported.
OFFERLESS = {"protopact.integrations", "protopact.cli"}


def test_the_public_interface_is_as_pinned() -> None:
    """A wanted change: run `just golden`, read the difference, keep it."""
    assert public_api() == GOLDEN.read_text(encoding="utf-8")
