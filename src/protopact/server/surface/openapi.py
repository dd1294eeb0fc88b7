"""The description of the registry's HTTP interface, as OpenAPI 3.1, made from the table of routes."""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, TypeAlias

from protopact.flow import Reply
from protopact.registry import REQUEST_TYPES, RESPONSE_TYPES, write_json
from protopact.server.guard.access import NEEDS, Scope
from protopact.server.surface.operations import (
    CODES,
    CODES_OF_ALL,
    CODES_OF_BODIES,
    CODES_OF_GUARDS,
    OPERATIONS,
    PATH_PARAMETERS,
    PLAIN,
    QUERY_PARAMETERS,
)
from protopact.server.surface.shapes import SHAPES, list_of, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from protopact.registry import JsonValue
    from protopact.server.guard.access import Need
    from protopact.server.questions import Question
    from protopact.server.surface.commands import Command, Desk
    from protopact.server.surface.operations import Operation, Parameter

Routes: TypeAlias = "Iterable[tuple[str, str, Command]]"
Json: TypeAlias = "dict[str, JsonValue]"

_ABOUT = """\
A schema registry for Protobuf that speaks the dialect of Confluent's Schema Registry.

Every answer carries `X-Request-ID`: the caller's, or a new one. HEAD is answered as GET is, without the body. A \
body may also be sent as `application/octet-stream` or without a media type, and is read as JSON. Unknown parameters \
and unknown fields are ignored. Any path may stand behind `/contexts/{context}`, which then is the context of all \
names that say none."""
_ROLES = {
    Scope.OPEN: "Open to everybody.",
    Scope.KNOWN: "Open to everybody who is known.",
    Scope.SOMETHING: "Needs the role {role} for something; the answer shows only what the caller may see.",
    Scope.SUBJECT: "Needs the role {role} for the subject.",
    Scope.CONTEXT: "Needs the role {role} for the whole context.",
    Scope.EVERYTHING: "Needs the role {role} for everything.",
}
_IN_A_CONTEXT = "/contexts/{context}"
_DEPENDING_ON_IT = frozenset({"schemas", "subjects", "compatibility", "config", "mode"})
_ROUTE_IN_DOCSTRING = re.compile(r"^[A-Z]+(?: and [A-Z]+)* \S+: ")
_ERRORS_IN_DOCSTRING = re.compile(r"[;.,] \w*Error\b.*")
_HEADERS: Mapping[int, tuple[str, str]] = {
    401: ("WWW-Authenticate", "how to say who asks"),
    503: ("Retry-After", "in how many seconds to try again"),
}
_STATUS_DIGITS = 3
_JSON_TYPES = REQUEST_TYPES[:3]  # and bytes of no known kind, which are read as JSON too


def describing(routes: Callable[[], Routes]) -> Command:
    """Give the command that serves the description of these routes."""

    @cache
    def body() -> bytes:
        return write_json(describe(routes()))

    def show_description(_desk: Desk, _question: Question) -> Reply:
        """GET /openapi.json: this description."""
        return Reply(200, {"content-type": "application/json"}, body())

    return show_description


def describe(routes: Routes) -> Json:
    """Give the OpenAPI document of these routes, each a method, a path and its command."""
    errors: dict[str, Json] = {}
    paths: dict[str, Json] = {}
    for method, path, command in routes:
        for place in places(path):
            paths.setdefault(place, {})[method.lower()] = _operation(method, path, place, command, errors)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "protopact schema registry",
            "version": _version(),
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(paths.items()),
        "components": {
            "schemas": dict(SHAPES),
            "responses": dict(sorted(errors.items())),
            "headers": {"RequestId": {"description": "The id of this call", "schema": {"type": "string"}}},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            },
        },
    }


def places(path: str) -> tuple[str, ...]:
    """Give where a path is described: as it is, and behind a context where its answers depend on that."""
    return (path, _IN_A_CONTEXT + path) if path.split("/")[1] in _DEPENDING_ON_IT else (path,)


def summary_of(command: Command) -> str:
    """Give what a command says of itself, without its route and without what it raises."""
    said = (command.__doc__ or "").partition("\n\n")[0]
    words = " ".join(_ERRORS_IN_DOCSTRING.sub("", _ROUTE_IN_DOCSTRING.sub("", said)).split()).removesuffix(".")
    return words[:1].upper() + words[1:]


