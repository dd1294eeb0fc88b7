"""Bearer tokens: signed JWTs (RFC 7519) of one issuer, for one audience, checked with the issuer's published keys."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from protopact.errors import ConfigError, MissingExtraError, RegistryError
from protopact.server.guard.access import Grant, Principal
from protopact.server.guard.keys import ALGORITHMS, Keys, fetch_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from protopact.flow import Flow
    from protopact.server.guard.users import Users

_LEEWAY_S_MAX = 60
_REMEMBERED_S = 60.0
_NAME_LENGTH_MAX = 256
_ROLES_MAX = 100

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Which tokens are believed: `issuer` and `audience` must be theirs, `jwks_url` gives the issuer's keys.

    `name_claim` names the caller, `roles_claim` gives roles as `ROLE:PATTERN`, as a list or between spaces.
    `leeway_s` is how far clocks may differ, at most 60.
    """

    jwks_url: str
    issuer: str
    audience: str
    name_claim: str = "sub"
    roles_claim: str = "roles"
    leeway_s: float = 30.0


class Tokens:
    """Verifies tokens. MissingExtraError without PyJWT and cryptography, ConfigError for settings without sense."""

    def __init__(
        self,
        settings: TokenSettings,
        *,
        fetch: Callable[[str], bytes] = fetch_keys,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Believe tokens by these settings; no key is fetched before one is needed."""
        if not all(find_spec(package) for package in ("jwt", "cryptography")):
            raise MissingExtraError(
                "tokens need PyJWT and cryptography", option="extra", hint="install 'protopact[server]'"
            )
        if not 0 <= settings.leeway_s <= _LEEWAY_S_MAX:
            raise ConfigError(f"the leeway is 0 to {_LEEWAY_S_MAX} seconds", option="leeway_s")
        if not settings.issuer or not settings.audience:
            raise ConfigError("tokens need an issuer and an audience to be believed", option="issuer")
        self._settings = settings
        self._keys = Keys(settings.jwks_url, fetch=fetch, clock=clock)

    def verify(self, token: str, users: Users | None = None) -> Flow[tuple[Principal, float]]:
        """Give whom a token names, and for how many seconds at most that may be believed unseen.

        Roles are those of the token, and of the user of that name who has no password. RegistryError 401 for a token
        that is not believed, 503 when the keys cannot be had.
        """
        import jwt

        try:
            header = jwt.get_unverified_header(token)
            algorithm, key_id = str(header.get("alg")), header.get("kid")
            if algorithm not in ALGORITHMS or "crit" in header or not isinstance(key_id, str | None):
                raise _refused("its header")
            key = yield from self._keys.find(key_id, algorithm)
            if key is None:
                raise _refused("its key is unknown")
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                leeway=self._settings.leeway_s,
                options={"require": ["exp", "iss", "aud"]},
            )
            return self._principal(claims, users), _valid_s(claims)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise _refused(type(error).__name__) from error

    def close(self) -> None:
        """Give back threads; closing twice is harmless."""
        self._keys.close()

    def _principal(self, claims: Mapping[str, object], users: Users | None) -> Principal:
        name = claims.get(self._settings.name_claim)
        if not isinstance(name, str) or not name or len(name) > _NAME_LENGTH_MAX or not name.isprintable():
            raise _refused("it names nobody")
        user = None if users is None else users.find(name)
        own = user.grants if user is not None and user.password_hash is None else ()
        return Principal(name, (*_grants(claims.get(self._settings.roles_claim)), *own))


def _grants(roles: object) -> list[Grant]:
    """Give the roles that are ours; an issuer may have others."""
    told = roles.split() if isinstance(roles, str) else roles if isinstance(roles, list) else []
    grants: list[Grant] = []
    for role in told[:_ROLES_MAX]:
        try:
            grants.append(Grant.parse(str(role)))
        except ConfigError:
            continue
    return grants


def _valid_s(claims: Mapping[str, object]) -> float:
    return min(_REMEMBERED_S, float(str(claims["exp"])) - time.time())


def _refused(reason: str) -> RegistryError:
    _log.warning("a token was refused: %s", reason)
    return RegistryError("Unauthorized", error_code=401)
