"""Every route of the dialect has a method, both clients have the same ones, and each sends what the route takes."""

from __future__ import annotations

import asyncio
import inspect
import json
from typing import TYPE_CHECKING

import pytest

from protopact.client import AsyncSchemaRegistryClient, SchemaRegistryClient
from protopact.errors import ConfigError, EncodeError, FramingError, RegistryError, VersionNotFoundError
from protopact.flow import Call, Reply
from protopact.framing import Prefix
from protopact.registry import (
    CatalogTag,
    CompatibilityFinding,
    CompatibilityReport,
    Config,
    ContextId,
    EntityTags,
    Metadata,
    Reference,
    RegisteredSchema,
    Rule,
    RuleSet,
    SchemaRequest,
    ServerId,
    ServerVersion,
    SubjectVersion,
    TagDefinition,
)
from unit.client.scripted import Routes, answer

if TYPE_CHECKING:
    from collections.abc import Callable

Registry = SchemaRegistryClient
SCHEMA = {"schema": "x", "schemaType": "PROTOBUF"}
FOUND = RegisteredSchema(schema="x")
TAG = CatalogTag("PII", "sr_field", "a:1:M.f", {"by": "us"})
TAG_JSON = {"typeName": "PII", "entityType": "sr_field", "entityName": "a:1:M.f", "attributes": {"by": "us"}}
PII = {"name": "PII", "description": "d", "entityTypes": ["sr_field"]}
PII_TAG = TagDefinition("PII", "d", ("sr_field",))
ENTITY = "/catalog/v1/entity/type/sr_field/name/a%3A1%3AM.f/tags"
GUID = "9dd4e461-268c-8034-f5c8-564e155c67a6"  # the content hash of the text "x"

