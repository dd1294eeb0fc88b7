from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from protopact.connect import connect_registry, connect_registry_async
from protopact.errors import (
    ConfigError,
    DecodeError,
    FramingError,
    RecordsError,
    TransportError,
    WrongTypeError,
)
from protopact.framing import encode_prefix
from protopact.schema import load_schema
from protopact.serdes import AsyncDeserializer, Deserializer, Serializer
from protopact.serdes.batch import ManyOptions, read_table
from protopact.settings import ClientSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.client import SchemaRegistryClient
    from protopact.errors import RecordFailure
    from protopact.schema import DescribedSchema

ORDER: dict[str, object] = {"id": "o-1", "count": 2**60, "price": {"units": 5, "currency": "CURRENCY_EUR"}}


def written(
    registry: SchemaRegistryClient, schema: DescribedSchema, *values: object, topic: str = "orders"
) -> list[Any]:
    write = Serializer(registry, schema).bind(topic)
    return [write(value) for value in values]


@pytest.fixture
def two_versions(registry: SchemaRegistryClient, shop: DescribedSchema, shop_2: DescribedSchema) -> list[bytes]:
    """Give records of the old schema, then of the new one, then of the old one again."""
    old = written(registry, shop, {"id": "a", "count": 1}, {"id": "c", "count": 3})
    (new,) = written(registry, shop_2, {"id": "b", "count": 2, "note": "n"}, topic="elsewhere")
    return [old[0], new, old[1]]


