"""What another client is known to get wrong, each with the right behaviour."""

from __future__ import annotations

import copy
import socket
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from protopact.client import SchemaRegistryClient
from protopact.connect import connect_registry
from protopact.errors import ConfigError, DecodeError, FramingError, SerdeError, TransportError, WrongTypeError
from protopact.framing import decode_prefix
from protopact.schema import load_schema
from protopact.serdes import Deserializer, Serializer, table
from protopact.settings import ClientSettings

if TYPE_CHECKING:
    from collections.abc import Callable


TWINS = 'syntax = "proto3"; package p; message A { string name = 1; } message B { bytes name = 1; }'


def test_bytes_of_type_a_are_not_read_as_type_b(registry: SchemaRegistryClient) -> None:
    schema = load_schema(TWINS, file_name="p.proto")
    raw = Serializer(registry, schema)({"name": "x"}, "t")
    for client in (registry, None):
        with pytest.raises(WrongTypeError, match=r"p\.A"):
            Deserializer(client, into=schema.for_message("B").message_class).deserialize(raw)


def test_a_nested_type_is_written_with_the_latest_version(registry: SchemaRegistryClient) -> None:
    text = 'syntax = "proto3"; package p; message Outer { message Inner { int32 n = 1; } }'
    inner = load_schema(text, file_name="p.proto", message="Inner")
    registry.register("t-value", inner)
    raw = Serializer(registry, inner, use_latest_version=True)({"n": 7}, "t")
    assert raw[5:] == b"\x04\x00\x00" + b"\x08\x07"
    assert Deserializer(registry, into=dict).deserialize(raw) == {"n": 7}


def test_the_index_is_that_of_the_schema_of_the_written_id(registry: SchemaRegistryClient) -> None:
    local = load_schema(TWINS, file_name="p.proto", message="B")
    moved = load_schema(TWINS.replace("message A", "message New {} message A"), file_name="p.proto", message="B")
    latest = registry.register("t-value", moved).id
    raw = Serializer(registry, local, use_latest_version=True)({"name": b"x"}, "t")
    prefix = decode_prefix(raw)
    assert (prefix.schema_id, prefix.indexes) == (latest, (2,))
    assert Deserializer(registry, into=dict).deserialize(raw) == {"name": b"x"}


def test_two_topics_keep_their_two_ids_from_the_third_record_on(registry: SchemaRegistryClient) -> None:
    schema = load_schema(TWINS, file_name="p.proto")
    other = load_schema(TWINS.replace("string name = 1", "string name = 1; int32 n = 2"), file_name="p.proto")
    registry.register("b-value", schema)
    registry.register("b-value", other)
    registry.register("a-value", schema)
    serializer = Serializer(registry, schema, use_latest_version=True)
    ids = [decode_prefix(serializer.serialize({}, topic=topic)).schema_id for topic in "ababa"]
    assert ids[0] != ids[1]
    assert ids == [ids[0], ids[1], ids[0], ids[1], ids[0]]


def test_no_value_is_changed_by_being_written(registry: SchemaRegistryClient) -> None:
    schema = load_schema(TWINS, file_name="p.proto")
    mapping, message = {"name": "x"}, schema.new_message({"name": "x"})
    before = copy.deepcopy(mapping), message.SerializeToString()
    headers: list[tuple[str, bytes]] = []
    for framing in ("confluent", "guid"):
        serializer = Serializer(registry, schema, framing=framing)
        for value in (mapping, message):
            serializer.serialize(value, topic="t", headers=headers)
    assert (mapping, message.SerializeToString()) == before


def test_a_converted_value_is_of_the_wanted_type_and_version(registry: SchemaRegistryClient) -> None:
    writer = load_schema(TWINS.replace("name = 1", "title = 1"), file_name="p.proto")
    reader = load_schema(TWINS, file_name="p.proto")
    raw = Serializer(registry, writer)({"title": "x"}, "t")
    deserializer: Any = Deserializer(registry, into=reader.message_class)
    value = deserializer.deserialize(raw)
    assert type(value) is reader.message_class
    assert value.name == "x"


