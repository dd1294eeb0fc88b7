"""Schemas from short texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from protopact.compat import Difference, compare
from protopact.compiler import compile_text

if TYPE_CHECKING:
    from protopact.descriptor import FileSet


class Schema(Protocol):
    def __call__(self, body: str, *, syntax: str = "proto3", **sources: str) -> FileSet: ...


class Found(Protocol):
    def __call__(self, original: str, update: str, *, syntax: str = "proto3") -> list[str]: ...


@pytest.fixture(scope="session")
def schema() -> Schema:
    """Compile a text without its syntax line; `sources` are imports by name, without `.proto`."""

    def build(body: str, *, syntax: str = "proto3", **sources: str) -> FileSet:
        imports = "".join(f'import "{name}.proto"; ' for name in sources)
        texts = {f"{name}.proto": f'syntax = "{syntax}"; {text}' for name, text in sources.items()}
        return compile_text(f'syntax = "{syntax}"; {imports}{body}', sources=texts)

    return build


@pytest.fixture(scope="session")
def found(schema: Schema) -> Found:
    """Give the differences of two texts, each as `TYPE path`, refused ones with a `!`."""

    def differences(original: str, update: str, *, syntax: str = "proto3") -> list[str]:
        return [shown(one) for one in compare(schema(original, syntax=syntax), schema(update, syntax=syntax))]

    return differences


def shown(one: Difference) -> str:
    return f"{'!' if one.incompatible else ''}{one.type} {one.path}"