# route of the dialect · call of the client · what goes over the wire · the answer · what the client makes of it
ROUTES: list[tuple[str, Callable[[Registry], object], str, object, object]] = [
    ("GET /", lambda c: c.ping(), "GET /", {}, None),
    ("GET /schemas/types", lambda c: c.get_types(), "GET /schemas/types", ["PROTOBUF"], ["PROTOBUF"]),
    (
        "GET /schemas",
        lambda c: c.get_schemas("o", deleted=True, latest_only=True, rule_type="CEL", offset=2, limit=3),
        "GET /schemas?subjectPrefix=o&deleted=true&latestOnly=true&ruleType=CEL&offset=2&limit=3",
        [SCHEMA],
        [FOUND],
    ),
    (
        "GET /schemas/ids/{id}",
        lambda c: c.get_schema_by_id(7, subject="s", text_format="ignore_extensions", find_tags=["A", "B"]),
        "GET /schemas/ids/7?subject=s&format=ignore_extensions&findTags=A&findTags=B",
        {**SCHEMA, "schemaTags": [{"schemaEntity": {"entityPath": "M.f", "entityType": "sr_field"}, "tags": ["A"]}]},
        RegisteredSchema(id=7, schema="x", schema_tags=(EntityTags("M.f", "sr_field", ("A",)),)),
    ),
    (
        "GET /schemas/ids/{id}",
        lambda c: c.get_max_id(7),
        "GET /schemas/ids/7?fetchMaxId=true",
        {**SCHEMA, "maxId": 12},
        12,
    ),
    (
        "GET /schemas/ids/{id}/schema",
        lambda c: c.get_schema_text(7),
        "GET /schemas/ids/7/schema",
        "größe".encode(),
        "größe",
    ),
    (
        "GET /schemas/ids/{id}/subjects",
        lambda c: c.get_subjects_for_schema(7, deleted=True, limit=1),
        "GET /schemas/ids/7/subjects?deleted=true&limit=1",
        ["s"],
        ["s"],
    ),
    (
        "GET /schemas/ids/{id}/versions",
        lambda c: c.get_versions_for_schema(7, subject="s", offset=1),
        "GET /schemas/ids/7/versions?subject=s&offset=1",
        [{"subject": "s", "version": 2}],
        [SubjectVersion("s", 2)],
    ),
    (
        "GET /schemas/guids/{guid}",
        lambda c: c.get_schema_by_guid(GUID),
        f"GET /schemas/guids/{GUID}",
        SCHEMA,
        RegisteredSchema(guid=GUID, schema="x"),
    ),
    (
        "GET /schemas/guids/{guid}/ids",
        lambda c: c.get_ids_for_guid(GUID),
        f"GET /schemas/guids/{GUID}/ids",
        [{"context": ".", "id": 7}],
        [ContextId(".", 7)],
    ),
    (
        "GET /subjects",
        lambda c: c.get_subjects(":*:a", deleted_only=True),
        "GET /subjects?subjectPrefix=%3A%2A%3Aa&deletedOnly=true",
        ["a"],
        ["a"],
    ),
    (
        "POST /subjects/{sub}",
        lambda c: c.lookup("s", "x", normalize=True, deleted=True),
        "POST /subjects/s?normalize=true&deleted=true",
        {"id": 7, "version": 1},
        RegisteredSchema("s", 1, 7, schema="x"),
    ),
    ("DELETE /subjects/{sub}", lambda c: c.delete_subject("s"), "DELETE /subjects/s", [1, 2], [1, 2]),
    (
        "DELETE /subjects/{sub}",
        lambda c: c.delete_subject("s", permanent=True),
        "DELETE /subjects/s?permanent=true",
        [1],
        [1],
    ),
    (
        "GET /subjects/{sub}/versions",
        lambda c: c.get_versions("s", deleted=True, deleted_as_negative=True),
        "GET /subjects/s/versions?deleted=true&deletedAsNegative=true",
        [1, -2],
        [1, -2],
    ),
    (
        "POST /subjects/{sub}/versions",
        lambda c: c.register("s", SchemaRequest("x", id=7, version=3), normalize=True, force=True),
        'POST /subjects/s/versions?normalize=true&force=true {"schema":"x","schemaType":"PROTOBUF","id":7,"version":3}',
        {"id": 7},
        RegisteredSchema("s", None, 7, schema="x"),
    ),
    (
        "GET /subjects/{sub}/versions/{version}",
        lambda c: c.get_version("s", 3, deleted=True, text_format="serialized", find_tags=["*"]),
        "GET /subjects/s/versions/3?deleted=true&format=serialized&findTags=%2A",
        {**SCHEMA, "version": 3},
        RegisteredSchema("s", 3, schema="x"),
    ),
    (
        "GET /subjects/{sub}/versions/{version}/schema",
        lambda c: c.get_version_text("s"),
        "GET /subjects/s/versions/latest/schema",
        b"x",
        "x",
    ),
    (
        "GET /subjects/{sub}/versions/{version}/referencedby",
        lambda c: c.referenced_by("s", 3, deleted=True),
        "GET /subjects/s/versions/3/referencedby?deleted=true",
        [4, 5],
        [4, 5],
    ),
    (
        "DELETE /subjects/{sub}/versions/{version}",
        lambda c: c.delete_version("s", 3, permanent=True),
        "DELETE /subjects/s/versions/3?permanent=true",
        3,
        3,
    ),
    (
        "POST /subjects/{sub}/versions/{version}/tags",
        lambda c: c.tag_schema(
            "s",
            3,
            new_version=4,
            add=[EntityTags("M.f", "sr_field", ("PII",))],
            metadata=Metadata(properties={"a": "b"}),
            rules_to_merge=RuleSet(domain_rules=(Rule("r", type="CEL"),)),
            rules_to_remove=["old"],
        ),
        (
            "POST /subjects/s/versions/3/tags "
            '{"newVersion":4,"tagsToAdd":[{"schemaEntity":{"entityPath":"M.f","entityType":"sr_field"},"tags":["PII"]}],'
            '"metadata":{"properties":{"a":"b"}},"rulesToMerge":{"domainRules":[{"name":"r","kind":"TRANSFORM",'
            '"mode":"WRITEREAD","type":"CEL","disabled":false}]},"rulesToRemove":["old"]}'
        ),
        {"id": 9, "version": 4, "schemaType": "PROTOBUF"},
        RegisteredSchema("s", 4, 9),
    ),
    (
        "GET /subjects/{sub}/metadata",
        lambda c: c.get_latest_with_metadata("s", {"a": "1", "b": "2"}),
        "GET /subjects/s/metadata?key=a&key=b&value=1&value=2",
        {**SCHEMA, "version": 2},
        RegisteredSchema("s", 2, schema="x"),
    ),
    (
        "POST /compatibility/subjects/{sub}/versions/{version}",
        lambda c: c.test_compatibility("s", "x", references=[Reference("a", "a", 1)]),
        (
            'POST /compatibility/subjects/s/versions/latest?verbose=true {"schema":"x","schemaType":"PROTOBUF",'
            '"references":[{"name":"a","subject":"a","version":1}]}'
        ),
        {"is_compatible": True},
        CompatibilityReport(is_compatible=True),
    ),
    (
        "POST /compatibility/subjects/{sub}/versions",
        lambda c: c.test_compatibility("s", "x", version=None, normalize=True),
        "POST /compatibility/subjects/s/versions?normalize=true&verbose=true",
        {
            "is_compatible": False,
            "messages": [
                '{errorType:"FIELD_REMOVED", description:"The field \'#/A/1\' is "gone"", additionalInfo:""}',
                "{oldSchemaVersion: 4}",
                "{oldSchema: 'message A {}\n'}",
                "{validateFields: 'false', compatibility: 'FULL'}",
            ],
        },
        CompatibilityReport(
            is_compatible=False,
            messages=(
                '{errorType:"FIELD_REMOVED", description:"The field \'#/A/1\' is "gone"", additionalInfo:""}',
                "{oldSchemaVersion: 4}",
                "{oldSchema: 'message A {}\n'}",
                "{validateFields: 'false', compatibility: 'FULL'}",
            ),
            findings=(CompatibilityFinding("FIELD_REMOVED", "The field '#/A/1' is \"gone\""),),
            old_version=4,
            old_schema="message A {}\n",
            level="FULL",
        ),
    ),
    (
        "GET /config",
        lambda c: c.get_config(),
        "GET /config",
        {"compatibilityLevel": "FULL", "normalize": True, "new": 1},
        Config("FULL", normalize=True),
    ),
    (
        "GET /config/{sub}",
        lambda c: c.get_config("s", default_to_global=True),
        "GET /config/s?defaultToGlobal=true",
        {"alias": "t", "defaultMetadata": {"properties": {"a": "b"}}},
        Config(alias="t", default_metadata=Metadata(properties={"a": "b"})),
    ),
    ("GET /config/{sub}", lambda c: c.get_compatibility("s"), "GET /config/s", {"compatibilityLevel": "NONE"}, "NONE"),
    (
        "PUT /config",
        lambda c: c.set_config(Config("FULL", breaking_policy="wire"), clear=["alias", "override_rule_set"]),
        'PUT /config {"alias":null,"overrideRuleSet":null,"breakingPolicy":"wire","compatibility":"FULL"}',
        {"compatibility": "FULL"},
        Config("FULL"),
    ),
    (
        "PUT /config/{sub}",
        lambda c: c.set_compatibility("FULL", "s"),
        'PUT /config/s {"compatibility":"FULL"}',
        {"compatibility": "FULL"},
        "FULL",
    ),
    ("DELETE /config", lambda c: c.delete_compatibility(), "DELETE /config", {"compatibilityLevel": "FULL"}, "FULL"),
    ("DELETE /config/{sub}", lambda c: c.delete_config("s"), "DELETE /config/s", {}, Config()),
    ("GET /mode", lambda c: c.get_mode(), "GET /mode", {"mode": "READONLY"}, "READONLY"),
    (
        "GET /mode/{sub}",
        lambda c: c.get_mode(":.ctx:", default_to_global=True),
        "GET /mode/%3A.ctx%3A?defaultToGlobal=true",
        {"mode": "IMPORT"},
        "IMPORT",
    ),
    (
        "PUT /mode",
        lambda c: c.set_mode("IMPORT", force=True),
        'PUT /mode?force=true {"mode":"IMPORT"}',
        {"mode": "IMPORT"},
        "IMPORT",
    ),
    ("PUT /mode/{sub}", lambda c: c.set_mode("X", "s"), 'PUT /mode/s {"mode":"X"}', {"mode": "X"}, "X"),
    ("DELETE /mode", lambda c: c.delete_mode(recursive=True), "DELETE /mode?recursive=true", {"mode": None}, None),
    ("DELETE /mode/{sub}", lambda c: c.delete_mode("s"), "DELETE /mode/s", {"mode": "IMPORT"}, "IMPORT"),
    ("GET /contexts", lambda c: c.get_contexts(".a"), "GET /contexts?contextPrefix=.a", [".", ".a"], [".", ".a"]),
    ("DELETE /contexts/{ctx}", lambda c: c.delete_context("a"), "DELETE /contexts/.a", Reply(204), None),
    (
        "GET /v1/metadata/id",
        lambda c: c.get_server_id(),
        "GET /v1/metadata/id",
        {"scope": {"path": [], "clusters": {"kafka-cluster": "k", "schema-registry-cluster": "g"}}, "id": ""},
        ServerId("k", "g"),
    ),
    (
        "GET /v1/metadata/version",
        lambda c: c.get_server_version(),
        "GET /v1/metadata/version",
        {"version": "1.2", "commitId": "abc"},
        ServerVersion("1.2", "abc"),
    ),
    (
        "GET /v1/metadata/deployment",
        lambda c: c.get_deployment(),
        "GET /v1/metadata/deployment",
        {"attributes": ["a"]},
        ("a",),
    ),
    (
        "POST /catalog/v1/types/tagdefs",
        lambda c: c.create_tag("PII", description="d"),
        'POST /catalog/v1/types/tagdefs [{"name":"PII","description":"d","entityTypes":["sr_field"]}]',
        [{**PII, "category": "CLASSIFICATION", "error": None}],
        PII_TAG,
    ),
    (
        "PUT /catalog/v1/types/tagdefs",
        lambda c: c.update_tag(PII_TAG),
        'PUT /catalog/v1/types/tagdefs [{"name":"PII","description":"d","entityTypes":["sr_field"]}]',
        [PII],
        PII_TAG,
    ),
    (
        "GET /catalog/v1/types/tagdefs",
        lambda c: c.get_tags("P"),
        "GET /catalog/v1/types/tagdefs?prefix=P",
        [PII],
        [PII_TAG],
    ),
    (
        "GET /catalog/v1/types/tagdefs/{name}",
        lambda c: c.get_tag("PII"),
        "GET /catalog/v1/types/tagdefs/PII",
        PII,
        PII_TAG,
    ),
    (
        "DELETE /catalog/v1/types/tagdefs/{name}",
        lambda c: c.delete_tag("PII"),
        "DELETE /catalog/v1/types/tagdefs/PII",
        Reply(200),
        None,
    ),
    (
        "POST /catalog/v1/entity/tags",
        lambda c: c.tag_entities([TAG]),
        f"POST /catalog/v1/entity/tags {json.dumps([TAG_JSON], separators=(',', ':'))}",
        [TAG_JSON],
        [TAG],
    ),
    (
        "PUT /catalog/v1/entity/tags",
        lambda c: c.update_entity_tags([TAG]),
        f"PUT /catalog/v1/entity/tags {json.dumps([TAG_JSON], separators=(',', ':'))}",
        [TAG_JSON],
        [TAG],
    ),
    (
        "GET /catalog/v1/entity/type/{typeName}/name/{qualifiedName}/tags",
        lambda c: c.get_entity_tags("sr_field", "a:1:M.f"),
        f"GET {ENTITY}",
        [TAG_JSON],
        [TAG],
    ),
    (
        "DELETE /catalog/v1/entity/type/{typeName}/name/{qualifiedName}/tags/{tagName}",
        lambda c: c.untag_entity("sr_field", "a:1:M.f", "PII"),
        f"DELETE {ENTITY}/PII",
        Reply(204),
        None,
    ),
]

