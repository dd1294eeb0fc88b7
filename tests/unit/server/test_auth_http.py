"""Authentication, TLS and logs as a client meets them: over a socket."""

from __future__ import annotations

import base64
import datetime as dt
import http.client
import json
import logging
import socket
import ssl
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from protopact.errors import ConfigError
from protopact.server import background_registry, serve_registry
from protopact.server.guard.access import Grant
from protopact.server.guard.auth import Guard
from protopact.server.guard.passwords import hash_password
from protopact.server.guard.users import User, Users, changing_users
from protopact.server.http.serve import Tls
from protopact.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n}\n'
BODY = json.dumps({"schema": A, "schemaType": "PROTOBUF"}).encode()
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("users") / "users.json"
    hashed = hash_password(PASSWORD)
    with changing_users(path) as users:
        for name, role in (("ann", "admin:*"), ("bob", "reader:shop-*")):
            users[name] = User(name, (Grant.parse(role),), hashed)
    return path


@pytest.fixture(scope="module")
def url(file: Path) -> Iterator[str]:
    with background_registry(guard=Guard(users=Users(file))) as served:
        yield served


def ask(
    url: str, method: str, path: str, body: bytes | None = None, *, who: str = "", context: ssl.SSLContext | None = None
) -> tuple[int, dict[str, str], bytes]:
    address = urlsplit(url)
    wire: http.client.HTTPConnection
    if address.scheme == "https":
        wire = http.client.HTTPSConnection(address.hostname or "", address.port, timeout=10, context=context)
    else:
        wire = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    with closing(wire):
        secret = base64.b64encode(f"{who}:{PASSWORD}".encode()).decode()
        wire.request(method, path, body, {"authorization": f"Basic {secret}"} if who else {})
        reply = wire.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()


def test_only_who_is_known_is_served(url: str) -> None:
    assert ask(url, "POST", "/subjects/shop-a/versions", BODY)[0] == 401
    assert ask(url, "POST", "/subjects/shop-a/versions", BODY, who="bob")[0] == 403
    assert ask(url, "POST", "/subjects/shop-a/versions", BODY, who="ann")[0] == 200
    assert json.loads(ask(url, "GET", "/subjects", who="bob")[2]) == ["shop-a"]
    for method in ("GET", "HEAD", "PUT"):
        status, headers, body = ask(url, method, "/subjects")
        assert (status, headers["www-authenticate"]) == (401, 'Basic realm="protopact"')
        assert body in (b"", b'{"error_code":401,"message":"Unauthorized"}')


def test_health_is_told_to_everybody(url: str) -> None:
    assert [ask(url, "GET", path)[0] for path in ("/health/live", "/health/ready")] == [200, 200]
    assert ask(url, "GET", "/health/live", who="mallory")[0] == 200
    assert ask(url, "GET", "/health")[0] == 401


def test_a_prepared_body_is_not_given_to_who_may_not_read_it(url: str) -> None:
    secret = BODY.replace(b"A", b"Secret")
    (schema_id,) = [json.loads(ask(url, "POST", "/subjects/hidden/versions", secret, who="ann")[2])["id"]]
    path = f"/schemas/ids/{schema_id}"
    assert [ask(url, "GET", path, who="ann")[0] for _ in range(3)] == [200, 200, 200]
    assert [ask(url, "GET", path, who=who)[0] for who in ("", "bob", "mallory")] == [401, 404, 401]


def test_who_is_not_known_is_refused_before_the_body_is_read(url: str) -> None:
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall(b"POST /subjects/s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{")
        received = client.makefile("rb").read()
    assert received.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in received


