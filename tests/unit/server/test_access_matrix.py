"""Every operation of the served description by every caller, over HTTP: who is let in is what the description says."""

from __future__ import annotations

import base64
import http.client
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest

from protopact.server import Guard, Users, background_registry
from protopact.server.guard.access import NEEDS, OPEN_PATHS, Grant
from protopact.server.guard.passwords import hash_password
from protopact.server.guard.users import User, changing_users
from protopact.server.surface.openapi import places
from protopact.server.surface.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PASSWORD = "correct horse"
HERE, EU = ".", ".eu"
SUBJECT = "shop-orders"
ROLES = ("reader", "writer", "admin")
# What each tenant has: a pattern, and for each context whether SUBJECT there is its own, and whether all there is.
TENANTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "shop": ("shop-*", {HERE: "subject"}),
    "other": ("other-*", {}),
    "home": (":.:*", {HERE: "context"}),
    "abroad": (":.eu:*", {EU: "context"}),
    "whole": ("*", {HERE: "context", EU: "context"}),
}
CALLERS = {f"{tenant}-{role}": (tenant, role) for tenant in TENANTS for role in ROLES}
ANONYMOUS, STRANGER, KING = "", "stranger", "whole-admin"
CANARY = 'syntax = "proto3";\n\nmessage Canary {\n  int32 a = 1;\n}\n'
OWN = 'syntax = "proto3";\n\nmessage Own {\n  int32 a = 1;\n}\n'

# What operations need, told apart from the table that the registry reads. Those that have {subject} need it for that.
OPEN = re.compile(r"GET /health/\w+")
KNOWN = re.compile(r"(GET|POST) /|GET /(metrics|openapi\.json|v1/metadata/\w+|schemas/types)")
EVERYTHING = re.compile(r"GET /audit|(POST|PUT|DELETE) /catalog/v1/types/tagdefs.*")
CONTEXT = re.compile(r"(PUT|DELETE) /(config|mode)|DELETE /contexts/\{context\}")
WRITING = re.compile(r"POST /subjects/\{subject\}/versions(/\{version\}/tags)?|(POST|PUT|DELETE) /catalog/v1/entity/.+")
RULING = re.compile(rf"{EVERYTHING.pattern}|(PUT|DELETE) /(config|mode|subjects|contexts).*")


@dataclass(frozen=True)
class Site:
    """A served registry, with one connection for each caller."""

    document: Any
    ask: Callable[..., tuple[int, dict[str, str], bytes]]
    canary_id: int
    canary_guid: str

    def operations(self) -> Iterator[tuple[str, str, Any]]:
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                yield method.upper(), path, operation

    def concrete(self, path: str) -> str:
        """Give a path for the canary's id and SUBJECT, which a template may have in the context .eu."""
        parts = {"subject": SUBJECT, "version": "1", "id": self.canary_id, "guid": self.canary_guid, "context": EU}
        if path == "/contexts/{context}":
            parts["context"] = HERE
        filled = {name: quote(str(part), safe="") for name, part in parts.items()}
        return path.format(**filled, tag="PII", type="sr_record", name="A")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    file = tmp_path_factory.mktemp("users") / "users.json"
    hashed = hash_password(PASSWORD)
    with changing_users(file) as users:
        users[STRANGER] = User(STRANGER, (), hashed)
        for name, (tenant, role) in CALLERS.items():
            users[name] = User(name, (Grant.parse(f"{role}:{TENANTS[tenant][0]}"),), hashed)
    with background_registry(guard=Guard(users=Users(file))) as url:
        wires = {who: http.client.HTTPConnection(urlsplit(url).netloc, timeout=10) for who in ("", STRANGER, *CALLERS)}

        def ask(who: str, method: str, path: str, body: object = None) -> tuple[int, dict[str, str], bytes]:
            secret = base64.b64encode(f"{who}:{PASSWORD}".encode()).decode()
            headers = {"authorization": f"Basic {secret}"} if who else {}
            wires[who].request(method, path, None if body is None else json.dumps(body), headers)
            reply = wires[who].getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()

        sent = {"schemaType": "PROTOBUF", "schema": CANARY}
        canary = json.loads(ask(KING, "POST", "/subjects/shop-canary/versions", sent)[2])
        yield Site(json.loads(ask(KING, "GET", "/openapi.json")[2]), ask, canary["id"], canary["guid"])
        for wire in wires.values():
            wire.close()


def lets_in(who: str, path: str, operation: Mapping[str, str]) -> bool:
    """Whether the description lets a caller in."""
    scope = operation["x-scope"]
    if scope == "open":
        return True
    if who not in CALLERS:
        return False
    tenant, role = CALLERS[who]
    context = EU if path.startswith("/contexts/{context}/") else HERE
    owned = TENANTS[tenant][1].get(context)
    has = {
        "known": True,
        "something": True,
        "subject": owned is not None,
        "context": owned == "context",
        "everything": tenant == "whole",
    }[scope]
    return has and (scope == "known" or ROLES.index(role) >= ROLES.index(operation["x-role"]))


