"""The floors of the house, as import-linter sees them: the tree keeps them, and a planted violation is seen."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from architecture.source import PACKAGE, REPOSITORY

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
CONTRACTS = [
    contract
    for contract in tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    if "layers" in contract
]
NAMED = [  # places in the package, below each contract's container; planned ones in brackets
    "/".join([*container.split(".")[1:], room.strip()])
    for contract in CONTRACTS
    for container in contract["containers"]
    for floor in contract["layers"]
    for room in floor.split("|")
]
ROOMS = [place for place in NAMED if "(" not in place]

PLANTS = {
    "a lower floor may not import a higher one": ("framing/a.py", "import protopact.server"),
    "an import inside a function counts": ("framing/a.py", "def f():\n    from protopact.client import X"),
    "an import for type checkers counts": (
        "descriptor/a.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from protopact.schema import X",
    ),
    "rooms on one floor do not know each other": ("descriptor/a.py", "from protopact.framing import X"),
    "ground does not import rooms": ("flow.py", "from protopact.registry import X"),
    "a room that stands on no floor is refused": ("attic/__init__.py", ""),
    "inside the server, too, imports go down": ("server/store/a.py", "from protopact.server.guard import X"),
}
CYCLE = {"schema/a.py": "import protopact.schema.b", "schema/b.py": "def f():\n    import protopact.schema.a"}


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    command = [LINT_IMPORTS, "--no-cache", "--no-logo", "--config", "pyproject.toml"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def plant(folder: Path, files: dict[str, str]) -> None:
    """A house of empty rooms, and some files in it."""
    rooms = {f"{room}/__init__.py": "" for room in ROOMS if not (PACKAGE / f"{room}.py").exists()}
    ground = {f"{room}.py": "" for room in ROOMS if (PACKAGE / f"{room}.py").exists()}
    for place, text in {"__init__.py": "", **rooms, **ground, **files}.items():
        path = folder / "protopact" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")


def test_the_tree_keeps_the_floors(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "protopact", ignore=shutil.ignore_patterns("__pycache__"))
    result = lint_imports(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_an_empty_house_keeps_the_floors(tmp_path: Path) -> None:
    plant(tmp_path, {"framing/a.py": "import protopact.errors"})
    result = lint_imports(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("place", "text"), PLANTS.values(), ids=PLANTS)
def test_a_planted_import_breaks_the_floors(place: str, text: str, tmp_path: Path) -> None:
    plant(tmp_path, {place: text})
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    assert re.search(r"(only from lower floors|imports go down)[^.]*? BROKEN", result.stdout)


def test_a_planted_cycle_inside_a_room_is_found(tmp_path: Path) -> None:
    plant(tmp_path, CYCLE)
    result = lint_imports(tmp_path)
    assert result.returncode == 1
    assert "No cycle between the modules of a room, nor between rooms BROKEN" in result.stdout


def test_the_floors_name_only_rooms_that_exist_or_are_planned() -> None:
    planned = [place.replace("(", "").replace(")", "") for place in NAMED if "(" in place]
    assert [room for room in planned if (PACKAGE / room).exists() or (PACKAGE / f"{room}.py").exists()] == []
