"""Confluent's Python client, with its default settings, and ours: over our registry, both ways."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from peer import PeerError

from protopact import Deserializer, Serializer, connect_registry, load_schema
from protopact.framing import decode_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peer import Peer

    from protopact import ProtoSchema, SchemaRegistryClient

PROTOS = Path(__file__).parent / "protos"
TOPIC = "orders"
IMPORTS = ["shop/money.proto", "shop/parts/currency.proto"]
TEXT = 'syntax = "proto3";\npackage parts;\n\nmessage Part {\n  string name = 1;\n}\n'
WHOLE = """syntax = "proto3";
package whole;

import "part.proto";

message Whole {
  repeated parts.Part parts = 1;
}
"""
WHOLE_ALONE = 'syntax = "proto3";\nmessage Alone {}\n'


@dataclass(frozen=True)
class Case:
    """One message: its path, its place in the file as it stands on the wire, and the same value for both sides."""

    message: str
    indexes: bytes
    value: dict[str, object]
    json: dict[str, object]
    read: dict[str, object] = field(default_factory=dict)

    def payload_of(self, raw: bytes) -> bytes:
        """Give what follows the prefix."""
        return raw[decode_prefix(raw).size :]


CASES = [
    Case(
        "Order",
        b"\x00",
        {
            "id": 2**64 - 1,
            "buyer": {"name": "Zoë", "mail": ""},
            "lines": [
                {"sku": "a", "count": 2, "price": {"currency": "CURRENCY_EUR", "minor_units": -199}},
                {"sku": "", "count": 0},
            ],
            "total": {"currency": "CURRENCY_EUR", "minor_units": -398},
            "placed_at": datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC),
            "notes": {"door": "blue"},
            "pickup_point": "north",
            "counters": [1, -1, 2**31 - 1],
            "signature": b"\x00\xffhi",
            "weight_kg": 0.1,
            "gift": True,
        },
        {
            "id": str(2**64 - 1),
            "buyer": {"name": "Zoë", "mail": ""},
            "lines": [{"sku": "a", "count": 2, "price": {"currency": "CURRENCY_EUR", "minor_units": "-199"}}, {}],
            "total": {"currency": "CURRENCY_EUR", "minor_units": "-398"},
            "placed_at": "2026-02-03T04:05:06.789Z",
            "notes": {"door": "blue"},
            "pickup_point": "north",
            "counters": [1, -1, 2**31 - 1],
            "signature": "AP9oaQ==",
            "weight_kg": 0.1,
            "gift": True,
        },
    ),
    Case(
        "Refund",
        b"\x02\x02",
        {"order_id": 7, "amount": {"currency": "CURRENCY_USD", "minor_units": 5}, "reason": "late"},
        {"order_id": "7", "amount": {"currency": "CURRENCY_USD", "minor_units": "5"}, "reason": "late"},
    ),
    Case(
        "Order.Line",
        b"\x04\x00\x04",
        {"sku": "b", "count": 3, "price": {"currency": "CURRENCY_EUR", "minor_units": 1}},
        {"sku": "b", "count": 3, "price": {"currency": "CURRENCY_EUR", "minor_units": "1"}},
    ),
    Case(
        "Order",
        b"\x00",
        {},
        {},
        {"id": 0, "lines": [], "notes": {}, "counters": [], "signature": b"", "weight_kg": 0.0, "gift": False},
    ),
]
every_case = pytest.mark.parametrize("case", CASES, ids=["Order", "Refund", "Order.Line", "empty Order"])


@lru_cache
def schema_for(message: str) -> ProtoSchema:
    return load_schema(PROTOS / "shop/order.proto", message=f"shop.{message}", imports=PROTOS)


def framed_by_us(client: SchemaRegistryClient, case: Case) -> bytes:
    return Serializer(client, schema_for(case.message)).serialize(case.value, topic=TOPIC)


@pytest.fixture
def client(registry: str) -> Iterator[SchemaRegistryClient]:
    with connect_registry(registry) as client:
        yield client


@every_case
def test_we_read_what_they_write(confluent: Peer, registry: str, client: SchemaRegistryClient, case: Case) -> None:
    raw = confluent.frame(registry, case.message, case.json)
    assert raw[5 : 5 + len(case.indexes)] == case.indexes
    assert Deserializer(client, into=dict).deserialize(raw, topic=TOPIC) == (case.read or case.value)
    message = Deserializer(client).deserialize(raw, topic=TOPIC)
    assert message.DESCRIPTOR.full_name == f"shop.{case.message}"
    wanted = schema_for(case.message).message_class
    assert Deserializer(client, into=wanted).deserialize(raw, topic=TOPIC) == wanted.FromString(case.payload_of(raw))


@every_case
def test_they_read_what_we_write(confluent: Peer, registry: str, client: SchemaRegistryClient, case: Case) -> None:
    raw = framed_by_us(client, case)
    assert raw[5 : 5 + len(case.indexes)] == case.indexes
    assert confluent.read(registry, case.message, raw) == case.json
    assert confluent.read(None, case.message, raw) == case.json  # without a registry, as their API allows


@every_case
def test_both_write_the_same_bytes(confluent: Peer, registry: str, client: SchemaRegistryClient, case: Case) -> None:
    theirs, ours = confluent.frame(registry, case.message, case.json), framed_by_us(client, case)
    assert case.payload_of(theirs) == case.payload_of(ours)
    assert theirs == ours  # also the id: our schema is found under the one that they registered


@every_case
def test_they_write_what_we_registered(
    confluent: Peer, registry: str, client: SchemaRegistryClient, case: Case
) -> None:
    ours, theirs = framed_by_us(client, case), confluent.frame(registry, case.message, case.json)
    assert ours == theirs
    assert client.get_versions(f"{TOPIC}-value") == [1]


def test_keys_and_values_have_subjects_of_their_own(
    confluent: Peer, registry: str, client: SchemaRegistryClient
) -> None:
    case = CASES[0]
    theirs = confluent("serialize", registry=registry, message="Order", topic=TOPIC, json=case.json, is_key=True)
    ours = Serializer(client, schema_for("Order")).serialize(case.value, topic=TOPIC, is_key=True)
    assert theirs == ours.hex()
    assert sorted(client.get_subjects()) == [f"{TOPIC}-key", *IMPORTS]


def test_their_imports_become_subjects_that_refer_to_each_other(
    confluent: Peer, registry: str, client: SchemaRegistryClient
) -> None:
    confluent.frame(registry, "Order", {})
    assert sorted(client.get_subjects()) == [f"{TOPIC}-value", *IMPORTS]
    order, money = client.get_version(f"{TOPIC}-value"), client.get_version("shop/money.proto")
    assert [(each.name, each.subject, each.version) for each in order.references] == [
        ("shop/money.proto", "shop/money.proto", 1)
    ]
    assert [each.name for each in money.references] == ["shop/parts/currency.proto"]


def test_tombstones_pass_both_ways(confluent: Peer, registry: str, client: SchemaRegistryClient) -> None:
    assert confluent("deserialize", registry=registry, message="Order", topic=TOPIC, bytes=None) is None
    assert Deserializer(client, into=dict).deserialize(None, topic=TOPIC) is None


def test_one_topic_carries_several_of_their_types(confluent: Peer, registry: str, client: SchemaRegistryClient) -> None:
    read = Deserializer(client).bind(TOPIC)
    names = [read(confluent.frame(registry, case.message, case.json)).DESCRIPTOR.full_name for case in CASES]
    assert names == ["shop.Order", "shop.Refund", "shop.Order.Line", "shop.Order"]
    assert client.get_versions(f"{TOPIC}-value") == [1]


# ── their registry client, our server ────────────────────────────────────────────────────────────


def test_their_client_registers_looks_up_and_reads_back(confluent: Peer, registry: str) -> None:
    at = {"registry": registry, "subject": "parts"}
    full = confluent("register_full", **at, schema=TEXT)
    schema_id = full["id"]
    assert (full["subject"], full["version"], len(full["guid"])) == ("parts", 1, 36)
    assert confluent("register", **at, schema=TEXT) == schema_id
    found = confluent("lookup", **at, schema=TEXT)
    assert (found["id"], found["subject"], found["version"], found["schema"]) == (schema_id, "parts", 1, TEXT)
    assert found["guid"] == full["guid"]
    assert confluent("by_id", registry=registry, id=schema_id) == {"schema": TEXT, "type": "PROTOBUF", "references": []}
    assert confluent("subjects", registry=registry) == ["parts"]
    assert confluent("versions", **at) == [1]
    assert confluent("version", **at, version=1)["schema"] == TEXT
    assert confluent("usage", registry=registry, id=schema_id) == [["parts", 1]]
    assert "PROTOBUF" in confluent("types", registry=registry)


def test_their_client_registers_a_schema_with_a_reference(confluent: Peer, registry: str) -> None:
    confluent("register", registry=registry, subject="parts", schema=TEXT)
    reference = ["part.proto", "parts", 1]
    arguments = {"registry": registry, "subject": "whole", "schema": WHOLE, "references": [reference]}
    schema_id = confluent("register", **arguments)
    assert confluent("lookup", **arguments)["id"] == schema_id
    latest = confluent("latest", registry=registry, subject="whole")
    assert (latest["id"], latest["version"], latest["references"]) == (schema_id, 1, [reference])


def test_their_client_gets_the_serialized_form(confluent: Peer, registry: str) -> None:
    schema_id = confluent("register", registry=registry, subject="parts", schema=TEXT)
    serialized = confluent("by_id", registry=registry, id=schema_id, format="serialized")["schema"]
    file = FileDescriptorProto.FromString(b64decode(serialized))
    assert (file.package, [message.name for message in file.message_type]) == ("parts", ["Part"])


@pytest.mark.parametrize(
    ("op", "arguments", "code"),
    [
        ("versions", {"subject": "nothing"}, 40401),
        ("latest", {"subject": "nothing"}, 40401),
        ("version", {"subject": "parts", "version": 9}, 40402),
        ("by_id", {"id": 9}, 40403),
        ("lookup", {"subject": "nothing", "schema": "message A {}"}, 40401),
        ("lookup", {"subject": "parts", "schema": WHOLE_ALONE}, 40403),
        ("register", {"subject": "parts", "schema": "message {"}, 42201),
    ],
)
def test_their_client_gets_the_codes_that_it_knows(
    confluent: Peer, registry: str, op: str, arguments: dict[str, object], code: int
) -> None:
    confluent("register", registry=registry, subject="parts", schema=TEXT)
    with pytest.raises(PeerError) as caught:
        confluent(op, registry=registry, **arguments)
    assert (caught.value.kind, caught.value.code, caught.value.status) == ("SchemaRegistryError", code, code // 100)
