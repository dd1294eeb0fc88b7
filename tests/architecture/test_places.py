"""Tests stand where the source stands, and the file map of the house is today's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from architecture.file_map import STARS, file_map, written_map
from architecture.source import PACKAGE, REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

UNIT = REPOSITORY / "tests" / "unit"


def unmirrored(package: Path, unit: Path) -> list[str]:
    """Rooms and ground files without unit tests, and unit tests without a room."""
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    ground = {f"test_{path.stem}.py" for path in package.glob("*.py") if path.stem != "__init__"}
    tested = {path.parent.name for path in unit.glob("*/**/test_*.py") if path.parent.parent == unit}
    tested_ground = {path.name for path in unit.glob("test_*.py")}
    return sorted((rooms ^ tested) | (ground ^ tested_ground))


def test_the_unit_tests_mirror_the_source() -> None:
    assert unmirrored(PACKAGE, UNIT) == []


def test_a_room_without_tests_and_tests_without_a_room_are_found(tmp_path: Path) -> None:
    for place in ("src/a/__init__.py", "src/b/__init__.py", "src/c.py", "unit/a/test_x.py", "unit/old/test_y.py"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    assert unmirrored(tmp_path / "src", tmp_path / "unit") == ["b", "old", "test_c.py"]


def test_the_file_map_of_the_house_is_todays() -> None:
    """Run `just golden` after adding, moving or renaming a file."""
    assert written_map() == file_map()


def test_every_starred_file_exists() -> None:
    assert [place for place in sorted(STARS) if not (PACKAGE / place).is_file()] == []
