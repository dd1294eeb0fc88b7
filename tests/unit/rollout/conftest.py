"""A small shop as files, and a registry in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.connect import connect_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from protopact.client import SchemaRegistryClient

ORDER = 'syntax = "proto3";\npackage shop;\nimport "shop/money.proto";\nmessage Order {\n  Money price = 1;\n}\n'
MONEY = 'syntax = "proto3";\npackage shop;\nmessage Money {\n  int64 units = 1;\n}\n'
SUBJECTS = '[subjects]\norders-value = "shop/order.proto"\n'


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Path]:
    """Write a directory of schemas: files by import path replace those of the shop, None takes one away."""

    def write(files: dict[str, str | None] | None = None, project: str = SUBJECTS, name: str = "protos") -> Path:
        directory = tmp_path / name
        for path, text in {"shop/order.proto": ORDER, "shop/money.proto": MONEY, **(files or {})}.items():
            place = directory / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                place.unlink(missing_ok=True)
            else:
                place.write_text(text)
        (directory / "protopact.toml").write_text(project)
        return directory

    return write


@pytest.fixture
def registry() -> Iterator[SchemaRegistryClient]:
    with connect_registry("memory:") as client:
        yield client
