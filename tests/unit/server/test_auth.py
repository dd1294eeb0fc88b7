"""Who asks: passwords, what is remembered of them, and the users file."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher, extract_parameters

from protopact.errors import ConfigError, RegistryError
from protopact.flow import Call, perform
from protopact.server.guard.access import Grant
from protopact.server.guard.auth import Guard
from protopact.server.guard.passwords import PasswordChecks, hash_password
from protopact.server.guard.users import User, Users, changing_users, read_users

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "correct horse é"


@pytest.fixture(scope="module")
def hashed() -> str:
    return hash_password(PASSWORD)


@pytest.fixture
def file(tmp_path: Path, hashed: str) -> Path:
    path = tmp_path / "users.json"
    with changing_users(path) as users:
        users["ann"] = User("ann", (Grant.parse("admin:*"),), hashed)
        users["robot"] = User("robot", (Grant.parse("reader:*"),))
    return path


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(file: Path, clock: Clock) -> Iterator[Guard]:
    with closing(Guard(users=Users(file, clock=clock), clock=clock)) as opened:
        yield opened


def basic(name: str, password: str | bytes = PASSWORD) -> str:
    secret = password.encode() if isinstance(password, str) else password
    return "Basic " + base64.b64encode(name.encode() + b":" + secret).decode()


def who(guard: Guard, authorization: str) -> str | int:
    try:
        return perform(guard.identify(Call("GET", "/", headers={"authorization": authorization}))).name
    except RegistryError as error:
        return error.status


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_a_user_is_known_by_name_and_password(guard: Guard, scheme: str) -> None:
    assert who(guard, basic("ann").replace("Basic", scheme)) == "ann"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic " + base64.b64encode(b"ann").decode(),
        "Basic " + base64.b64encode(b"\xff:x").decode(),
        basic("ann", "wrong"),
        basic("ann", ""),
        basic("ann", PASSWORD + " "),
        basic("ann", PASSWORD.encode() + b"\0"),
        basic("Ann"),
        basic("ann "),
        basic("nobody"),
        basic("robot"),
        basic("robot", ""),
        basic("ann", "x" * 5000),
        basic("ann") + "," + basic("ann"),
        basic("ann").replace("Basic", "Bearer"),
        "Digest x",
        "Basic " + "A" * 100_000,
        "\x00\xff" * 10,
    ],
)
def test_anything_else_is_refused_in_one_way(guard: Guard, authorization: str) -> None:
    assert who(guard, authorization) == 401
    assert guard.find_known(authorization) is None


def test_what_was_verified_is_remembered_for_a_while_and_costs_little(guard: Guard, clock: Clock) -> None:
    assert guard.find_known(basic("ann")) is None
    assert who(guard, basic("ann")) == "ann"
    start_s = time.thread_time()  # not the clock on the wall: the machine may have other things to do
    for _ in range(100):
        assert guard.find_known(basic("ann")) is not None
    assert (time.thread_time() - start_s) / 100 < 0.002
    clock.now += 301
    assert guard.find_known(basic("ann")) is None


def test_a_wrong_password_is_never_remembered(guard: Guard) -> None:
    for _ in range(2):
        assert who(guard, basic("ann", "wrong")) == 401
    assert who(guard, basic("ann")) == "ann"
    assert who(guard, basic("ann", "wrong")) == 401


def test_a_change_of_the_users_holds_within_a_second(guard: Guard, clock: Clock, file: Path) -> None:
    assert who(guard, basic("ann")) == "ann"
    with changing_users(file) as users:
        del users["ann"]
    clock.now += 1.1
    assert guard.find_known(basic("ann")) is None
    assert who(guard, basic("ann")) == 401


def test_new_roles_hold_without_signing_in_again(guard: Guard, clock: Clock, file: Path) -> None:
    assert who(guard, basic("ann")) == "ann"
    with changing_users(file) as users:
        users["ann"] = User("ann", (Grant.parse("reader:x"),), users["ann"].password_hash)
    clock.now += 1.1
    principal = perform(guard.identify(Call("GET", "/", headers={"authorization": basic("ann")})))
    assert [str(grant) for grant in principal.grants] == ["reader:x"]


def test_a_users_file_that_breaks_leaves_the_users_as_they_were(
    guard: Guard, clock: Clock, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for damage in (lambda: file.write_text("{"), file.unlink):
        damage()
        clock.now += 1.1
        assert who(guard, basic("ann")) == "ann"
        assert "stay as they were" in caplog.text


def test_an_unknown_name_costs_the_same_check_as_a_known_one(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[object] = []
    verify = PasswordHasher.verify

    def recorded(self: PasswordHasher, known: str, password: bytes) -> bool:
        checked.append(extract_parameters(known))
        return verify(self, known, password)

    monkeypatch.setattr(PasswordHasher, "verify", recorded)
    for name in ("ann", "nobody", "robot"):  # one with a password, one unknown, one who signs in by token alone
        assert who(guard, basic(name, "wrong password")) == 401
    assert len(checked) == 3
    assert checked[0] == checked[1] == checked[2]


def test_the_same_sign_in_many_times_at_once_is_checked_once(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[object] = []
    verify = PasswordChecks._verify

    def counted(self: PasswordChecks, password: bytes, known: str | None) -> bool:
        checks.append(password)
        return verify(self, password, known)

    monkeypatch.setattr(PasswordChecks, "_verify", counted)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: who(guard, basic("ann")), range(32))) == {"ann"}
    assert len(checks) <= 8


def test_sign_ins_beyond_the_queue_are_told_to_come_again(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = threading.Event()
    monkeypatch.setattr(PasswordChecks, "_verify", lambda *_: hold.wait(10))
    with ThreadPoolExecutor(80) as pool:
        answers = [pool.submit(who, guard, basic("ann", f"p{number}")) for number in range(80)]
        while sum(answer.done() for answer in answers) < 16:
            time.sleep(0.01)
        hold.set()
        told = [answer.result() for answer in answers]
    assert told.count(503) == 16


def test_no_secret_is_in_a_repr_or_in_the_logs(
    guard: Guard, file: Path, hashed: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    assert who(guard, basic("ann")) == "ann"
    assert who(guard, basic("ann", "wr0ng-secret")) == 401
    told = caplog.text + repr(vars(guard)) + repr(read_users(file)) + repr(guard._users._users)
    for secret in (PASSWORD, "wr0ng-secret", hashed, base64.b64encode(f"ann:{PASSWORD}".encode()).decode()):
        assert secret not in told


def test_the_users_file_is_its_owners_alone_and_is_replaced_in_one_step(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.stat().st_ino
    with changing_users(file) as users:
        users["bob"] = User("bob", ())
    assert file.stat().st_ino != before
    assert sorted(read_users(file)) == ["ann", "bob", "robot"]
    with suppress(ZeroDivisionError), changing_users(file) as users:
        users.clear()
        raise ZeroDivisionError
    assert sorted(read_users(file)) == ["ann", "bob", "robot"]
    assert not list(file.parent.glob("*.new"))


def test_many_changes_at_a_time_are_all_kept(file: Path) -> None:
    def add(number: int) -> None:
        with changing_users(file) as users:
            users[f"u{number}"] = User(f"u{number}", ())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(24)))
    assert len(read_users(file)) == 26


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"users": []}',
        '{"users": {"a": 1}}',
        '{"users": {"a:b": {}}}',
        '{"users": {"": {}}}',
        '{"users": {"a": {"roles": "admin:*"}}}',
        '{"users": {"a": {"roles": ["king:*"]}}}',
        '{"users": {"a": {"password": "plain"}}}',
        '{"users": {"a": {"password": "$argon2id$v=19$m=2097152,t=2,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"}}}',
        "[" * 100_000,
        "\x00",
    ],
)
def test_a_users_file_without_sense_is_a_config_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "users.json"
    path.write_text(text)
    with pytest.raises(ConfigError):
        Users(path)


def test_a_users_file_that_anybody_may_write_is_refused(file: Path) -> None:
    os.chmod(file, 0o666)  # noqa: PTH101  (as an administrator would)
    with pytest.raises(ConfigError, match="anybody may write"):
        Users(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        Users(file.with_name("none"))


@pytest.mark.parametrize("password", ["", "short", "x" * 1025])
def test_a_password_too_short_or_too_long_is_not_taken(password: str) -> None:
    with pytest.raises(ConfigError):
        hash_password(password)


def test_a_guard_without_means_is_a_config_error() -> None:
    with pytest.raises(ConfigError):
        Guard()


def test_the_file_says_what_was_set(file: Path, hashed: str) -> None:
    assert json.loads(file.read_text()) == {
        "users": {"ann": {"password": hashed, "roles": ["admin:*"]}, "robot": {"roles": ["reader:*"]}}
    }
