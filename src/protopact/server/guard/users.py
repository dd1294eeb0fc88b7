"""The users file: names, password hashes and roles, as JSON; `protopact registry users` writes it.

A server looks at it once a second and takes what changed. One that has become unreadable is logged and the users that
were known last stay, so that a slip of an editor locks nobody out.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import stat
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.errors import ConfigError
from protopact.server.guard.access import Grant
from protopact.server.guard.passwords import check_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_LOOK_S = 1.0
_NAME_LENGTH_MAX = 256
_FILE_LENGTH_MAX = 16 * 1024 * 1024

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class User:
    """A user: one without a password hash signs in by token only."""

    name: str
    grants: tuple[Grant, ...]
    password_hash: str | None = field(default=None, repr=False)


class Users:
    """The users of a file, as it is now or was a second ago. `generation` changes when they do."""

    def __init__(self, path: str | os.PathLike[str], *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the file; ConfigError where it cannot be read, makes no sense or may be written by anybody."""
        self._path = Path(path)
        self._clock = clock
        self._seen = _signature(self._path)
        self._users = read_users(self._path)
        self._looked = clock()
        self.generation = 0

    def find(self, name: str) -> User | None:
        """Find a user by name."""
        self.refresh()
        return self._users.get(name)

    def refresh(self) -> None:
        """Take what changed, if it is time to look."""
        now = self._clock()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        try:
            signature = _signature(self._path)
            if signature == self._seen:
                return
            self._seen = signature
            self._users = read_users(self._path)
        except ConfigError as error:
            _log.error("the users stay as they were: %s", error)
            return
        self.generation += 1


def read_users(path: Path) -> Mapping[str, User]:
    """Read a users file; ConfigError as for `Users`."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & stat.S_IWOTH:
                raise ConfigError(f"anybody may write the users file {path}", option="users", hint=f"chmod 600 {path}")
            held = json.loads(file.read(_FILE_LENGTH_MAX))["users"]
            return {name: _user(name, entry) for name, entry in held.items()}
    except OSError as error:
        raise ConfigError(
            f"the users file {path} cannot be read: {error.strerror}",
            option="users",
            hint="make one by: protopact registry users add NAME --role ROLE:PATTERN --users FILE",
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ConfigError(f"the users file {path} makes no sense: {type(error).__name__}", option="users") from error


@contextmanager
def changing_users(path: Path) -> Iterator[dict[str, User]]:
    """Give a file's users to change, and write them when the block ends well; nobody else writes meanwhile.

    A file that is not there is made, for the owner alone. ConfigError as for `Users`, and where it cannot be written.
    """
    try:
        with os.fdopen(os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            users = dict(read_users(path)) if path.exists() else {}
            yield users
            _write(path, users.values())
    except OSError as error:
        raise ConfigError(f"the users file {path} cannot be written: {error.strerror}", option="users") from error


def check_name(name: str) -> str:
    """Give a user's name back if it can be one; ConfigError."""
    if not name or len(name) > _NAME_LENGTH_MAX or ":" in name or not name.isprintable():
        raise ConfigError(
            f"{name!r} is no user name", option="name", hint="1 to 256 printable characters, and no colon"
        )
    return name


def _user(name: str, entry: Mapping[str, object]) -> User:
    password_hash, roles = entry.get("password"), entry.get("roles", [])
    if not isinstance(roles, list):
        raise TypeError("roles")
    if password_hash is not None:
        password_hash = str(password_hash)
        check_hash(password_hash)
    return User(check_name(name), tuple(Grant.parse(str(role)) for role in roles), password_hash)


def _write(path: Path, users: Iterable[User]) -> None:
    """Put the new file in the old one's place in one step, with the old one's mode."""
    entries = {
        user.name: {
            **({"password": user.password_hash} if user.password_hash is not None else {}),
            "roles": [str(grant) for grant in user.grants],
        }
        for user in sorted(users, key=lambda user: user.name)
    }
    mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o600
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w") as file:
        json.dump({"users": entries}, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
