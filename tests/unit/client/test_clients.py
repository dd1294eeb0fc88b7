"""Both clients over a scripted registry, and over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from protopact.client import AsyncSchemaRegistryClient, SchemaRegistryClient
from protopact.errors import ConfigError, RegistryError, SchemaNotFoundError, SubjectNotFoundError, TransportError
from protopact.registry import Metadata, content_guid, repr_digest
from protopact.settings import ClientSettings
from unit.client.scripted import Routes, answer
from unit.client.serving import say, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler

    from protopact.flow import Call, Reply
    from protopact.registry import RegisteredSchema

IMPATIENT = ClientSettings(timeout_s=0.3, retries_max=0)  # for servers that never answer: others may need longer
ONCE = ClientSettings(timeout_s=60, retries_max=0)
BY_ID = "/schemas/ids/7"


@contextmanager
def silent_server() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def refusing_address() -> Iterator[str]:
    """Hold a port on which nobody listens, so that no other server gets it meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def get_types(url: str, *, on_loop: bool, settings: ClientSettings = ONCE) -> list[str]:
    if not on_loop:
        with SchemaRegistryClient(url, settings=settings) as registry:
            return registry.get_types()

    async def ask() -> list[str]:
        async with AsyncSchemaRegistryClient(url, settings=settings) as registry:
            return await registry.get_types()

    return asyncio.run(ask())


both = pytest.mark.parametrize("on_loop", [False, True], ids=["sync", "async"])


@both
def test_a_silent_server_is_given_up_in_time(on_loop: bool) -> None:  # noqa: FBT001
    with silent_server() as url, pytest.raises(TransportError) as caught:
        get_types(url, on_loop=on_loop, settings=IMPATIENT)

    assert caught.value.url == url
    assert caught.value.attempts == 1


@both
def test_an_answer_that_drips_is_given_up_in_time(on_loop: bool) -> None:  # noqa: FBT001
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("content-length", "1000")
        handler.end_headers()
        try:
            for _ in range(1000):
                handler.wfile.write(b" ")
                drops.append(1)
                time.sleep(0.02)
        except OSError:
            pass

    drops: list[int] = []
    with serving(drip) as url:
        for _ in range(10):  # the server may be too slow to let fall even one drop within the time of a try
            with pytest.raises(TransportError):
                get_types(url, on_loop=on_loop, settings=IMPATIENT)
            if drops:
                break
    assert 0 < len(drops) < 1000


@both
def test_an_answer_that_is_cut_off_is_no_answer(on_loop: bool) -> None:  # noqa: FBT001
    def cut(handler: BaseHTTPRequestHandler) -> None:
        say(handler, b'["PROTO', **{"content-length": "12"})
        handler.close_connection = True

    with serving(cut) as url, pytest.raises(TransportError):
        get_types(url, on_loop=on_loop)


@both
@pytest.mark.parametrize("announced", [True, False])
def test_an_answer_beyond_the_size_limit_is_refused(on_loop: bool, announced: bool) -> None:  # noqa: FBT001
    def flood(handler: BaseHTTPRequestHandler) -> None:
        try:
            if announced:
                say(handler, b"x" * 5000)
            else:
                handler.send_response(200)
                handler.end_headers()
                handler.wfile.write(b"x" * 5000)
                handler.close_connection = True
        except OSError:
            pass

    settings = ClientSettings(retries_max=0, reply_bytes_max=1000)
    with serving(flood) as url, pytest.raises(TransportError, match="larger than 1000 bytes"):
        get_types(url, on_loop=on_loop, settings=settings)


@both
def test_a_compressed_answer_that_was_not_asked_for_is_refused(on_loop: bool) -> None:  # noqa: FBT001
    with (
        serving(lambda handler: say(handler, b"\x1f\x8b", content_encoding="gzip")) as url,
        pytest.raises(TransportError, match="compressed"),
    ):
        get_types(url, on_loop=on_loop)