def test_every_operation_lets_in_whom_the_description_says_and_nobody_else(
    site: Site, say: Callable[[str], None]
) -> None:
    cells = refused = 0
    for method, path, operation in site.operations():
        for prefix in ("", "/contexts/.eu"):
            site.ask(KING, "POST", f"{prefix}/subjects/{SUBJECT}/versions", {"schemaType": "PROTOBUF", "schema": OWN})
        body = {"schemaType": "PROTOBUF", "schema": OWN} if method in {"POST", "PUT"} else None
        for who in (ANONYMOUS, STRANGER, *CALLERS):
            status, headers, answer = site.ask(who, method, site.concrete(path), body)
            cells += 1
            cell = (who, method, path, status)
            if lets_in(who, path, operation):
                assert status not in {401, 403}, cell
                assert status < 500, cell
            else:
                refused += 1
                assert status == (403 if who else 401), cell
                assert json.loads(answer)["error_code"] == status, cell
                assert ("www-authenticate" in headers) == (not who), cell
            if CALLERS.get(who, ("", ""))[0] not in {"shop", "home", "whole"}:
                assert b"canary" not in answer.lower(), cell
                assert site.canary_guid.encode() not in answer or "{guid}" in path, cell
    say(f"{cells} cells of operation and caller: {cells - refused} let in, {refused} refused")


def test_the_description_has_every_route_with_its_role_and_scope(site: Site) -> None:
    described = {(method, path): operation for method, path, operation in site.operations()}
    assert set(described) == {(method, place) for method, path, _ in ROUTES for place in places(path)}
    for (method, path), operation in described.items():
        route = f"{method} {path.removeprefix('/contexts/{context}') or path}"
        assert (operation["x-role"], operation["x-scope"]) == needed(route), route


def test_what_the_description_does_not_have_is_refused(site: Site) -> None:
    assert set(NEEDS) == {(method, path) for method, path, _ in ROUTES}
    for path, item in site.document["paths"].items():
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - {known.upper() for known in item}:
            told = {who: site.ask(who, method, site.concrete(path))[0] for who in (ANONYMOUS, KING)}
            assert told == {ANONYMOUS: 401, KING: 405} or (path in OPEN_PATHS and set(told.values()) == {405}), path


def needed(route: str) -> tuple[str, str]:
    role = "writer" if WRITING.fullmatch(route) else "admin" if RULING.fullmatch(route) else "reader"
    if "{subject}" in route:
        return role, "subject"
    scopes = {"open": OPEN, "known": KNOWN, "everything": EVERYTHING, "context": CONTEXT}
    return role, next((scope for scope, routes in scopes.items() if routes.fullmatch(route)), "something")


@pytest.mark.parametrize("who", ["other-admin", "abroad-admin"])
def test_who_may_not_read_a_schema_cannot_tell_it_from_one_that_is_not_there(site: Site, who: str) -> None:
    guid, absent_guid = site.canary_guid, "00000000-0000-0000-0000-000000000000"
    paths = [path for path in site.document["paths"] if re.search(r"\{(id|guid)\}", path)]
    assert len(paths) == 12
    for path in paths:
        told = []
        for schema_id, content in ((site.canary_id, guid), (99999, absent_guid)):
            filled = path.format(context=".", id=schema_id, guid=content)
            status, _, body = site.ask(who, "GET", filled)
            told.append((status, body.replace(content.encode(), b"GUID").replace(str(schema_id).encode(), b"ID")))
        assert told[0] == told[1], path
        assert site.ask("shop-reader", "GET", path.format(context=".", id=site.canary_id, guid=guid))[0] == 200


def test_references_tell_nothing_of_what_may_not_be_read(site: Site) -> None:
    uses = 'syntax = "proto3";\n\nimport "c.proto";\n\nmessage Uses {\n  Canary c = 1;\n}\n'

    def sent(subject: str) -> dict[str, object]:
        references = [{"name": "c.proto", "subject": subject, "version": 1}]
        return {"schemaType": "PROTOBUF", "schema": uses, "references": references}

    told = []
    for subject in ("shop-canary", "shop-absent"):
        for way in (
            "/subjects/other-uses/versions",
            "/subjects/other-uses",
            "/compatibility/subjects/other-uses/versions",
        ):
            status, _, body = site.ask("other-admin", "POST", way, sent(subject))
            told.append((way, status, body.replace(subject.encode(), b"SUBJECT")))
    assert told[:3] == told[3:]
    added = json.loads(site.ask(KING, "POST", "/subjects/other-uses/versions", sent("shop-canary"))[2])["id"]
    referrers = "/subjects/shop-canary/versions/1/referencedby"
    assert json.loads(site.ask("shop-admin", "GET", referrers)[2]) == []
    assert json.loads(site.ask(KING, "GET", referrers)[2]) == [added]
    refused = site.ask("shop-admin", "DELETE", "/subjects/shop-canary")
    assert (refused[0], b"other" in refused[2]) == (422, False)
    for path in (f"/schemas/ids/{added}", "/subjects/other-uses/versions/1", "/schemas"):
        assert b"canary" not in site.ask("other-admin", "GET", path)[2].lower()
