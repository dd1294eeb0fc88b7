from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from protopact.convert import to_dict
from protopact.errors import ConfigError, DecodeError, EncodeError, FramingError, SerdeError, WrongTypeError
from protopact.framing import encode_prefix
from protopact.serdes import Deserializer, Serializer

if TYPE_CHECKING:
    from protopact.client import SchemaRegistryClient
    from protopact.schema import DescribedSchema

ORDER: dict[str, object] = {"id": "o-1", "count": 2**60, "price": {"units": 5, "currency": "CURRENCY_EUR"}}


# ── guid ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("is_key", "name"), [(False, "__value_schema_id"), (True, "__key_schema_id")])
def test_a_guid_stands_in_the_header_of_its_part_and_the_payload_is_bare(
    registry: SchemaRegistryClient, shop: DescribedSchema, *, is_key: bool, name: str
) -> None:
    serializer = Serializer(registry, shop, framing="guid")
    pairs: list[tuple[str, bytes]] = [("trace", b"1")]
    table: dict[str, bytes] = {}
    payload = serializer.serialize(ORDER, topic="orders", is_key=is_key, headers=pairs)
    assert payload == serializer.serialize(ORDER, topic="orders", is_key=is_key, headers=table) == shop.serialize(ORDER)
    guid = registry.lookup(f"orders-{'key' if is_key else 'value'}", shop).guid
    assert guid is not None
    assert pairs == [("trace", b"1"), (name, b"\x01" + bytes.fromhex(guid.replace("-", "")) + b"\x00")]
    assert dict(pairs[1:]) == table
    for headers in (pairs, table):
        read = Deserializer(registry, into=dict).deserialize(payload, is_key=is_key, headers=headers)
        assert read == ORDER
        with pytest.raises(SerdeError):  # the other part's header is not looked at
            Deserializer(registry, into=dict).deserialize(payload, is_key=not is_key, headers=headers)


