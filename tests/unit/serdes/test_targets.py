"""What comes out of a deserializer, models in and out, and the bounds on both ways."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel, Field

from protopact.errors import ConfigError, ConversionError, DecodeError, EncodeError, WrongTypeError
from protopact.schema import load_schema, proto_message, schema_of
from protopact.serdes import Deserializer, Serializer
from protopact.settings import SerdeSettings

if TYPE_CHECKING:
    from protopact.client import SchemaRegistryClient
    from protopact.schema import DescribedSchema


@proto_message(name="Order", package="shop.v1")
class Order(BaseModel):
    id: str
    count: int = 0


@proto_message(name="Order", package="shop.v1")
class Swapped(BaseModel):
    count: int = 0
    id: str = ""


def test_a_model_is_written_and_read(registry: SchemaRegistryClient) -> None:
    serializer, read = Serializer(registry, Order), Deserializer(registry, into=Order)
    order = Order(id="o-1", count=2**40)
    raw = serializer.serialize(order, topic="t")
    assert raw == serializer({"id": "o-1", "count": 2**40}, "t") == serializer.bind("t")(order)
    assert raw == serializer(schema_of(Order).message_class(id="o-1", count=2**40), "t")
    assert read.deserialize(raw) == read.bind("t")(raw) == order
    assert order == Order(id="o-1", count=2**40)
    with pytest.raises(WrongTypeError):
        serializer(Swapped(), "t")


def test_a_models_refusal_is_a_decode_error_with_its_path(registry: SchemaRegistryClient) -> None:
    @proto_message(name="Order", package="shop.v1")
    class Strict(BaseModel):
        id: Annotated[str, Field(min_length=3)]
        count: int = 0

    raw = Serializer(registry, Order)(Order(id="x"), "t")
    with pytest.raises(DecodeError, match=r"topic 't'.*\$\.id") as refused:
        Deserializer(registry, into=Strict).deserialize(raw, topic="t")
    assert isinstance(refused.value.__cause__, ConversionError)


def test_a_newer_and_an_older_writer_are_read_into_a_model_by_field_numbers(
    registry: SchemaRegistryClient, shop: DescribedSchema, shop_2: DescribedSchema
) -> None:
    for topic, schema, more in (("a", shop, {}), ("b", shop_2, {"note": "n"})):
        raw = Serializer(registry, schema)({"id": "o", "count": 7, **more}, topic)
        assert Deserializer(registry, into=Order).deserialize(raw) == Order(id="o", count=7)
    renamed = load_schema(
        'syntax = "proto3"; package shop.v1; message Order { string name = 1; int64 count = 2; }', file_name="o.proto"
    )
    raw = Serializer(registry, renamed)({"name": "o"}, "c")
    assert Deserializer(registry, into=Order).deserialize(raw) == Order(id="o")


def test_a_model_whose_numbers_are_not_the_writers_is_refused(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    raw = Serializer(registry, shop)({"id": "o"}, "t")
    with pytest.raises(WrongTypeError, match=r"Order\.id as number 1, the wanted message as 2"):
        Deserializer(registry, into=Swapped).deserialize(raw)


def test_a_record_of_another_type_is_no_model(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    raw = Serializer(registry, shop)(shop.for_message("Customer").new_message(), "t")
    with pytest.raises(WrongTypeError, match=r"holds shop\.v1\.Customer, not shop\.v1\.Order"):
        Deserializer(registry, into=Order).deserialize(raw)


def test_a_type_that_is_declared_compatible_is_read_as_the_wanted_one(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    renamed = load_schema('syntax = "proto3"; package shop.v2; message Sale { string id = 1; }', file_name="s.proto")
    raw = Serializer(registry, renamed)({"id": "o"}, "t")
    for compatible in (["shop.v2.Sale"], [renamed.message_class]):
        deserializer: Any = Deserializer(registry, into=shop.message_class, compatible_types=compatible)
        read = deserializer.deserialize(raw)
        assert type(read) is shop.message_class
        assert read.id == "o"
    with pytest.raises(WrongTypeError, match=r"holds shop\.v2\.Sale") as refused:
        Deserializer(registry, into=shop.message_class).deserialize(raw)
    assert "compatible_types" in refused.value.hint
    for wrong in ({"compatible_types": [3], "into": shop.message_class}, {"compatible_types": ["a"], "into": dict}):
        with pytest.raises(ConfigError) as unusable:
            Deserializer(registry, **wrong)  # type: ignore[call-overload]
        assert unusable.value.option == "compatible_types"


def test_json_comes_out_as_proto_json(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    raw = Serializer(registry, shop)({"id": "o", "count": 2**60, "price": {"currency": "CURRENCY_EUR"}}, "t")
    text = Deserializer(registry, into="json").deserialize(raw)
    assert json.loads(text) == {"id": "o", "count": str(2**60), "price": {"currency": "CURRENCY_EUR"}}


# ── bounds ───────────────────────────────────────────────────────────────────────────────────────


def test_what_is_larger_than_allowed_is_neither_written_nor_read(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    bounded = SerdeSettings(message_bytes_max=102)
    free, write = Serializer(registry, shop).bind("t"), Serializer(registry, shop, settings=bounded).bind("t")
    just, over = {"id": "x" * 100}, {"id": "x" * 101}
    assert write(just) == free(just)
    for value in (over, shop.new_message(over)):
        with pytest.raises(EncodeError, match="takes 103 bytes, more than the 102 allowed"):
            write(value)
    headers: dict[str, bytes] = {}
    bare = Serializer(registry, shop, framing="guid").serialize(over, topic="t", headers=headers)
    for _ in range(2):
        read = Deserializer(registry, into=dict, settings=bounded)
        assert read.deserialize(free(just))["id"] == just["id"]
        for raw, given in ((free(over), None), (bare, headers)):
            with pytest.raises(DecodeError, match="103 bytes, more than the 102"):
                read.deserialize(raw, headers=given)
    raw_reader = Deserializer(None, framing="raw", topics={"*": shop}, settings=bounded)
    with pytest.raises(DecodeError, match="103 bytes"):
        raw_reader.deserialize(bare, topic="t")


def test_the_bound_is_on_the_payload_whatever_the_prefix(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    part = shop.for_message("Order.Line.Part")
    raw = Serializer(registry, part)({"sku": "x" * 100}, "t")
    read = Deserializer(registry, into=dict, settings=SerdeSettings(message_bytes_max=102))
    for _ in range(2):
        assert read.deserialize(raw) == {"sku": "x" * 100}


def test_what_is_nested_deeper_than_any_reader_accepts_is_not_written(registry: SchemaRegistryClient) -> None:
    schema = load_schema('syntax = "proto3"; package n; message Node { Node next = 1; }', file_name="n.proto")
    write, read = Serializer(registry, schema).bind("t"), Deserializer(registry).bind("t")

    def nested(depth: int) -> Any:
        root: Any = schema.message_class()
        node = root
        for _ in range(depth):
            node = node.next
            node.SetInParent()
        return root

    read(write(nested(99)))
    with pytest.raises(EncodeError, match="100 deep"):
        write(nested(200))


def test_deterministic_bytes_do_not_depend_on_the_order_of_a_map(registry: SchemaRegistryClient) -> None:
    schema = load_schema('syntax = "proto3"; package m; message M { map<string, int32> a = 1; }', file_name="m.proto")
    keys = [f"k{number}" for number in range(50)]
    serializer = Serializer(registry, schema, deterministic=True)
    one, other = ({"a": dict.fromkeys(order, 1)} for order in (keys, keys[::-1]))
    assert serializer(one, "t") == serializer(other, "t") == serializer(schema.new_message(other), "t")
