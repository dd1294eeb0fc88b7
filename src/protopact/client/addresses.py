"""Registry addresses: checked once, and parted from the credentials that people put into them."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, unquote, urlsplit

from protopact.client.auth import BearerToken, OAuthClient, bearer
from protopact.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protopact.client.auth import Auth

_HINT = "give addresses such as http://localhost:8081, several parted by commas"


@dataclass(frozen=True, slots=True)
class Address:
    """One server: its URL without user name, password and trailing slash, and the header that logs in there."""

    url: str
    host: str
    authorization: str | None = field(default=None, repr=False)


def parse_addresses(urls: str | Iterable[str], auth: Auth | None = None) -> tuple[Address, ...]:
    """Read one address, a comma-separated list, or several; `auth` wins over a URL's own user name and password.

    ConfigError for what is no http or https address; the message never shows credentials.
    """
    texts = urls.split(",") if isinstance(urls, str) else urls
    found = tuple(_parse(text.strip(), auth) for text in texts)
    if not found:
        raise ConfigError("no registry address is given", option="url", hint=_HINT)
    return found


def token_addresses(auth: Auth | None) -> tuple[Address, ...]:
    """Give the address of the token server, if there is one; ConfigError for a bad one."""
    if not isinstance(auth, OAuthClient):
        return ()
    # RFC 6749, section 2.3.1: both are encoded as in a form before they become a user name and a password.
    login = None if auth.secret_in_body else (quote_plus(auth.client_id), quote_plus(auth.client_secret))
    found = parse_addresses([auth.token_url], login)
    if "@" in urlsplit(auth.token_url).netloc:
        raise ConfigError("a token server's address must not hold a user name or password", option="auth")
    return found


def _parse(text: str, auth: Auth | None) -> Address:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _refused("has a bad host or port") from error
    if parts.scheme not in {"http", "https"}:
        raise _refused("must start with http:// or https://")
    if not host or not text.isprintable() or " " in text:
        raise _refused("names no host")
    if parts.query or parts.fragment:
        raise _refused("must not have a query or fragment")
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = "" if port is None else f":{port}"
    url = f"{parts.scheme}://{shown_host}{shown_port}{parts.path.rstrip('/')}"
    if auth is None and parts.username is not None:
        auth = (unquote(parts.username), unquote(parts.password or ""))
    return Address(url, host, _authorization(auth))


def _authorization(auth: Auth | None) -> str | None:
    """Give the header that is the same for every call; a token that changes is asked for before each."""
    if auth is None or isinstance(auth, OAuthClient):
        return None
    if isinstance(auth, BearerToken):
        return bearer(auth.token, "the bearer token") if isinstance(auth.token, str) else None
    return _basic(*auth)


def _basic(user: str, password: str) -> str:
    try:
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    except UnicodeEncodeError:
        # The cause would quote the password.
        raise ConfigError("user name or password holds a lone surrogate", option="auth") from None


def _refused(reason: str) -> ConfigError:
    return ConfigError(f"a registry address {reason}", option="url", hint=_HINT)
