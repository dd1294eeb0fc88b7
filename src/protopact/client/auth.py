"""Logging in to a registry: passwords, tokens that are given or fetched, and client certificates.

A password and a fixed token are headers of an address. A token that changes is asked for before each call: `Exchange`
does that, by the flow of a `Credentials`. Nothing secret is shown by a `repr`, and none stands in an error.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias
from urllib.parse import urlencode

from protopact.client.asks import UNREADABLE_ANSWER, Ask
from protopact.client.cache import Cache, once
from protopact.errors import ConfigError, RegistryError
from protopact.flow import Call, blocking
from protopact.registry import read_json

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Callable, Mapping

    from protopact.flow import Flow, Reply
    from protopact.registry import JsonValue

_TOKEN = re.compile(r"[\x21-\x7e]+")
# Source of the words: RFC 6749, section 5.2.
_ERROR_WORD = re.compile(
    r'"error"\s*:\s*"(invalid_request|invalid_client|invalid_grant|unauthorized_client|unsupported_grant_type'
    r'|invalid_scope)"'
)
_LIFE_S_WHERE_NONE_IS_SAID = 300.0
_LIFE_S_MAX = 24 * 3600.0
_MARGIN_S_MAX = 30.0
_MARGIN_PART = 0.1
_KEY = "token"


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token that is given: a text, or a function that gives the one to use now and may block.

    `logical_cluster` and `identity_pool` are what Confluent Cloud asks for beside a token.
    """

    token: str | Callable[[], str] = field(repr=False)
    logical_cluster: str | None = None
    identity_pool: str | None = None


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A client that fetches its tokens by OAuth 2.0 client credentials (RFC 6749, section 4.4).

    Id and secret go to the token server as HTTP basic authentication, or with `secret_in_body` in the form;
    `parameters` are more fields of the form, such as `audience`. A token is kept until shortly before it expires.
    """

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    secret_in_body: bool = False
    logical_cluster: str | None = None
    identity_pool: str | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """Files for TLS: who is trusted (`ca`; None: the system's), and the certificate and key that we show (mTLS)."""

    ca: str | os.PathLike[str] | None = None
    certificate: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None
    key_password: str | None = field(default=None, repr=False)

    def context(self) -> ssl.SSLContext:
        """Load the files; ConfigError for what cannot be used."""
        import ssl

        if self.key is not None and self.certificate is None:
            raise ConfigError("a key without its certificate is of no use", option="tls")
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                # Without a password of ours OpenSSL would ask for one on the terminal.
                context.load_cert_chain(self.certificate, self.key, password=self.key_password or "")
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"the TLS files cannot be used: {error}", option="tls", hint="PEM files are wanted"
            ) from error
        return context


Auth: TypeAlias = "tuple[str, str] | BearerToken | OAuthClient"
"""How a client logs in: user name and password, or a token."""


class Secret(str):
    """A text that is not shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show that there is something."""
        return "'…'"


class SecretBytes(bytes):
    """Bytes that are not shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show that there is something."""
        return "b'…'"


class Credentials(Protocol):
    """What gives each call the headers that log in."""

    def headers(self) -> Flow[Mapping[str, str]]:
        """Give the headers to send now."""
        ...

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget headers that were refused (401), and say whether asking again may give better ones."""
        ...


def extra_headers(auth: Auth | None) -> dict[str, str]:
    """Give the headers that go with a token and are no secret."""
    if not isinstance(auth, BearerToken | OAuthClient):
        return {}
    named = {"target-sr-cluster": auth.logical_cluster, "confluent-identity-pool-id": auth.identity_pool}
    return {name: value for name, value in named.items() if value is not None}


def bearer(token: str, source: str) -> Secret:
    """Give the header's value for a token; ConfigError for what cannot be one, without showing it."""
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ConfigError(f"{source} gives no token: a text of visible ASCII letters is wanted", option="auth")
    return Secret(f"Bearer {token}")


