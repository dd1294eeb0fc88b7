"""The description at /openapi.json says all and nothing else: what routes take, what they give, and who may call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from protopact.errors import RegistryError
from protopact.flow import Call, Reply, perform
from protopact.registry import Problem
from protopact.server.guard.access import NEEDS
from protopact.server.questions import Question
from protopact.server.surface import openapi
from protopact.server.surface.operations import CODES, CODES_OF_ALL, OPERATIONS, PATH_PARAMETERS, QUERY_PARAMETERS
from protopact.server.surface.routes import ROUTES, find_command
from protopact.server.surface.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protopact.server import Registry

every_route = pytest.mark.parametrize(
    ("method", "path", "command"), ROUTES, ids=[f"{method} {path}" for method, path, _ in ROUTES]
)
A = 'syntax = "proto3";\n\nmessage Order {\n  int64 id = 1;\n}\n'
VALUES = {
    "context": "eu",
    "guid": "",
    "id": "1",
    "name": "lsrc:.:1:Order",
    "subject": "orders",
    "tag": "PII",
    "type": "sr_record",
    "version": "1",
}


@pytest.fixture(scope="module")
def document() -> Any:
    return openapi.describe(ROUTES)


@every_route
def test_every_route_is_described_whole(document: Any, method: str, path: str, command: object) -> None:
    assert (method, path) in OPERATIONS, "its line in operations.py is missing"
    assert (method, path) in NEEDS, "its line in access.py is missing"
    operation = document["paths"][path][method.lower()]
    assert re.match(r"[A-Z`].+[^.]$", operation["summary"]), "its docstring must be `METHOD path: what it does.`"
    assert not re.match(r"[A-Z]+ /", operation["summary"])
    assert operation["description"]
    for parameter in operation["parameters"]:
        assert parameter["description"], f"what is {parameter['name']}?"
    successes = [status for status in operation["responses"] if status < "300"]
    assert len(successes) == 1
    assert {str(code)[:3] for code in CODES_OF_ALL} - {"401", "403"} <= set(operation["responses"])


def test_no_line_describes_what_is_not_there() -> None:
    routes = {(method, path) for method, path, _ in ROUTES}
    assert set(OPERATIONS) <= routes
    assert set(PATH_PARAMETERS) == {name for _, path in routes for name in re.findall(r"\{(\w+)\}", path)}
    assert set(QUERY_PARAMETERS) == {name for operation in OPERATIONS.values() for name in operation.query}
    assert set(CODES) == {int(code) for code in re.findall(r"\d+", " ".join(_responses()))}


def test_every_code_of_the_error_table_is_told() -> None:
    # None says that a schema is too large, or that its id does not match: sizes are bounded before it is read.
    assert {problem.value[0] for problem in Problem} - {42207, 42209} <= set(CODES)


def test_every_reference_leads_somewhere(document: Any) -> None:
    used = set(_references(document))
    assert used == {f"#/components/schemas/{name}" for name in SHAPES} | {
        f"#/components/{kind}/{name}" for kind in ("responses", "headers") for name in document["components"][kind]
    }


def test_operations_have_names_of_their_own(document: Any) -> None:
    names = [operation["operationId"] for place in document["paths"].values() for operation in place.values()]
    assert len(set(names)) == len(names) > len(ROUTES)


def test_the_description_is_served_as_it_is(registry: Registry, document: Any) -> None:
    reply = perform(registry.exchange(Call("GET", "/openapi.json")))
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert json.loads(reply.body) == document
    assert document["openapi"] == "3.1.0"


class Recorder(Mapping[str, str]):
    """A query in which nothing is said, and which knows what was looked for."""

    def __init__(self) -> None:
        self.wanted: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.wanted.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Watched(Question):
    @cached_property
    def query(self) -> Recorder:
        return Recorder()

    def values(self, name: str) -> Sequence[str]:
        self.query.wanted.add(name)
        return []


@every_route
def test_the_described_query_is_the_one_that_is_read(
    registry: Registry, method: str, path: str, command: object
) -> None:
    guid = _populate(registry)
    filled = path.format(**{name: quote(guid if name == "guid" else value, safe="") for name, value in VALUES.items()})
    body = json.dumps(OPERATIONS[method, path].example).encode() if OPERATIONS[method, path].body else b""
    found, question = find_command(Call(method, filled, body=body))
    assert found is command
    watched = Watched(question.call, question.parts, question.context, question.path)
    error_code = 0
    try:
        reply = found(registry._desk, watched)
        if not isinstance(reply, Reply):
            perform(reply)
    except RegistryError as error:
        error_code = error.error_code
    assert error_code in {0, 40405, 40407, 40408, 40409, 40401, 42211}, "the call must get to its end"
    unseen = {"referenceFormat", "findTags"} if path.endswith("/schema") else set()  # a text alone shows neither
    assert watched.query.wanted - unseen == set(OPERATIONS[method, path].query)


def _populate(registry: Registry) -> str:
    schema = {"schemaType": "PROTOBUF", "schema": A, "metadata": {"properties": {"a": "b"}}}
    reply = _ask(registry, "POST", "/subjects/orders/versions", schema)
    _ask(registry, "POST", "/subjects/:.eu:orders/versions", schema)
    _ask(registry, "PUT", "/config/orders", {"compatibility": "FULL"})
    _ask(registry, "PUT", "/mode/orders", {"mode": "READWRITE"})
    _ask(registry, "POST", "/catalog/v1/types/tagdefs", [{"name": "PII"}])
    tag = {"typeName": "PII", "entityType": VALUES["type"], "entityName": VALUES["name"]}
    _ask(registry, "POST", "/catalog/v1/entity/tags", [tag])
    return str(reply["guid"])


def _ask(registry: Registry, method: str, path: str, body: object) -> Any:
    reply = perform(registry.exchange(Call(method, path, body=json.dumps(body).encode())))
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def _responses() -> list[str]:
    return list(openapi.describe(ROUTES)["components"]["responses"])  # type: ignore[arg-type, call-overload, index]


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "$ref":
                yield item
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
