"""Passwords: hashed so that a stolen file is of little use, and checked without telling whether a name exists.

Argon2id with 19 MiB, two passes, one lane: the least that OWASP's Password Storage Cheat Sheet asks for. A check
takes some 40 ms of one core, so there are few at a time, in threads of their own.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from protopact.errors import ConfigError, MissingExtraError, RegistryError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

PASSWORD_LENGTH_MIN = 8
"""Shorter passwords are not taken, in characters."""

_LENGTH_MAX = 1024
_MEMORY_KIB_MAX = 1024 * 1024
_PASSES_MAX = 100
_THREADS = 2
_WAITING_MAX = 64
# The hash of a random password that nobody kept, with the parameters below: what unknown names are checked against.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$AdtwJdedCW4AmGP7IfdHTQ$YLUKjCpnVEwac+5ZXsdA4OoMqT4afoE1kOED6KWM1pc"


def hash_password(password: str) -> str:
    """Give the hash to keep; ConfigError for a password that is too short or too long."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= _LENGTH_MAX:
        raise ConfigError(
            f"a password has {PASSWORD_LENGTH_MIN} to {_LENGTH_MAX} characters", option="password", hint="take another"
        )
    return _hasher().hash(password)


def check_hash(text: str) -> None:
    """Refuse by ConfigError what is no hash of ours, or one that would take too long to check."""
    from argon2 import extract_parameters
    from argon2.exceptions import InvalidHash

    try:
        parameters = extract_parameters(text)
    except InvalidHash as error:
        raise ConfigError("a password hash cannot be read", option="users") from error
    if parameters.memory_cost > _MEMORY_KIB_MAX or parameters.time_cost > _PASSES_MAX:
        raise ConfigError("a password hash takes too much memory or time to check", option="users")


class PasswordChecks:
    """Checks passwords in a few threads; the same question asked twice at a time is answered once."""

    def __init__(self) -> None:
        """Start no thread yet. MissingExtraError without argon2-cffi."""
        self._hasher = _hasher()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="protopact-password")
        self._waiting: dict[bytes, Future[bool]] = {}
        self._lock = threading.Lock()

    def check(self, key: bytes, password: bytes, known: str | None) -> Future[bool]:
        """Begin to check a password against a hash, or against nobody's where there is none.

        `key` stands for the question. RegistryError 503 when too many others wait.
        """
        with self._lock:
            waiting = self._waiting.get(key)
            if waiting is not None:
                return waiting
            if len(self._waiting) >= _WAITING_MAX:
                raise RegistryError("too many sign-ins at a time, try again", error_code=503)
            future = self._waiting[key] = self._threads.submit(self._verify, password, known)
        future.add_done_callback(lambda _: self._forget(key))
        return future

    def close(self) -> None:
        """Let the threads end; checks that wait are given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _forget(self, key: bytes) -> None:
        with self._lock:
            self._waiting.pop(key, None)

    def _verify(self, password: bytes, known: str | None) -> bool:
        from argon2.exceptions import Argon2Error, InvalidHashError

        try:
            matches = self._hasher.verify(known or _NOBODYS, password[:_LENGTH_MAX])
        except (Argon2Error, InvalidHashError):
            return False
        return matches and known is not None and len(password) <= _LENGTH_MAX


def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher
    except ImportError as error:
        raise MissingExtraError(
            "passwords need argon2-cffi", option="extra", hint="install 'protopact[server]'"
        ) from error
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
