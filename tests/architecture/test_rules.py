"""The tree keeps every rule of the house, and every rule bites: each is shown a planted violation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from architecture import rules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Rule = Callable[..., list[str]]

DOOR = '''"""A room."""
from typing import TYPE_CHECKING
from protopact.door import door
if TYPE_CHECKING:
    from protopact.room.inner import thing
__all__ = ["thing"]
__getattr__ = door(__name__, {"thing": "inner"})
'''
HOUSE = {
    "__init__.py": "",
    "door.py": "def door(*_): ...",
    "room/__init__.py": DOOR,
    "room/inner.py": 'def thing() -> int:\n    """Give one."""\n    return 1\n',
    "other/__init__.py": "",
    "corridor/__init__.py": "",
    "corridor/cell/__init__.py": '__all__ = ["x"]',
    "corridor/cell/inner.py": "x = 1  # a number",
    "room/guest.py": "from protopact.corridor.cell import x",
    "other/own.py": "import_module(f'protopact.other.{name}')\nimport_module('json')",
}

# rule → a file that breaks it (each line of code is wanted in at least one finding) and what the finding says
PLANTS: list[tuple[Rule, dict[str, str], str]] = [
    (rules.inner_imports, {"other/a.py": "from protopact.room.inner import thing"}, "past its door protopact.room"),
    (rules.inner_imports, {"other/a.py": "from protopact.room import inner"}, "past its door protopact.room"),
    (rules.inner_imports, {"other/a.py": "def f():\n    import protopact.room.inner"}, "other/a.py:2"),
    (
        rules.inner_imports,
        {"room/a.py": "from protopact.corridor.cell.inner import x"},
        "its door protopact.corridor.cell",
    ),
    (
        rules.inner_imports,
        {"corridor/b.py": "import protopact.corridor.cell.inner"},
        "its door protopact.corridor.cell",
    ),
    (rules.front_door_imports, {"other/a.py": "from protopact import room"}, "other/a.py:1"),
    (rules.front_door_imports, {"other/a.py": "def f():\n    import protopact"}, "other/a.py:2"),
    (rules.front_door_imports, {"other/a.py": "from . import b"}, "other/a.py:1"),
    (rules.hidden_imports, {"other/a.py": "import importlib\nimportlib.import_module('protopact.cli')"}, "a.py:2"),
    (rules.hidden_imports, {"other/a.py": "name = 'protopact' + '.cli'\n__import__(name)"}, "a.py:2"),
    (rules.hidden_imports, {"other/a.py": "name = 'room'\nimport_module(f'protopact.{name}')"}, "a.py:2"),
    (rules.vague_names, {"other/utils.py": ""}, "called utils"),
    (rules.vague_names, {"core/__init__.py": ""}, "called core"),
    (rules.vague_names, {"other/_common.py": ""}, "called _common"),
    (rules.stray_extras, {"other/a.py": "def f():\n    import grpc_tools.protoc"}, "other/a.py:2"),
    (rules.stray_extras, {"other/a.py": "from httpx2 import Client"}, "belongs to client/"),
    (rules.long_modules, {"other/a.py": "\n".join(f"x = {i}" for i in range(401))}, "401 lines of code"),
    (rules.undocumented_names, {"room/inner.py": "def thing() -> int:\n    return 1\n"}, "thing has no docstring"),
    (rules.undocumented_names, {"room/inner.py": "\n\nthing = 1\n"}, "thing has no docstring"),
    (
        rules.undocumented_names,
        {"room/inner.py": 'class thing:\n    """A thing."""\n    def use(self): ...\n'},
        "thing.use has no docstring",
    ),
    (rules.any_in_signatures, {"other/a.py": "def f(x: dict[str, Any]) -> None: ..."}, "f says Any"),
    (rules.any_in_signatures, {"other/a.py": "class C:\n    def f(self) -> typing.Any: ..."}, "C.f says Any"),
    (rules.any_in_signatures, {"other/a.py": "class C:\n    x: list[Any]"}, "C says Any"),
    (rules.shadowed_names, {"room/thing.py": ""}, "room/__init__.py offers thing"),
    (rules.crooked_doors, {"room/__init__.py": DOOR.replace('"thing": "inner"', "")}, "thing is not in all"),
    (rules.crooked_doors, {"room/__init__.py": DOOR.replace('["thing"]', "[]")}, "thing is not in all"),
    (
        rules.crooked_doors,
        {"room/__init__.py": DOOR.replace('"inner"}', '"other"}')},
        "is typed from",
    ),
]
RULES = sorted({rule for rule, _, _ in PLANTS}, key=lambda rule: rule.__name__)


@pytest.fixture
def house(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Build a small package called protopact, with some files replaced or added."""

    def build(files: dict[str, str]) -> Path:
        for place, text in {**HOUSE, **files}.items():
            path = tmp_path / "protopact" / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "protopact"

    return build


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    assert rule() == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_clean_house_has_no_finding(rule: Rule, house: Callable[[dict[str, str]], Path]) -> None:
    assert rule(house({})) == []


@pytest.mark.parametrize(("rule", "files", "said"), PLANTS, ids=[f"{p[0].__name__}{i}" for i, p in enumerate(PLANTS)])
def test_a_planted_violation_is_found(
    rule: Rule, files: dict[str, str], said: str, house: Callable[[dict[str, str]], Path]
) -> None:
    found = rule(house(files))
    assert len(found) == 1
    assert said in found[0]


def test_docstrings_comments_blank_lines_and_declared_tables_are_no_code(
    house: Callable[[dict[str, str]], Path],
) -> None:
    padding = "\n".join(f"    {i}: 'row'," for i in range(500))
    text = f'"""Long.\n{padding}\n"""\n# remark\n\nTABLE = {{\n{padding}\n}}\nx = 1\n'
    assert rules.long_modules(house({"other/a.py": text})) == []


# Exact, so that a number going up is seen in review and one going down is kept. To change one: give the reason
# beside the new `noqa` or `type: ignore`, then set the number that the failing test names.
SILENCED = {"noqa": 28, "type: ignore": 9}


@pytest.mark.parametrize("mark", SILENCED)
def test_the_places_where_a_checker_looks_away_are_counted(mark: str) -> None:
    assert len(rules.silenced(mark)) == SILENCED[mark], rules.silenced(mark)


def test_a_planted_silence_is_counted(house: Callable[[dict[str, str]], Path]) -> None:
    text = "x = 1  # noqa: S101\ny = 2  # type: ignore[misc]\nz = 'noqa'\n"
    package = house({"other/a.py": text})
    assert rules.silenced("noqa", package) == ["other/a.py:1"]
    assert rules.silenced("type: ignore", package) == ["other/a.py:2"]
