from __future__ import annotations

import copy
import threading
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from protopact.connect import connect_registry
from protopact.descriptor import message_class
from protopact.errors import (
    ConfigError,
    ConversionError,
    EncodeError,
    SchemaNotFoundError,
    SubjectNameError,
    SubjectNotFoundError,
    TransportError,
    WrongTypeError,
)
from protopact.schema import DescribedSchema, schema_of
from protopact.serdes import Deserializer, Serializer, SubjectNameStrategy

if TYPE_CHECKING:
    from protopact.client import SchemaRegistryClient


def in_another_pool(schema: DescribedSchema) -> DescribedSchema:
    """Give an equal schema whose classes are others, as generated code's are."""
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass

    pool = DescriptorPool()
    for file in schema.file_set.files:
        pool.Add(file)
    return schema_of(GetMessageClass(pool.FindMessageTypeByName(schema.name)))


def test_a_dict_and_a_message_give_the_same_framed_bytes(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    values = {"id": "o-1", "count": 2**60, "price": {"units": 5, "currency": "CURRENCY_EUR"}}
    message = shop.new_message(values)
    serializer = Serializer(registry, shop)
    raw = serializer.serialize(values, topic="orders")
    schema_id = registry.lookup("orders-value", shop).id
    assert schema_id is not None
    assert raw == b"\x00" + schema_id.to_bytes(4, "big") + b"\x00" + shop.serialize(message)
    assert serializer.serialize(message, topic="orders") == raw
    assert serializer.serialize(MappingProxyType(values), topic="orders") == raw
    assert serializer(values, "orders") == raw
    assert serializer.bind("orders")(message) == raw


def test_the_callers_values_are_not_touched(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    values: dict[str, object] = {"id": "o-1", "price": {"units": 5}, "at": Timestamp(seconds=1)}
    before = copy.deepcopy(values)
    Serializer(registry, shop).serialize(values, topic="orders")
    assert values == before


def test_the_second_message_and_a_nested_one_have_their_own_indexes(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    serializer = Serializer(registry, shop)
    for name, indexes in (("Customer", "0202"), ("Order.Line.Part", "06000002"), ("Order", "00")):
        message = shop.for_message(name).new_message()
        assert serializer(message, "all")[5:].hex() == indexes
        assert Serializer(registry, shop.for_message(name))({}, "all")[5:].hex() == indexes


def test_a_tombstone_stays_none_and_asks_nothing(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    serializer = Serializer(registry, shop)
    assert serializer.serialize(None, topic="orders") is None
    assert serializer(None, "orders") is None
    assert registry.get_subjects() == []
    assert serializer.bind("orders")(None) is None


def test_imports_are_registered_first_under_their_paths(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    Serializer(registry, shop).serialize({}, topic="orders")
    assert registry.get_subjects() == ["orders-value", "shop/v1/currency.proto", "shop/v1/money.proto"]
    registered = registry.get_version("orders-value")
    assert [reference.name for reference in registered.references] == ["shop/v1/money.proto"]


def test_keys_and_values_have_subjects_of_their_own(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    serializer = Serializer(registry, shop.for_message("Customer"))
    key = serializer.serialize({"name": "k"}, topic="orders", is_key=True)
    value = serializer.serialize({"name": "k"}, topic="orders")
    assert key == value == serializer.bind("orders", is_key=True)({"name": "k"})
    assert {"orders-key", "orders-value"} <= set(registry.get_subjects())


def test_two_topics_with_different_ids_keep_theirs(
    registry: SchemaRegistryClient, shop: DescribedSchema, shop_2: DescribedSchema
) -> None:
    first, second = Serializer(registry, shop), Serializer(registry, shop_2)
    a, b = first({"id": "x"}, "a"), second({"id": "x"}, "b")
    assert a[:5] != b[:5]
    assert first({"id": "x"}, "a") == a
    assert second({"id": "x"}, "b") == b


# ── messages of other pools and files ────────────────────────────────────────────────────────────


def test_a_message_of_another_pool_is_taken_when_its_file_is_equal(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    elsewhere = in_another_pool(shop)
    assert elsewhere.message_class is not shop.message_class
    serializer = Serializer(registry, shop)
    for _ in range(2):
        assert serializer(elsewhere.new_message({"id": "x"}), "t") == serializer({"id": "x"}, "t")


def test_a_message_that_was_read_can_be_written_again(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    serializer, read = Serializer(registry, shop), Deserializer(registry).bind("orders")
    record = serializer.serialize({"id": "a", "price": {"units": 3}}, topic="orders")
    message = read(record)
    assert type(message) is not shop.message_class
    assert serializer.serialize(message, topic="orders") == record
    assert serializer.serialize(message, topic="copies")[5:] == record[5:]


def test_a_message_of_another_version_is_refused(
    registry: SchemaRegistryClient, shop: DescribedSchema, shop_2: DescribedSchema
) -> None:
    write = Serializer(registry, shop).bind("t")
    for name in ("Order", "Customer"):
        with pytest.raises(WrongTypeError, match="another version"):
            write(shop_2.for_message(name).new_message())


def test_a_message_of_another_file_is_refused_before_anything_is_registered(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    write = Serializer(registry, shop, subject_name_strategy=SubjectNameStrategy.RECORD).bind("t")
    subjects = registry.get_subjects()
    money = message_class(shop.file_set, "shop.v1.Money")()
    for message in (Timestamp(), money):
        with pytest.raises(WrongTypeError, match="no message of shop/v1/order"):
            write(message)
    assert registry.get_subjects() == subjects


@pytest.mark.parametrize("value", [3, "text", b"bytes", [{}], object(), dict])
def test_what_is_neither_message_nor_mapping_is_refused(
    registry: SchemaRegistryClient, shop: DescribedSchema, value: Any
) -> None:
    with pytest.raises(WrongTypeError, match="message or a mapping"):
        Serializer(registry, shop).serialize(value, topic="t")


def test_a_mapping_that_does_not_fit_tells_every_issue(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    with pytest.raises(ConversionError) as refused:
        Serializer(registry, shop).serialize({"id": 1, "coun": 2}, topic="t")
    assert [issue.path for issue in refused.value.issues] == ["$.id", "$.coun"]


def test_a_message_without_its_required_fields_is_an_encode_error(
    registry: SchemaRegistryClient, old: DescribedSchema
) -> None:
    leaf = old.for_message("Leaf").message_class()
    serializer = Serializer(registry, old)
    for message in (old.message_class(leaf=leaf), leaf):
        with pytest.raises(EncodeError, match="required fields"):
            serializer(message, "t")


# ── registering and looking up ───────────────────────────────────────────────────────────────────


def test_without_auto_register_a_schema_that_is_registered_is_found(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    registered = Serializer(registry, shop)({"id": "x"}, "t")
    assert Serializer(registry, shop, auto_register=False)({"id": "x"}, "t") == registered


def test_without_auto_register_another_schema_is_refused(
    registry: SchemaRegistryClient, shop: DescribedSchema, shop_2: DescribedSchema
) -> None:
    Serializer(registry, shop_2)({}, "t")
    with pytest.raises(SchemaNotFoundError) as refused:
        Serializer(registry, shop, auto_register=False)({}, "t")
    assert "auto_register=True" in refused.value.hint
    assert registry.get_versions("t-value") == [1]


def test_without_auto_register_an_unknown_subject_is_refused(
    registry: SchemaRegistryClient, old: DescribedSchema
) -> None:
    with pytest.raises((SubjectNotFoundError, SchemaNotFoundError)):
        Serializer(registry, old, auto_register=False)({}, "nowhere")
    assert registry.get_subjects() == []


def test_a_topic_asks_the_registry_once_however_many_threads_write(shop: DescribedSchema) -> None:
    with connect_registry("memory:") as registry:
        calls: list[str] = []
        send = registry._sender

        def counting(call: Any, server: int) -> Any:
            calls.append(call.method)
            return send(call, server)

        registry._sender = counting
        serializer = Serializer(registry, shop)
        barrier, records = threading.Barrier(8), []

        def write() -> None:
            barrier.wait()
            records.append(serializer({"id": "x"}, "t"))

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(records)) == 1
        assert len(records) == 8
        assert len(calls) == 3  # two imports and the schema
        serializer({"id": "y"}, "t")
        assert len(calls) == 3


def test_a_registry_that_does_not_answer_is_a_transport_error_and_the_next_try_may_succeed(
    registry: SchemaRegistryClient, old: DescribedSchema
) -> None:
    send = registry._sender
    serializer = Serializer(registry, old)

    def broken(call: Any, server: int) -> Any:
        raise TransportError("no answer", url="memory:", attempts=1)

    registry._sender = broken
    with pytest.raises(TransportError):
        serializer({}, "t")
    registry._sender = send
    assert serializer({}, "t")[0] == 0


# ── subjects ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("strategy", "subjects"),
    [
        (SubjectNameStrategy.TOPIC, {"t-value"}),
        (SubjectNameStrategy.RECORD, {"shop.v1.Order", "shop.v1.Customer"}),
        (SubjectNameStrategy.TOPIC_RECORD, {"t-shop.v1.Order", "t-shop.v1.Customer"}),
        (lambda topic, is_key, name: f"{name}@{topic}:{is_key}", {"shop.v1.Order@t:False", "shop.v1.Customer@t:False"}),
    ],
)
def test_a_strategy_names_the_subject_after_topic_and_full_message_name(
    registry: SchemaRegistryClient, shop: DescribedSchema, strategy: Any, subjects: set[str]
) -> None:
    serializer = Serializer(registry, shop, subject_name_strategy=strategy)
    serializer({}, "t")
    serializer(shop.for_message("Customer").new_message(), "t")
    assert {name for name in registry.get_subjects() if not name.endswith(".proto")} == subjects


def test_a_strategy_by_topic_needs_one(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    for strategy in (SubjectNameStrategy.TOPIC, SubjectNameStrategy.TOPIC_RECORD):
        with pytest.raises(SubjectNameError, match="topic"):
            Serializer(registry, shop, subject_name_strategy=strategy)({}, "")
    Serializer(registry, shop, subject_name_strategy=SubjectNameStrategy.RECORD)({}, "")


@pytest.mark.parametrize("given", [None, "", 3])
def test_an_own_strategy_that_gives_no_name_is_refused(
    registry: SchemaRegistryClient, shop: DescribedSchema, given: Any
) -> None:
    with pytest.raises(SubjectNameError):
        Serializer(registry, shop, subject_name_strategy=lambda *_: given)({}, "t")


def test_an_own_strategy_that_fails_is_a_subject_name_error(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    def fail(topic: str, is_key: bool, name: str) -> str:  # noqa: FBT001
        raise KeyError(topic)

    with pytest.raises(SubjectNameError, match="KeyError") as refused:
        Serializer(registry, shop, subject_name_strategy=fail)({}, "t")
    assert isinstance(refused.value.__cause__, KeyError)


# ── options ──────────────────────────────────────────────────────────────────────────────────────


def test_a_message_class_stands_for_its_schema(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    assert Serializer(registry, shop.message_class)({"id": "x"}, "t") == Serializer(registry, shop)({"id": "x"}, "t")


@pytest.mark.parametrize("schema", [None, "syntax = 'proto3';", DescribedSchema, int])
def test_what_is_no_schema_is_refused(registry: SchemaRegistryClient, schema: Any) -> None:
    with pytest.raises(ConfigError) as refused:
        Serializer(registry, schema)
    assert refused.value.option == "schema"


def test_an_unknown_strategy_is_refused(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    with pytest.raises(ConfigError) as refused:
        Serializer(registry, shop, subject_name_strategy="topic")  # type: ignore[arg-type]
    assert refused.value.option == "subject_name_strategy"
