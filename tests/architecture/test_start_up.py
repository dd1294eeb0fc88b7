"""What an import loads, by the names of the modules: no clock is asked."""

from __future__ import annotations

import subprocess
import sys

import pytest

from architecture.source import PACKAGE

HEAVY = {
    "asyncio", "confluent_kafka", "google", "grpc", "grpc_tools", "httpx2", "protovalidate", "pyarrow", "pydantic",
    "rich", "sqlite3", "uvicorn",
}  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a statement loads in a fresh interpreter, beyond what Python loads itself."""

    def names(code: str) -> set[str]:
        command = [sys.executable, "-I", "-X", "importtime", "-c", code]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
        return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}

    return names(statement) - names("pass")


def test_importing_protopact_loads_the_front_door_alone() -> None:
    assert {name for name in loaded_by("import protopact") if name.startswith("protopact")} == {
        "protopact",
        "protopact.door",
    }


def test_importing_protopact_loads_nothing_heavy() -> None:
    assert {name.partition(".")[0] for name in loaded_by("import protopact")} & HEAVY == set()


def test_the_watch_sees_a_planted_import() -> None:
    assert {name.partition(".")[0] for name in loaded_by("import protopact, asyncio")} & HEAVY == {"asyncio"}


@pytest.mark.skipif(not (PACKAGE / "cli" / "main.py").exists(), reason="no command line yet")
def test_the_command_line_starts_without_protobuf_or_an_event_loop() -> None:
    assert {name.partition(".")[0] for name in loaded_by("import protopact.cli.main")} & HEAVY == set()
