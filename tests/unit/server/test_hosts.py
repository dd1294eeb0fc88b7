"""A registry that lets in whoever reaches it answers to no foreign name: pages in browsers may bring one."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from protopact.errors import RegistryError
from protopact.flow import Call, perform
from protopact.server import asgi_app
from protopact.server.http.hosts import Hosts

if TYPE_CHECKING:
    from protopact.server import Registry


@pytest.mark.parametrize(
    "host",
    [
        *("", "localhost", "LocalHost:8081", "localhost.", "a.localhost:1", "127.0.0.1", "127.0.0.1:8081"),
        *("[::1]:8081", "192.0.2.7:80", "registry.internal", "Registry.Internal.:8081"),
    ],
)
def test_addresses_local_names_and_given_names_are_known(host: str) -> None:
    Hosts(["registry.internal"]).check(host)


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example", "notlocalhost"),
        *("localhost,evil.example", "registry.internal.evil.example", "[evil.example]:1", "::1", "@localhost"),
        "x" * 301,
    ],
)
def test_every_other_name_is_refused(host: str) -> None:
    with pytest.raises(RegistryError) as refused:
        Hosts(["registry.internal"]).check(host)
    assert refused.value.status == 421


def ask(registry: Registry, hosts: Hosts | None, path: str, host: bytes) -> tuple[int, bytes]:
    sent: list[Any] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}

    async def serve() -> None:
        await asgi_app(registry, hosts=hosts)({**scope, "headers": [(b"host", host)]}, receive, send)

    asyncio.run(serve())
    return sent[0]["status"], sent[1]["body"]


def test_a_prepared_answer_is_as_guarded_as_any(registry: Registry) -> None:
    body = json.dumps({"schemaType": "PROTOBUF", "schema": 'syntax = "proto3";'}).encode()
    assert perform(registry.exchange(Call("POST", "/subjects/s/versions", (), {}, body))).status == 200
    for _ in range(2):  # the second answer lies ready
        assert ask(registry, Hosts(), "/schemas/ids/1", b"localhost")[0] == 200
    for path in ("/schemas/ids/1", "/health/live", "/"):
        status, answer = ask(registry, Hosts(), path, b"evil.example")
        assert (status, json.loads(answer)["error_code"]) == (421, 421)
        assert ask(registry, None, path, b"evil.example")[0] == 200
