"""A message goes over into another class by the names of its fields, both ways, whatever the version lacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from uuid import UUID  # noqa: TC003  (the types are read when the test runs)

from protopact.broker.fitting import fitted


class Colour(IntEnum):
    RED = 1


class Paint(IntEnum):
    NONE = 0
    RED = 1


@dataclass(frozen=True)
class TheirItem:
    name: str
    colour: Colour
    more: int = 9


@dataclass(frozen=True)
class Theirs:
    items: tuple[TheirItem, ...]
    maybe: tuple[TheirItem, ...] | None
    one: TheirItem
    unknown_to_us: bytes


@dataclass(frozen=True)
class OurItem:
    name: str
    colour: Paint


@dataclass(frozen=True)
class Ours:
    one: OurItem
    items: tuple[OurItem, ...]
    maybe: tuple[OurItem, ...] | None = None
    newer: str = "default"


@dataclass(frozen=True)
class Wide:
    number: int
    text: str
    data: bytes
    flag: bool
    wait: timedelta
    colour: Paint
    many: tuple[int, ...]
    maybe: UUID | None
    nothing: str | None


@dataclass(frozen=True)
class Bare:
    pass


def test_nested_messages_tuples_and_enums_go_over_and_missing_fields_take_their_default() -> None:
    tea = TheirItem("tea", Colour.RED)
    assert fitted(Theirs((tea, tea), None, tea, b""), Ours) == Ours(
        OurItem("tea", Paint.RED), (OurItem("tea", Paint.RED),) * 2, None, "default"
    )
    found = fitted(Theirs((), (tea,), tea, b""), Ours)
    assert type(found.maybe[0]) is OurItem
    assert type(found.maybe[0].colour) is Paint


def test_required_fields_that_nobody_fills_are_empty() -> None:
    empty = {"number": 0, "text": "", "data": b"", "flag": False, "wait": timedelta(), "colour": Paint.NONE, "many": ()}
    assert fitted(Bare(), Wide) == Wide(**empty, maybe=None, nothing=None)