class CalledToken:
    """Credentials from a function of the user's."""

    def __init__(self, give: Callable[[], str]) -> None:
        self._give = give

    def headers(self) -> Flow[Mapping[str, str]]:
        """Ask the function."""
        return {"authorization": (yield from blocking(self._call))}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Leave it to the function, which is asked for every call: another try is for a call without its token."""
        return not refused

    def _call(self) -> Secret:
        try:
            token = self._give()
        except Exception as error:
            raise ConfigError(f"the token function failed: {type(error).__name__}", option="auth") from error
        return bearer(token, "the token function")


@dataclass(frozen=True, slots=True)
class _Token:
    header: Secret
    fresh_until: float


class FetchedToken:
    """Credentials from a token server: one caller fetches a token, the others wait for it."""

    def __init__(
        self,
        client: OAuthClient,
        ask: Callable[[Ask[_Token]], Flow[_Token]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what asks the token server; `clock` is in seconds."""
        self._client, self._ask, self._clock = client, ask, clock
        self._kept: Cache[_Token] = Cache(1)

    def headers(self) -> Flow[Mapping[str, str]]:
        """Give the kept token while it is fresh, else fetch one."""
        kept = self._kept.find(_KEY)
        if kept is not None and kept.fresh_until <= self._clock():
            self._kept.discard(_KEY, kept)
        token = yield from once(self._kept, _KEY, self._fetch)
        return {"authorization": token.header}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the token that was refused."""
        kept = self._kept.find(_KEY)
        if kept is not None and kept.header == refused.get("authorization"):
            self._kept.discard(_KEY, kept)
        return True

    def _fetch(self) -> Flow[_Token]:
        outcome = yield from self._tried()
        if isinstance(outcome, RegistryError):
            raise outcome
        return outcome

    def _tried(self) -> Flow[_Token | RegistryError]:
        try:
            return (yield from self._ask(Ask(self._call(), self._read)))
        except RegistryError as error:
            # Its text may quote the token server, which may quote what it was sent: only the word of OAuth is told.
            # It is given, not raised, so that it is not chained to that text.
            return _refusal(error)

    def _call(self) -> Call:
        client = self._client
        form = {"grant_type": "client_credentials", **client.parameters}
        if client.scope is not None:
            form["scope"] = client.scope
        if client.secret_in_body:
            form |= {"client_id": client.client_id, "client_secret": client.client_secret}
        headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
        return Call("POST", "", headers=headers, body=SecretBytes(urlencode(form).encode()))

    def _read(self, reply: Reply) -> _Token:
        body = read_json(reply.body)
        fields = body if isinstance(body, dict) else {}
        token, life_s = fields.get("access_token"), fields.get("expires_in")
        if str(fields.get("token_type", "bearer")).lower() != "bearer" or not isinstance(token, str):
            raise RegistryError("no bearer token")
        try:
            header = bearer(token, "the token server")
        except ConfigError as error:
            raise RegistryError(str(error)) from error
        return _Token(header, self._clock() + _fresh_s(life_s))


def _fresh_s(life: JsonValue) -> float:
    """Give for how many seconds a token is used: its life without a margin for clocks and for the way."""
    try:
        seconds = float(life) if isinstance(life, int | float | str) else _LIFE_S_WHERE_NONE_IS_SAID
    except ValueError:
        seconds = 0.0
    seconds = min(max(seconds, 0.0), _LIFE_S_MAX)
    return seconds - min(_MARGIN_S_MAX, seconds * _MARGIN_PART)


def _refusal(error: RegistryError) -> RegistryError:
    if error.error_code == UNREADABLE_ANSWER:
        return RegistryError("the token server gave no usable token", error_code=UNREADABLE_ANSWER, status=error.status)
    word = _ERROR_WORD.search(error.message)
    reason = f"HTTP {error.status}, {word[1]}" if word else f"HTTP {error.status}"
    return RegistryError(
        f"the token server gave no token ({reason})",
        error_code=error.status,
        hint="check the client's id, secret and scope",
    )
