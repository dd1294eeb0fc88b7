"""Every code block of README and docs does what it says: Python runs, shell runs, other languages parse."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from protopact.compiler import compile_text

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
PAGES += sorted((REPOSITORY / "docs").rglob("*.md"))
BIN = Path(sys.executable).parent

# Blocks under these headings install the project or run these very tests: CI runs them, here their syntax is checked.
NOT_RUN_HERE = {"Run", "Test", "Set up", "Work"}
PARSERS = {"json": json.loads, "toml": tomllib.loads, "proto": compile_text}


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, under which heading, in which language."""

    place: str
    heading: str
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    found, heading, opened = [], "", None
    lines: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = re.match(r"```(\w*)", line)
        if opened is not None:
            if fence:
                found.append(Block(f"{page.name}:{opened[0]}", heading, opened[1], "\n".join(lines) + "\n"))
                opened = None
            else:
                lines.append(line)
        elif fence:
            opened, lines = (number, fence[1]), []
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    return found


BLOCKS = [block for page in PAGES for block in blocks(page)]


def in_language(language: str) -> pytest.MarkDecorator:
    chosen = [block for block in BLOCKS if block.language == language]
    return pytest.mark.parametrize("block", chosen, ids=[block.place for block in chosen])


def run(command: list[str | Path], folder: Path) -> None:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@in_language("python")
def test_a_python_block_runs(block: Block, tmp_path: Path) -> None:
    (tmp_path / "block.py").write_text(block.text)
    run([sys.executable, "-W", "error", "block.py"], tmp_path)


@in_language("bash")
def test_a_shell_block_is_sound_and_runs(block: Block, tmp_path: Path) -> None:
    (tmp_path / "block.sh").write_text(block.text)
    run(["bash", "-n", "block.sh"], tmp_path)
    if block.heading not in NOT_RUN_HERE:
        run(["bash", "-euo", "pipefail", "block.sh"], tmp_path)


def test_blocks_of_data_parse() -> None:
    for block in BLOCKS:
        if block.language in PARSERS:
            PARSERS[block.language](block.text)


def test_every_block_names_a_language_that_is_checked() -> None:
    checked = {"python", "bash", "text", *PARSERS}  # text: what a program prints, or a drawing
    assert [block.place for block in BLOCKS if block.language not in checked] == []


@pytest.mark.parametrize("heading", ["Run", "Test"])
def test_the_readme_has_one_whole_command_under_run_and_test(heading: str) -> None:
    (block,) = [block for block in blocks(REPOSITORY / "README.md") if block.heading == heading]
    command = block.text.strip()
    assert command.count("\n") == 0
    assert command.startswith("python3 -m venv .venv && ")
    shown = subprocess.run([REPOSITORY / ".ci" / "readme-command", heading], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == command


def test_links_inside_the_repository_lead_somewhere() -> None:
    links = [
        (page, target)
        for page in PAGES
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target
    ]
    assert [(page.name, target) for page, target in links if not (page.parent / target).exists()] == []
