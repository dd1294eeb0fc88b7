"""Logging in: tokens that are given, called for and fetched, and client certificates; over real sockets."""

from __future__ import annotations

import asyncio
import base64
import pickle
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from protopact.client import AsyncSchemaRegistryClient, BearerToken, OAuthClient, SchemaRegistryClient, Tls
from protopact.client.auth import FetchedToken
from protopact.client.exchange import Exchange
from protopact.errors import ConfigError, ProtopactError, RegistryError, TransportError
from protopact.settings import ClientSettings
from unit.client.scripted import Script, answer
from unit.client.serving import say, serving

if TYPE_CHECKING:
    from email.message import Message
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from protopact.client import Auth

QUICK = ClientSettings(timeout_s=60, retries_max=1, retry_delay_s_min=0.01, retry_delay_s_max=0.02)
SECRET = "s:ecret/+%"
both = pytest.mark.parametrize("on_loop", [False, True], ids=["sync", "async"])


def get_types(
    url: str, *, on_loop: bool, auth: Auth | None = None, tls: Tls | None = None, times: int = 1
) -> list[str]:
    """Ask `times` times, at once, with one client."""
    if not on_loop:
        with (
            SchemaRegistryClient(url, auth=auth, tls=tls, settings=QUICK) as registry,
            ThreadPoolExecutor(times) as pool,
        ):
            return next(iter(list(pool.map(lambda _: registry.get_types(), range(times)))))

    async def ask() -> list[str]:
        async with AsyncSchemaRegistryClient(url, auth=auth, tls=tls, settings=QUICK) as registry:
            return (await asyncio.gather(*[registry.get_types() for _ in range(times)]))[0]

    return asyncio.run(ask())


class Registry:
    """A registry that lets good tokens in, and notes what came."""

    def __init__(self, *good: str) -> None:
        self.good = {f"Bearer {token}" for token in good}
        self.came: list[Message] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self.came.append(handler.headers)
        if handler.headers["authorization"] in self.good:
            say(handler, ["PROTOBUF"])
        else:
            say(handler, {"error_code": 401, "message": "unauthorized"}, 401)


class TokenServer:
    """Gives one token after the other to whoever knows the secret, and notes the forms that came."""

    def __init__(self, *tokens: str, takes_s: float = 0.0) -> None:
        self.tokens, self.takes_s = iter(tokens), takes_s
        self.forms: list[dict[str, list[str]]] = []
        self.logins: list[str | None] = []
        self.lock = threading.Lock()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        form = parse_qs(handler.rfile.read(int(handler.headers["content-length"])).decode())
        with self.lock:
            self.forms.append(form)
            self.logins.append(handler.headers["authorization"])
        time.sleep(self.takes_s)
        login = handler.headers["authorization"] or ""
        told = base64.b64decode(login.removeprefix("Basic ")).decode() if login else ""
        if told == "me%3Aid:s%3Aecret%2F%2B%25" or form.get("client_secret") == [SECRET]:
            say(handler, {"access_token": next(self.tokens), "token_type": "Bearer", "expires_in": 300})
        else:
            # A token server that repeats what it was sent.
            say(handler, {"error": "invalid_client", "error_description": f"not {SECRET} of {form} {told}"}, 401)


def everything_of(error: BaseException | None) -> str:
    """Show an error and all that led to it, in every way that a log might."""
    shown = []
    while error is not None:
        shown.append(f"{error} {error!r} {vars(error)}")
        error = error.__cause__ or error.__context__
    return " ".join(shown)


@both
def test_a_given_token_logs_in_with_what_the_cloud_wants_beside_it(on_loop: bool) -> None:  # noqa: FBT001
    registry = Registry("t0ken")
    token = BearerToken("t0ken", logical_cluster="lsrc-1", identity_pool="pool-1")
    with serving(registry) as url:
        assert get_types(url, on_loop=on_loop, auth=token) == ["PROTOBUF"]

    headers = registry.came[0]
    assert (headers["target-sr-cluster"], headers["confluent-identity-pool-id"]) == ("lsrc-1", "pool-1")
    assert "t0ken" not in repr(token)


@both
def test_a_token_function_is_asked_for_each_call_and_may_block(on_loop: bool) -> None:  # noqa: FBT001
    tokens = iter(["one", "two"])

    def give() -> str:
        time.sleep(0.01)
        return next(tokens)

    registry = Registry("one", "two")
    with serving(registry) as url:
        get_types(url, on_loop=on_loop, auth=BearerToken(give), times=2)
    assert sorted(headers["authorization"] for headers in registry.came) == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize("token", ["", "a b", "a\r\nx: y", "größe", None])
def test_a_token_that_cannot_be_one_is_refused_without_showing_it(token: str) -> None:
    with serving(Registry()) as url:
        for auth in (BearerToken(token), BearerToken(lambda: token)):
            if token is None and auth.token is None:
                continue
            with pytest.raises(ConfigError) as caught, SchemaRegistryClient(url, auth=auth) as client:
                client.get_types()
            assert caught.value.option == "auth"
            assert not token or token not in everything_of(caught.value)


