"""The command line loads little, explains errors in one line with a remedy, and keeps its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from protopact.cli.main import COMMANDS, main

if TYPE_CHECKING:
    from pathlib import Path


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main([name, "--help"])
    assert exit_.value.code == 0
    assert f"protopact {name}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["schema"], ["schema", "get"], ["up", "--no-such-option"]])
def test_wrong_usage_leaves_with_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2


def test_an_error_is_one_line_with_a_hint_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", "--registry", "nowhere"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "error: --registry is 'nowhere', which is no HOST:PORT",
        "hint: for example 127.0.0.1:8081",
    ]


def test_a_syntax_error_in_a_schema_is_shown_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "order.proto"
    file.write_text('syntax = "proto3";\nmessage Order {\n  strin id = 1\n}\n')
    assert main(["schema", "register", "orders-value", str(file), "--registry", "memory:"]) == 1
    assert "order.proto:4:1" in capsys.readouterr().err


def test_an_output_that_nobody_reads_any_more_is_no_traceback(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "protopact.cli", "schema", "list", "--registry", f"sqlite:{tmp_path / 'r.db'}"]
    result = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    os.close(writing)
    assert "Traceback" not in result.stderr
