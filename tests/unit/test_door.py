"""Lazy doors."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from protopact.door import door

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A package `lazy_room` whose module `inner` offers `answer`, and whose door knows it."""
    folder = tmp_path / "lazy_room"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from protopact.door import door\n"
        "__getattr__ = door(__name__, {'answer': 'inner', 'gone': 'inner', 'lost': 'no'})\n"
    )
    (folder / "inner.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("lazy_room", "lazy_room.inner"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import lazy_room

    return lazy_room


def test_a_module_is_loaded_when_a_name_of_it_is_first_used(package: ModuleType) -> None:
    assert "lazy_room.inner" not in sys.modules
    assert package.answer == 42
    assert "lazy_room.inner" in sys.modules


def test_a_name_is_kept_after_its_first_use(package: ModuleType) -> None:
    assert "answer" not in vars(package)
    assert package.answer is vars(package)["answer"]


def test_a_name_may_be_imported_through_the_door(package: ModuleType) -> None:
    from lazy_room import answer

    assert answer == 42


def test_an_unknown_name_is_an_attribute_error_that_says_which(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="module 'lazy_room' has no attribute 'question'"):
        _ = package.question
    assert not hasattr(package, "question")


def test_a_home_with_a_dot_is_a_whole_path() -> None:
    from json import JSONDecoder

    sys.modules["lazy_stub"] = ModuleType("lazy_stub")
    try:
        assert door("lazy_stub", {"JSONDecoder": "json.decoder"})("JSONDecoder") is JSONDecoder
    finally:
        del sys.modules["lazy_stub"]


def test_a_home_that_lacks_its_name_is_an_attribute_error(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="gone"):
        _ = package.gone


def test_a_home_that_is_missing_is_an_import_error(package: ModuleType) -> None:
    with pytest.raises(ImportError, match=r"lazy_room\.no"):
        _ = package.lost
