"""One class of a message to another: values go over by the names of the fields, whatever both sides are.

kio has a class for each version of each message, and the broker one for all. A field that the source lacks takes the
target's default, one that the target lacks is left out, and None is empty where None cannot be; so what versions differ
in is told once, by their fields.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from datetime import timedelta
from enum import IntEnum
from functools import partial
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# What a required field holds that no one has filled, by its type.
_EMPTY: dict[type, object] = {int: 0, str: "", bytes: b"", bool: False, timedelta: timedelta()}


def fitted(value: object, target: type[T]) -> T:
    """Give `value` as an object of the class `target`; nested messages and tuples of them go over likewise."""
    ways = (type(value), target)
    convert = _CONVERSIONS.get(ways)
    if convert is None:
        convert = _CONVERSIONS[ways] = _conversion(*ways)
    return cast("T", convert(value))


_CONVERSIONS: dict[tuple[type, type], Callable[[object], object]] = {}


def _conversion(source: type, target: type) -> Callable[[object], object]:
    """Settle once, for two classes, where each field comes from."""
    offered = {each.name for each in fields(source)}
    given, hints = get_type_hints(source), get_type_hints(target)
    copied, turned = [], []
    filled: dict[str, object] = {}
    for each in fields(target):
        if each.name in offered:
            turn = _turn(hints[each.name])
            if _gives_none(given[each.name]) and not _may_be_none(hints[each.name]):
                turn = _never_none(turn, _empty(hints[each.name]))
            copied.append(each.name) if turn is None else turned.append((each.name, turn))
        elif each.default is MISSING and each.default_factory is MISSING:
            filled[each.name] = _empty(hints[each.name])

    def convert(value: object) -> object:
        taken: dict[str, Any] = {name: getattr(value, name) for name in copied}
        for name, turn in turned:
            taken[name] = turn(getattr(value, name))
        return target(**taken, **filled)

    return convert


def _turn(hint: object) -> Callable[[object], object] | None:
    """Give how a value becomes one of the type `hint`, or None where it stays as it is."""
    kind = _without_none(hint)
    if get_origin(kind) is tuple:
        turn = _turn(get_args(kind)[0])
        return None if turn is None else lambda values: None if values is None else tuple(turn(each) for each in values)  # type: ignore[attr-defined]
    if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, IntEnum)):
        as_kind = cast("Callable[[object], object]", partial(fitted, target=kind) if is_dataclass(kind) else kind)
        return lambda value: None if value is None else as_kind(value)
    return None


def _never_none(turn: Callable[[object], object] | None, empty: object) -> Callable[[object], object]:
    """Give how a value goes over into a field that knows no null, as in the older versions of a message."""
    if turn is None:
        return lambda value: empty if value is None else value
    return lambda value: empty if value is None else turn(value)


def _gives_none(hint: object) -> bool:
    """Say whether None may come from a field; kio gives it for a list, too, that a client has sent as null."""
    return _may_be_none(hint) or get_origin(hint) is tuple


def _may_be_none(hint: object) -> bool:
    return _without_none(hint) is not hint


def _empty(hint: object) -> object:
    if _may_be_none(hint):
        return None
    kind = hint
    if get_origin(kind) is tuple:
        return ()
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return kind(0)
    return next(empty for base, empty in _EMPTY.items() if isinstance(kind, type) and issubclass(kind, base))


def _without_none(hint: object) -> object:
    if get_origin(hint) in {Union, UnionType}:
        kinds = [kind for kind in get_args(hint) if kind is not NoneType]
        return kinds[0] if len(kinds) == 1 else hint
    return hint
