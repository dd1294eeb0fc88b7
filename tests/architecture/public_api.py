"""The public interface as text, one line a name, so that a change to it is seen in review."""

from __future__ import annotations

import inspect
import re
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, cast

from architecture.source import PACKAGE, ROOT, modules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def doors() -> list[str]:
    """The packages that offer names: the front door first, then the rooms by name."""
    return [module.name for module in modules(PACKAGE) if module.is_door and module.offers]


def public_api() -> str:
    """Every name of every door with its signature; the front door only says where a name lives."""
    return "\n".join(line for door in doors() for line in ["", f"# {door}", *_door(door)]).lstrip() + "\n"


def _door(door: str) -> Iterator[str]:
    module = import_module(door)
    for name in module.__all__:
        value: object = getattr(module, name)
        home = getattr(value, "__module__", None) or door
        if door == ROOT:
            yield name if not home.startswith(f"{ROOT}.") else f"{name} ← {'.'.join(home.split('.')[:2])}"
        else:
            yield from _named(name, value)


def _named(name: str, value: object) -> Iterator[str]:
    if inspect.isclass(value):
        bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
        yield f"class {name}({bases})" if bases else f"class {name}"
        yield from (f"    {line}" for line in _members(value))
    elif inspect.isroutine(value):
        yield _signature(name, value)
    else:
        yield f"{name}: {type(value).__name__}"


def _members(cls: type) -> Iterator[str]:
    described = {**cls.__dict__}
    if "__init__" in described and "__dataclass_fields__" not in described:
        yield _signature("__init__", described["__init__"])
    for name, annotation in sorted(inspect.get_annotations(cls).items()):
        if not name.startswith("_"):
            yield f"{name}: {annotation}"
    for name, member in sorted(described.items()):
        if name.startswith("_") and name != "__call__":
            continue
        if isinstance(member, property | cached_property):
            read = member.fget if isinstance(member, property) else member.func
            yield f"{name} → {inspect.signature(cast('Callable[..., object]', read)).return_annotation}"
        elif isinstance(member, classmethod | staticmethod):
            yield f"@{type(member).__name__} {_signature(name, member.__func__)}"
        elif inspect.isroutine(member):
            yield _signature(name, member)


def _signature(name: str, routine: object) -> str:
    signature = inspect.signature(cast("Callable[..., object]", routine))
    parameters = [one.replace(annotation=_bare(one.annotation)) for one in signature.parameters.values()]
    shown = signature.replace(parameters=parameters, return_annotation=_bare(signature.return_annotation))
    line = f"{'async def' if inspect.iscoroutinefunction(routine) else 'def'} {name}{shown}"
    return re.sub(r" at 0x[0-9a-f]+", "", line)


class _Bare(str):
    """Text that shows itself without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _bare(annotation: object) -> object:
    return _Bare(annotation) if isinstance(annotation, str) else annotation