# The dialect's paths, but for exporters and associations, which Confluent's own editions alone have, and DEKs.
DIALECT = """
GET /; GET /schemas/types; GET /schemas; GET /schemas/ids/{id}; GET /schemas/ids/{id}/schema;
GET /schemas/ids/{id}/subjects; GET /schemas/ids/{id}/versions; GET /schemas/guids/{guid};
GET /schemas/guids/{guid}/ids; GET /subjects; POST /subjects/{sub}; DELETE /subjects/{sub};
GET /subjects/{sub}/versions; POST /subjects/{sub}/versions; GET /subjects/{sub}/versions/{version};
GET /subjects/{sub}/versions/{version}/schema; GET /subjects/{sub}/versions/{version}/referencedby;
DELETE /subjects/{sub}/versions/{version}; POST /subjects/{sub}/versions/{version}/tags; GET /subjects/{sub}/metadata;
POST /compatibility/subjects/{sub}/versions/{version}; POST /compatibility/subjects/{sub}/versions;
GET /config; GET /config/{sub}; PUT /config; PUT /config/{sub}; DELETE /config; DELETE /config/{sub};
GET /mode; GET /mode/{sub}; PUT /mode; PUT /mode/{sub}; DELETE /mode; DELETE /mode/{sub};
GET /contexts; DELETE /contexts/{ctx};
GET /v1/metadata/id; GET /v1/metadata/version; GET /v1/metadata/deployment;
POST /catalog/v1/types/tagdefs; PUT /catalog/v1/types/tagdefs; GET /catalog/v1/types/tagdefs;
GET /catalog/v1/types/tagdefs/{name}; DELETE /catalog/v1/types/tagdefs/{name};
POST /catalog/v1/entity/tags; PUT /catalog/v1/entity/tags;
GET /catalog/v1/entity/type/{typeName}/name/{qualifiedName}/tags;
DELETE /catalog/v1/entity/type/{typeName}/name/{qualifiedName}/tags/{tagName}
"""


