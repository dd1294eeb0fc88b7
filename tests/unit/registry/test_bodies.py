from __future__ import annotations

import json

import pytest

from protopact.errors import RegistryError
from protopact.registry import (
    EntityTags,
    Metadata,
    Reference,
    RegisteredSchema,
    Rule,
    RuleSet,
    SchemaRequest,
    SubjectVersion,
    read_json,
)

RULES = RuleSet(domain_rules=(Rule("mask", tags=("PII",), params={"a": "b"}),), enable_at="later")
METADATA = Metadata({"Order.id": ("PII",)}, {"owner": "we"}, ("owner",))


def test_a_full_request_comes_back_as_it_went() -> None:
    request = SchemaRequest(
        "syntax…",
        references=(Reference("a.proto", "a", 1),),
        id=7,
        version=2,
        metadata=METADATA,
        rule_set=RULES,
        schema_tags_to_add=(EntityTags("Order.id", "sr_field", ("PII",)),),
    )

    assert SchemaRequest.from_json(request.to_json()) == request


def test_a_full_answer_comes_back_as_it_went() -> None:
    answer = RegisteredSchema(
        subject="orders-value",
        version=3,
        id=9,
        guid="fd291f54-9ebf-6b66-69c4-d7c94f57d765",
        schema="syntax…",
        references=(Reference("a.proto", "a", 1),),
        metadata=METADATA,
        rule_set=RULES,
        schema_tags=(EntityTags("Order.id", "sr_field", ("PII",)),),
        ts=1_700_000_000_000,
        deleted=False,
        max_id=12,
    )

    assert RegisteredSchema.from_json(answer.to_json()) == answer
    assert SubjectVersion.from_object(read_json(b'{"subject":"s","version":1}')) == SubjectVersion("s", 1)


def test_what_is_empty_is_not_written() -> None:
    assert json.loads(SchemaRequest("x").to_json()) == {"schema": "x", "schemaType": "PROTOBUF"}
    assert json.loads(RegisteredSchema(id=1, schema="x").to_json()) == {
        "id": 1,
        "schemaType": "PROTOBUF",
        "schema": "x",
    }


def test_fields_bear_the_names_of_the_dialect() -> None:
    body = json.loads(RegisteredSchema(rule_set=RULES, max_id=1, ts=2, guid="g").to_json())

    assert set(body) == {"schemaType", "ruleSet", "maxId", "ts", "guid"}
    assert body["ruleSet"]["domainRules"][0] == {
        "name": "mask",
        "kind": "TRANSFORM",
        "mode": "WRITEREAD",
        "tags": ["PII"],
        "params": {"a": "b"},
        "disabled": False,
    }


def test_unknown_fields_are_ignored() -> None:
    assert SchemaRequest.from_json(b'{"schema":"x","schemaType":"PROTOBUF","newThing":{"a":[1]}}') == SchemaRequest("x")


def test_an_absent_schema_type_is_avro() -> None:
    assert SchemaRequest.from_json(b'{"schema":"x"}').schema_type == "AVRO"
    assert RegisteredSchema.from_json(b'{"schema":"x"}').schema_type == "AVRO"


def test_the_shortest_answer_of_an_old_registry_is_read() -> None:
    assert RegisteredSchema.from_json(b'{"id":5}').id == 5


@pytest.mark.parametrize("body", [b"", b"  \n", b"null"])
def test_an_absent_or_null_body_is_422(body: bytes) -> None:
    with pytest.raises(RegistryError) as caught:
        SchemaRequest.from_json(body)

    assert (caught.value.status, caught.value.error_code) == (422, 422)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b"[]",
        b'"x"',
        b"5",
        b'{"schema":5}',
        b'{"schema":["x"]}',
        b'{"schema":NaN}',
        b'{"schema":"x","version":1.5}',
        b'{"schema":"x","version":true}',
        b'{"schema":"x","version":2147483648}',
        b'{"schema":"x","id":99999999999999999999999999999}',
        b'{"schema":"x","id":' + b"9" * 10_000 + b"}",
        b'{"schema":"x","unknown":Infinity}',
        b'{"schema":"\\ud800"}',
        b'{"schema":"x","metadata":{"properties":{"\\udfff":"x"}}}',
        b'{"schema":"x","references":{}}',
        b'{"schema":"x","references":["a"]}',
        b'{"schema":"x","references":[{"name":"a","subject":"b"}]}',
        b'{"schema":"x","references":[{"name":1,"subject":"b","version":1}]}',
        b'{"schema":"x","metadata":[]}',
        b'{"schema":"x","metadata":{"tags":{"a":"PII"}}}',
        b'{"schema":"x","ruleSet":{"domainRules":[{"kind":"NO"}]}}',
        b'{"schema":"x","ruleSet":{"domainRules":[{"disabled":"yes"}]}}',
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_a_body_of_the_wrong_shape_is_400_and_nothing_else(body: bytes) -> None:
    with pytest.raises(RegistryError) as caught:
        SchemaRequest.from_json(body)

    assert (caught.value.status, caught.value.error_code) == (400, 400)
    assert "\n" not in str(caught.value)


def test_a_lone_surrogate_is_not_sent() -> None:
    with pytest.raises(RegistryError, match="surrogate"):
        SchemaRequest("\ud800").to_json()


def test_letters_beyond_ascii_travel_as_utf8() -> None:
    assert "größe".encode() in SchemaRequest("größe").to_json()
