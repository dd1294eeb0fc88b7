"""Users of a registry are set up by command, and no password is ever an argument."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from protopact.cli.main import main
from protopact.server.guard.users import read_users


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "users.json"
    monkeypatch.setenv("PROTOPACT_REGISTRY_USERS", str(path))
    monkeypatch.setenv("PROTOPACT_USER_PASSWORD", "correct horse")
    return path


def run(*words: str) -> int:
    return main(["registry", "users", *words])


def test_users_are_added_listed_changed_and_removed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("add", "ann", "--role", "admin:*") == 0
    assert run("add", "robot", "--no-password", "--role", "reader:a-*", "--role", "writer:b-*") == 0
    assert run("roles", "ann", "reader:*") == 0
    capsys.readouterr()
    assert run("list", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == [
        {"name": "ann", "roles": ["reader:*"], "signs in by": "password"},
        {"name": "robot", "roles": ["reader:a-*", "writer:b-*"], "signs in by": "token"},
    ]
    assert run("remove", "robot") == 0
    assert list(read_users(file)) == ["ann"]


def test_a_new_password_keeps_the_roles(file: Path, tmp_path: Path) -> None:
    run("add", "ann", "--role", "admin:*")
    before = read_users(file)["ann"]
    (tmp_path / "password").write_text("another horse\n")
    assert run("add", "ann", "--password-file", str(tmp_path / "password")) == 0
    after = read_users(file)["ann"]
    assert (after.grants, after.password_hash == before.password_hash) == (before.grants, False)


@pytest.mark.parametrize(
    "words",
    [
        ["add", "a:b"],
        ["add", "ann", "--role", "king:*"],
        ["add", "ann", "--password-file", "/none"],
        ["remove", "nobody"],
        ["roles", "nobody", "reader:*"],
    ],
)
def test_what_makes_no_sense_is_an_error_and_changes_nothing(file: Path, words: list[str]) -> None:
    run("add", "eve", "--role", "reader:*")
    before = file.read_bytes()
    assert run(*words) == 1
    assert file.read_bytes() == before


def test_without_a_terminal_a_password_must_come_from_somewhere(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PROTOPACT_USER_PASSWORD")
    assert run("add", "ann") == 1
    assert "--password-file" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run("add", "ann", "--password", "secret")


def test_a_served_registry_lets_the_users_in(file: Path, tmp_path: Path) -> None:
    run("add", "ann", "--role", "admin:*")
    command = [sys.executable, "-m", "protopact.cli", "registry", "serve", "--listen", "127.0.0.1:0", "--log-requests"]
    with subprocess.Popen(
        [*command, "--store", f"sqlite:{tmp_path / 'r.db'}", "--users", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            urllib.request.urlopen(f"{url}/subjects", timeout=10)
        refused.value.close()
        request = urllib.request.Request(f"{url}/subjects", headers={"Authorization": "Basic YW5uOmNvcnJlY3QgaG9yc2U="})
        with urllib.request.urlopen(request, timeout=10) as reply:
            assert json.load(reply) == []
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    lines = [json.loads(line) for line in errors.splitlines()]
    assert [(line["path"], line["status"]) for line in lines] == [("/subjects", 401), ("/subjects", 200)]
    assert b"correct" not in arguments
    assert "correct" not in errors