def methods(client: type) -> dict[str, inspect.Signature]:
    found = inspect.getmembers(client, inspect.isfunction)
    return {name: inspect.signature(method) for name, method in found if not name.startswith("_")}


def parameters(signature: inspect.Signature) -> list[tuple[str, object, object]]:
    return [(one.name, one.default, one.kind) for one in signature.parameters.values()]


def test_both_clients_have_the_same_methods_with_the_same_options() -> None:
    ours, theirs = methods(SchemaRegistryClient), methods(AsyncSchemaRegistryClient)

    assert ours.keys() == theirs.keys()
    assert {name: parameters(ours[name]) for name in ours} == {name: parameters(theirs[name]) for name in theirs}
    assert {name: ours[name].return_annotation for name in ours if name != "run"} == {
        name: theirs[name].return_annotation for name in theirs if name != "run"
    }
    waits = {name for name in theirs if inspect.iscoroutinefunction(getattr(AsyncSchemaRegistryClient, name))}
    assert theirs.keys() - waits == {"encode", "decode_header"}


def test_every_route_of_the_dialect_has_a_method() -> None:
    assert {route for route, *_ in ROUTES} == {route.strip() for route in DIALECT.split(";")}


def test_the_names_that_users_know_are_there() -> None:
    known = """get_types get_subjects get_versions get_version get_schema_by_id get_versions_for_schema referenced_by
    register create_tag delete_version delete_subject delete_subject_permanent test_compatibility get_compatibility
    set_compatibility encode decode_header"""
    assert set(known.split()) <= methods(SchemaRegistryClient).keys()


