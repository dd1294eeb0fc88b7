"""A pydantic model with every kind of field, and Confluent's Python client with the code that plain protoc generates.

The client knows nothing of the model: its code comes from the text that the registry has after our first record.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from google.protobuf import json_format
from peer import Peer

from protopact import Deserializer, Serializer, connect_registry, schema_of
from protopact.compiler import print_file
from protopact.schema import model_encoder
from protopact.server import background_registry
from schemas.kinds import Channel, Item, Order, an_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact import SchemaRegistryClient

TOPIC, SUBJECT = "orders", "orders-value"
FILE = "shop/v1/order.proto"


def a_sparse_order() -> Order:
    """Give an order in which nothing stands that can be left out; each value is the least of its kind."""
    return Order(
        id=0, share=0.0, name="", channel=Channel.WEB, placed_at=datetime(1970, 1, 1, tzinfo=UTC), due_on=None,
        price=Decimal(0), key=UUID(int=0), short_key=UUID(int=0), item=Item(sku="", price=Decimal(0)), reference=False,
    )  # fmt: skip


every_order = pytest.mark.parametrize("order", [an_order(), a_sparse_order()], ids=["full", "sparse"])


@pytest.fixture(scope="module")
def model_registry() -> Iterator[str]:
    """Give the address of a registry in which a serializer has registered the model's schema."""
    with background_registry() as url:
        with connect_registry(url) as client:
            Serializer(client, Order).serialize(an_order(), topic=TOPIC)
        yield url


@pytest.fixture
def model_client(model_registry: str) -> Iterator[SchemaRegistryClient]:
    with connect_registry(model_registry) as client:
        yield client


@pytest.fixture(scope="module")
def generated_peer(
    confluent_python: str, model_registry: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    """Give Confluent's client with code that protoc made of the registered text and of the files that it imports."""
    texts, code = tmp_path_factory.mktemp("texts"), tmp_path_factory.mktemp("code")
    with connect_registry(model_registry) as client:
        write(texts / FILE, client.get_version(SUBJECT).schema)
    file_set = schema_of(Order).file_set
    files = [FILE, *(file.name for file in file_set.files if file.name.startswith("confluent/"))]
    for name in [file.name for file in file_set.files if not file.name.startswith("google/protobuf/")]:
        if name != FILE:
            write(texts / name, print_file(file_set, name))
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{texts}", f"--python_out={code}", *files]
    subprocess.run(command, check=True, timeout=60)
    script = Path(__file__).parent / "python" / "confluent_peer.py"
    peer = Peer([confluent_python, str(script), str(code), "shop.v1.order_pb2"])
    try:
        yield peer
    finally:
        peer.close()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def proto_json(order: Order) -> dict[str, Any]:
    """Give what proto JSON has for a model's value."""
    message_class = schema_of(Order).message_class
    message = model_encoder(Order, message_class)(order)
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def test_the_registry_has_the_text_that_the_model_prints(model_client: SchemaRegistryClient) -> None:
    schema = schema_of(Order)
    assert len(Order.model_fields) >= 35
    assert model_client.get_version(SUBJECT).schema == schema.to_schema_string()
    assert model_client.lookup(SUBJECT, schema).version == 1


@every_order
def test_they_read_what_is_written_from_a_model(
    generated_peer: Peer, model_registry: str, model_client: SchemaRegistryClient, order: Order
) -> None:
    raw = Serializer(model_client, Order).serialize(order, topic=TOPIC)
    assert raw is not None
    assert generated_peer.read(model_registry, "Order", raw) == proto_json(order)


@every_order
def test_a_model_is_read_from_what_they_write(
    generated_peer: Peer, model_registry: str, model_client: SchemaRegistryClient, order: Order
) -> None:
    raw = generated_peer.frame(model_registry, "Order", proto_json(order))
    assert Deserializer(model_client, into=Order).deserialize(raw, topic=TOPIC) == order


@every_order
def test_their_code_registers_the_schema_that_the_model_has(
    generated_peer: Peer, model_registry: str, model_client: SchemaRegistryClient, order: Order
) -> None:
    theirs = generated_peer.frame(model_registry, "Order", proto_json(order))
    assert theirs == Serializer(model_client, Order).serialize(order, topic=TOPIC)
    assert model_client.get_versions(SUBJECT) == [1]