def test_a_guid_header_names_the_message_by_its_own_place(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    serializer, read = Serializer(registry, shop, framing="guid"), Deserializer(registry)
    for name, indexes in (("Customer", b"\x02\x02"), ("Order.Line.Part", b"\x06\x00\x00\x02"), ("Order", b"\x00")):
        for _ in range(2):
            headers: dict[str, bytes] = {}
            payload = serializer.serialize(shop.for_message(name).new_message(), topic="t", headers=headers)
            assert payload == b""
            assert headers["__value_schema_id"][17:] == indexes
            assert read.deserialize(payload, headers=headers).DESCRIPTOR.full_name == f"shop.v1.{name}"


def test_a_record_that_is_passed_on_gets_a_new_header_for_the_old_one(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    headers = [("__value_schema_id", b"\x01old"), ("a", b"b")]
    Serializer(registry, shop, framing="guid").serialize(ORDER, topic="t", headers=headers)
    assert [name for name, _ in headers] == ["a", "__value_schema_id"]


def test_a_value_that_is_refused_leaves_the_headers_as_they_were(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    headers: dict[str, bytes] = {}
    serializer = Serializer(registry, shop, framing="guid")
    with pytest.raises(WrongTypeError):
        serializer.serialize(3, topic="t", headers=headers)
    assert serializer.serialize(None, topic="t", headers=headers) is None
    assert headers == {}


@pytest.mark.parametrize("headers", [None, (), "text"])
def test_framing_guid_needs_headers_to_write_to(
    registry: SchemaRegistryClient, shop: DescribedSchema, headers: Any
) -> None:
    serializer = Serializer(registry, shop, framing="guid")
    for _ in range(2):
        with pytest.raises(EncodeError, match="headers"):
            serializer.serialize(ORDER, topic="t", headers=headers)
        with pytest.raises(EncodeError, match="headers"):
            serializer(ORDER, "t")
        serializer.serialize(ORDER, topic="t", headers=[])
    for bind in (lambda: serializer.bind("t"), lambda: Deserializer(registry, framing="guid").bind("t")):
        with pytest.raises(ConfigError) as refused:
            bind()
        assert refused.value.option == "framing"


def test_a_header_goes_before_the_prefix_and_without_one_the_prefix_counts(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    framed = Serializer(registry, shop).serialize(ORDER, topic="t")
    headers: list[tuple[str, bytes]] = []
    bare = Serializer(registry, shop, framing="guid").serialize(ORDER, topic="t", headers=headers)
    either = Deserializer(registry, into=dict)
    assert either.deserialize(framed, headers=[("other", b"x")]) == either.deserialize(bare, headers=headers) == ORDER
    with pytest.raises(DecodeError):
        either.deserialize(framed, headers=headers)
    with pytest.raises(FramingError, match="no header"):
        Deserializer(registry, into=dict, framing="guid").deserialize(framed)


def test_an_id_in_a_header_is_read_too(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    raw = Serializer(registry, shop).serialize(ORDER, topic="t")
    assert Deserializer(registry, into=dict).deserialize(raw[6:], headers={"__value_schema_id": raw[:6]}) == ORDER


@pytest.mark.parametrize(
    ("header", "kind", "words"),
    [
        (b"", FramingError, "empty"),
        (b"\x01short", FramingError, "within the GUID"),
        (b"\x07" + bytes(17), FramingError, "byte 7, not 1"),
        (b"\x01" + bytes(16), FramingError, "end within"),
        (b"\x01" + bytes(16) + b"\x00more", FramingError, "goes on"),
        (b"\x01" + bytes(16) + b"\x00", DecodeError, "no schema with GUID 00000000-"),
        (encode_prefix(99, [0]), DecodeError, "no schema with id 99"),
        ("text", FramingError, "str, not bytes"),
    ],
)
def test_a_bad_header_is_refused_in_one_family(
    registry: SchemaRegistryClient, header: Any, kind: type[SerdeError], words: str
) -> None:
    for _ in range(2):
        with pytest.raises(kind, match=words) as refused:
            Deserializer(registry).deserialize(b"", topic="t", headers={"__value_schema_id": header})
        assert type(refused.value) is kind
        assert Deserializer(registry).deserialize(None, headers=[("__value_schema_id", b"\x01")]) is None


# ── raw ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_raw_record_is_the_payload_alone_and_asks_no_registry(shop: DescribedSchema) -> None:
    serializer = Serializer(None, shop, framing="raw")
    raw = serializer.serialize(ORDER, topic="t")
    assert raw == serializer.bind("u")(shop.new_message(ORDER)) == serializer(ORDER, "t") == shop.serialize(ORDER)
    customer = shop.for_message("Customer").new_message({"name": "Ann"})
    assert serializer(customer, "t") == customer.SerializeToString()
    assert to_dict(Deserializer(None, into=shop.message_class, framing="raw").deserialize(raw)) == ORDER


def test_a_topics_pattern_says_what_raw_records_hold(shop: DescribedSchema) -> None:
    topics: Any = {
        "orders-*": shop,
        "orders-customers": shop.for_message("Customer").message_class,
        "*": shop.for_message("Order.Line.Part"),
    }
    read = Deserializer(None, framing="raw", topics=topics)
    for topic, name in (("orders-eu", "Order"), ("orders-customers", "Customer"), ("else", "Order.Line.Part")):
        for message in (read.deserialize(b"", topic=topic), read.bind(topic)(b"")):
            assert message.DESCRIPTOR.full_name == f"shop.v1.{name}"
    assert (
        Deserializer(None, framing="raw", topics=topics, into=dict).deserialize(shop.serialize(ORDER), topic="orders-1")
        == ORDER
    )
    assert read.deserialize(None, topic="else") is None


def test_a_raw_record_of_a_topic_without_pattern_or_of_another_type_is_refused(shop: DescribedSchema) -> None:
    read: Any = Deserializer(None, framing="raw", topics={"orders": shop})
    for topic in ("other", None):
        with pytest.raises(WrongTypeError, match="topic"):
            read.deserialize(b"", topic=topic)
    customer = shop.for_message("Customer").message_class
    with pytest.raises(WrongTypeError, match=r"holds shop\.v1\.Order, not shop\.v1\.Customer"):
        Deserializer(None, framing="raw", topics={"orders": shop}, into=customer).deserialize(b"", topic="orders")
    for raw in (b"\xff", "text", 7):
        with pytest.raises(SerdeError):
            read.deserialize(raw, topic="orders")
    with pytest.raises(ConfigError) as refused:
        Deserializer(None, framing="raw", topics={"orders": "shop.v1.Order"})  # type: ignore[call-overload]
    assert refused.value.option == "topics"
    with pytest.raises(ConfigError):
        Deserializer(None, topics={"orders": shop})


# ── no registry ──────────────────────────────────────────────────────────────────────────────────


def test_without_a_registry_a_record_is_read_by_its_place_in_the_classes_own_file(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    serializer = Serializer(registry, shop)
    read = Deserializer(None, into=shop.message_class)
    assert to_dict(read.deserialize(serializer(ORDER, "t"))) == ORDER
    for raw in (serializer(shop.for_message("Customer").new_message(), "t"), encode_prefix(1, [9])):
        with pytest.raises(WrongTypeError):
            read.deserialize(raw)
