from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.message import Message

from protopact.convert import to_dict
from protopact.errors import (
    ConfigError,
    DecodeError,
    FramingError,
    RegistryError,
    SerdeError,
    TransportError,
    WrongTypeError,
)
from protopact.framing import encode_prefix
from protopact.schema import load_schema
from protopact.serdes import Deserializer, Serializer
from protopact.serdes.table import ENTRIES_MAX, keep

if TYPE_CHECKING:
    from protopact.client import SchemaRegistryClient
    from protopact.schema import DescribedSchema

ORDER: dict[str, object] = {"id": "o-1", "count": 2**60, "price": {"units": 5, "currency": "CURRENCY_EUR"}}


def test_a_record_comes_back_as_the_writers_message_by_registry_alone(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    raw = Serializer(registry, shop)(ORDER, "orders")
    message = Deserializer(registry).deserialize(raw, topic="orders")
    assert isinstance(message, Message)
    assert message.DESCRIPTOR.full_name == "shop.v1.Order"
    assert to_dict(message) == ORDER


def test_a_record_comes_back_as_a_dict(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    raw = Serializer(registry, shop)(ORDER, "orders")
    deserializer = Deserializer(registry, into=dict)
    assert deserializer.deserialize(raw) == deserializer.bind("orders")(raw) == ORDER


def test_a_record_comes_back_as_the_wanted_class(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    raw = Serializer(registry, shop)(ORDER, "orders")
    message = Deserializer(registry, into=shop.message_class).deserialize(raw)
    assert type(message) is shop.message_class
    assert message == shop.new_message(ORDER)


def test_several_types_and_versions_share_a_topic(
    registry: SchemaRegistryClient, shop: DescribedSchema, shop_2: DescribedSchema, old: DescribedSchema
) -> None:
    first, third = Serializer(registry, shop), Serializer(registry, old)
    second = Serializer(registry, shop_2, subject_name_strategy=lambda *_: "elsewhere")
    customer = shop.for_message("Customer").new_message({"name": "Ann", "picture": b"\x86"})
    part = shop.for_message("Order.Line.Part").new_message({"sku": "s"})
    read = Deserializer(registry, into=dict).bind("all")
    for _ in range(2):
        assert read(first(ORDER, "all")) == ORDER
        assert read(second(ORDER | {"note": "n"}, "all")) == ORDER | {"note": "n"}
        assert read(first(customer, "all")) == {"name": "Ann", "picture": b"\x86"}
        assert read(first(part, "all")) == {"sku": "s"}
        assert read(third({}, "other")) == {}


def test_many_messages_of_a_file_each_come_back_as_themselves(registry: SchemaRegistryClient) -> None:
    text = 'syntax = "proto3"; package many; ' + " ".join(f"message M{n} {{ int32 f{n} = 1; }}" for n in range(200))
    schema = load_schema(text, file_name="many.proto")
    serializer, read = Serializer(registry, schema), Deserializer(registry, into=dict).bind("t")
    for number in (0, 1, 63, 64, 127, 128, 199, 64, 1):
        message = schema.for_message(f"M{number}").new_message({f"f{number}": 7})
        assert read(serializer(message, "t")) == {f"f{number}": 7}


@pytest.mark.parametrize("long_form", ["0200", "8000", "82800000", "8002"])
def test_other_spellings_of_the_first_message_are_read(
    registry: SchemaRegistryClient, shop: DescribedSchema, long_form: str
) -> None:
    raw = Serializer(registry, shop)(ORDER, "t")
    spelled = raw[:5] + bytes.fromhex(long_form) + raw[6:]
    read = Deserializer(registry, into=dict).bind("t")
    if long_form == "8002":  # 256 as a zig-zag varint: 128 indexes
        with pytest.raises(FramingError):
            read(spelled)
    else:
        assert read(spelled) == read(spelled) == read(raw) == ORDER


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda raw: memoryview(bytearray(raw))])
def test_any_kind_of_bytes_is_read(registry: SchemaRegistryClient, shop: DescribedSchema, kind: Any) -> None:
    raw = Serializer(registry, shop)(ORDER, "t")
    for into in (dict, shop.message_class):
        read = Deserializer(registry, into=into).bind("t")
        assert read(kind(raw)) == read(raw) == read(kind(raw))


def test_a_tombstone_stays_none(registry: SchemaRegistryClient) -> None:
    for into in (None, dict):
        deserializer: Deserializer[Any] = Deserializer(registry, into=into)
        assert deserializer.deserialize(None, topic="t") is None
        assert deserializer.bind("t")(None) is None


def test_a_frame_without_payload_is_an_empty_message(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    raw = Serializer(registry, shop)({}, "t")
    assert len(raw) == 6
    assert Deserializer(registry, into=shop.message_class).deserialize(raw) == shop.new_message()


def test_a_schema_is_fetched_once(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    raw = Serializer(registry, shop)(ORDER, "t")
    deserializer = Deserializer(registry, into=dict)
    read = deserializer.bind("t")
    read(raw)

    def refuse(call: Any, server: int) -> Any:
        raise AssertionError(call.path)

    registry._sender = refuse
    assert read(raw) == deserializer.bind("u")(raw) == Deserializer(registry, into=dict).deserialize(raw) == ORDER


# ── what is wrong with a record ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("damage", "kind", "words"),
    [
        (lambda raw: b"", FramingError, "empty"),
        (lambda raw: raw[:3], FramingError, "after 3 bytes"),
        (lambda raw: raw[:5], FramingError, "end within"),
        (lambda raw: b"\x05" + raw[1:], FramingError, "byte 5, not 0"),
        (lambda raw: raw[:5] + b"\x02", FramingError, "end within"),
        (lambda raw: raw[:5] + b"\x06\x00\x00", FramingError, "end within"),
        (lambda raw: raw[:5] + b"\x01" + raw[6:], FramingError, "-1 message indexes"),
        (lambda raw: raw[:5] + b"\x02\x7e" + raw[6:], FramingError, "no message at index [63]"),
        (lambda raw: raw[:5] + b"\x04\x00\x7e" + raw[6:], FramingError, "no message at index [0, 63]"),
        (lambda raw: encode_prefix(9999, [0]) + raw[6:], DecodeError, "no schema with id 9999"),
        (lambda raw: encode_prefix(0, [0]) + raw[6:], DecodeError, "no schema with id 0"),
        (lambda raw: raw[:-1], DecodeError, "not the writer's message"),
        (lambda raw: raw + b"\xff", DecodeError, "not the writer's message"),
        (lambda raw: raw[:6] + b"\x0a\x01\xff", DecodeError, "not the writer's message"),  # no UTF-8
        (lambda raw: "text", FramingError, "not str"),
        (lambda raw: 7, FramingError, "not int"),
        (list, FramingError, "not list"),
        (lambda raw: {}, FramingError, "not dict"),
    ],
)
def test_a_bad_record_is_refused_in_one_family_with_its_topic(
    registry: SchemaRegistryClient, shop: DescribedSchema, damage: Any, kind: type[SerdeError], words: str
) -> None:
    raw = Serializer(registry, shop)(ORDER, "t")
    for into in (None, dict, shop.message_class):
        read = Deserializer[Any](registry, into=into).bind("orders")
        for _ in range(2):
            with pytest.raises(kind) as refused:
                read(damage(raw))
            assert type(refused.value) is kind
            assert words in str(refused.value)
            assert "topic 'orders'" in str(refused.value)
            assert "\n" not in str(refused.value)
            read(raw)  # the table is filled now: the same refusals must follow


def test_a_bad_record_without_topic_is_refused_too(registry: SchemaRegistryClient) -> None:
    with pytest.raises(FramingError, match=r"^record: the record is empty$"):
        Deserializer(registry).deserialize(b"")


def test_every_cut_of_a_record_is_refused_or_a_shorter_message(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    customer = shop.for_message("Customer").new_message({"name": "Ann", "picture": b"12345"})
    raw = Serializer(registry, shop)(customer, "t")
    read = Deserializer(registry, into=dict).bind("t")
    for end in range(len(raw)):
        if end < 7:
            with pytest.raises(FramingError):
                read(raw[:end])
        elif end not in {7, 12}:  # between two fields
            with pytest.raises(DecodeError):
                read(raw[:end])


def test_a_message_of_another_name_than_the_wanted_is_refused(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    serializer = Serializer(registry, shop)
    read = Deserializer(registry, into=shop.for_message("Customer").message_class).bind("t")
    with pytest.raises(WrongTypeError, match=r"topic 't'.*holds shop\.v1\.Order, not shop\.v1\.Customer"):
        read(serializer(ORDER, "t"))
    part = shop.for_message("Order.Line.Part").new_message()
    with pytest.raises(WrongTypeError):
        read(serializer(part, "t"))


def test_an_older_reader_reads_a_newer_writer_and_the_other_way(
    registry: SchemaRegistryClient, shop: DescribedSchema, shop_2: DescribedSchema
) -> None:
    newer = Serializer(registry, shop_2)(ORDER | {"note": "n"}, "t")
    older = Serializer(registry, shop)(ORDER, "u")
    assert Deserializer(registry, into=shop.message_class).deserialize(newer).id == "o-1"  # type: ignore[attr-defined]
    read = Deserializer(registry, into=shop_2.message_class)
    assert to_dict(read.deserialize(older)) == ORDER | {"note": ""}


def test_a_payload_without_its_required_fields_is_a_decode_error(
    registry: SchemaRegistryClient, old: DescribedSchema
) -> None:
    raw = Serializer(registry, old)({"leaf": {"weight": 1}}, "t")
    for into in (None, dict, old.message_class):
        read = Deserializer[Any](registry, into=into).bind("t")
        read(raw)
        with pytest.raises(DecodeError, match=r"topic 't'.*lacks required fields: leaf\.weight"):
            read(raw[:6] + b"\x0a\x00")


def test_a_registry_that_does_not_answer_is_no_fault_of_the_record(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    raw = Serializer(registry, shop)(ORDER, "t")
    send, read = registry._sender, Deserializer(registry, into=dict).bind("t")
    for error in (TransportError("no answer", url="memory:", attempts=1), RegistryError("store", error_code=50001)):

        def broken(call: Any, server: int, error: Exception = error) -> Any:
            raise error

        registry._sender = broken
        with pytest.raises(type(error)):
            read(raw)
    registry._sender = send
    assert read(raw) == ORDER


# ── options and bounds ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("into", [int, "dict", Message, {}, list])
def test_an_unknown_target_is_refused(registry: SchemaRegistryClient, into: Any) -> None:
    with pytest.raises(ConfigError) as refused:
        Deserializer(registry, into=into)
    assert refused.value.option == "into"


def test_a_table_keeps_its_bound_and_the_newest() -> None:
    table: dict[int, str] = {}
    for number in range(ENTRIES_MAX + 10):
        assert keep(table, number, "first") == "first"
    assert len(table) == ENTRIES_MAX
    assert keep(table, ENTRIES_MAX + 9, "second") == "first"
    assert 0 not in table