def test_every_truncation_is_one_family_of_errors(registry: SchemaRegistryClient) -> None:
    schema = load_schema(TWINS, file_name="p.proto", message="B")
    raw = Serializer(registry, schema)({"name": b"12345"}, "t")
    read = Deserializer(registry, into=schema.message_class).bind("t")
    refused = {type(_refusal(read, raw[:end])) for end in range(len(raw)) if end != 7}
    assert refused == {FramingError, DecodeError}
    assert issubclass(FramingError, SerdeError)
    assert issubclass(DecodeError, SerdeError)


def _refusal(read: Any, raw: bytes) -> Exception:
    with pytest.raises(SerdeError) as refused:
        read(raw)
    return refused.value


def test_a_misspelt_option_is_refused(registry: SchemaRegistryClient) -> None:
    with pytest.raises(ConfigError, match="auto_regster"):
        Serializer(registry, load_schema(TWINS), auto_regster=False)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="inot"):
        Deserializer(registry, inot=dict)  # type: ignore[call-overload]


def test_a_stampede_of_readers_and_writers_asks_for_each_thing_once(
    registry: SchemaRegistryClient, asked: list[str]
) -> None:
    schema = load_schema(TWINS, file_name="p.proto")
    serializer, records = Serializer(registry, schema), []
    _at_once(8, lambda: records.append(serializer({"name": "x"}, "t")))
    assert len(asked) == 1
    registry.session.forget()
    deserializer, values = Deserializer(registry, into=dict), []
    _at_once(8, lambda: values.append(deserializer.deserialize(records[0])))
    assert values == [{"name": "x"}] * 8
    assert len(asked) == 2


def _at_once(number: int, work: Callable[[], object]) -> None:
    barrier = threading.Barrier(number)

    def run() -> None:
        barrier.wait()
        work()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_silent_registry_is_an_error_and_not_a_wait_without_end() -> None:
    schema = load_schema(TWINS, file_name="p.proto")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = ClientSettings(timeout_s=0.05, retries_max=0)
        with SchemaRegistryClient(url, settings=settings) as client:
            with pytest.raises(TransportError):
                Serializer(client, schema)({}, "t")
            with pytest.raises(TransportError):
                Deserializer(client).deserialize(b"\x00\x00\x00\x00\x07\x00")


def test_schemas_that_are_read_no_more_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, number = 2, 6
    monkeypatch.setattr(table, "ENTRIES_MAX", kept)
    with connect_registry("memory:", settings=ClientSettings(cache_entries_max=kept)) as registry:
        read = Deserializer(registry)
        for one in range(number):
            schema = load_schema(f'syntax = "proto3"; package e{one}; message M {{ int32 n = 1; }}')
            raw = Serializer(registry, schema)({"n": one}, f"t{one}")
            assert read.deserialize(raw).n == one  # type: ignore[attr-defined]
        assert len(read._parses) == kept
        assert len(registry.session.file_sets) == kept


def test_reading_a_record_takes_as_many_steps_in_a_large_file_as_in_a_small_one(
    registry: SchemaRegistryClient,
) -> None:
    steps = []
    for others in (1, 200):
        text = f'syntax = "proto3"; package f{others}; message A {{ int32 n = 1; }}' + "".join(
            f" message Other{number} {{ int32 a = 1; }}" for number in range(others)
        )
        schema = load_schema(text, file_name=f"f{others}.proto")
        raw = Serializer(registry, schema)({"n": 1}, f"t{others}")
        read = Deserializer(registry).bind(f"t{others}")
        read(raw)
        steps.append(_steps(partial(read, raw)))
    assert steps[0] == steps[1]
    assert steps[0] < 10


def _steps(work: Callable[[], object]) -> int:
    """Count the functions that are called, those written in C too."""
    calls: list[str] = []
    sys.setprofile(lambda frame, event, argument: calls.append(event) if event.endswith("call") else None)
    try:
        work()
    finally:
        sys.setprofile(None)
    return len(calls)
