"""Which schema a serializer's records name: its own, the latest, one with metadata, or one by id."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from protopact.convert import to_dict
from protopact.errors import (
    RegistryError,
    RuleError,
    SubjectNameError,
    SubjectNotFoundError,
    TransportError,
    WrongTypeError,
)
from protopact.framing import decode_prefix
from protopact.registry import Metadata, Rule, RuleSet
from protopact.schema import load_schema
from protopact.serdes import Deserializer, ReferenceSubjectNameStrategy, Serializer, serializer as module
from protopact.settings import SerdeSettings

if TYPE_CHECKING:
    from protopact.client import SchemaRegistryClient
    from protopact.flow import Call, Reply
    from protopact.schema import DescribedSchema

V1 = 'syntax = "proto3"; package p; message A { int32 n = 1; } message B { string s = 1; message C { bool x = 1; } }'
# The same messages, and one before them: each has another place in the file.
V2 = (
    'syntax = "proto3"; package p; message First {} message A { int32 n = 1; int32 m = 2; } '
    "message B { string s = 1; message Zero {} message C { bool x = 1; } }"
)


@pytest.fixture(scope="module")
def v1() -> DescribedSchema:
    return load_schema(V1, file_name="p.proto")


@pytest.fixture(scope="module")
def v2() -> DescribedSchema:
    return load_schema(V2, file_name="p.proto", message="A")


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


# ── the latest version ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "own", "latest"),
    [("A", b"\x00", b"\x02\x02"), ("B", b"\x02\x02", b"\x02\x04"), ("B.C", b"\x04\x02\x00", b"\x04\x04\x02")],
)
def test_with_the_latest_version_id_and_index_are_those_of_the_version_that_is_named(
    registry: SchemaRegistryClient,
    v1: DescribedSchema,
    v2: DescribedSchema,
    *,
    name: str,
    own: bytes,
    latest: bytes,
) -> None:
    schema = v1.for_message(name)
    registered = [registry.register("t-value", one).id for one in (v1, v2)]
    message = schema.new_message()
    for serializer in (
        Serializer(registry, schema, use_latest_version=True),
        Serializer(registry, schema, use_schema_id=registered[1]),
        Serializer(registry, v1, use_latest_version=True),
    ):
        for _ in range(3):
            raw = serializer.serialize(message, topic="t")
            assert decode_prefix(raw).schema_id == registered[1]
            assert raw[5:] == latest
            assert Deserializer(registry).deserialize(raw).DESCRIPTOR.full_name == f"p.{name}"
    first = Serializer(registry, schema, use_schema_id=registered[0]).serialize(message, topic="t")
    assert (decode_prefix(first).schema_id, first[5:]) == (registered[0], own)


def test_the_latest_version_is_asked_for_again_after_its_time(
    registry: SchemaRegistryClient, v1: DescribedSchema, v2: DescribedSchema, clock: Clock, asked: list[str]
) -> None:
    first = registry.register("t-value", v1).id
    serializer = Serializer(registry, v1, use_latest_version=True, settings=SerdeSettings(latest_ttl_s=60))
    write = serializer.bind("t")
    assert decode_prefix(write({})).schema_id == first
    second = registry.register("t-value", v2).id
    before = len(asked)
    clock.now = 59
    assert decode_prefix(write({})).schema_id == decode_prefix(serializer({}, "t")).schema_id == first
    assert len(asked) == before
    clock.now = 61
    assert decode_prefix(write({})).schema_id == decode_prefix(serializer({}, "t")).schema_id == second
    after = len(asked)
    clock.now = 110
    write({})
    assert len(asked) == after


def test_while_the_registry_is_silent_the_version_that_was_found_serves_on(
    registry: SchemaRegistryClient, v1: DescribedSchema, clock: Clock
) -> None:
    registry.register("t-value", v1)
    write = Serializer(registry, v1, use_latest_version=True).bind("t")
    raw, tries, send = write({}), [], registry._sender

    def silent(call: Any, server: int) -> Any:
        tries.append(call.path)
        raise TransportError("no answer", url="memory:", attempts=1)

    registry._sender = silent
    clock.now = 61
    assert write({}) == write({}) == raw
    assert len(tries) == 1
    clock.now = 68  # a tenth of the time later it is tried again
    assert write({}) == raw
    assert len(tries) == 2
    registry._sender = send
    clock.now = 100
    assert write({}) == raw


def test_a_latest_version_that_cannot_read_what_is_written_is_refused(
    registry: SchemaRegistryClient, v1: DescribedSchema
) -> None:
    other = load_schema(V1.replace("int32 n = 1", "string n = 1"), file_name="p.proto")
    registry.set_compatibility("NONE", "t-value")
    registry.register("t-value", other)
    with pytest.raises(WrongTypeError, match=r"cannot read.*#/A/1"):
        Serializer(registry, v1, use_latest_version=True)({}, "t")
    assert Serializer(registry, v1, use_latest_version=True, check_compatible=False)({}, "t")


def test_a_latest_version_without_the_message_is_refused(
    registry: SchemaRegistryClient, v1: DescribedSchema, old: DescribedSchema
) -> None:
    found = registry.register("t-value", old).id
    for options in ({"use_latest_version": True}, {"use_schema_id": found}):
        for check in (True, False):
            with pytest.raises(WrongTypeError, match=r"defines no p\.A"):
                Serializer(registry, v1, check_compatible=check, **options)({}, "t")


def test_a_subject_without_versions_has_no_latest(registry: SchemaRegistryClient, v1: DescribedSchema) -> None:
    with pytest.raises(SubjectNotFoundError):
        Serializer(registry, v1, use_latest_version=True)({}, "t")
    with pytest.raises(RegistryError):
        Serializer(registry, v1, use_schema_id=77)({}, "t")
    assert registry.get_subjects() == []


def test_the_latest_with_metadata_is_named(
    registry: SchemaRegistryClient, v1: DescribedSchema, v2: DescribedSchema
) -> None:
    major = {"major": "1"}
    first = registry.register("t-value", v1, metadata=Metadata(properties=major)).id
    registry.register("t-value", v2, metadata=Metadata(properties={"major": "2"}))
    raw = Serializer(registry, v1, use_latest_with_metadata=major)({"n": 1}, "t")
    assert decode_prefix(raw).schema_id == first
    with pytest.raises(RegistryError):
        Serializer(registry, v1, use_latest_with_metadata={"major": "3"})({}, "t")


def test_threads_that_meet_a_new_topic_ask_for_its_latest_once(
    registry: SchemaRegistryClient, v1: DescribedSchema, asked: list[str]
) -> None:
    registry.register("t-value", v1, metadata=Metadata(properties={"a": "b"}))
    for options in ({"use_latest_version": True}, {"use_latest_with_metadata": {"a": "b"}}):
        del asked[:]
        registry.session.forget()
        serializer, barrier = Serializer(registry, v1, **options), threading.Barrier(8)

        def write(serializer: Any = serializer, barrier: Any = barrier) -> None:
            barrier.wait()
            serializer({}, "t")

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(asked) == 2  # the version, and its descriptors


HIDE = RuleSet(domain_rules=(Rule("hide", kind="TRANSFORM", type="ENCRYPT", tags=("PII",)),))
WAYS_TO_A_SCHEMA: list[dict[str, Any]] = [
    {},
    {"normalize": True},
    {"auto_register": False},
    {"use_latest_version": True},
    {"use_schema_id": 1},
]


@pytest.mark.parametrize("options", WAYS_TO_A_SCHEMA, ids=str)
def test_a_schema_with_rules_for_writing_is_refused_rather_than_written_without_them(
    registry: SchemaRegistryClient, v1: DescribedSchema, options: dict[str, Any]
) -> None:
    registry.register("t-value", v1, rule_set=HIDE)
    for _ in range(2):
        with pytest.raises(RuleError, match="hide"):
            Serializer(registry, v1, **options)({}, "t")


@pytest.mark.parametrize("options", WAYS_TO_A_SCHEMA, ids=str)
def test_rules_that_are_switched_off_or_are_for_reading_stop_no_writer(
    registry: SchemaRegistryClient, v1: DescribedSchema, options: dict[str, Any]
) -> None:
    off = Rule("off", kind="TRANSFORM", type="ENCRYPT", tags=("PII",), disabled=True)
    reading = Rule("reading", kind="TRANSFORM", type="ENCRYPT", tags=("PII",), mode="READ")
    registry.register("t-value", v1, rule_set=RuleSet(domain_rules=(off, reading)))
    assert Serializer(registry, v1, **options)({}, "t")


def test_rules_for_encoding_are_rules_for_writing_too(registry: SchemaRegistryClient, v1: DescribedSchema) -> None:
    rule = Rule("whole", kind="TRANSFORM", type="ENCRYPT_PAYLOAD")
    registry.register("t-value", v1, rule_set=RuleSet(encoding_rules=(rule,)))
    with pytest.raises(RuleError, match="whole"):
        Serializer(registry, v1)({}, "t")


def test_a_version_that_inherits_rules_when_it_is_registered_is_refused(
    registry: SchemaRegistryClient, v1: DescribedSchema, v2: DescribedSchema
) -> None:
    registry.register("t-value", v1, rule_set=HIDE)
    with pytest.raises(RuleError, match="hide"):
        Serializer(registry, v2)({}, "t")
    assert registry.get_version("t-value").version == 2


def test_a_registry_that_answers_a_registration_by_the_id_alone_is_asked_for_the_rules(
    registry: SchemaRegistryClient, asked: list[str], v1: DescribedSchema
) -> None:
    send = registry._sender

    def terse(call: Call, server: int) -> Reply:
        reply = send(call, server)
        if call.method == "POST" and call.path.endswith("/versions"):
            return replace(reply, body=json.dumps({"id": json.loads(reply.body)["id"]}).encode())
        return reply

    registry._sender = terse
    assert Serializer(registry, v1)({}, "free")
    registry.register("t-value", v1, rule_set=HIDE)
    with pytest.raises(RuleError, match="hide"):
        Serializer(registry, v1)({}, "t")
    assert [call for call in asked if call.startswith("GET")] == ["GET /schemas/ids/1", "GET /schemas/ids/2"]


# ── its own schema ───────────────────────────────────────────────────────────────────────────────


def test_a_registry_that_keeps_the_normal_form_says_where_the_message_stands_in_it(
    registry: SchemaRegistryClient,
) -> None:
    text = """syntax = "proto3"; package p;
    message Z { message Y { int32 a = 1; } message B { int32 b = 1; } string s = 2; int32 n = 1; }
    message A { string own = 1; }"""
    schema = load_schema(text, file_name="p.proto")
    for name in ("Z.B", "Z.Y", "A", "Z"):
        message = schema.for_message(name).new_message()
        raw = Serializer(registry, schema, normalize=True)(message, "t")
        assert Deserializer(registry).deserialize(raw).DESCRIPTOR.full_name == f"p.{name}"
        looked_up = Serializer(registry, schema, auto_register=False, normalize=True)(message, "t")
        assert looked_up == raw


@pytest.mark.parametrize(
    ("strategy", "subjects"),
    [
        (ReferenceSubjectNameStrategy.DEFAULT, ["shop/v1/currency.proto", "shop/v1/money.proto"]),
        (ReferenceSubjectNameStrategy.QUALIFIED, ["shop.v1.currency", "shop.v1.money"]),
        (lambda path: f"lib:{path.rpartition('/')[2]}", ["lib:currency.proto", "lib:money.proto"]),
    ],
)
def test_a_strategy_names_the_subjects_of_imports(
    registry: SchemaRegistryClient, shop: DescribedSchema, strategy: Any, subjects: list[str]
) -> None:
    values = {"price": {"units": 5, "currency": "CURRENCY_EUR"}}
    raw = Serializer(registry, shop, reference_subject_name_strategy=strategy)(values, "t")
    assert sorted(set(registry.get_subjects()) - {"t-value"}) == sorted(subjects)
    assert [one.subject for one in registry.get_version("t-value").references] == [subjects[1]]
    assert to_dict(Deserializer(registry).deserialize(raw))["price"] == values["price"]
    found = Serializer(registry, shop, reference_subject_name_strategy=strategy, auto_register=False)(values, "t")
    assert found == raw


def test_a_strategy_for_imports_that_gives_no_name_is_refused(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    with pytest.raises(SubjectNameError, match="currency"):
        Serializer(registry, shop, reference_subject_name_strategy=lambda _: "")({}, "t")
