"""The tools are set as strictly as the house says, and bite."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from architecture.source import PACKAGE, REPOSITORY

BIN = Path(sys.executable).parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
TOOLS = PROJECT["tool"]

BRANCHY = 'def f(x: int) -> int:\n    """Branch."""\n' + "".join(
    f"    if x == {i}:\n        return {i + 100}\n" for i in range(11)
)
PLANTS = {
    "C901": BRANCHY + "    return 0\n",
    "RUF022": '__all__ = ["b", "a"]\na = b = 1\n',
    "D103": "def f() -> None:\n    pass\n",
    "ANN201": 'def f():  # type: ignore[no-untyped-def]\n    """Return."""\n    return 1\n',
    "E501": f"x = '{'x' * 120}'\n",
    "TID252": "from . import errors\n",
}


def tool(name: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / name, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("code", PLANTS)
def test_ruff_finds_a_planted_violation(code: str, tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    planted = tmp_path / "src" / "protopact" / "planted.py"
    planted.parent.mkdir(parents=True)
    planted.write_text(f'"""Planted."""\n\n{PLANTS[code]}')
    result = tool("ruff", "check", "--no-cache", "--output-format=concise", "src", cwd=tmp_path)
    assert result.returncode == 1
    assert f" {code} " in result.stdout


def test_mypy_finds_a_planted_violation(tmp_path: Path) -> None:
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    planted = tmp_path / "src" / "protopact" / "planted.py"
    planted.parent.mkdir(parents=True)
    planted.write_text("def f(x: list) -> int:\n    return x\n")
    planted.with_name("__init__.py").write_text("")
    result = tool("mypy", "--no-incremental", cwd=tmp_path)
    assert result.returncode == 1
    assert "[type-arg]" in result.stdout


def test_ruff_checks_everything_and_each_exclusion_has_its_reason() -> None:
    lint = TOOLS["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    assert lint["mccabe"] == {"max-complexity": 10}
    excluded = lint["ignore"] + [code for codes in lint["per-file-ignores"].values() for code in codes]
    lines = (REPOSITORY / "pyproject.toml").read_text().splitlines()
    bare = [code for code in excluded if not any(f'"{code}",' in line and "#" in line for line in lines)]
    assert bare == []


def test_mypy_is_strict_and_no_room_is_left_out() -> None:
    assert TOOLS["mypy"]["strict"] is True
    assert TOOLS["mypy"]["packages"] == ["protopact"]
    ours = [name for override in TOOLS["mypy"]["overrides"] for name in override["module"] if "protopact" in name]
    assert ours == []


def test_pytest_turns_warnings_into_errors() -> None:
    assert TOOLS["pytest"]["ini_options"]["filterwarnings"] == ["error"]


def test_uv_downloads_no_interpreter() -> None:
    assert TOOLS["uv"]["python-downloads"] == "never"


def test_the_version_is_written_once_in_the_project_and_once_in_the_package() -> None:
    import protopact

    assert protopact.__version__ == PROJECT["project"]["version"]


def test_the_package_is_typed() -> None:
    assert (PACKAGE / "py.typed").is_file()


def test_no_base_dependency_is_optional_elsewhere_and_all_holds_every_extra() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    everything = extras["all"][0].removeprefix("protopact[").removesuffix("]").split(",")
    assert sorted(everything) == sorted(set(extras) - {"all"})
    assert len(PROJECT["project"]["dependencies"]) <= 8
