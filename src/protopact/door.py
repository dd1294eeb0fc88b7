"""Lazy doors: a package names what it offers; a module is loaded when one of its names is first used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def door(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """Give the `__getattr__` of `package`: `homes` maps each public name to the module that defines it.

    A module is named relative to the package ("prefix") or by its whole path ("protopact.framing"). The name is
    kept in the package after its first use, so later look-ups cost nothing.
    """

    def load(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(home if "." in home else f"{package}.{home}")
        value: object = getattr(module, name)
        setattr(sys.modules[package], name, value)
        return value

    return load