def answering(wanted: str, reply: object) -> tuple[list[str], Callable[[Call, int], Reply]]:
    """Give a sender with one answer, and the calls it gets, with their bodies where the wanted one shows its own."""
    asked: list[str] = []

    def send(call: Call, server: int, /) -> Reply:
        from urllib.parse import urlencode

        body = f" {call.body.decode()}" if " " in wanted.partition(" ")[2] else ""
        query = f"?{urlencode(call.query)}" if call.query else ""
        asked.append(f"{call.method} {call.path}{query}{body}")
        return reply if isinstance(reply, Reply) else answer(reply)

    return asked, send


@pytest.mark.parametrize(
    ("call", "wanted", "reply", "result"), [row[1:] for row in ROUTES], ids=[r[2][:60] for r in ROUTES]
)
@pytest.mark.parametrize("on_loop", [False, True], ids=["sync", "async"])
def test_a_method_asks_its_route(
    call: Callable[[Registry], object],
    wanted: str,
    reply: object,
    result: object,
    on_loop: bool,  # noqa: FBT001
) -> None:
    asked, send = answering(wanted, reply)

    if on_loop:

        async def send_async(call: Call, server: int, /) -> Reply:
            return send(call, server)

        client = AsyncSchemaRegistryClient(sender=send_async)
        got = asyncio.run(call(client))  # type: ignore[arg-type]
    else:
        got = call(SchemaRegistryClient(sender=send))

    assert asked == [wanted]
    assert got == result


# ── what is more than one call ───────────────────────────────────────────────────────────────────


def test_all_schemas_come_however_small_the_server_parts_them() -> None:
    stored = [{"subject": "s", "version": n, "id": n, **SCHEMA} for n in range(1, 8)]

    def part(call: Call, server: int, /) -> Reply:
        offset = int(dict(call.query).get("offset", "0"))
        return answer(stored[offset : offset + 3])

    assert [schema.version for schema in SchemaRegistryClient(sender=part).get_schemas()] == list(range(1, 8))


def test_a_server_that_knows_no_parts_is_not_asked_for_ever() -> None:
    whole = Routes({"GET /schemas": [SCHEMA, SCHEMA], "GET /schemas?offset=2": [SCHEMA, SCHEMA]})
    assert len(SchemaRegistryClient(sender=whole).get_schemas()) == 2


