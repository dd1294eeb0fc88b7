from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from protopact.connect import connect_registry_async
from protopact.errors import ConfigError, DecodeError, WrongTypeError
from protopact.framing import decode_prefix
from protopact.schema import load_schema
from protopact.serdes import AsyncDeserializer, AsyncSerializer, SubjectNameStrategy, serializer as module
from protopact.settings import SerdeSettings
from protopact.wire import merge_in_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from google.protobuf.message import Message

    from protopact.client import AsyncSchemaRegistryClient
    from protopact.schema import DescribedSchema

ORDER: dict[str, object] = {"id": "o-1", "count": 2**60, "price": {"units": 5, "currency": "CURRENCY_EUR"}}


def run(main: Callable[[AsyncSchemaRegistryClient, list[str]], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with connect_registry_async("memory:") as registry:
            calls: list[str] = []
            send = registry._sender

            async def counting(call: Any, server: int) -> Any:
                calls.append(call.path)
                await asyncio.sleep(0)
                return await send(call, server)

            registry._sender = counting
            await main(registry, calls)

    asyncio.run(whole())


def driven(coroutine: Coroutine[Any, Any, Any]) -> object:
    """Run a coroutine that must not wait for anything, without a loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waited")


def test_values_come_back_and_a_known_topic_and_schema_wait_for_nothing(shop: DescribedSchema) -> None:
    async def main(registry: AsyncSchemaRegistryClient, calls: list[str]) -> None:
        serializer, deserializer = AsyncSerializer(registry, shop), AsyncDeserializer(registry, into=dict)
        raw = await serializer.serialize(ORDER, topic="t")
        assert await deserializer.deserialize(raw, topic="t") == ORDER
        write, read = await serializer.bind("t"), deserializer.bind("t")
        before = len(calls)
        assert write(ORDER) == raw
        assert await read(raw) == ORDER
        assert await serializer(ORDER, "t") == raw
        tombstone: Any = await read(None)
        assert tombstone is None
        tombstone = await serializer.serialize(None, topic="new")  # type: ignore[func-returns-value]
        assert tombstone is None
        assert len(calls) == before
        waiting = driven(serializer.serialize(ORDER, topic="t")), driven(deserializer.deserialize(raw, topic="t"))
        assert waiting == (raw, ORDER)

    run(main)


def test_a_hundred_tasks_that_meet_a_new_topic_and_schema_ask_once(shop: DescribedSchema) -> None:
    async def main(registry: AsyncSchemaRegistryClient, calls: list[str]) -> None:
        serializer, deserializer = AsyncSerializer(registry, shop), AsyncDeserializer(registry, into=dict)
        raws = await asyncio.gather(*(serializer.serialize(ORDER, topic="t") for _ in range(100)))
        assert len(set(raws)) == 1
        assert len(calls) == 3  # two imports and the schema
        registry.session.forget()
        values = await asyncio.gather(*(deserializer.deserialize(raw) for raw in raws))
        assert values == [ORDER] * 100
        assert len(calls) == 6

    run(main)


def test_another_message_of_the_file_is_asked_for_when_it_is_first_written(shop: DescribedSchema) -> None:
    async def main(registry: AsyncSchemaRegistryClient, calls: list[str]) -> None:
        serializer = AsyncSerializer(registry, shop, subject_name_strategy=SubjectNameStrategy.TOPIC_RECORD)
        customer = shop.for_message("Customer").new_message({"name": "Ann"})
        write = await serializer.bind("t")
        with pytest.raises(WrongTypeError, match=r"shop\.v1\.Customer.*asked for") as refused:
            write(customer)
        assert "await serialize" in refused.value.hint
        raw = await serializer.serialize(customer, topic="t")
        assert raw[5:7] == b"\x02\x02"
        assert write(customer) == raw
        assert "t-shop.v1.Customer" in await registry.get_subjects()

    run(main)


def test_the_latest_version_is_asked_for_again_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    text = 'syntax = "proto3"; package p; message A {}'
    v1 = load_schema(text, file_name="p.proto")
    v2 = load_schema(text.replace("message", "message Z {} message"), file_name="p.proto", message="A")

    async def main(registry: AsyncSchemaRegistryClient, calls: list[str]) -> None:
        nonlocal now
        await registry.register("t-value", v1)
        serializer = AsyncSerializer(registry, v1, use_latest_version=True)
        first = await serializer.serialize({}, topic="t")
        second = (await registry.register("t-value", v2)).id
        assert await serializer.serialize({}, topic="t") == first
        now = 61.0
        raw = await serializer.serialize({}, topic="t")
        assert (decode_prefix(raw).schema_id, raw[5:]) == (second, b"\x02\x02")

    run(main)


def test_guid_headers_are_written_and_read(shop: DescribedSchema) -> None:
    async def main(registry: AsyncSchemaRegistryClient, calls: list[str]) -> None:
        serializer = AsyncSerializer(registry, shop, framing="guid")
        headers: list[tuple[str, bytes]] = []
        payload = await serializer.serialize(ORDER, topic="t", headers=headers)
        assert payload == shop.serialize(ORDER)
        deserializer = AsyncDeserializer(registry, into=dict, framing="guid")
        assert await deserializer.deserialize(payload, headers=headers) == ORDER
        with pytest.raises(ConfigError):
            await serializer.bind("t")
        with pytest.raises(ConfigError):
            deserializer.bind("t")

    run(main)


def test_a_large_record_is_read_in_another_thread_and_a_small_one_in_this(shop: DescribedSchema) -> None:
    threads: list[int] = []

    async def main(registry: AsyncSchemaRegistryClient, calls: list[str]) -> None:
        raw = await AsyncSerializer(registry, shop).serialize({"id": "x" * 100}, topic="t")
        for limit, is_here in ((101, False), (1000, True)):
            deserializer = AsyncDeserializer(registry, into=dict, settings=SerdeSettings(thread_bytes_min=limit))
            assert (await deserializer.deserialize(raw))["id"] == "x" * 100
            read = deserializer._read_for(None)

            def noting(raw: Any, read: Any = read) -> Any:
                threads.append(threading.get_ident())
                return read(raw)

            deserializer._reads[None] = noting
            await deserializer.deserialize(raw)
            assert (threads[-1] == threading.get_ident()) is is_here
            with pytest.raises(DecodeError):
                await deserializer.deserialize(raw[:-1])

    run(main)


def test_a_large_payload_is_parsed_in_steps_and_gives_the_same_value(
    shop: DescribedSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[int] = []

    def noting(message: Message, payload: bytes, step_bytes: int) -> Iterator[int]:
        for size in merge_in_steps(message, payload, step_bytes):
            steps.append(size)
            yield size

    monkeypatch.setattr("protopact.wire.steps.merge_in_steps", noting)

    async def main() -> None:
        payload = shop.serialize(ORDER) * 100
        settings = SerdeSettings(step_bytes_max=500)
        read = AsyncDeserializer(None, framing="raw", topics={"*": shop}, into=dict, settings=settings).bind("t")
        assert await read(shop.serialize(ORDER)) == ORDER
        assert steps == []
        assert await read(payload) == ORDER
        assert sum(steps) == len(payload)
        assert max(steps) <= 500
        with pytest.raises(DecodeError, match="not the writer's message"):
            await read(payload[:-1])

    asyncio.run(main())


def test_bare_records_need_no_client(shop: DescribedSchema) -> None:
    async def main() -> None:
        raw = await AsyncSerializer(None, shop, framing="raw").serialize(ORDER, topic="t")
        assert raw == shop.serialize(ORDER)
        read = AsyncDeserializer(None, framing="raw", topics={"*": shop}, into=dict).bind("t")
        assert await read(raw) == ORDER

    asyncio.run(main())
