"""`registry backup|restore|audit`, and logging in to a registry over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.server import background_registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unit.cli.running import Ran


def test_a_backup_restores_every_id_and_version(
    run: Callable[..., Ran], shop: Callable[..., Path], store: str, tmp_path: Path
) -> None:
    run("apply", shop())
    before = run("schema", "list").out
    assert run("registry", "backup", store, tmp_path / "backup.db").out == f"{tmp_path / 'backup.db'}\n"
    assert run("registry", "backup", store, tmp_path / "backup.db").code == 1
    other = f"sqlite:{tmp_path / 'other.db'}"
    assert run("registry", "restore", tmp_path / "backup.db", other).code == 0
    assert run("schema", "list", "--registry", other).out == before
    assert run("registry", "restore", tmp_path / "backup.db", other).code == 1


@pytest.mark.usefixtures("store")
def test_audit_tells_who_did_what_when(run: Callable[..., Ran], shop: Callable[..., Path]) -> None:
    run("apply", shop())
    newest, oldest = run("registry", "audit").said
    assert (newest["number"], newest["what"], newest["subject"]) == (2, "register", "orders-value")
    assert newest["time"].endswith("+00:00")
    assert run("registry", "audit", "--limit", "1").said == [newest]
    assert run("registry", "audit", "--before", "2").said == [oldest]
    assert "orders-value" in run("registry", "audit", "--format", "table").out


def test_a_command_logs_in_by_name_and_password(
    run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from protopact.server import Guard, Users

    users = tmp_path / "users.json"
    monkeypatch.setenv("PROTOPACT_USER_PASSWORD", "correct horse")
    assert run("registry", "users", "add", "ann", "--role", "admin:*", "--users", users).code == 0
    with background_registry(guard=Guard(users=Users(users))) as url:
        assert run("schema", "list", "--registry", url).code == 1
        monkeypatch.setenv("PROTOPACT_REGISTRY_PASSWORD", "correct horse")
        assert run("schema", "list", "--registry", url, "--user", "ann").said == []
        monkeypatch.setenv("PROTOPACT_REGISTRY_PASSWORD", "wrong")
        assert run("schema", "list", "--registry", url, "--user", "ann").code == 1
