"""`protopact models` on a module in the current directory."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from protopact.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODELS = "from pydantic import BaseModel\n\nclass Ticket(BaseModel):\n    id: int\n    seat: str\n"
NAME = "cinema_models"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / f"{NAME}.py").write_text(MODELS)
    yield tmp_path / f"{NAME}.py"
    sys.modules.pop(NAME, None)


def test_lock_writes_the_file_beside_the_module_and_says_what_is_new(
    module: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = module.with_name("protopact.lock")
    assert main(["models", "lock", NAME, "--check"]) == 100
    assert not lock.exists()
    assert main(["models", "lock", NAME]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"{lock}: Ticket.id: new, number 1", f"{lock}: Ticket.seat: new, number 2",
    ]  # fmt: skip
    assert main(["models", "lock", f"{NAME}:Ticket", "--check"]) == 0
    assert capsys.readouterr().out == f"{lock}: nothing new\n"


def test_another_file_may_be_named(module: Path) -> None:
    assert main(["models", "lock", NAME, "--file", "numbers.lock"]) == 0
    assert module.with_name("numbers.lock").is_file()


def test_show_prints_the_derived_schema(module: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "show", f"{NAME}:Ticket"]) == 0
    assert "message Ticket {\n  int64 id = 1;\n  string seat = 2;\n}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        ("no_such_module", "cannot be imported"), (f"{NAME}:Nothing", "cannot be imported"), ("no name", "cannot be"),
        (f"{NAME}:BaseModel.copy", "is no model"), ("json", "defines no model"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_refused(
    module: Path, argument: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "lock", argument]) == 1
    assert complaint in capsys.readouterr().err


def test_the_command_finds_modules_from_the_current_directory_in_a_process_of_its_own(module: Path) -> None:
    command = [sys.executable, "-P", "-m", "protopact.cli", "models", "show", NAME]
    shown = subprocess.run(command, cwd=module.parent, capture_output=True, text=True, check=True)
    assert "message Ticket" in shown.stdout
