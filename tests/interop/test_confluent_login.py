"""Confluent's clients on a registry of ours that asks who they are: passwords, tokens, TLS, client certificates."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from certificates import Authority
from cryptography.hazmat.primitives.asymmetric import ec
from peer import PeerError

from protopact.server import Guard, Tls, Tokens, TokenSettings, Users, background_registry
from protopact.server.guard.access import Grant
from protopact.server.guard.passwords import hash_password
from protopact.server.guard.users import User, changing_users

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from identity_server import IdentityServer
    from peer import Peer

PASSWORD = "correct: horse"
ISSUER, AUDIENCE = "https://issuer.example", "registry"
TEXT = 'syntax = "proto3";\n\nmessage Part {\n  string name = 1;\n}\n'
SCHEMA = {"schemaType": "PROTOBUF", "schema": TEXT}


@dataclass(frozen=True)
class Their:
    """One of their clients, by what the others call the same."""

    peer: Peer
    is_async: bool | None
    refusal: str

    def register(self, registry: str, subject: str, **login: str) -> Any:
        if self.is_async is None:
            return self._call("register", [subject, SCHEMA], registry, login)
        return self._call("register_schema", {"subject_name": subject, "schema": SCHEMA}, registry, login)

    def subjects(self, registry: str, **login: str) -> Any:
        if self.is_async is None:
            return self._call("getAllSubjects", [], registry, login)
        return self._call("get_subjects", {}, registry, login)

    def _call(self, method: str, arguments: object, registry: str, login: dict[str, str]) -> Any:
        how = {} if self.is_async is None else {"is_async": self.is_async}
        return self.peer("client", registry=registry, method=method, arguments=arguments, login=login, **how)

    def refused(self, status: int) -> Any:
        """Expect their error for a registry's refusal."""
        said = (self.refusal, status, status)
        return pytest.RaisesExc(PeerError, check=lambda error: (error.kind, error.code, error.status) == said)

    def unreached(self) -> Any:
        """Expect their error where no registry answered."""
        return pytest.RaisesExc(PeerError, check=lambda error: error.kind != self.refusal and error.status is None)


@pytest.fixture(params=["plain", "async", "javascript", "go"])
def their(request: pytest.FixtureRequest) -> Their:
    if request.param == "javascript":
        return Their(request.getfixturevalue("javascript"), None, "RestError")
    if request.param == "go":
        return Their(request.getfixturevalue("go"), None, "*rest.Error")
    return Their(request.getfixturevalue("python"), request.param == "async", "SchemaRegistryError")


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("users") / "users.json"
    hashed = hash_password(PASSWORD)
    with changing_users(file) as named:
        for name, role in (("ann", "writer:*"), ("bob", "reader:parts*")):
            named[name] = User(name, (Grant.parse(role),), hashed)
    return file


@pytest.fixture(scope="module")
def issuer() -> Iterator[tuple[str, Callable[..., str]]]:
    """Give the address of an issuer's public keys, and what makes its tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = {**jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "first", "use": "sig"}

    class Keys(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"keys": [public]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    def token(role: str, *, audience: str = AUDIENCE, valid_s: float = 300) -> str:
        claims = {"iss": ISSUER, "aud": audience, "sub": "eve", "exp": time.time() + valid_s, "roles": [role]}
        return jwt.encode(claims, key, algorithm="ES256", headers={"kid": "first"})

    with ThreadingHTTPServer(("127.0.0.1", 0), Keys) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/keys", token
        finally:
            server.shutdown()
            thread.join()


def test_they_log_in_with_a_password(their: Their, users: Path) -> None:
    with background_registry(guard=Guard(users=Users(users))) as registry:
        ann, bob = f"ann:{PASSWORD}", f"bob:{PASSWORD}"
        assert their.register(registry, "parts", password=ann) == 1
        assert their.register(registry, "hidden", password=ann) == 1
        assert their.subjects(registry, password=bob) == ["parts"]
        with their.refused(403):
            their.register(registry, "parts-2", password=bob)
        for login in ({}, {"password": "ann:wrong"}, {"password": f"mallory:{PASSWORD}"}, {"token": "ann"}):
            with their.refused(401):
                their.subjects(registry, **login)


def test_they_log_in_with_a_token(their: Their, issuer: tuple[str, Callable[..., str]]) -> None:
    keys, token = issuer
    settings = TokenSettings(keys, ISSUER, AUDIENCE)
    with background_registry(guard=Guard(tokens=Tokens(settings))) as registry:
        assert their.register(registry, "parts", token=token("writer:*")) == 1
        assert their.subjects(registry, token=token("reader:parts*")) == ["parts"]
        with their.refused(403):
            their.register(registry, "parts", token=token("reader:parts*"))
        forged = token("admin:*").rsplit(".", 1)[0] + "." + token("reader:*").rsplit(".", 1)[1]
        for wrong in (forged, token("admin:*", audience="else"), token("admin:*", valid_s=-300), "no token"):
            with their.refused(401):
                their.subjects(registry, token=wrong)


def test_they_fetch_their_tokens_from_an_identity_server(their: Their, identity_server: IdentityServer) -> None:
    with background_registry(guard=Guard(tokens=identity_server.tokens())) as registry:
        writer, reader = (
            {"token_endpoint": identity_server.token_url, "client_id": f"plain-{role}", "client_secret": "plain"}
            for role in ("writer", "reader")
        )
        assert their.register(registry, "parts", **writer) == 1
        assert their.register(registry, "hidden", **writer) == 1
        assert their.subjects(registry, **reader) == ["parts"]
        with their.refused(403):
            their.register(registry, "parts-2", **reader)


@contextmanager
def secured(folder: Path, users: Path, *, certificates: bool) -> Iterator[tuple[str, Authority, Authority]]:
    """Serve with TLS, to clients with certificates alone if asked to; give the authorities of server and clients."""
    servers, clients = Authority(folder, "servers"), Authority(folder, "clients")
    certificate, key = servers.issue("server")
    tls = Tls(certificate, key, client_authority=str(clients.file) if certificates else None)
    with background_registry(guard=Guard(users=Users(users)), tls=tls) as registry:
        yield registry, servers, clients


def test_they_trust_a_registry_by_its_authority_alone(their: Their, users: Path, tmp_path: Path) -> None:
    ann = f"ann:{PASSWORD}"
    with secured(tmp_path, users, certificates=False) as (registry, servers, clients):
        assert registry.startswith("https://")
        assert their.register(registry, "parts", password=ann, authority=str(servers.file)) == 1
        with their.unreached():
            their.subjects(registry, password=ann, authority=str(clients.file))
        with their.refused(401):
            their.subjects(registry, authority=str(servers.file))


def test_they_are_let_in_by_their_certificate_and_then_asked_who_they_are(
    their: Their, users: Path, tmp_path: Path
) -> None:
    with secured(tmp_path, users, certificates=True) as (registry, servers, clients):
        login = {"authority": str(servers.file)}
        certificate, key = clients.issue("client")
        stranger, strange_key = servers.issue("stranger")
        known = {**login, "certificate": certificate, "key": key}
        assert their.register(registry, "parts", password=f"ann:{PASSWORD}", **known) == 1
        with their.refused(401):
            their.subjects(registry, **known)
        for more in ({}, {"certificate": stranger, "key": strange_key}):
            with their.unreached():
                their.subjects(registry, password=f"ann:{PASSWORD}", **login, **more)