def test_the_newest_version_is_deleted_by_its_number() -> None:
    sender = Routes({"GET /subjects/s/versions/latest": {**SCHEMA, "version": 5}, "DELETE /subjects/s/versions/5": 5})
    assert SchemaRegistryClient(sender=sender).delete_version("s", "latest") == 5


def test_a_delete_whose_answer_was_lost_is_not_taken_for_a_refusal() -> None:
    def lossy(code: int) -> Callable[[Call, int], Reply]:
        replies = [answer({}, 503), answer({"error_code": code, "message": "gone"}, 404)]
        return lambda call, server: replies.pop(0)

    quick = dict.fromkeys(("retry_delay_s_min", "retry_delay_s_max"), 0.001)
    from protopact.settings import ClientSettings

    def client(code: int) -> SchemaRegistryClient:
        return SchemaRegistryClient(sender=lossy(code), settings=ClientSettings(**quick))

    assert client(40406).delete_version("s", 3) == 3
    assert client(40402).delete_version("s", 3, permanent=True) == 3
    assert client(40404).delete_subject("s") == []
    with pytest.raises(VersionNotFoundError):
        client(40402).delete_version("s", 3)


def test_a_subject_is_deleted_for_good_softly_first() -> None:
    sender = Routes({"DELETE /subjects/s": [1, 2], "DELETE /subjects/s?permanent=true": [1, 2]})
    assert SchemaRegistryClient(sender=sender).delete_subject_permanent("s") == [1, 2]
    assert sender.asked == ["DELETE /subjects/s", "DELETE /subjects/s?permanent=true"]

    sender.routes["DELETE /subjects/s"] = answer({"error_code": 40404, "message": "soft deleted"}, 404)
    assert SchemaRegistryClient(sender=sender).delete_subject_permanent("s") == [1, 2]

    sender.routes["DELETE /subjects/s"] = answer({"error_code": 42206, "message": "references exist"}, 422)
    sender.asked.clear()
    with pytest.raises(RegistryError, match="references exist"):
        SchemaRegistryClient(sender=sender).delete_subject_permanent("s")
    assert sender.asked == ["DELETE /subjects/s"]


def test_what_is_kept_is_forgotten_when_something_is_deleted() -> None:
    sender = Routes({"POST /subjects/s/versions": {"id": 1}, "DELETE /subjects/s": [1]})
    registry = SchemaRegistryClient(sender=sender)
    for _ in range(2):
        registry.register("s", "x")
    registry.delete_subject("s")
    registry.register("s", "x")

    assert sender.asked == ["POST /subjects/s/versions", "DELETE /subjects/s", "POST /subjects/s/versions"]


def test_a_tag_that_is_refused_within_a_good_answer_is_refused() -> None:
    refusal = [{"error": {"error_code": 40901, "message": "Tag PII exists"}}]
    sender = Routes({"POST /catalog/v1/types/tagdefs": refusal})
    with pytest.raises(RegistryError, match="Tag PII exists") as caught:
        SchemaRegistryClient(sender=sender).create_tag("PII")
    assert (caught.value.error_code, caught.value.status) == (40901, 409)


def test_a_request_that_says_it_all_takes_no_more_options() -> None:
    registry = SchemaRegistryClient(sender=Routes({}))
    with pytest.raises(ConfigError):
        registry.register("s", SchemaRequest("x"), references=[])


def test_a_config_can_be_cleared_only_of_what_it_may_hold() -> None:
    registry = SchemaRegistryClient(sender=Routes({}))
    with pytest.raises(ConfigError, match="no field 'aliass'"):
        registry.set_config(Config(), clear=["aliass"])


# ── the wire format ──────────────────────────────────────────────────────────────────────────────


def test_a_payload_is_framed_and_its_prefix_read_without_asking() -> None:
    registry = SchemaRegistryClient(sender=Routes({}))
    first, nested = registry.encode(7, b"pay"), registry.encode(7, b"pay", indexes=[1, 0])

    assert first == b"\x00\x00\x00\x00\x07\x00pay"
    assert registry.decode_header(first) == Prefix(7, (0,), 6)
    assert registry.decode_header(nested).indexes == (1, 0)
    assert nested[registry.decode_header(nested).size :] == b"pay"
    with pytest.raises(EncodeError):
        registry.encode(-1, b"")
    with pytest.raises(FramingError):
        registry.decode_header(b"\x01pay")
