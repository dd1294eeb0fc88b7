"""HTTP's matters, by calling the application as a server would."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from protopact.flow import Reply
from protopact.registry import repr_digest
from protopact.server import Registry, asgi_app
from protopact.server.guard.access import LOCAL
from protopact.server.metrics import Metrics
from protopact.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from protopact.flow import Call, Flow
    from protopact.server.guard.access import Principal

A = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n}\n'


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> tuple[int, int]:
        told = json.loads(self.body)
        assert set(told) == {"error_code", "message"}
        return self.status, told["error_code"]


def call(
    app: Any,
    method: str,
    path: str,
    chunks: Iterable[bytes] = (),
    headers: Iterable[tuple[str, str]] = (),
    *,
    query: bytes = b"",
) -> Answer:
    return asyncio.run(acall(app, method, path, chunks, headers, query=query))


async def acall(
    app: Any,
    method: str,
    path: str,
    chunks: Iterable[bytes] = (),
    headers: Iterable[tuple[str, str]] = (),
    *,
    query: bytes = b"",
) -> Answer:
    parts = list(chunks)
    messages = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)} for number, part in enumerate(parts, 1)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        if messages:
            return messages.pop(0)
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    if parts and not any(name == b"content-length" for name, _ in raw):
        raw.append((b"transfer-encoding", b"chunked"))
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": raw,
    }
    await app(scope, receive, send)
    start, *bodies = sent
    assert [start["type"], *(part["type"] for part in bodies)] == ["http.response.start", "http.response.body"]
    received = {name.decode(): value.decode() for name, value in start["headers"]}
    assert len(received) == len(start["headers"])
    body = b"".join(part["body"] for part in bodies)
    if method != "HEAD":
        assert int(received["content-length"]) == len(body)
    return Answer(start["status"], received, body)


@pytest.fixture
def app(registry: Registry) -> Any:
    return asgi_app(registry)


def register(app: Any, schema: str = A) -> Answer:
    body = json.dumps({"schema": schema, "schemaType": "PROTOBUF"}).encode()
    return call(app, "POST", "/subjects/s/versions", [body])


def test_a_schema_goes_in_and_comes_out(app: Any) -> None:
    assert register(app).status == 200
    answer = call(app, "GET", "/schemas/ids/1")
    assert (answer.status, json.loads(answer.body)["schema"]) == (200, A)
    assert answer.headers["content-type"] == "application/vnd.schemaregistry.v1+json"


def test_head_is_get_without_the_body(app: Any) -> None:
    register(app)
    get, head = call(app, "GET", "/schemas/ids/1"), call(app, "HEAD", "/schemas/ids/1")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert call(app, "HEAD", "/no").status == 404


def test_a_body_in_pieces_is_one_body(app: Any) -> None:
    body = json.dumps({"schema": A, "schemaType": "PROTOBUF"}).encode()
    pieces = [body[:1], b"", body[1:20], body[20:]]
    assert call(app, "POST", "/subjects/s/versions", pieces).status == 200


def test_the_query_is_decoded(app: Any) -> None:
    register(app)
    answer = call(app, "GET", "/subjects", query=b"subjectPrefix=%73&limit=1")
    assert json.loads(answer.body) == ["s"]
    assert call(app, "GET", "/subjects", query=b"subjectPrefix=%ff").error == (400, 400)
    assert call(app, "GET", "/subjects", query=b"a=1&" * 200).error == (400, 400)
    assert call(app, "GET", "/subjects", query=b"\xff=1").error == (400, 400)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/no", [], 404),
        ("GET", "/associations", [], 404),
        ("DELETE", "/schemas/types", [], 405),
        ("BREW", "/schemas/types", [], 405),
        ("GET", "/schemas/types", [("accept", "text/html")], 406),
        ("POST", "/subjects/s", [("content-type", "text/plain"), ("content-length", "2")], 415),
        ("POST", "/subjects/s", [("content-length", "0")], 422),
        ("POST", "/subjects/s", [], 422),
    ],
)
def test_http_errors_have_the_dialects_body(
    app: Any, method: str, path: str, headers: list[tuple[str, str]], status: int
) -> None:
    chunks = [b"{}"] if ("content-length", "2") in headers else []
    assert call(app, method, path, chunks, headers).error == (status, status)


def test_the_requests_id_is_echoed_and_made_where_there_is_none(app: Any) -> None:
    def id_of(*given: str) -> str:
        return call(app, "GET", "/", headers=[("x-request-id", text) for text in given]).headers["x-request-id"]

    assert id_of("abc-123") == "abc-123"
    made = {id_of(), id_of("a", "b"), id_of(""), id_of("a b"), id_of("\xe9"), id_of("x" * 200)}
    assert len(made) == 6
    assert all(text.isascii() and len(text) >= 16 for text in made)
    assert call(app, "GET", "/no", headers=[("x-request-id", "abc")]).headers["x-request-id"] == "abc"


def test_a_body_that_is_announced_far_too_long_is_refused_unread(app: Any) -> None:
    for length in (str(16 * 1024 * 1024 + 1), "9" * 5000):
        answer = call(app, "POST", "/subjects/s", headers=[("content-length", length)])
        assert answer.error == (413, 413)
        assert answer.headers["connection"] == "close"


def test_a_body_that_grows_too_long_is_refused(
    small_registry: Callable[..., Registry],
) -> None:
    app = asgi_app(small_registry(body_bytes_max=100))
    assert call(app, "POST", "/subjects/s", [b" " * 60, b" " * 60]).error == (413, 413)
    assert call(app, "POST", "/subjects/s", [b" " * 60] * 1000).error == (413, 413)
    assert call(app, "POST", "/subjects/s", [b" " * 60, b" " * 40]).error == (422, 422)


def test_a_body_that_takes_too_long_is_refused(small_registry: Callable[..., Registry]) -> None:
    app = asgi_app(small_registry(body_s=0.05))
    assert call(app, "POST", "/subjects/s", headers=[("content-length", "10")]).error == (408, 408)


def test_a_client_that_goes_away_is_not_answered(app: Any) -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [(b"content-length", b"5")]}
    asyncio.run(app(scope, receive, send))


class Silent:
    """A registry that has nothing prepared, and lets everybody in."""

    def __init__(self) -> None:
        self.metrics = Metrics()

    def find_prepared(self, _path: str, _query: bytes, _authorization: bytes) -> None:
        return None

    def identify(self, _call: Call) -> Flow[Principal]:
        yield from ()
        return LOCAL

    def told(self, _error: Exception, _call: Call) -> dict[str, str]:
        return {}


def test_more_calls_at_a_time_than_allowed_are_told_to_come_again(registry: Registry) -> None:
    class Slow(Silent):
        settings = replace(ServerSettings(), concurrency_max=2)

        def exchange(self, _call: Call, _principal: Principal | None = None) -> Flow[Reply]:
            from protopact.flow import Sleep

            yield Sleep(0.1)
            return Reply(200)

    async def many() -> list[Answer]:
        app = asgi_app(Slow())  # type: ignore[arg-type]
        return await asyncio.gather(*(acall(app, "GET", "/") for _ in range(4)))

    answers = asyncio.run(many())
    assert sorted(answer.status for answer in answers) == [200, 200, 503, 503]
    refused = next(answer for answer in answers if answer.status == 503)
    assert (refused.error, refused.headers["retry-after"]) == ((503, 503), "1")


def test_a_failure_inside_is_logged_and_the_client_sees_no_trace_of_it(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Silent):
        settings = ServerSettings()

        def exchange(self, call: Call, principal: Principal | None = None) -> Flow[Reply]:
            raise KeyError("secret")

    answer = call(asgi_app(Broken()), "GET", "/", headers=[("x-request-id", "abc")])  # type: ignore[arg-type]
    assert answer.error == (500, 500)
    assert b"secret" not in answer.body
    assert "abc" in caplog.text


def test_lifespan_is_answered_and_other_protocols_are_not(app: Any) -> None:
    asked = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    told: list[str] = []

    async def receive() -> Any:
        return asked.pop(0)

    async def send(message: Any) -> None:
        told.append(message["type"])

    asyncio.run(app({"type": "lifespan"}, receive, send))
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(RuntimeError, match="websocket"):
        asyncio.run(app({"type": "websocket"}, receive, send))


@pytest.mark.parametrize("query", [b"", b"format=serialized"])
def test_a_prepared_reply_is_the_one_that_was_worked_out(app: Any, query: bytes) -> None:
    register(app)
    answers = [call(app, "GET", "/schemas/ids/1", query=query) for _ in range(3)]
    for answer in answers:
        answer.headers.pop("x-request-id")
    assert answers[0] == answers[1] == answers[2]
    assert answers[0].status == 200


def test_a_prepared_reply_keeps_to_what_the_caller_asks(app: Any) -> None:
    register(app)
    call(app, "GET", "/schemas/ids/1")
    typed = call(app, "GET", "/schemas/ids/1", headers=[("accept", "application/json")])
    assert typed.headers["content-type"] == "application/json"
    assert call(app, "GET", "/schemas/ids/1", headers=[("accept", "text/html")]).status == 406
    assert call(app, "GET", "/schemas/ids/1", headers=[("x-request-id", "abc")]).headers["x-request-id"] == "abc"
    assert call(app, "DELETE", "/schemas/ids/1").status == 405
    assert b"version" in call(app, "GET", "/schemas/ids/1", query=b"subject=s").body
    ids = {call(app, "GET", "/schemas/ids/1").headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


def test_every_answer_tells_the_digest_of_its_body(app: Any) -> None:
    register(app)
    by_id = [call(app, "GET", "/schemas/ids/1") for _ in range(2)]  # the second one was prepared
    for answer in (*by_id, call(app, "GET", "/subjects"), call(app, "GET", "/nowhere")):
        assert answer.headers["repr-digest"] == repr_digest(answer.body).decode()
    head = call(app, "HEAD", "/schemas/ids/1")
    assert (head.body, head.headers["repr-digest"]) == (b"", by_id[0].headers["repr-digest"])
