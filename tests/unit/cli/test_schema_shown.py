"""What the commands say of a schema: everything that identifies it, and each fault once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unit.cli.running import Ran

GOOD = 'syntax = "proto3";\nmessage A {\n  int32 a = 1;\n}\n'


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROTOPACT_REGISTRY_URL", f"sqlite:{tmp_path / 'registry.db'}")


def test_a_list_tells_the_hash_of_each_version(run: Callable[..., Ran], tmp_path: Path) -> None:
    file = tmp_path / "a.proto"
    file.write_text(GOOD)
    (registered,) = run("schema", "register", "s", file).said
    (listed,) = run("schema", "list", "s").said
    assert len(registered["guid"]) == 36
    assert listed == registered


def test_everything_that_the_registry_says_is_shown_as_json(run: Callable[..., Ran], tmp_path: Path) -> None:
    file = tmp_path / "a.proto"
    file.write_text(GOOD)
    run("schema", "register", "s", file)
    shown = run("schema", "get", "s", "--json").said
    assert {"subject", "version", "id", "guid", "type", "schema", "ts", "references"} == set(shown)


def test_a_single_fault_is_told_once(run: Callable[..., Ran], tmp_path: Path) -> None:
    file = tmp_path / "bad.proto"
    file.write_bytes(b"\xff\xfe")
    refused = run("schema", "register", "s", file)
    assert (refused.code, refused.err.count("the file is not UTF-8")) == (1, 1)
    file.write_text('syntax = "proto3"; message A { int32 a = 1; int32 b = 1; int32 a = 2; }')
    assert run("schema", "register", "s", file).err.count("bad.proto:1:") > 1
