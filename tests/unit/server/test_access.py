"""Who may do what: every route by every caller, and that nobody learns of what they may not read."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, strategies as st

from protopact.errors import ConfigError, RegistryError
from protopact.flow import Call, Flow, Reply, perform
from protopact.registry import Subject
from protopact.server import Registry, open_store
from protopact.server.guard.access import LOCAL, NEEDS, Grant, Principal, Role
from protopact.server.guard.attended import AttendedStore, _AttendedLedger
from protopact.server.store import Ledger, Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.compiler import Workers

CALLERS: dict[str, list[str]] = {
    "stranger": [],
    "other": ["admin:other-*"],
    "abroad": ["admin::.eu:*"],
    "reader": ["reader:shop-*"],
    "writer": ["writer:shop-*"],
    "owner": ["admin:shop-*"],
    "home": ["admin::.:*"],
    "ruler": ["admin:*"],
}
A = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n}\n'
USES_A = 'syntax = "proto3";\n\nimport "a.proto";\n\nmessage B {\n  A a = 1;\n}\n'


class NamedGuard:
    """Believes whoever says a name."""

    challenge = 'Basic realm="protopact"'

    def identify(self, call: Call) -> Flow[Principal]:
        yield from ()
        known = self.find_known(call.headers.get("authorization", ""))
        if known is None:
            raise RegistryError("Unauthorized", error_code=401)
        return known

    def find_known(self, name: str) -> Principal | None:
        return Principal(name, map(Grant.parse, CALLERS[name])) if name in CALLERS else None

    def close(self) -> None:
        """Nothing to give back."""


@dataclass
class Site:
    registry: Registry

    def raw(self, who: str, method: str, path: str, body: object = None, **query: str) -> Reply:
        headers = {"authorization": who} if who else {}
        sent = b"" if body is None else json.dumps(body).encode()
        return perform(self.registry.exchange(Call(method, path, tuple(query.items()), headers, sent)))

    def get(self, who: str, path: str, **query: str) -> Any:
        return json.loads(self.raw(who, "GET", path, **query).body)

    def status(self, who: str, path: str, **query: str) -> int:
        return self.raw(who, "GET", path, **query).status

    def register(self, who: str, subject: str, schema: str = A, *references: tuple[str, str]) -> Any:
        named = [{"name": name, "subject": other, "version": 1} for name, other in references]
        body = {"schemaType": "PROTOBUF", "schema": schema, "references": named}
        reply = self.raw(who, "POST", f"/subjects/{subject}/versions", body)
        return json.loads(reply.body)["id"] if reply.status == 200 else reply.status


@pytest.fixture
def site(workers: Workers) -> Iterator[Site]:
    with closing(Registry(open_store("memory:"), workers=workers, guard=NamedGuard())) as registry:  # type: ignore[arg-type]
        yield Site(registry)


def test_a_route_that_has_no_need_is_refused_to_everybody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from protopact.server.guard import access

    monkeypatch.setattr(access, "NEEDS", {key: need for key, need in NEEDS.items() if key[1] != "/subjects"})
    assert site.status("ruler", "/subjects") == 403
    assert site.status("ruler", "/schemas/types") == 200


@pytest.mark.parametrize(
    "path",
    ["/subjects", "/no", "/subjects/shop-a%2Fb", "//health/live", "/health/live/", "/HEALTH/live", "/health%2Flive"],
)
def test_who_is_not_known_learns_nothing_but_that(site: Site, path: str) -> None:
    for method in ("GET", "POST", "DELETE", "PUT", "BREW"):
        reply = site.raw("", method, path)
        assert (reply.status, json.loads(reply.body)) == (401, {"error_code": 401, "message": "Unauthorized"})
        assert reply.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/subjects/shop-orders/versions", 200),
        ("/subjects/shop%2Dorders/versions", 200),
        ("/subjects/other%2Dorders/versions", 403),
        ("/subjects/%3A.eu%3Ashop-orders/versions", 403),
        ("/contexts/.eu/subjects/shop-orders/versions", 403),
        ("/contexts/eu/subjects/shop-orders/versions", 403),
        ("/contexts/%2E/subjects/other-orders/versions", 403),
        ("/subjects/Shop-orders/versions", 403),
        ("/subjects/other-orders%2F..%2Fshop-orders/versions", 403),
        ("/subjects/shop-orders/../other-orders/versions", 404),
        ("/subjects//versions", 403),
    ],
)
def test_no_way_to_write_a_path_gets_round_the_check(site: Site, path: str, status: int) -> None:
    site.register("ruler", "shop-orders")
    assert site.status("reader", path) == status


def test_what_holds_for_every_context_is_for_who_rules_everything(site: Site) -> None:
    CALLERS["sly"] = ["admin::.__GLOBAL:*", "admin::.:*"]
    try:
        for who, status in (("sly", 403), ("home", 403), ("ruler", 200)):
            assert site.raw(who, "PUT", "/config/%3A.__GLOBAL%3A", {"compatibility": "NONE"}).status == status
            assert site.raw(who, "PUT", "/contexts/.__GLOBAL/mode", {"mode": "READONLY"}).status == status
            assert site.raw("ruler", "PUT", "/contexts/.__GLOBAL/mode", {"mode": "READWRITE"}).status == 200
    finally:
        del CALLERS["sly"]


def test_an_alias_leads_nobody_where_they_may_not_go(site: Site) -> None:
    site.register("ruler", "other-secret")
    assert site.raw("owner", "PUT", "/config/shop-alias", {"alias": "other-secret"}).status == 403
    assert site.raw("ruler", "PUT", "/config/shop-alias", {"alias": "other-secret"}).status == 200
    assert site.get("ruler", "/subjects/shop-alias/versions") == [1]
    assert site.status("owner", "/subjects/shop-alias/versions") == 404
    assert site.status("owner", "/subjects/shop-alias/versions/1") == 404
    assert site.register("owner", "shop-alias", A.replace("A", "Other")) == 403
    assert site.raw("owner", "DELETE", "/subjects/shop-alias").status == 403
    assert site.get("ruler", "/subjects/other-secret/versions") == [1]


def test_lists_show_what_the_caller_may_read(site: Site) -> None:
    for subject in ("shop-a", "other-a", "%3A.eu%3Ashop-a"):
        site.register("ruler", subject)
    assert site.get("reader", "/subjects") == ["shop-a"]
    assert site.get("other", "/subjects") == ["other-a"]
    assert site.get("abroad", "/subjects") == [":.eu:shop-a"]
    assert len(site.get("ruler", "/subjects")) == 3
    assert site.get("reader", "/contexts") == ["."]
    assert site.get("abroad", "/contexts") == [".", ".eu"]
    assert site.get("reader", "/schemas/ids/1/subjects") == ["shop-a"]
    assert [item["subject"] for item in site.get("reader", "/schemas")] == ["shop-a"]
    assert site.get("stranger", "/schemas")["error_code"] == 403
    assert site.get("other", "/schemas/ids/1/versions") == [{"subject": "other-a", "version": 1}]


@pytest.mark.parametrize("form", ["", "/schema", "/subjects", "/versions"])
def test_an_id_that_no_readable_subject_holds_is_unknown(site: Site, form: str) -> None:
    schema_id = site.register("ruler", "shop-secret")
    path = f"/schemas/ids/{schema_id}{form}"
    assert [site.status("ruler", path) for _ in range(2)] == [200, 200]
    unknown = site.raw("other", "GET", path)
    assert unknown.status == 404
    assert unknown.body == site.raw("other", "GET", path.replace(str(schema_id), "1", 1)).body
    assert site.status("other", path, subject="shop-secret") == 404
    assert site.status("reader", path) == 200


def test_a_guid_that_no_readable_subject_holds_is_unknown(site: Site) -> None:
    site.register("ruler", "shop-secret")
    guid = site.get("ruler", "/subjects/shop-secret/versions/1")["guid"]
    assert site.status("other", f"/schemas/guids/{guid}") == 404
    assert site.status("reader", f"/schemas/guids/{guid}") == 200
    site.register("ruler", "%3A.eu%3Ax")
    assert site.status("abroad", f"/schemas/guids/{guid}") == 200


def test_a_prepared_body_is_for_those_who_read_everything(site: Site) -> None:
    site.register("ruler", "shop-secret")
    site.get("ruler", "/schemas/ids/1")
    found = site.registry.find_prepared
    assert found("/schemas/ids/1", b"", b"ruler") is not None
    assert [found("/schemas/ids/1", b"", who) for who in (b"", b"reader", b"other", b"no")] == [None] * 4


def test_a_list_that_is_kept_is_for_those_who_read_everything(site: Site) -> None:
    for subject in ("shop-a", "other-a"):
        site.register("ruler", subject)
    for _ in range(2):
        assert site.get("reader", "/subjects") == ["shop-a"]
        assert site.get("ruler", "/subjects") == ["other-a", "shop-a"]
        assert site.get("other", "/subjects") == ["other-a"]


def test_a_reference_to_what_the_caller_may_not_read_is_one_to_nothing(site: Site) -> None:
    site.register("ruler", "shop-a")
    assert site.register("other", "other-b", USES_A, ("a.proto", "shop-a")) == 422
    body = {"schemaType": "PROTOBUF", "schema": USES_A}
    told = {}
    for subject in ("shop-a", "shop-none"):
        references = [{"name": "a.proto", "subject": subject, "version": 1}]
        reply = site.raw("other", "POST", "/subjects/other-b/versions", body | {"references": references})
        told[subject] = reply.body.replace(subject.encode(), b"")
    assert told["shop-a"] == told["shop-none"]
    assert site.register("ruler", "other-b", USES_A, ("a.proto", "shop-a")) == 2


def test_a_schema_is_shown_only_with_all_that_it_refers_to(site: Site) -> None:
    site.register("ruler", "shop-a")
    site.register("ruler", "other-b", USES_A, ("a.proto", "shop-a"))
    assert site.status("other", "/schemas/ids/2") == 404
    refused = site.raw("other", "GET", "/subjects/other-b/versions/1")
    assert refused.status == 403
    assert b"shop-a" not in refused.body
    assert site.get("other", "/schemas") == []
    assert site.status("ruler", "/subjects/other-b/versions/1") == 200


def test_referrers_are_those_that_the_caller_may_read(site: Site) -> None:
    site.register("ruler", "shop-a")
    site.register("ruler", "other-b", USES_A, ("a.proto", "shop-a"))
    path = "/subjects/shop-a/versions/1/referencedby"
    assert site.get("reader", path) == []
    assert site.get("ruler", path) == [2]
    site.register("ruler", "shop-b", USES_A, ("a.proto", "shop-a"))
    assert site.get("reader", path) == [2]


def test_what_others_refer_to_cannot_be_deleted_whoever_may_see_them(site: Site) -> None:
    site.register("ruler", "shop-a")
    site.register("ruler", "other-b", USES_A, ("a.proto", "shop-a"))
    refused = site.raw("owner", "DELETE", "/subjects/shop-a")
    assert (refused.status, b"other-b" in refused.body) == (422, False)


def test_every_kind_of_change_is_audited(site: Site) -> None:
    site.register("ruler", "shop-a")
    site.raw("owner", "PUT", "/config/shop-a", {"compatibility": "NONE"})
    site.raw("owner", "DELETE", "/config/shop-a")
    site.raw("owner", "PUT", "/mode/shop-a", {"mode": "READONLY"})
    site.raw("owner", "DELETE", "/mode/shop-a")
    site.raw("owner", "DELETE", "/subjects/shop-a")
    site.raw("owner", "DELETE", "/subjects/shop-a", permanent="true")
    told = [(entry["who"], entry["what"]) for entry in site.get("ruler", "/audit")][::-1]
    assert told[:7] == [
        ("ruler", "register"),
        ("owner", "set-config"),
        ("owner", "unset-config"),
        ("owner", "set-mode"),
        ("owner", "unset-mode"),
        ("owner", "soft-delete"),
        ("owner", "remove"),
    ]


def test_every_change_is_audited_with_who_and_what(site: Site) -> None:
    site.register("writer", "shop-a")
    site.register("writer", "shop-a")
    site.register("ruler", "%3A.eu%3Ab")
    assert site.register("reader", "shop-c") == 403
    entries = site.get("ruler", "/audit")
    assert [(entry["who"], entry["what"], entry["subject"]) for entry in entries] == [
        ("ruler", "register", ":.eu:b"),
        ("writer", "register", "shop-a"),
    ]
    assert entries[1]["detail"]["version"] == 1
    assert entries[1]["detail"]["route"] == "POST /subjects/{subject}/versions"
    assert site.get("ruler", "/audit", limit="1") == entries[:1]
    assert site.get("ruler", "/audit", before=str(entries[0]["number"])) == entries[1:]
    for bad in ({"limit": "x"}, {"before": "-1"}, {"limit": "9" * 40}):
        assert site.status("ruler", "/audit", **bad) == 400


def test_a_change_is_checked_where_it_is_written_whatever_the_route_let_through() -> None:
    from protopact.server.guard.access import Need, Scope
    from protopact.server.guard.attended import Attendance, attending

    writer = Principal("writer", [Grant.parse("writer:shop-*")])
    with closing(AttendedStore(open_store("memory:"), LOCAL)) as store:
        with attending(Attendance(writer, Need(Role.WRITER, Scope.SUBJECT))), store.writing() as ledger:
            with pytest.raises(RegistryError, match="denied"):
                ledger.put_document("config", Subject("other"), {})
            with pytest.raises(RegistryError, match="denied"):
                ledger.drop_context(".")
            ledger.put_document("config", Subject("shop-a"), {})
        admins = Attendance(writer, Need(Role.ADMIN, Scope.SUBJECT))
        with attending(admins), store.writing() as ledger, pytest.raises(RegistryError, match="denied"):
            ledger.drop_document("config", Subject("shop-a"))
        assert [(entry.who, entry.what) for entry in store.audit()] == [("writer", "set-config")]


def test_the_attended_store_tells_all_of_the_ports() -> None:
    """A new way to read or to change must be thought of here before anybody can use it."""

    def told(port: type) -> set[str]:
        return {
            name for base in port.__mro__ for name in vars(base) if callable(getattr(port, name)) and name[0] != "_"
        }

    assert told(Store) <= set(vars(AttendedStore))
    assert told(Ledger) - told(Store) <= set(vars(_AttendedLedger))


def test_without_a_guard_everybody_may_do_everything(workers: Workers) -> None:
    with closing(Registry(open_store("memory:"), workers=workers)) as registry:
        site = Site(registry)
        assert site.register("", "s") == 1
        assert [entry["who"] for entry in site.get("", "/audit")] == ["anonymous"]


@pytest.mark.parametrize(
    ("text", "covered", "uncovered"),
    [
        ("reader:*", ["a", ":.eu:a", ":.eu:", ""], []),
        ("reader:a*", ["a", "ab"], ["b", ":.eu:a", ""]),
        ("reader:a", ["a"], ["ab", ":.eu:a"]),
        ("reader::.eu:*", [":.eu:a", ":.eu:"], ["a", ":.e:a", ":.euro:a"]),
        ("reader::.eu:a*", [":.eu:ab"], [":.eu:b", ":.eu:", "a"]),
        ("reader::*:a*", ["a", ":.eu:ab"], ["b", ":.eu:"]),
        ("reader::*:a", ["a", ":.eu:a"], ["ab"]),
        ("reader::.:*", ["a", ""], [":.eu:a"]),
    ],
)
def test_a_grant_covers_what_its_pattern_says(text: str, covered: list[str], uncovered: list[str]) -> None:
    grant = Grant.parse(text)
    assert Grant.parse(str(grant)) == grant
    assert all(grant.covers(Subject.parse(name)) for name in covered)
    assert not any(grant.covers(Subject.parse(name)) for name in uncovered)


@pytest.mark.parametrize(
    "text", ["", "reader", "reader:", "king:*", ":*", "reader::*", "reader:a\nb", "reader::.a\0:*"]
)
def test_what_is_no_grant_is_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        Grant.parse(text)


@given(role=st.sampled_from(["reader", "writer", "admin"]), pattern=st.text(min_size=1))
def test_a_grant_reads_back_as_it_is_written(role: str, pattern: str) -> None:
    try:
        grant = Grant.parse(f"{role}:{pattern}")
    except ConfigError:
        return
    assert Grant.parse(str(grant)) == grant


def test_more_roles_never_allow_less() -> None:
    subject = Subject("shop-a")
    for role in Role:
        principal = Principal("x", [Grant.parse(f"{role.name}:shop-*")])
        assert [principal.may(asked, subject) for asked in Role] == [asked <= role for asked in Role]
