"""Confluent's serializers and deserializers, with their default settings, and ours: over our registry, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from orders import CASES, IMPORTS, ORDERS, PARCELS, TOPIC, framed_by_us, schema_for
from peer import PeerError

from protopact import Deserializer, Serializer

if TYPE_CHECKING:
    from orders import Case
    from peer import Peer

    from protopact import SchemaRegistryClient

every_case = pytest.mark.parametrize("case", CASES, ids=str)
deep_imports = pytest.mark.xfail(
    strict=True,
    raises=PeerError,
    reason="it asks for the imports of imports as text and takes that for base64 (@confluentinc/schemaregistry 1.10.1)",
)
map_before_message = pytest.mark.xfail(
    strict=True,
    reason="it counts a map's entry among the nested messages where its own .proto has it, and registers a text that"
    " has it elsewhere (confluent-kafka-go 2.11.1)",
)
# Clients that register descriptors, of which we make the text that ours is. The Go client registers a text of its own.
with_descriptors = pytest.mark.parametrize("confluent", ["python", "javascript"], indirect=True)
every_reader = pytest.mark.parametrize(
    ("confluent", "case"),
    [
        *(pytest.param(name, case, id=f"{name}-{case}") for name in ("python", "go") for case in CASES),
        *(pytest.param("javascript", case, id=f"javascript-{case}", marks=deep_imports) for case in ORDERS),
        *(pytest.param("javascript", case, id=f"javascript-{case}") for case in PARCELS),
    ],
    indirect=["confluent"],
)
every_writer = pytest.mark.parametrize(
    ("confluent", "case"),
    [
        *(pytest.param(name, case, id=f"{name}-{case}") for name in ("python", "javascript") for case in CASES),
        *(
            pytest.param("go", case, id=f"go-{case}", marks=map_before_message if "." in case.message else ())
            for case in CASES
        ),
    ],
    indirect=["confluent"],
)


@every_writer
def test_we_read_what_they_write(confluent: Peer, registry: str, client: SchemaRegistryClient, case: Case) -> None:
    raw = confluent.frame(registry, case.message, case.json)
    assert raw[5 : 5 + len(case.indexes)] == case.indexes
    assert Deserializer(client, into=dict).deserialize(raw, topic=TOPIC) == (case.read or case.value)
    message = Deserializer(client).deserialize(raw, topic=TOPIC)
    assert message.DESCRIPTOR.full_name == f"shop.{case.message}"
    wanted = schema_for(case).message_class
    assert Deserializer(client, into=wanted).deserialize(raw, topic=TOPIC) == wanted.FromString(case.payload_of(raw))


@every_reader
def test_they_read_what_we_write(confluent: Peer, registry: str, client: SchemaRegistryClient, case: Case) -> None:
    raw = framed_by_us(client, case)
    assert raw[5 : 5 + len(case.indexes)] == case.indexes
    assert confluent.read(registry, case.message, raw) == case.json


@every_case
def test_python_reads_what_we_write_without_a_registry(python: Peer, client: SchemaRegistryClient, case: Case) -> None:
    assert python.read(None, case.message, framed_by_us(client, case)) == case.json


@with_descriptors
@every_case
def test_both_write_the_same_bytes(confluent: Peer, registry: str, client: SchemaRegistryClient, case: Case) -> None:
    theirs, ours = confluent.frame(registry, case.message, case.json), framed_by_us(client, case)
    assert case.payload_of(theirs) == case.payload_of(ours)
    assert theirs == ours  # also the id: our schema is found under the one that they registered


@with_descriptors
@every_case
def test_they_write_what_we_registered(
    confluent: Peer, registry: str, client: SchemaRegistryClient, case: Case
) -> None:
    ours, theirs = framed_by_us(client, case), confluent.frame(registry, case.message, case.json)
    assert ours == theirs
    assert client.get_versions(f"{TOPIC}-value") == [1]


@pytest.mark.parametrize("case", PARCELS[:2], ids=str)
def test_their_clients_read_each_other(python: Peer, javascript: Peer, go: Peer, registry: str, case: Case) -> None:
    for writer in (python, javascript, go):
        raw = writer.frame(registry, case.message, case.json)
        assert [reader.read(registry, case.message, raw) for reader in (python, javascript, go)] == [case.json] * 3


@with_descriptors
def test_keys_and_values_have_subjects_of_their_own(
    confluent: Peer, registry: str, client: SchemaRegistryClient
) -> None:
    case = CASES[0]
    theirs = confluent("serialize", registry=registry, message="Order", topic=TOPIC, json=case.json, is_key=True)
    ours = Serializer(client, schema_for(case)).serialize(case.value, topic=TOPIC, is_key=True)
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


def test_tombstones_pass_both_ways(python: Peer, registry: str, client: SchemaRegistryClient) -> None:
    assert python("deserialize", registry=registry, message="Order", topic=TOPIC, bytes=None) is None
    assert Deserializer(client, into=dict).deserialize(None, topic=TOPIC) is None


@with_descriptors
def test_one_topic_carries_several_of_their_types(confluent: Peer, registry: str, client: SchemaRegistryClient) -> None:
    read = Deserializer(client).bind(TOPIC)
    names = [read(confluent.frame(registry, case.message, case.json)).DESCRIPTOR.full_name for case in ORDERS]
    assert names == ["shop.Order", "shop.Refund", "shop.Order.Line", "shop.Order"]
    assert client.get_versions(f"{TOPIC}-value") == [1]