def test_no_password_reaches_the_logs(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    logging.getLogger("protopact.server.requests").setLevel("INFO")
    try:
        ask(url, "GET", "/subjects?password=hunter2", who="ann")
        ask(url, "GET", "/subjects", who="mallory")
    finally:
        logging.getLogger("protopact.server.requests").setLevel("WARNING")
    text = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "answered" in text
    assert "/subjects" in text
    for secret in (PASSWORD, "hunter2", base64.b64encode(f"ann:{PASSWORD}".encode()).decode(), "Basic "):
        assert secret not in text


def test_others_may_reach_a_registry_that_asks_who_they_are(file: Path) -> None:
    with pytest.raises(ConfigError, match="no authentication"):
        serve_registry("memory:", host="0.0.0.0", port=0)
    with pytest.raises(ConfigError, match="cannot listen"):
        serve_registry("memory:", host="192.0.2.1", port=0, guard=Guard(users=Users(file)))


def certificate(folder: Path, password: str | None = None) -> Tls:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return Tls(str(folder / "cert.pem"), str(folder / "key.pem"), password)


@pytest.mark.parametrize("password", [None, "key-password"])
def test_tls_is_served_in_its_newer_versions_only(tmp_path: Path, password: str | None) -> None:
    tls = certificate(tmp_path, password)
    assert "key-password" not in repr(tls)
    with background_registry(tls=tls) as url:
        address = f"https://localhost:{urlsplit(url).port}"
        assert url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=tls.certificate)
        assert ask(address, "POST", "/subjects/s/versions", BODY, context=context)[0] == 200
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, OSError)):
            ask(address, "GET", "/", context=context)


def test_a_tls_handshake_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from protopact.server.http import connections

    assert connections._HANDSHAKE_S <= 10
    monkeypatch.setattr(connections, "_HANDSHAKE_S", 0.3)
    with (
        background_registry(tls=certificate(tmp_path)) as url,
        socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=5) as client,
    ):
        start = time.monotonic()
        assert client.recv(100) == b""
        assert time.monotonic() - start < 3


def test_a_stop_waits_for_no_client_that_does_not_answer_its_goodbye(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from protopact.server.http import connections

    monkeypatch.setattr(connections, "_GOODBYE_S", 0.05)
    tls = certificate(tmp_path)
    context = ssl.create_default_context(cafile=tls.certificate)
    with background_registry(tls=tls, settings=ServerSettings(drain_s=3)) as url:
        idle = http.client.HTTPSConnection("localhost", urlsplit(url).port, timeout=10, context=context)
        idle.request("GET", "/subjects")
        assert idle.getresponse().read() == b"[]"
    idle.close()
    assert "timeout graceful shutdown exceeded" not in caplog.text


def test_who_has_no_certificate_is_not_let_in_where_one_is_asked_for(tmp_path: Path) -> None:
    own = certificate(tmp_path)
    tls = replace(own, client_authority=own.certificate)
    with background_registry(tls=tls) as url:
        address = f"https://localhost:{urlsplit(url).port}"
        context = ssl.create_default_context(cafile=own.certificate)
        with pytest.raises((ssl.SSLError, OSError)):
            ask(address, "GET", "/health/live", context=context)
        context.load_cert_chain(own.certificate, own.key)
        assert ask(address, "GET", "/health/live", context=context)[0] == 200
    with pytest.raises(ConfigError, match="authorities"):
        serve_registry("memory:", port=0, tls=replace(own, client_authority=str(tmp_path / "none.pem")))
    with pytest.raises(ConfigError, match="authorities"):
        serve_registry("memory:", port=0, tls=replace(own, client_authority=own.key))


def test_files_that_are_no_certificate_stop_the_start(tmp_path: Path) -> None:
    tls = certificate(tmp_path, "key-password")
    for wrong in (
        Tls("/none", tls.key),
        Tls(tls.certificate, "/none"),
        Tls(tls.key, tls.certificate),
        Tls(tls.certificate, tls.key),
        Tls(tls.certificate, tls.key, "wrong"),
    ):
        with pytest.raises(ConfigError, match="cannot be used") as caught:
            serve_registry("memory:", port=0, tls=wrong)
        assert "key-password" not in str(caught.value)
