"""Schemas whose rules want something done when reading: what they encrypt is not handed out as if it were the value."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from protopact.connect import connect_registry_async
from protopact.errors import ConfigError, RuleError, WrongTypeError
from protopact.framing import encode_guid, encode_prefix
from protopact.registry import Rule, RuleSet
from protopact.schema import load_schema
from protopact.serdes import AsyncDeserializer, Deserializer
from protopact.settings import SerdeSettings

if TYPE_CHECKING:
    from protopact.client import SchemaRegistryClient
    from protopact.flow import Call, Reply

A = load_schema('syntax = "proto3"; package p; message A { string name = 1; }', file_name="p.proto")
HIDE = Rule("hide", kind="TRANSFORM", type="ENCRYPT", tags=("PII",))
SEALED: dict[str, object] = {"name": "as written"}
PAYLOAD = A.serialize(SEALED)
REFUSAL = (
    "record of topic 't': the schema with id 1 of 't-value' has rules for reading (hide: ENCRYPT), "
    "which this deserializer does not run"
)


@dataclass
class Model:
    """The same message as a model."""

    name: str = ""


Model.__name__ = Model.__qualname__ = "A"


def registered(registry: SchemaRegistryClient, *rules: Rule, subject: str = "t-value", **more: Any) -> bytes:
    """Register the schema with rules and give a record of it, as someone who runs them would have written it."""
    found = registry.register(subject, A, rule_set=RuleSet(domain_rules=rules, **more))
    assert found.id is not None
    return encode_prefix(found.id, (0,)) + PAYLOAD


@pytest.mark.parametrize("into", [None, dict, "json", A.message_class], ids=["None", "dict", "json", "class"])
def test_a_schema_with_rules_for_reading_is_refused_by_subject_rule_and_type(
    registry: SchemaRegistryClient, into: Any
) -> None:
    raw = registered(registry, HIDE)
    read = Deserializer(registry, into=into).bind("t")
    for _ in range(2):
        with pytest.raises(RuleError) as refused:
            read(raw)
        assert str(refused.value) == REFUSAL
        assert "rules='ignore'" in refused.value.hint


def test_a_model_is_not_filled_with_what_rules_would_decrypt(registry: SchemaRegistryClient) -> None:
    raw = registered(registry, HIDE)
    with pytest.raises(RuleError, match="hide: ENCRYPT"):
        Deserializer(registry, into=Model, compatible_types=["p.A"]).deserialize(raw)


@pytest.mark.parametrize(
    ("rule", "is_refused"),
    [
        (HIDE, True),
        (replace(HIDE, mode="READ"), True),
        (Rule("adult", kind="CONDITION", mode="READ", type="CEL", expr="true"), True),
        (replace(HIDE, mode="WRITE"), False),
        (replace(HIDE, disabled=True), False),
    ],
    ids=str,
)
def test_rules_count_when_they_are_switched_on_and_are_for_reading(
    registry: SchemaRegistryClient, rule: Rule, *, is_refused: bool
) -> None:
    raw = registered(registry, rule)
    read = Deserializer(registry, into=dict)
    if is_refused:
        with pytest.raises(RuleError, match=f"{rule.name}: {rule.type}"):
            read.deserialize(raw)
    else:
        assert read.deserialize(raw) == SEALED


def test_rules_for_encoding_are_rules_for_reading_and_those_for_migration_are_not(
    registry: SchemaRegistryClient,
) -> None:
    up = Rule("up", mode="UPGRADE", type="JSONATA", expr="$")
    raw = registered(registry, subject="moved-value", migration_rules=(up,))
    assert Deserializer(registry, into=dict).deserialize(raw) == SEALED
    whole = Rule("whole", kind="TRANSFORM", type="ENCRYPT_PAYLOAD")
    raw = registered(registry, encoding_rules=(whole,))
    with pytest.raises(RuleError, match="whole: ENCRYPT_PAYLOAD"):
        Deserializer(registry).deserialize(raw)


def test_who_says_so_reads_what_was_written(registry: SchemaRegistryClient) -> None:
    raw = registered(registry, HIDE)
    assert Deserializer(registry, into=dict, rules="ignore").deserialize(raw, topic="t") == SEALED
    assert Deserializer(registry, rules="ignore").deserialize_many([raw]).to_pylist() == [SEALED]
    wrong: Any = "run"
    with pytest.raises(ConfigError, match="'run'") as refused:
        Deserializer(registry, rules=wrong)
    assert (refused.value.option, refused.value.hint) == ("rules", "use one of refuse, ignore")


def test_a_schema_named_by_its_guid_is_refused_too(registry: SchemaRegistryClient) -> None:
    registered(registry, HIDE)
    guid = registry.get_schema_by_id(1).guid
    assert guid is not None
    headers = [("__value_schema_id", encode_guid(guid, (0,)))]
    with pytest.raises(RuleError) as refused:
        Deserializer(registry).deserialize(PAYLOAD, topic="t", headers=headers)
    assert str(refused.value) == REFUSAL
    assert Deserializer(registry, into=dict, rules="ignore").deserialize(PAYLOAD, headers=headers) == SEALED


def test_many_records_are_refused_as_a_whole_and_not_skipped_one_by_one(registry: SchemaRegistryClient) -> None:
    raw = registered(registry, HIDE)
    with pytest.raises(RuleError, match="hide: ENCRYPT"):
        Deserializer(registry).deserialize_many([raw, raw], on_error="skip")
    with pytest.raises(RuleError, match="hide: ENCRYPT"):
        list(Deserializer(registry).record_batches([raw], on_error="skip"))


def test_a_message_that_is_not_wanted_is_refused_as_such(registry: SchemaRegistryClient) -> None:
    other = load_schema('syntax = "proto3"; package q; message B {}', file_name="q.proto").message_class
    raw = registered(registry, HIDE)
    with pytest.raises(WrongTypeError):
        Deserializer(registry, into=other).deserialize(raw)


@pytest.mark.parametrize("caching", [True, False])
def test_refusing_asks_the_registry_once_and_not_for_each_record(
    registry: SchemaRegistryClient, asked: list[str], *, caching: bool
) -> None:
    raw = registered(registry, HIDE)
    asked.clear()
    read = Deserializer(registry, settings=SerdeSettings(caching=caching)).bind("t")
    for _ in range(3):
        with pytest.raises(RuleError):
            read(raw)
    assert asked == ["GET /schemas/ids/1", "GET /schemas/ids/1/subjects"]


def test_a_schema_without_rules_costs_no_question_more(registry: SchemaRegistryClient, asked: list[str]) -> None:
    raw = registered(registry)
    asked.clear()
    assert Deserializer(registry, into=dict).deserialize(raw) == SEALED
    assert asked == ["GET /schemas/ids/1"]


def test_a_registry_that_does_not_tell_the_subjects_changes_nothing_but_the_words(
    registry: SchemaRegistryClient,
) -> None:
    raw = registered(registry, HIDE)
    send = registry._sender

    def discreet(call: Call, server: int) -> Reply:
        if call.path.endswith("/subjects"):
            body = json.dumps({"error_code": 40301, "message": "not for you"}).encode()
            return replace(send(call, server), status=403, body=body)
        return send(call, server)

    registry._sender = discreet
    with pytest.raises(RuleError, match=r"^record: the schema with id 1 has rules for reading \(hide: ENCRYPT\)"):
        Deserializer(registry).deserialize(raw)


@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
def test_asynchronous_deserializers_refuse_likewise(*, many: bool) -> None:
    async def main() -> None:
        async with connect_registry_async("memory:") as registry:
            found = await registry.register("t-value", A, rule_set=RuleSet(domain_rules=(HIDE,)))
            raw = encode_prefix(found.id or 0, (0,)) + PAYLOAD

            async def read(deserializer: AsyncDeserializer[Any]) -> object:
                if many:
                    return (await deserializer.deserialize_many([raw], topic="t")).to_pylist()[0]
                return await deserializer.deserialize(raw, topic="t")

            with pytest.raises(RuleError) as refused:
                await read(AsyncDeserializer(registry, into=dict))
            assert str(refused.value) == REFUSAL
            assert await read(AsyncDeserializer(registry, into=dict, rules="ignore")) == SEALED

    asyncio.run(main())
