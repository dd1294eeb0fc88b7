"""A small shop as files, a registry on disk, and a way to run a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.cli.configuration import PROFILE_VARIABLE, SETTINGS
from protopact.cli.main import main
from unit.cli.running import Ran

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ORDER = 'syntax = "proto3";\npackage shop;\nimport "shop/money.proto";\nmessage Order {\n  Money price = 1;\n}\n'
MONEY = 'syntax = "proto3";\npackage shop;\nmessage Money {\n  int64 units = 1;\n}\n'


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable, `.env` or profile of whoever runs the tests counts."""
    for name in (PROFILE_VARIABLE, *(name for names in SETTINGS.values() for name in names)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command: `run("schema", "list")`."""

    def command(*words: object) -> Ran:
        capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return command


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Path]:
    """Write the shop's files; keywords replace them: `shop(money=…)`, `shop(project=…)`."""

    def write(order: str = ORDER, money: str = MONEY, project: str = "", name: str = "protos") -> Path:
        directory = tmp_path / name
        (directory / "shop").mkdir(parents=True, exist_ok=True)
        (directory / "shop" / "order.proto").write_text(order)
        (directory / "shop" / "money.proto").write_text(money)
        subjects = '[subjects]\norders-value = "shop/order.proto"\n'
        (directory / "protopact.toml").write_text(f"{project}\n{subjects}")
        return directory

    return write


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A registry on disk that every command uses."""
    url = f"sqlite:{tmp_path / 'registry.db'}"
    monkeypatch.setenv("PROTOPACT_REGISTRY_URL", url)
    return url
