"""Who asks: from the Authorization header of a call to a principal.

What was verified is remembered for a while by a keyed hash of the header, so that a call costs microseconds and the
process keeps no credentials. It is forgotten when the users change.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import secrets
import time
from typing import TYPE_CHECKING, TypeAlias

from protopact.errors import ConfigError, RegistryError
from protopact.flow import wait
from protopact.server.decisions.bounded import BoundedCache
from protopact.server.guard.access import Principal
from protopact.server.guard.passwords import PasswordChecks

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.flow import Call, Flow
    from protopact.server.guard.tokens import Tokens
    from protopact.server.guard.users import Users

_REMEMBERED_MAX = 4096
_REMEMBERED_S = 300.0
_CREDENTIALS_LENGTH_MAX = 16 * 1024

_Known: TypeAlias = tuple[Principal, float, int]

_log = logging.getLogger(__name__)


class Guard:
    """Knows who asks, by password (HTTP's Basic) or by token (Bearer), whichever it was given the means for."""

    def __init__(
        self, *, users: Users | None = None, tokens: Tokens | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Know these users, and whom these tokens name. ConfigError without either."""
        if users is None and tokens is None:
            raise ConfigError("nobody could sign in: neither users nor tokens are set up", option="users")
        self._users = users
        self._tokens = tokens
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._known: BoundedCache[bytes, _Known] = BoundedCache(entries_max=_REMEMBERED_MAX, bytes_max=_REMEMBERED_MAX)
        self._passwords = PasswordChecks() if users is not None else None
        schemes = (["Basic"] if users is not None else []) + (["Bearer"] if tokens is not None else [])
        self.challenge = ", ".join(f'{scheme} realm="protopact"' for scheme in schemes)
        """What a refused caller is told by WWW-Authenticate."""

    def find_known(self, authorization: str) -> Principal | None:
        """Find whom an Authorization header was found to name a short while ago."""
        return self._find(self._key(authorization))

    def identify(self, call: Call) -> Flow[Principal]:
        """Give who asks. RegistryError 401 for nobody that is known, 503 where that cannot be told now."""
        authorization = call.headers.get("authorization", "")
        key = self._key(authorization)
        known = self._find(key)
        if known is not None:
            return known
        scheme, _, credentials = authorization[:_CREDENTIALS_LENGTH_MAX].partition(" ")
        generation = self._generation()
        match scheme.lower():
            case "basic" if self._users is not None:
                principal, valid_s = yield from self._by_password(key, credentials.strip())
            case "bearer" if self._tokens is not None:
                principal, valid_s = yield from self._tokens.verify(credentials.strip(), self._users)
            case _:
                raise unauthorized()
        self._known.keep(key, (principal, self._clock() + min(valid_s, _REMEMBERED_S), generation), 1)
        return principal

    def close(self) -> None:
        """Give back threads; closing twice is harmless."""
        if self._passwords is not None:
            self._passwords.close()
        if self._tokens is not None:
            self._tokens.close()

    def _find(self, key: bytes) -> Principal | None:
        known = self._known.find(key)
        if known is None:
            return None
        principal, until, generation = known
        return principal if self._clock() < until and generation == self._generation() else None

    def _generation(self) -> int:
        if self._users is None:
            return 0
        self._users.refresh()
        return self._users.generation

    def _key(self, authorization: str) -> bytes:
        return hashlib.blake2b(authorization.encode("utf-8", "replace"), key=self._secret, digest_size=32).digest()

    def _by_password(self, key: bytes, credentials: str) -> Flow[tuple[Principal, float]]:
        assert self._users is not None
        assert self._passwords is not None
        name, password = _name_and_password(credentials)
        user = self._users.find(name)
        known = None if user is None else user.password_hash
        if not (yield from wait(self._passwords.check(key, password, known))) or user is None:
            _log.warning("a sign-in with a wrong name or password was refused", extra={"who": name[:64]})
            raise unauthorized()
        return Principal(user.name, user.grants), _REMEMBERED_S


def unauthorized() -> RegistryError:
    """Give the one answer to whoever is not known, whatever the reason."""
    return RegistryError("Unauthorized", error_code=401)


def _name_and_password(credentials: str) -> tuple[str, bytes]:
    try:
        name, separator, password = base64.b64decode(credentials, validate=True).partition(b":")
        if not separator:
            raise unauthorized()
        return name.decode(), password
    except (binascii.Error, ValueError) as error:
        raise unauthorized() from error
