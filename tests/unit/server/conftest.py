"""A registry in memory, and a short way to ask it."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from protopact.compiler import Workers
from protopact.flow import Call, Reply, perform
from protopact.server import Registry, open_store
from protopact.settings import ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Asker:
    """Asks a registry in this process; every reply is checked for what all replies share."""

    registry: Registry
    headers: dict[str, str] = field(default_factory=dict)

    def raw(self, method: str, path: str, body: bytes = b"", **query: object) -> Reply:
        pairs = tuple((name, str(value)) for name, value in query.items())
        reply = perform(self.registry.exchange(Call(method, path, pairs, self.headers, body)))
        if reply.status >= 400:
            error = json.loads(reply.body)
            assert set(error) == {"error_code", "message"}
            assert int(str(error["error_code"])[:3]) == reply.status
        return reply

    def get(self, path: str, **query: object) -> Any:
        return json.loads(self.raw("GET", path, **query).body)

    def post(self, path: str, body: object, **query: object) -> Any:
        return json.loads(self.raw("POST", path, json.dumps(body).encode(), **query).body)

    def put(self, path: str, body: object, **query: object) -> Any:
        return json.loads(self.raw("PUT", path, json.dumps(body).encode(), **query).body)

    def delete(self, path: str, **query: object) -> Any:
        return json.loads(self.raw("DELETE", path, **query).body or b"null")

    def register(self, subject: str, schema: str, *references: tuple[str, str, int], **more: object) -> Any:
        return self.post(f"/subjects/{quote(subject, safe='')}/versions", request(schema, *references, **more))

    def look_up(self, subject: str, schema: str, *references: tuple[str, str, int], **more: object) -> Any:
        return self.post(f"/subjects/{quote(subject, safe='')}", request(schema, *references, **more))


def request(schema: str, *references: tuple[str, str, int], **more: object) -> dict[str, object]:
    named = [{"name": name, "subject": subject, "version": version} for name, subject, version in references]
    return {"schemaType": "PROTOBUF", "schema": schema, "references": named, **more}


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    with Workers() as pool:
        yield pool


@pytest.fixture
def registry(workers: Workers) -> Iterator[Registry]:
    with closing(Registry(open_store("memory:"), workers=workers)) as opened:
        yield opened


@pytest.fixture
def ask(registry: Registry) -> Asker:
    """Ask a registry that takes any schema after any other: most rules have nothing to do with compatibility."""
    asker = Asker(registry)
    asker.put("/config", {"compatibility": "NONE"})
    return asker


@pytest.fixture
def strict(registry: Registry) -> Asker:
    """Ask a registry whose config is as it comes."""
    return Asker(registry)


@pytest.fixture
def asker() -> type[Asker]:
    return Asker


@pytest.fixture
def small_registry(workers: Workers) -> Iterator[Callable[..., Registry]]:
    """Open registries with settings of their own."""
    with ExitStack() as opened:

        def opener(**limits: int) -> Registry:
            registry = Registry(open_store("memory:"), workers=workers, settings=ServerSettings(**limits))
            return opened.enter_context(closing(registry))

        yield opener
