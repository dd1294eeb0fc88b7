"""An issuer's public keys: a JSON Web Key Set (RFC 7517), fetched when it is needed and kept through an outage.

Fetches are few: one at a time, with a pause between them, whatever tokens name. Keys are looked up by their id and
nothing else, and only for the algorithms of their kind.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import HTTPException
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from protopact.errors import ConfigError, RegistryError, TransportError
from protopact.flow import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jwt import PyJWK

    from protopact.flow import Flow

# Public keys only: a symmetric algorithm would let whoever knows the public key sign. The curve of each ES algorithm
# is that of RFC 7518, section 3.4.
ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
}
"""The algorithms that are believed, each with the kind and the curve of its keys."""

_FRESH_S = 300.0
_KEPT_S = 6 * 3600.0
_PAUSE_S = 10.0
_TIMEOUT_S = 5.0
_LENGTH_MAX = 256 * 1024
_KEYS_MAX = 100
_RSA_BITS_MIN = 2048
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}

_Jwk: TypeAlias = "Mapping[str, object]"

_log = logging.getLogger(__name__)


class Keys:
    """The keys at an address. They are fresh for five minutes, and believed for six hours while it does not answer."""

    def __init__(self, url: str, *, fetch: Callable[[str], bytes], clock: Callable[[], float] = time.monotonic) -> None:
        """Fetch from this address, when a key is first asked for; ConfigError unless it is https or this machine."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ConfigError("keys are fetched by https alone, but from this machine", option="jwks_url")
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._keys: Mapping[str, _Jwk] = {}
        self._made: dict[tuple[str, str], PyJWK] = {}
        self._fetched = self._tried = float("-inf")
        self._lock = threading.Lock()
        self._under_way: Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="protopact-keys")

    def find(self, key_id: str | None, algorithm: str) -> Flow[PyJWK | None]:
        """Find the key of this id for this algorithm; one without id, where there is but one key.

        RegistryError 503 where no keys can be had.
        """
        key = self._find(key_id, algorithm)
        if key is not None and self._age() < _KEPT_S:
            if self._age() > _FRESH_S:
                self._refresh()
            return key
        under_way = self._refresh()
        if under_way is not None:
            yield from wait(under_way)
        if self._age() >= _KEPT_S:
            raise RegistryError("the keys that tokens are checked with cannot be fetched", error_code=503)
        return self._find(key_id, algorithm)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _age(self) -> float:
        return self._clock() - self._fetched

    def _refresh(self) -> Future[None] | None:
        """Begin to fetch, or give the fetch that is under way; None while it is too soon to try again."""
        with self._lock:
            if self._under_way is None and self._clock() - self._tried >= _PAUSE_S:
                self._tried = self._clock()
                self._under_way = self._thread.submit(self._take)
            return self._under_way

    def _take(self) -> None:
        """Take the keys that the address gives; what goes wrong leaves those that were there."""
        try:
            keys = _read(self._fetch(self._url))
        except Exception as error:  # noqa: BLE001  (whatever an address answers, the server goes on)
            _log.warning("the keys for tokens could not be fetched: %s", error)
        else:
            with self._lock:
                self._keys, self._made, self._fetched = keys, {}, self._clock()
        finally:
            with self._lock:
                self._under_way = None

    def _find(self, key_id: str | None, algorithm: str) -> PyJWK | None:
        with self._lock:
            if key_id is None:
                key_id = next(iter(self._keys)) if len(self._keys) == 1 else ""
            made = self._made.get((key_id, algorithm))
            jwk = self._keys.get(key_id)
            if made is None and jwk is not None:
                made = _made(jwk, algorithm)
                if made is not None:
                    self._made[key_id, algorithm] = made
            return made


def fetch_keys(url: str) -> bytes:
    """Fetch a key set; TransportError where that fails. It follows no redirect: the address is what is trusted."""
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310  (Keys checked the scheme)
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as reply:
            body: bytes = reply.read(_LENGTH_MAX + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise TransportError(f"no keys came: {type(error).__name__}", url=urlsplit(url).netloc, attempts=1) from error
    if len(body) > _LENGTH_MAX:
        raise TransportError("the key set is too long", url=urlsplit(url).netloc, attempts=1)
    return body


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Refuse to go elsewhere."""


def _read(body: bytes) -> Mapping[str, _Jwk]:
    """Give the keys for signatures that we know to use, by id."""
    known: dict[str, _Jwk] = {}
    kinds = {kind for kind, _ in ALGORITHMS.values()}
    for jwk in json.loads(body)["keys"][:_KEYS_MAX]:
        if isinstance(jwk, dict) and jwk.get("kty") in kinds and jwk.get("use", "sig") == "sig":
            known[str(jwk.get("kid", ""))] = jwk
    return known


def _made(jwk: _Jwk, algorithm: str) -> PyJWK | None:
    """Make a key for an algorithm; None where it is not meant or not good enough for that."""
    import jwt

    kind, curve = ALGORITHMS[algorithm]
    if jwk.get("kty") != kind or jwk.get("alg", algorithm) != algorithm or (curve and jwk.get("crv") != curve):
        return None
    public = {name: value for name, value in jwk.items() if name in {"kty", "n", "e", "crv", "x", "y"}}
    try:
        key = jwt.PyJWK(public, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return key if kind != "RSA" or key.key.key_size >= _RSA_BITS_MIN else None