@both
def test_a_redirect_is_not_followed(on_loop: bool) -> None:  # noqa: FBT001
    asked = []

    def redirect(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        say(handler, b"", 307, location="/elsewhere")

    with serving(redirect) as url, pytest.raises(RegistryError, match="redirect"):
        get_types(url, on_loop=on_loop)
    assert asked == ["/schemas/types"]


@both
def test_the_next_server_answers_for_one_that_is_gone(on_loop: bool) -> None:  # noqa: FBT001
    with refusing_address() as gone, serving(lambda handler: say(handler, ["PROTOBUF"])) as url:
        assert get_types(f"{gone},{url}", on_loop=on_loop) == ["PROTOBUF"]


@both
def test_a_server_that_recovers_is_asked_again(on_loop: bool) -> None:  # noqa: FBT001
    asked: list[str] = []

    def recover(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        say(handler, ["PROTOBUF"] if len(asked) > 2 else {}, 200 if len(asked) > 2 else 503)

    settings = ClientSettings(retry_delay_s_min=0.01, retry_delay_s_max=0.02)
    with serving(recover) as url:
        assert get_types(url, on_loop=on_loop, settings=settings) == ["PROTOBUF"]
    assert len(asked) == 3


def test_a_registration_is_tried_again_with_its_body() -> None:
    bodies = []

    def handle(handler: BaseHTTPRequestHandler) -> None:
        bodies.append(handler.rfile.read(int(handler.headers["content-length"])))
        say(handler, {"id": 1} if len(bodies) > 1 else {}, 200 if len(bodies) > 1 else 502)

    settings = ClientSettings(retry_delay_s_min=0.01, retry_delay_s_max=0.02)
    with serving(handle) as url, SchemaRegistryClient(url, settings=settings) as registry:
        assert registry.register("s", "größe").id == 1
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert json.loads(bodies[0])["schema"] == "größe"


@pytest.mark.parametrize("subject", ["a/b.proto", ":.ctx:a", "a b?c#d%25", "größe", "..", "a+b&c=d", "a//b"])
def test_a_subject_arrives_as_one_segment(subject: str) -> None:
    from urllib.parse import unquote

    asked: list[str] = []

    def handle(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        say(handler, [1])

    with serving(handle) as url, SchemaRegistryClient(url + "/base/") as registry:
        registry.get_versions(subject)

    segments = asked[0].split("/")
    assert segments[:3] == ["", "base", "subjects"]
    assert unquote(segments[3]) == subject
    assert segments[4:] == ["versions"]


@both
@pytest.mark.parametrize("in_url", [True, False])
def test_credentials_log_in_and_are_never_shown(on_loop: bool, in_url: bool) -> None:  # noqa: FBT001
    import base64

    seen: list[str | None] = []

    def handle(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["authorization"])
        say(handler, {"error_code": 401, "message": "no"}, 401)

    with serving(handle) as plain:
        url = plain.replace("http://", "http://ann:s%3Aecret%2F@") if in_url else plain
        auth = None if in_url else ("ann", "s:ecret/")
        made = AsyncSchemaRegistryClient if on_loop else SchemaRegistryClient
        registry = made(url, auth=auth, settings=ONCE)
        assert "ecret" not in repr(registry)
        if on_loop:

            async def ask() -> None:
                async with AsyncSchemaRegistryClient(url, auth=auth, settings=ONCE) as client:
                    await client.get_types()

            with pytest.raises(RegistryError) as caught:
                asyncio.run(ask())
            asyncio.run(registry.close())
        else:
            with pytest.raises(RegistryError) as caught:
                registry.get_types()
            registry.close()

    assert seen == ["Basic " + base64.b64encode(b"ann:s:ecret/").decode()]
    assert caught.value.status == 401


def test_a_transport_error_shows_no_credentials() -> None:
    with refusing_address() as gone:
        address = gone.replace("http://", "http://ann:secret@")
        with SchemaRegistryClient(address, settings=ONCE) as registry, pytest.raises(TransportError) as caught:
            registry.get_types()

    error: BaseException | None = caught.value
    while error is not None:
        assert "secret" not in f"{error} {error!r} {vars(error)}"
        error = error.__cause__
    assert caught.value.attempts == 1


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8081",
        "ftp://host",
        "http://",
        "",
        "http://host:port",
        "http://host:99999",
        "http://a:8081,b:8081",
        "http://h/?x=1",
        "http://h/#x",
        "http://ann:secret@",
        "http://[::1",
        "http://a b",
        "http://a\x00b",
    ],
)
def test_a_bad_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SchemaRegistryClient(url)

    assert caught.value.option == "url"
    assert "secret" not in str(caught.value)
    assert caught.value.hint


def test_addresses_are_cleaned_of_what_is_not_theirs() -> None:
    with SchemaRegistryClient(["https://ann:x@[::1]:8081/base/", " http://two "]) as registry:
        assert repr(registry) == "SchemaRegistryClient('https://[::1]:8081/base,http://two')"


@pytest.mark.parametrize("timeout_s", [0, -1, float("inf"), float("nan")])
def test_a_time_limit_is_finite_and_positive(timeout_s: float) -> None:
    with pytest.raises(ConfigError) as caught:
        SchemaRegistryClient("http://localhost", timeout_s=timeout_s)
    assert caught.value.option == "timeout_s"


def test_a_client_needs_an_address_or_a_sender() -> None:
    with pytest.raises(ConfigError):
        SchemaRegistryClient()
    with pytest.raises(ConfigError):
        SchemaRegistryClient("http://localhost", sender=Routes({}))


def test_a_closed_client_sends_nothing_and_closes_once() -> None:
    closed = []
    with SchemaRegistryClient(sender=Routes({}), on_close=lambda: closed.append(1)) as registry:
        pass
    registry.close()

    assert closed == [1]
    with pytest.raises(TransportError, match="closed"):
        registry.get_types()


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


def test_eight_threads_ask_for_an_id_once() -> None:
    asked = []

    def handle(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        time.sleep(0.05)
        say(handler, {"schema": "x"})

    with serving(handle) as url, SchemaRegistryClient(url) as registry, ThreadPoolExecutor(8) as pool:
        start = threading.Barrier(8)

        def work(_: int) -> str:
            start.wait()
            return registry.get_schema_by_id(7).schema

        assert list(pool.map(work, range(8))) == ["x"] * 8
    assert asked == [BY_ID]


def test_fifty_tasks_ask_for_an_id_once() -> None:
    asked = []

    def handle(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        time.sleep(0.05)
        say(handler, {"schema": "x"})

    async def ask(url: str) -> None:
        async with AsyncSchemaRegistryClient(url) as registry:
            found = await asyncio.gather(*[registry.get_schema_by_id(7) for _ in range(50)])
            assert {schema.schema for schema in found} == {"x"}

    with serving(handle) as url:
        asyncio.run(ask(url))
    assert asked == [BY_ID]


@pytest.mark.parametrize("bad", [{"id": 8, "schema": "x"}, {"schema": ""}, b'{"schema":"x', b"<html>"])
def test_an_answer_that_is_wrong_is_never_kept(bad: object) -> None:
    sender = Routes({f"GET {BY_ID}": answer(bad)})
    registry = SchemaRegistryClient(sender=sender)
    with pytest.raises(RegistryError) as caught:
        registry.get_schema_by_id(7)
    assert caught.value.error_code == 50005

    sender.routes[f"GET {BY_ID}"] = {"schema": "y"}
    assert registry.get_schema_by_id(7).schema == "y"


def test_a_not_found_is_believed_for_a_moment_and_then_asked_again() -> None:
    sender, now = Routes({}), [100.0]
    registry = SchemaRegistryClient(sender=sender, settings=ClientSettings(missing_ttl_s=0.2))
    registry.session.missing._clock = lambda: now[0]
    refusals = []
    for _ in range(3):
        with pytest.raises(SchemaNotFoundError) as caught:
            registry.get_schema_by_id(7)
        refusals.append(caught.value)
    assert sender.asked == [f"GET {BY_ID}"]
    assert len({id(refusal) for refusal in refusals}) == 3
    assert {(refusal.error_code, refusal.status) for refusal in refusals} == {(40403, 404)}

    sender.routes[f"GET {BY_ID}"] = {"schema": "y"}
    now[0] += 0.2
    assert registry.get_schema_by_id(7).schema == "y"


def test_an_id_that_comes_into_being_by_registering_is_found_at_once() -> None:
    sender = Routes({"POST /subjects/s/versions": {"id": 7}})
    registry = SchemaRegistryClient(sender=sender)
    with pytest.raises(SchemaNotFoundError):
        registry.get_schema_by_id(7)
    registry.register("s", "x")
    sender.routes[f"GET {BY_ID}"] = {"schema": "y"}

    assert registry.get_schema_by_id(7).schema == "y"


def test_an_unknown_id_is_believed_to_be_so_for_no_longer_than_a_second_by_default() -> None:
    assert 0 < ClientSettings().missing_ttl_s <= 1


def test_latest_is_believed_for_a_while_and_forgotten_after_registering() -> None:
    latest = "GET /subjects/s/versions/latest"
    versions = iter([1, 2, 3])
    sender = Routes({latest: lambda _: answer({"version": next(versions), "schema": "x", "id": 1})})
    sender.routes["POST /subjects/s/versions"] = {"id": 1}
    registry = SchemaRegistryClient(sender=sender)

    assert [registry.get_version("s").version for _ in range(3)] == [1, 1, 1]
    registry.register("s", "y")
    assert registry.get_version("s").version == 2
    registry.session.latest.drop("s")
    assert registry.get_version("s", -1).version == 3


def test_a_content_is_registered_and_looked_up_once_per_subject() -> None:
    sender = Routes({f"POST /subjects/{s}{tail}": {"id": 1} for s in "ab" for tail in ("", "/versions")})
    registry = SchemaRegistryClient(sender=sender)
    for subject in ("a", "a", "b"):
        registry.register(subject, "x")
        registry.lookup(subject, "x")
    registry.register("a", "y")

    assert sender.asked == [
        "POST /subjects/a/versions",
        "POST /subjects/a",
        "POST /subjects/b/versions",
        "POST /subjects/b",
        "POST /subjects/a/versions",
    ]


def test_the_registrys_words_arrive() -> None:
    body = {"error_code": 40401, "message": "Subject 's' not found."}
    registry = SchemaRegistryClient(sender=Routes({"GET /subjects/s/versions": answer(body, 404)}))

    with pytest.raises(SubjectNotFoundError, match=r"^Subject 's' not found\.$"):
        registry.get_versions("s")


def test_an_async_client_over_a_sender_runs_the_same_flows() -> None:
    routes = Routes({"GET /schemas/types": ["PROTOBUF"], f"GET {BY_ID}": {"schema": "x"}})
    closed = []

    async def send(call: Call, server: int) -> Reply:
        return routes(call, server)

    async def close() -> None:
        closed.append(1)

    async def work() -> None:
        async with AsyncSchemaRegistryClient(sender=send, on_close=close) as registry:
            assert await registry.get_types() == ["PROTOBUF"]
            assert (await registry.get_schema_by_id(7)).id == 7
            assert "in process" in repr(registry)
        with pytest.raises(TransportError, match="closed"):
            await registry.get_types()

    asyncio.run(work())
    assert closed == [1]


def test_without_the_http_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from protopact.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "httpx2", None)

    with pytest.raises(MissingExtraError) as caught:
        SchemaRegistryClient("http://localhost:8081")

    assert caught.value.hint == "pip install 'protopact[registry]'"


# ── what must not be believed ────────────────────────────────────────────────────────────────────


def test_the_latest_that_was_asked_for_before_a_registration_is_not_believed_after_it() -> None:
    versions = iter([1, 2])

    def latest(_: Call) -> Reply:
        told = answer({"version": next(versions), "schema": "x", "id": 1})
        if not registered:
            registered.append(registry.register("s", "y"))  # while this answer is on its way
        return told

    registered: list[RegisteredSchema] = []
    routes = {"GET /subjects/s/versions/latest": latest, "POST /subjects/s/versions": {"id": 2}}
    registry = SchemaRegistryClient(sender=Routes(routes))

    assert [registry.get_version("s").version for _ in range(3)] == [1, 2, 2]


def test_latest_is_forgotten_when_a_registrations_answer_is_lost() -> None:
    versions = iter([1, 2])
    routes = {"GET /subjects/s/versions/latest": lambda _: answer({"version": next(versions), "schema": "x", "id": 1})}
    registry = SchemaRegistryClient(sender=Routes(routes))
    assert registry.get_version("s").version == 1
    with pytest.raises(RegistryError):
        registry.register("s", "y")

    assert registry.get_version("s").version == 2


def test_a_not_found_with_another_status_is_not_believed() -> None:
    sender = Routes({f"GET {BY_ID}": answer({"error_code": 40403, "message": "no"}, 410)})
    registry = SchemaRegistryClient(sender=sender)
    for _ in range(2):
        with pytest.raises(SchemaNotFoundError):
            registry.get_schema_by_id(7)
    assert len(sender.asked) == 2


def test_a_text_of_another_guid_than_the_answer_tells_is_refused() -> None:
    guid = content_guid("x")
    for body, is_right in (
        ({"schema": "x", "guid": guid}, True),
        ({"schema": "x", "guid": guid.upper()}, True),
        ({"schema": "y", "guid": guid}, False),
        ({"schema": "x", "guid": content_guid("x", metadata=Metadata())}, True),  # answers leave out what is empty
        ({"schema": "y", "guid": guid, "metadata": {"properties": {"a": "b"}}}, True),  # not judged
    ):
        registry = SchemaRegistryClient(sender=Routes({f"GET {BY_ID}": body, "GET /subjects/s/versions/1": body}))
        for ask in (lambda r=registry: r.get_schema_by_id(7), lambda r=registry: r.get_version("s", 1)):
            if is_right:
                assert ask().guid
            else:
                with pytest.raises(RegistryError, match="GUID"):
                    ask()


def test_what_is_asked_for_by_guid_has_that_guid() -> None:
    guid = content_guid("x")
    for body, is_right in (
        ({"schema": "x"}, True),
        ({"schema": "y"}, False),
        ({"schema": "x", "guid": content_guid("y")}, False),
        ({"schema": "x", "guid": guid, "metadata": {"properties": {"a": "b"}}}, False),
    ):
        registry = SchemaRegistryClient(sender=Routes({f"GET /schemas/guids/{guid}": body}))
        if is_right:
            assert registry.get_schema_by_guid(guid).schema == "x"
        else:
            with pytest.raises(RegistryError, match="another content"):
                registry.get_schema_by_guid(guid)


@both
def test_an_answer_that_is_not_the_one_of_its_digest_is_no_answer(on_loop: bool) -> None:  # noqa: FBT001
    bodies = iter([b'["ALTERED!"]', b'["PROTOBUF"]'])

    def handle(handler: BaseHTTPRequestHandler) -> None:
        digest = repr_digest(b'["PROTOBUF"]').decode()
        say(handler, next(bodies), repr_digest=f"sha-512=:QUJD:, {digest}")

    with serving(handle) as url:
        with pytest.raises(TransportError, match="altered"):
            get_types(url, on_loop=on_loop)
        assert get_types(url, on_loop=on_loop) == ["PROTOBUF"]