def _operation(method: str, path: str, place: str, command: Command, errors: dict[str, Json]) -> Json:
    """Describe one route at one place; what no table says is left out, and a test finds it."""
    operation, need = OPERATIONS.get((method, path)), NEEDS.get((method, path))
    names = re.findall(r"\{(\w+)\}", place)
    told: Json = {
        "operationId": re.sub(r"\W+", "_", f"{method.lower()}{place}").strip("_"),
        "tags": [path.split("/")[1] or "registry"],
        "summary": summary_of(command),
        **_access(need),
    }
    if operation is None:
        return {**told, "responses": {}}
    told["parameters"] = [
        *(_parameter(name, "path", PATH_PARAMETERS.get(name)) for name in names),
        *(_parameter(name, "query", QUERY_PARAMETERS.get(name)) for name in operation.query),
    ]
    if operation.body is not None:
        body: Json = {"schema": operation.body, "example": operation.example}
        told["requestBody"] = {"required": True, "content": dict.fromkeys(_JSON_TYPES, body)}
    return {**told, "responses": {**_success(operation), **_failures(_codes(operation, names, need), errors)}}


def _access(need: Need | None) -> Json:
    """Describe who may call; `x-role` and `x-scope` say it to programs."""
    if need is None:
        return {"description": "Refused to everybody."}
    role, scope = need.role.name.lower(), need.scope
    told: Json = {"description": _ROLES[scope].format(role=role), "x-role": role, "x-scope": scope.name.lower()}
    if scope is Scope.OPEN:
        return {**told, "security": []}
    return {**told, "security": [{"basic": []}, {"bearer": []}, {}]}


def _parameter(name: str, where: str, parameter: Parameter | None) -> Json:
    told: Json = {"name": name, "in": where, "required": where == "path"}
    if parameter is None:
        return {**told, "schema": {}}
    shape = dict(parameter.shape)
    told["description"] = shape.pop("description", "")
    if shape.get("type") == "boolean":
        shape["default"] = False
    return {**told, "schema": list_of(shape) if parameter.repeated else shape}


def _success(operation: Operation) -> Json:
    headers: JsonValue = {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}
    if operation.reply is None:
        return {"204": {"description": "Done", "headers": headers}}
    media: Json = {} if operation.reply is PLAIN else {"schema": operation.reply}
    types = operation.media_types or RESPONSE_TYPES
    return {"200": {"description": "Done", "headers": headers, "content": dict.fromkeys(types, media)}}


def _codes(operation: Operation, names: Iterable[str], need: Need | None) -> set[int]:
    """Give every error code that a call of the operation can be answered with."""
    codes = {*CODES_OF_ALL, *operation.codes, *(CODES_OF_BODIES if operation.body else ())}
    for table, given in ((PATH_PARAMETERS, names), (QUERY_PARAMETERS, operation.query)):
        codes.update(code for name in given if name in table for code in table[name].codes)
    return codes - CODES_OF_GUARDS if need is not None and need.scope is Scope.OPEN else codes


def _failures(codes: Iterable[int], errors: dict[str, Json]) -> Json:
    """Give references to the errors' replies, one for each status; replies that are new are added to `errors`."""
    by_status: dict[str, list[int]] = {}
    for code in sorted(codes):
        by_status.setdefault(str(code)[:_STATUS_DIGITS], []).append(code)
    told: Json = {}
    for status, its_codes in sorted(by_status.items()):
        name = "E" + "-".join(map(str, its_codes))
        errors.setdefault(name, _failure(int(status), its_codes))
        told[status] = {"$ref": f"#/components/responses/{name}"}
    return told


def _failure(status: int, codes: Iterable[int]) -> Json:
    meanings = "; ".join(f"{code}: {CODES[code]}" for code in codes)
    media: Json = {"schema": {"allOf": [named("Error"), {"properties": {"error_code": {"enum": list(codes)}}}]}}
    told: Json = {
        "description": f"{HTTPStatus(status).phrase}: {meanings}",
        "content": dict.fromkeys(RESPONSE_TYPES, media),
    }
    if status in _HEADERS:
        name, meaning = _HEADERS[status]
        told["headers"] = {name: {"description": meaning, "schema": {"type": "string"}}}
    return told


def _version() -> str:
    try:
        return version("protopact")
    except PackageNotFoundError:
        return "unknown"