def test_records_become_a_table_with_a_column_for_each_field(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    at = datetime(2500, 1, 1, 0, 0, 0, 5, tzinfo=UTC)
    table = Deserializer(registry).deserialize_many(written(registry, shop, ORDER, {"id": "o-2", "at": at}))
    assert table.schema.names == ["id", "count", "price", "at"]
    assert table.to_pylist() == [{**ORDER, "at": None}, {"id": "o-2", "count": 0, "price": None, "at": at}]


@pytest.mark.parametrize("into", [dict, "json", None])
def test_the_table_is_the_same_whatever_single_records_are_read_into(
    registry: SchemaRegistryClient, shop: DescribedSchema, into: Any
) -> None:
    deserializer = Deserializer(registry, into=into)
    raws = written(registry, shop, ORDER)
    assert deserializer.deserialize_many(raws, enums="number")["price"].to_pylist() == [{"units": 5, "currency": 1}]
    assert deserializer.deserialize(raws[0], topic="orders") is not None


def test_a_message_deep_in_its_file_is_found_by_the_writers_indexes(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    raws = written(registry, shop.for_message("Order.Line.Part"), {"sku": "s"})
    assert Deserializer(registry).deserialize_many(raws * 2).to_pydict() == {"sku": ["s", "s"]}


def test_tombstones_give_no_row_and_index_tells_which_record_a_row_is(
    registry: SchemaRegistryClient, shop: DescribedSchema
) -> None:
    raws = written(registry, shop, {"id": "a"}, None, {"id": "b"})
    table = Deserializer(registry).deserialize_many([None, *raws], index="record")
    assert table.select(["id", "record"]).to_pydict() == {"id": ["a", "b"], "record": [1, 3]}


def test_several_writers_give_the_newest_ones_columns_to_all(
    registry: SchemaRegistryClient, two_versions: list[bytes]
) -> None:
    table = Deserializer(registry).deserialize_many(two_versions)
    assert table.select(["id", "note"]).to_pydict() == {"id": ["a", "b", "c"], "note": ["", "n", ""]}


def test_what_was_read_before_the_newest_writer_was_met_gets_its_columns_too(
    registry: SchemaRegistryClient, two_versions: list[bytes]
) -> None:
    deserializer, options = Deserializer(registry), ManyOptions(batch_rows=1, index="n", on_error="skip")
    table = read_table(deserializer._columns(None, options), [b"", *two_versions], options)
    assert table.select(["id", "note", "n"]).to_pydict() == {
        "id": ["a", "b", "c"],
        "note": ["", "n", ""],
        "n": [1, 2, 3],
    }
    batches = list(deserializer.record_batches(two_versions, batch_rows=1))
    assert [batch.schema.names[-1] for batch in batches] == ["at", "note", "note"]


def test_the_wanted_class_gives_the_columns(
    registry: SchemaRegistryClient, two_versions: list[bytes], shop: DescribedSchema
) -> None:
    deserializer = Deserializer(registry, into=shop.message_class)
    assert deserializer.deserialize_many(two_versions).schema.names == ["id", "count", "price", "at"]
    batches = list(deserializer.record_batches(two_versions, batch_rows=2))
    assert [batch.num_rows for batch in batches] == [2, 1]
    assert pa.Table.from_batches(batches)["id"].to_pylist() == ["a", "b", "c"]


@pytest.fixture
def spoiled(registry: SchemaRegistryClient, shop: DescribedSchema) -> list[Any]:
    """Give records of which 1, 3, 4, 6 and 7 are bad."""
    first, second = written(registry, shop, {"id": "a"}, {"id": "b"})
    (customer,) = written(registry, shop.for_message("Customer"), {"name": "Ann"})
    prefix = first[:6]
    out_of_range = prefix + b"\x22\x0a\x08" + b"\xff" * 8 + b"\x7f"  # 2^63 - 1 seconds
    return [first, b"\x01junk", None, prefix + b"\x0a\x05x", customer, second, encode_prefix(999, [0]), out_of_range]


def test_bad_records_are_all_named_by_their_places(registry: SchemaRegistryClient, spoiled: list[Any]) -> None:
    with pytest.raises(RecordsError) as caught:
        Deserializer(registry).deserialize_many(spoiled, topic="orders")
    assert [(failure.index, type(failure.error)) for failure in caught.value.failures] == [
        (1, FramingError),
        (3, DecodeError),
        (4, WrongTypeError),
        (6, DecodeError),
        (7, DecodeError),
    ]
    assert str(caught.value).startswith("5 records cannot be read: record 1: record of topic 'orders': ")


def test_bad_records_can_be_left_out_or_collected(registry: SchemaRegistryClient, spoiled: list[Any]) -> None:
    failures: list[RecordFailure] = []
    deserializer = Deserializer(registry)
    table = deserializer.deserialize_many(spoiled, on_error=failures.append)
    assert table["id"].to_pylist() == ["a", "b"]
    assert [failure.index for failure in failures] == [1, 3, 4, 6, 7]
    assert "$.at: the timestamp is outside the years 1 to 9999" in str(failures[-1])
    assert all(failure.error.__traceback__ is None for failure in failures)
    assert deserializer.deserialize_many(spoiled, on_error="skip") == table


def test_many_values_that_fit_no_column_are_each_found(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    good = shop.new_message({"id": "g"})
    bad = shop.message_class()
    bad.at.nanos = -1
    raws = written(registry, shop, *[bad if n in {0, 7, 8, 30} else good for n in range(31)])
    failures: list[RecordFailure] = []
    table = Deserializer(registry).deserialize_many(raws, on_error=failures.append, index="n")
    assert [failure.index for failure in failures] == [0, 7, 8, 30]
    assert table["n"].to_pylist() == [n for n in range(31) if n not in {0, 7, 8, 30}]


def test_what_the_newest_writers_type_cannot_read_is_a_bad_record(registry: SchemaRegistryClient) -> None:
    def version(kind: str) -> DescribedSchema:
        return load_schema(f'syntax = "proto3"; message M {{ {kind} a = 1; }}')

    raws = written(registry, version("bytes"), {"a": b"\xff"}, {"a": b"ok"}, topic="one")
    raws += written(registry, version("string"), {"a": "x"}, topic="two")
    failures: list[RecordFailure] = []
    assert Deserializer(registry).deserialize_many(raws, on_error=failures.append)["a"].to_pylist() == ["ok", "x"]
    assert [failure.index for failure in failures] == [0]


def test_a_registry_that_does_not_answer_is_no_bad_record(
    registry: SchemaRegistryClient, shop: DescribedSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    raws = written(registry, shop, ORDER)

    def silent(*_: object) -> None:
        raise TransportError("no answer", url="memory:", attempts=1)

    with connect_registry("memory:", settings=ClientSettings(retries_max=0)) as other:
        monkeypatch.setattr(other, "_sender", silent)
        with pytest.raises(TransportError):
            Deserializer(other).deserialize_many(raws, on_error="skip")


def test_no_records_are_a_table_of_no_rows(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    assert Deserializer(registry).deserialize_many([]).shape == (0, 0)
    assert Deserializer(registry, into=shop.message_class).deserialize_many([]).shape == (0, 4)
    assert list(Deserializer(registry).record_batches([None, None])) == []


def test_batches_come_while_records_do(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    raws = written(registry, shop, *[{"id": str(n)} for n in range(5)])
    taken: list[int] = []

    def arriving() -> Iterator[bytes]:
        for n, raw in enumerate(raws):
            taken.append(n)
            yield raw

    batches = Deserializer(registry).record_batches(arriving(), batch_rows=2)
    assert next(batches)["id"].to_pylist() == ["0", "1"]
    assert taken == [0, 1]
    assert [batch.num_rows for batch in batches] == [2, 1]


def test_bare_records_become_tables_by_their_topic(shop: DescribedSchema) -> None:
    raws = [shop.serialize({"id": "a"}), None, b"\xff"]
    deserializer = Deserializer(None, framing="raw", topics={"orders-*": shop})
    with pytest.raises(RecordsError, match="record 2: "):
        deserializer.deserialize_many(raws, topic="orders-1")
    assert deserializer.deserialize_many(raws, topic="orders-1", on_error="skip")["id"].to_pylist() == ["a"]


def test_an_asynchronous_deserializer_fetches_what_it_has_to_and_gives_the_same_table(
    registry: SchemaRegistryClient, two_versions: list[bytes]
) -> None:
    async def read() -> pa.Table:
        from protopact.client import AsyncSchemaRegistryClient

        async with AsyncSchemaRegistryClient(sender=as_async(registry)) as client:
            return await AsyncDeserializer(client).deserialize_many(two_versions)

    assert asyncio.run(read()) == Deserializer(registry).deserialize_many(two_versions)


def as_async(registry: SchemaRegistryClient) -> Any:
    async def send(call: Any, server: int) -> Any:
        return registry._sender(call, server)

    return send


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"on_error": "ignore"}, "on_error"),
        ({"enums": "text"}, "enums"),
        ({"time_unit": "s"}, "time_unit"),
        ({"index": "id"}, "index"),
        ({"index": 1}, "index"),
        ({"onerror": "skip"}, "onerror"),
    ],
)
def test_options_of_many_records_that_are_wrong_are_named(
    registry: SchemaRegistryClient, shop: DescribedSchema, options: Any, option: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        Deserializer(registry, into=shop.message_class).deserialize_many([], **options)
    assert caught.value.option == option


# ── records whose schema stands in a header ──────────────────────────────────────────────────────


def guided(
    registry: SchemaRegistryClient, schema: DescribedSchema, *values: Any, topic: str = "orders", is_key: bool = False
) -> tuple[list[Any], list[Any]]:
    """Give the records of some values, and their headers."""
    serializer = Serializer(registry, schema, framing="guid")
    headers: list[list[tuple[str, bytes]]] = [[] for _ in values]
    pairs = zip(values, headers, strict=True)
    return [serializer.serialize(value, topic=topic, is_key=is_key, headers=its) for value, its in pairs], list(headers)


@pytest.mark.parametrize("framing", ["guid", "confluent"])
def test_records_that_name_their_schema_in_a_header_become_a_table_too(
    registry: SchemaRegistryClient, shop: DescribedSchema, framing: Any
) -> None:
    raws, headers = guided(registry, shop, {"id": "a"}, None, {"id": "b"})
    deserializer = Deserializer(registry, framing=framing)
    table = deserializer.deserialize_many(raws, headers=headers, index="record")
    assert table.select(["id", "record"]).to_pylist() == [{"id": "a", "record": 0}, {"id": "b", "record": 2}]
    (batch,) = deserializer.record_batches(iter(raws), headers=iter(headers))
    assert batch["id"].to_pylist() == ["a", "b"]


def test_keys_have_a_header_of_their_own(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    raws, headers = guided(registry, shop, {"id": "a"}, is_key=True)
    read = Deserializer(registry, framing="guid").deserialize_many
    assert read(raws, headers=headers, is_key=True)["id"].to_pylist() == ["a"]
    with pytest.raises(RecordsError, match="no header names its schema"):
        read(raws, headers=headers)


def test_the_newest_of_guids_is_the_one_of_the_greatest_id(
    registry: SchemaRegistryClient, shop: DescribedSchema, shop_2: DescribedSchema, asked: list[str]
) -> None:
    old_raws, old_headers = guided(registry, shop, {"id": "a"}, {"id": "c"})
    new_raws, new_headers = guided(registry, shop_2, {"id": "b", "note": "n"}, topic="elsewhere")
    wanted = [{"id": "a", "note": ""}, {"id": "b", "note": "n"}, {"id": "c", "note": ""}]
    asked.clear()
    for order in ((0, 2, 1), (2, 0, 1)):
        raws, headers = [[*old, *new] for old, new in ((old_raws, new_raws), (old_headers, new_headers))]
        table = Deserializer(registry, framing="guid").deserialize_many(
            [raws[n] for n in order], headers=[headers[n] for n in order]
        )
        assert sorted(table.select(["id", "note"]).to_pylist(), key=lambda row: row["id"]) == wanted
    assert len([call for call in asked if "/guids/" in call]) <= 6  # of each GUID its schema, and for each table its id


def test_records_of_both_framings_stand_in_one_table(
    registry: SchemaRegistryClient, shop: DescribedSchema, shop_2: DescribedSchema
) -> None:
    raws, headers = guided(registry, shop, {"id": "a"})
    framed = written(registry, shop_2, {"id": "b", "note": "n"}, topic="elsewhere")
    table = Deserializer(registry).deserialize_many([*framed, *raws], headers=[None, *headers])
    assert table.select(["id", "note"]).to_pylist() == [{"id": "b", "note": "n"}, {"id": "a", "note": ""}]


def test_a_bad_header_spoils_its_own_record_alone(registry: SchemaRegistryClient, shop: DescribedSchema) -> None:
    raws, headers = guided(registry, shop, {"id": "a"}, {"id": "b"}, {"id": "c"}, {"id": "d"})
    headers[1], headers[2] = {"__value_schema_id": b"\x01short"}, None
    with pytest.raises(RecordsError) as caught:
        Deserializer(registry, framing="guid").deserialize_many(raws, headers=headers)
    assert [(failure.index, type(failure.error)) for failure in caught.value.failures] == [
        (1, FramingError),
        (2, FramingError),
    ]


def test_an_asynchronous_reader_finds_the_newest_guid_too(
    registry: SchemaRegistryClient, shop: DescribedSchema, shop_2: DescribedSchema
) -> None:
    old_raws, old_headers = guided(registry, shop, {"id": "a"})
    new_raws, new_headers = guided(registry, shop_2, {"id": "b", "note": "n"}, topic="elsewhere")

    async def read() -> pa.Table:
        async with connect_registry_async("memory:") as client:
            for schema, topic in ((shop, "orders"), (shop_2, "elsewhere")):
                await client.register(f"{topic}-value", schema)
            return await AsyncDeserializer(client, framing="guid").deserialize_many(
                [*old_raws, *new_raws], headers=[*old_headers, *new_headers]
            )

    assert asyncio.run(read()).select(["id", "note"]).to_pylist() == [
        {"id": "a", "note": ""},
        {"id": "b", "note": "n"},
    ]


@pytest.mark.parametrize("number", [0, 2])
def test_headers_without_a_record_and_records_without_headers_are_refused(
    registry: SchemaRegistryClient, shop: DescribedSchema, number: int
) -> None:
    raws, headers = guided(registry, shop, {"id": "a"})
    with pytest.raises(ConfigError) as refused:
        Deserializer(registry, framing="guid").deserialize_many(raws, headers=headers * number)
    assert refused.value.option == "headers"


def test_framing_guid_needs_the_headers_of_many_records(registry: SchemaRegistryClient) -> None:
    with pytest.raises(ConfigError, match="framing='guid'") as refused:
        Deserializer(registry, framing="guid").deserialize_many([])
    assert refused.value.option == "headers"