def test_a_token_function_that_fails_is_named_with_its_cause() -> None:
    def give() -> str:
        raise KeyError("vault")

    with (
        serving(Registry()) as url,
        SchemaRegistryClient(url, auth=BearerToken(give)) as client,
        pytest.raises(ConfigError, match="KeyError") as caught,
    ):
        client.get_types()
    assert isinstance(caught.value.__cause__, KeyError)


@both
@pytest.mark.parametrize("in_body", [False, True], ids=["basic", "form"])
def test_eight_callers_fetch_one_token(on_loop: bool, in_body: bool) -> None:  # noqa: FBT001
    registry, tokens = Registry("first"), TokenServer("first", "second", takes_s=0.05)
    with serving(registry) as url, serving(tokens) as token_url:
        auth = OAuthClient(
            f"{token_url}/oauth/token",
            "me:id",
            SECRET,
            scope="sr:read",
            parameters={"audience": "sr"},
            secret_in_body=in_body,
        )
        assert get_types(url, on_loop=on_loop, auth=auth, times=8) == ["PROTOBUF"]

    assert len(registry.came) == 8
    form = {"grant_type": ["client_credentials"], "scope": ["sr:read"], "audience": ["sr"]}
    assert tokens.forms == [form | ({"client_id": ["me:id"], "client_secret": [SECRET]} if in_body else {})]
    assert (tokens.logins == [None]) == in_body
    assert SECRET not in repr(auth)


@both
def test_a_token_that_is_refused_before_its_time_is_fetched_anew(on_loop: bool) -> None:  # noqa: FBT001
    registry, tokens = Registry("second"), TokenServer("first", "second", "third")
    with serving(registry) as url, serving(tokens) as token_url:
        auth = OAuthClient(token_url, "me:id", SECRET)
        assert get_types(url, on_loop=on_loop, auth=auth) == ["PROTOBUF"]
    assert [headers["authorization"] for headers in registry.came] == ["Bearer first", "Bearer second"]


@both
def test_a_registry_that_refuses_every_token_is_asked_twice_and_no_more(on_loop: bool) -> None:  # noqa: FBT001
    registry, tokens = Registry(), TokenServer("first", "second", "third")
    with serving(registry) as url, serving(tokens) as token_url, pytest.raises(RegistryError) as caught:
        get_types(url, on_loop=on_loop, auth=OAuthClient(token_url, "me:id", SECRET))
    assert caught.value.status == 401
    assert (len(registry.came), len(tokens.forms)) == (2, 2)


@both
@pytest.mark.parametrize("in_body", [False, True], ids=["basic", "form"])
def test_a_refused_secret_is_told_but_never_shown(on_loop: bool, in_body: bool) -> None:  # noqa: FBT001
    registry = Registry()
    wrong = "wr0ng-" + SECRET
    with serving(registry) as url, serving(TokenServer()) as token_url, pytest.raises(RegistryError) as caught:
        get_types(url, on_loop=on_loop, auth=OAuthClient(token_url, "me:id", wrong, secret_in_body=in_body))

    assert registry.came == []
    assert "invalid_client" in caught.value.message
    assert caught.value.status == 401
    shown = everything_of(caught.value) + repr(pickle.loads(pickle.dumps(caught.value)))
    assert SECRET not in shown
    assert "wr0ng" not in shown


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"access_token": 1}',
        b'{"access_token": "a b"}',
        b'{"access_token": "a", "token_type": "mac"}',
    ],
)
def test_an_answer_without_a_usable_token_is_refused(body: bytes) -> None:
    with (
        serving(Registry()) as url,
        serving(lambda handler: say(handler, body)) as token_url,
        SchemaRegistryClient(url, auth=OAuthClient(token_url, "a", "b"), settings=QUICK) as client,
        pytest.raises(RegistryError, match="no usable token") as caught,
    ):
        client.get_types()
    assert caught.value.error_code == 50005


def test_a_token_server_that_is_gone_is_tried_and_named() -> None:
    with (
        serving(Registry()) as url,
        SchemaRegistryClient(url, auth=OAuthClient("http://127.0.0.1:9/token", "a", SECRET), settings=QUICK) as client,
        pytest.raises(TransportError, match=r"127\.0\.0\.1:9/token") as caught,
    ):
        client.get_types()
    assert caught.value.attempts == 2
    assert SECRET not in everything_of(caught.value)


