"""Bearer tokens: whom they name, and the ways to forge them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, strategies as st

from protopact.errors import ConfigError, RegistryError, TransportError
from protopact.flow import Call, perform
from protopact.server.guard.access import Grant
from protopact.server.guard.auth import Guard
from protopact.server.guard.keys import fetch_keys
from protopact.server.guard.tokens import Tokens, TokenSettings
from protopact.server.guard.users import User, Users, changing_users

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
SHORT_RSA = rsa.generate_private_key(65537, 1024)
EC = ec.generate_private_key(ec.SECP256R1())
SETTINGS = TokenSettings("https://issuer.example/keys", "https://issuer.example", "protopact")


def jwk(key: Any, key_id: str, **more: str) -> dict[str, object]:
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, **more}


KEYS = [
    jwk(RSA, "r1", use="sig"),
    jwk(EC, "e1", alg="ES256"),
    jwk(SHORT_RSA, "short"),
    jwk(OTHER_RSA, "enc", use="enc"),
]
OCT = {"kty": "oct", "kid": "oct", "k": base64.urlsafe_b64encode(b"0" * 32).decode().rstrip("=")}


class Issuer:
    """Gives keys, or fails; counts how often it is asked."""

    def __init__(self) -> None:
        self.keys: list[dict[str, object]] = [*KEYS, OCT]
        self.asked = 0
        self.fails = False

    def __call__(self, url: str) -> bytes:
        self.asked += 1
        if self.fails:
            raise TransportError("down", url=url, attempts=1)
        return json.dumps({"keys": self.keys}).encode()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(issuer: Issuer, clock: Clock) -> Iterator[Guard]:
    with closing(Guard(tokens=Tokens(SETTINGS, fetch=issuer, clock=clock), clock=clock)) as opened:
        yield opened


def claims(**changed: object) -> dict[str, object]:
    now = int(time.time())
    told = {
        "sub": "ann",
        "iss": SETTINGS.issuer,
        "aud": "protopact",
        "iat": now,
        "exp": now + 600,
        "roles": ["reader:*"],
    }
    return {name: value for name, value in {**told, **changed}.items() if value is not None}


def token(key: Any = RSA, algorithm: str = "RS256", key_id: str | None = "r1", **changed: object) -> str:
    headers = {} if key_id is None else {"kid": key_id}
    return jwt.encode(claims(**changed), key, algorithm, headers=headers)


def made(header: dict[str, object], body: dict[str, object], signature: bytes = b"") -> str:
    """Put a token together by hand, as an attacker would."""
    parts = [json.dumps(part).encode() for part in (header, body)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (*parts, signature))


def who(guard: Guard, told: str, scheme: str = "Bearer") -> str | int:
    try:
        return perform(guard.identify(Call("GET", "/", headers={"authorization": f"{scheme} {told}"}))).name
    except RegistryError as error:
        return error.status


@pytest.mark.parametrize(
    ("key", "algorithm", "key_id"), [(RSA, "RS256", "r1"), (RSA, "RS512", "r1"), (EC, "ES256", "e1")]
)
def test_a_token_of_the_issuer_names_somebody(guard: Guard, key: Any, algorithm: str, key_id: str) -> None:
    assert who(guard, token(key, algorithm, key_id)) == "ann"


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": None},
        {"exp": int(time.time()) - 120},
        {"exp": "soon"},
        {"exp": True},
        {"exp": float("inf")},
        {"nbf": lambda: int(time.time()) + 120},  # counted when the test runs, which may be long after it is collected
        {"iat": lambda: int(time.time()) + 120},
        {"iss": None},
        {"iss": "https://issuer.example.evil"},
        {"iss": ["https://issuer.example"]},
        {"aud": None},
        {"aud": "protopact2"},
        {"aud": ["other"]},
        {"aud": {"protopact": 1}},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a\nb"},
        {"sub": "x" * 300},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(guard: Guard, changed: dict[str, object]) -> None:
    body = claims(**{name: value() if callable(value) else value for name, value in changed.items()})
    header = {"alg": "RS256", "typ": "JWT", "kid": "r1"}
    unsigned = made(header, body).rpartition(".")[0]
    signature = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).sign(unsigned.encode(), RSA)
    assert who(guard, made(header, body, signature)) == 401


def test_clocks_may_differ_a_little_and_no_more(guard: Guard) -> None:
    now = int(time.time())
    assert who(guard, token(exp=now - 20)) == "ann"
    assert who(guard, token(nbf=now + 20)) == "ann"
    assert who(guard, token(exp=now - 40)) == 401
    with pytest.raises(ConfigError, match="leeway"):
        Tokens(TokenSettings("https://x/", "i", "a", leeway_s=61))


def forgeries() -> dict[str, str]:
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    good = token()
    head, body, signature = good.split(".")

    def hs256(header: dict[str, object], secret: bytes) -> str:
        unsigned = made(header, claims()).rpartition(".")[0]
        return f"{unsigned}." + base64.urlsafe_b64encode(
            hmac.new(secret, unsigned.encode(), hashlib.sha256).digest()
        ).decode().rstrip("=")

    admin = base64.urlsafe_b64encode(json.dumps(claims(roles=["admin:*"])).encode()).decode().rstrip("=")
    return {
        "no algorithm": made({"alg": "none", "kid": "r1"}, claims()),
        "no algorithm, other case": made({"alg": "nOnE", "kid": "r1"}, claims()),
        "algorithm is missing": made({"kid": "r1"}, claims()),
        "algorithm is a list": made({"alg": ["RS256"], "kid": "r1"}, claims()),
        "the public key as a secret": hs256({"alg": "HS256", "kid": "r1"}, public),
        "a published secret": hs256({"alg": "HS256", "kid": "oct"}, b"0" * 32),
        "an empty secret": hs256({"alg": "HS256", "kid": "../../dev/null"}, b""),
        "another key": token(OTHER_RSA),
        "a key for something else": token(OTHER_RSA, key_id="enc"),
        "a key that is too short": jwt.encode(claims(), SHORT_RSA, "RS256", headers={"kid": "short"}),
        "a key of another algorithm": token(EC, "ES256", "r1"),
        "the algorithm of another key": token(RSA, "RS256", "e1"),
        "an algorithm that is not ours": token(RSA, "PS256"),
        "no key id among many": token(key_id=None),
        "an unknown key id": token(key_id="nope"),
        "a path as key id": token(key_id="../../../../etc/passwd"),
        "a key id that is a query": token(key_id="' OR 1=1 --"),
        "a key id that is a number": made({"alg": "RS256", "kid": 1}, claims()),
        "its own key": jwt.encode(claims(), OTHER_RSA, "RS256", headers={"jwk": jwk(OTHER_RSA, "r1"), "kid": "r1"}),
        "its own key's address": jwt.encode(claims(), OTHER_RSA, "RS256", headers={"jku": "http://x/", "kid": "r1"}),
        "a critical extension": jwt.encode(claims(), RSA, "RS256", headers={"crit": ["b64"], "b64": True, "kid": "r1"}),
        "no signature": f"{head}.{body}.",
        "another body": f"{head}.{admin}.{signature}",
        "a cut signature": good[:-4],
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.x",
        "nothing": "",
        "no JSON": "a.b.c",
        "a list": made([], claims(), b"x"),  # type: ignore[arg-type]
        "very long": "A" * 1_000_000,
        "not ASCII": "\xe9.\xe9.\xe9",
    }


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_every_forgery_is_refused(guard: Guard) -> None:
    for name, forged in forgeries().items():
        assert (name, who(guard, forged)) == (name, 401)
    assert who(guard, token()) == "ann"


@given(st.text(max_size=200))
def test_no_text_is_believed(text: str) -> None:
    with closing(Guard(tokens=Tokens(SETTINGS, fetch=Issuer()))) as guard:
        assert who(guard, text) == 401
        assert who(guard, f"{token()}{text}") in ({401} if text.strip() else {"ann"})


def test_roles_are_the_tokens_and_those_of_the_user_without_password(tmp_path: Path, issuer: Issuer) -> None:
    path = tmp_path / "users.json"
    with changing_users(path) as users:
        users["robot"] = User("robot", (Grant.parse("writer:r-*"),))
        users["root"] = User("root", (Grant.parse("admin:*"),), password_hash=None)
    text = json.loads(path.read_text())
    hashed = "$argon2id$v=19$m=19456,t=2,p=1$HZ4W6Z5SCEeQ7hm5n7Uj4g$Y0HrmNbmXOYkkLwX7ZyTnlZCxgyXSJ1yTnJ1rpPPbXU"
    text["users"]["root"]["password"] = hashed
    path.write_text(json.dumps(text))
    with closing(Guard(users=Users(path), tokens=Tokens(SETTINGS, fetch=issuer))) as guard:

        def grants(**changed: object) -> list[str]:
            call = Call("GET", "/", headers={"authorization": f"Bearer {token(**changed)}"})  # type: ignore[arg-type]
            return [str(grant) for grant in perform(guard.identify(call)).grants]

        assert grants(sub="robot", roles=["reader:a"]) == ["reader:a", "writer:r-*"]
        assert grants(sub="root", roles=None) == []
        assert grants(sub="x", roles="reader:a writer:b-* email openid") == ["reader:a", "writer:b-*"]
        assert grants(sub="x", roles=["king:*", 7, None, "reader:a"]) == ["reader:a"]
        assert grants(sub="x", roles={"admin:*": 1}) == []


def test_a_token_is_remembered_no_longer_than_it_lives(guard: Guard, clock: Clock) -> None:
    brief, lasting = (f"Bearer {token(exp=int(time.time()) + life)}" for life in (5, 600))
    for told in (brief, lasting):
        perform(guard.identify(Call("GET", "/", headers={"authorization": told})))
    assert guard.find_known(brief)
    clock.now += 6
    assert guard.find_known(brief) is None
    assert guard.find_known(lasting)
    clock.now += 60
    assert guard.find_known(lasting) is None


def test_keys_are_fetched_once_and_new_ones_when_they_are_named(guard: Guard, issuer: Issuer, clock: Clock) -> None:
    assert who(guard, token()) == "ann"
    assert who(guard, token(sub="bob")) == "bob"
    assert issuer.asked == 1
    issuer.keys = [jwk(OTHER_RSA, "r2")]
    for _ in range(5):
        assert who(guard, token(OTHER_RSA, key_id="r2")) == 401  # too soon to ask again
    assert issuer.asked == 1
    clock.now += 11
    assert who(guard, token(OTHER_RSA, key_id="r2")) == "ann"
    assert who(guard, token(sub="eve")) == 401  # the old key was withdrawn
    assert issuer.asked == 2


def test_unknown_key_ids_do_not_flood_the_issuer(guard: Guard, issuer: Issuer, clock: Clock) -> None:
    for number in range(100):
        assert who(guard, token(key_id=f"k{number}")) == 401
        clock.now += 0.5
    assert issuer.asked <= 6


def test_an_outage_of_the_issuer_keeps_known_keys_for_hours_not_for_ever(
    guard: Guard, issuer: Issuer, clock: Clock
) -> None:
    assert who(guard, token()) == "ann"
    issuer.fails = True
    for _ in range(5):
        clock.now += 3600
        assert who(guard, token(sub=f"u{clock.now}")) == f"u{clock.now}"
    clock.now += 3700
    assert who(guard, token(sub="late")) == 503
    issuer.fails = False
    clock.now += 11
    assert who(guard, token(sub="late")) == "late"


def test_an_issuer_that_was_never_reached_is_503_and_not_401(guard: Guard, issuer: Issuer) -> None:
    issuer.fails = True
    assert who(guard, token()) == 503


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": [1, {"kty": "RSA"}]}', b"\xff"])
def test_nonsense_from_the_issuer_is_no_key(issuer: Issuer, body: bytes) -> None:
    with closing(Guard(tokens=Tokens(SETTINGS, fetch=lambda _: body))) as guard:
        assert who(guard, token()) in {401, 503}


def test_the_only_key_needs_no_id(guard: Guard, issuer: Issuer) -> None:
    issuer.keys = [jwk(RSA, "r1")]
    assert who(guard, token(key_id=None)) == "ann"


@pytest.mark.parametrize("url", ["http://issuer.example/keys", "file:///etc/passwd", "ftp://x/", "", "keys"])
def test_keys_come_by_https_or_from_this_machine(url: str) -> None:
    with pytest.raises(ConfigError, match="https"):
        Tokens(TokenSettings(url, "i", "a"))
    Tokens(TokenSettings("http://127.0.0.1:9/keys", "i", "a")).close()


def test_tokens_need_an_issuer_and_an_audience() -> None:
    for issuer, audience in (("", "a"), ("i", "")):
        with pytest.raises(ConfigError):
            Tokens(TokenSettings("https://x/", issuer, audience))


class Address(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("location", "/keys")
        else:
            self.send_response(200 if self.path != "/broken" else 500)
        self.end_headers()
        self.wfile.write(b"x" * 300_000 if self.path == "/long" else b'{"keys": []}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_keys_are_fetched_without_redirects_and_within_bounds() -> None:
    with HTTPServer(("127.0.0.1", 0), Address) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            assert fetch_keys(f"{url}/keys") == b'{"keys": []}'
            for path in ("/elsewhere", "/broken", "/long"):
                with pytest.raises(TransportError):
                    fetch_keys(url + path)
        finally:
            server.shutdown()
            thread.join()
    with pytest.raises(TransportError):
        fetch_keys(f"{url}/keys")
