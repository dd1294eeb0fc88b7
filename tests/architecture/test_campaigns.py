"""An absent part is skipped at a desk and fails in CI; campaigns have two counts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from architecture.source import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

ASKING = """
def test_absent(absent):
    absent("live", "no broker answers")

def test_count(count):
    assert count(3, 500) == {expected}
"""


def outcome(folder: Path, expected: int, **environment: str) -> str:
    """The closing line of a run of ASKING beside the project's own conftest."""
    shutil.copy(REPOSITORY / "tests" / "conftest.py", folder)
    (folder / "test_asking.py").write_text(ASKING.format(expected=expected))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PROTOPACT_")} | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder]
    result = subprocess.run(command, env={**clean, **environment}, capture_output=True, text=True, check=False)
    return result.stdout.strip().splitlines()[-1]


def test_an_absent_part_is_skipped_at_a_desk(tmp_path: Path) -> None:
    assert outcome(tmp_path, 3, PROTOPACT_REQUIRE="interop").startswith("1 passed, 1 skipped")


def test_an_absent_part_fails_where_it_is_required(tmp_path: Path) -> None:
    assert outcome(tmp_path, 3, PROTOPACT_REQUIRE="interop, live").startswith("1 failed, 1 passed")


def test_the_full_count_is_asked_for_by_the_environment(tmp_path: Path) -> None:
    assert outcome(tmp_path, 500, PROTOPACT_COUNT="full").startswith("1 passed, 1 skipped")