@pytest.mark.parametrize("token_url", ["", "ftp://x", "http://ann:pw@host/token"])
def test_a_bad_token_address_is_refused(token_url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SchemaRegistryClient("http://localhost", auth=OAuthClient(token_url, "a", "b"))
    assert "pw" not in everything_of(caught.value)


@pytest.mark.parametrize(
    ("life", "kept_s"),
    [(300, 270), (60, 54), ("60", 54), (7200.5, 7170), (None, 270), (0, 0), (-5, 0), ("soon", 0), (1e30, 86370)],
)
def test_a_token_is_kept_until_shortly_before_it_expires(life: object, kept_s: float) -> None:
    now = [1000.0]
    replies = [{"access_token": f"t{n}", "expires_in": life} for n in range(3)]
    script = Script(*map(answer, replies))
    token = FetchedToken(OAuthClient("http://t", "a", "b"), Exchange(ClientSettings()).ask, clock=lambda: now[0])

    def header() -> str:
        return script.perform(token.headers())["authorization"]

    assert header() == "Bearer t0"
    now[0] += max(kept_s - 1, 0)
    assert header() == ("Bearer t0" if kept_s else "Bearer t1")
    now[0] += 2
    assert header() == ("Bearer t1" if kept_s else "Bearer t2")


def test_neither_tokens_nor_secrets_are_shown_by_what_is_sent() -> None:
    auth = OAuthClient("http://t", "a", SECRET, secret_in_body=True)
    script = Script(answer({"access_token": "t0ken"}), answer(["PROTOBUF"]))
    from protopact.client import calls
    from protopact.client.state import State

    script.perform(State(ClientSettings(), 1, auth).exchange.ask(calls.get_types()))

    assert script.servers == [1, 0]
    assert "ecret" not in repr(script.calls)
    assert "t0ken" not in repr(script.calls)
    assert script.calls[1][0].headers["authorization"] == "Bearer t0ken"


# ── client certificates ──────────────────────────────────────────────────────────────────────────


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an authority, and certificates that it signs for a server and for a client."""
    folder = tmp_path_factory.mktemp("certificates")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2")
    openssl(
        folder, "req", "-x509", *curve, "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority",
        "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    for name, extension in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth")):
        (folder / f"{name}.ext").write_text(extension)
        openssl(
            folder, "req", *curve, "-passout", "pass:pem-secret", "-keyout", f"{name}.locked",
            "-out", f"{name}.csr", "-subj", f"/CN={name}",
        )  # fmt: skip
        openssl(folder, "pkey", "-in", f"{name}.locked", "-passin", "pass:pem-secret", "-out", f"{name}.key")
        openssl(
            folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.pem",
        )  # fmt: skip
    return folder


def demanding(certificates: Path) -> ssl.SSLContext:
    """Give the context of a server that lets in only clients with a certificate of the authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def welcoming(handler: BaseHTTPRequestHandler) -> None:
    say(handler, ["PROTOBUF"])


@both
@pytest.mark.parametrize("locked", [False, True], ids=["key", "locked key"])
def test_a_client_certificate_logs_in(certificates: Path, on_loop: bool, locked: bool) -> None:  # noqa: FBT001
    key = certificates / ("client.locked" if locked else "client.key")
    tls = Tls(certificates / "ca.pem", certificates / "client.pem", key, "pem-secret" if locked else None)
    with serving(welcoming, demanding(certificates)) as url:
        assert get_types(url, on_loop=on_loop, tls=tls) == ["PROTOBUF"]
    assert "pem-secret" not in repr(tls)


@both
def test_a_context_of_ones_own_logs_in_too(certificates: Path, on_loop: bool) -> None:  # noqa: FBT001
    context = Tls(certificates / "ca.pem", certificates / "client.pem", certificates / "client.key").context()
    made = AsyncSchemaRegistryClient if on_loop else SchemaRegistryClient
    with serving(welcoming, demanding(certificates)) as url:
        if on_loop:

            async def ask() -> list[str]:
                async with AsyncSchemaRegistryClient(url, ssl_context=context, settings=QUICK) as registry:
                    return await registry.get_types()

            assert asyncio.run(ask()) == ["PROTOBUF"]
        else:
            with SchemaRegistryClient(url, ssl_context=context, settings=QUICK) as registry:
                assert registry.get_types() == ["PROTOBUF"]
        with pytest.raises(ConfigError):
            made(url, ssl_context=context, tls=Tls())


@both
def test_without_a_certificate_or_trust_nothing_is_answered(certificates: Path, on_loop: bool) -> None:  # noqa: FBT001
    came: list[BaseHTTPRequestHandler] = []
    with serving(came.append, demanding(certificates)) as url:
        for tls in (
            Tls(certificates / "ca.pem"),
            Tls(certificate=certificates / "client.pem", key=certificates / "client.key"),
        ):
            with pytest.raises(TransportError):
                get_types(url, on_loop=on_loop, tls=tls)
    assert came == []


def test_tls_files_that_cannot_be_used_are_refused(certificates: Path) -> None:
    pem, key = certificates / "client.pem", certificates / "client.key"
    for tls in (
        Tls(certificates / "nowhere.pem"),
        Tls(certificate=certificates / "nowhere.pem"),
        Tls(certificate=pem, key=certificates / "server.key"),
        Tls(certificate=pem, key=certificates / "client.locked", key_password="wr0ng"),
        Tls(certificate=pem, key=certificates / "client.locked"),
        Tls(key=key),
    ):
        with pytest.raises(ConfigError) as caught:
            SchemaRegistryClient("https://localhost", tls=tls)
        assert caught.value.option == "tls"
        assert "wr0ng" not in everything_of(caught.value)
        assert isinstance(caught.value, ProtopactError)
