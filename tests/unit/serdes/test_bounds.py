"""What settings say about the content of messages holds when they are written and when they are read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from protopact.connect import connect_registry, connect_registry_async
from protopact.errors import ConfigError, DecodeError, EncodeError
from protopact.framing import encode_varint
from protopact.schema import load_schema
from protopact.serdes import AsyncDeserializer, AsyncSerializer, Deserializer, Serializer
from protopact.settings import SerdeSettings

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from protopact.client import SchemaRegistryClient
    from protopact.schema import DescribedSchema

BOX = load_schema("""
    syntax = "proto3";
    package box.v1;
    message Box {
      string name = 1;
      bytes data = 2;
      repeated int32 counts = 3;
      repeated string words = 4;
      map<string, string> notes = 5;
      repeated Box boxes = 6;
      map<int32, Box> by_number = 7;
      Box inner = 8;
    }
    """)
TIGHT = SerdeSettings(field_bytes_max=5, repeated_items_max=3)
TOO_MUCH: list[tuple[dict[str, Any], str]] = [
    ({"name": "abcdef"}, "$.name has 6 bytes, more than the 5 allowed"),
    ({"name": "äöü"}, "$.name has 6 bytes, more than the 5 allowed"),
    ({"data": b"abcdef"}, "$.data has 6 bytes"),
    ({"counts": [1, 2, 3, 4]}, "$.counts has 4 items, more than the 3 allowed"),
    ({"words": ["a", "abcdef"]}, "$.words[1] has 6 bytes"),
    ({"notes": {"k": "abcdef"}}, "$.notes['k'] has 6 bytes"),
    ({"notes": {"abcdef": "v"}}, "$.notes (a key) has 6 bytes"),
    ({"by_number": {n: {} for n in range(4)}}, "$.by_number has 4 items"),
    ({"boxes": [{}, {"by_number": {7: {"inner": {"name": "abcdef"}}}}]}, "$.boxes[1].by_number[7].inner.name has 6"),
]
FITTING = {
    "name": "abcde",
    "data": b"abcde",
    "counts": [1 << 30] * 3,
    "words": ["abcde"] * 3,
    "notes": {"abcde": "abcde"},
    "boxes": [{"counts": [1, 2, 3]}] * 3,
}


def writer(settings: SerdeSettings, schema: Any = BOX) -> Any:
    return Serializer(None, schema, framing="raw", settings=settings).bind("t")


def reader(settings: SerdeSettings, schema: Any = BOX, into: Any = None) -> Any:
    return Deserializer(None, framing="raw", topics={"*": schema}, into=into, settings=settings).bind("t")


@pytest.mark.parametrize(("value", "reason"), TOO_MUCH, ids=[reason for _, reason in TOO_MUCH])
def test_a_field_beyond_its_limit_is_neither_written_nor_read(value: dict[str, Any], reason: str) -> None:
    raw = writer(SerdeSettings())(value)
    for given in (value, BOX.new_message(value)):
        with pytest.raises(EncodeError) as unwritten:
            writer(TIGHT)(given)
        assert reason in str(unwritten.value)
        assert "SerdeSettings" in unwritten.value.hint
    with pytest.raises(DecodeError) as unread:
        reader(TIGHT)(raw)
    assert reason in str(unread.value)
    assert "SerdeSettings" in unread.value.hint


def test_what_just_fits_is_written_and_read() -> None:
    assert reader(TIGHT, into=dict)(writer(TIGHT)(FITTING)) == reader(SerdeSettings(), into=dict)(
        writer(TIGHT)(FITTING)
    )


def test_the_limits_hold_for_many_records_and_in_asynchronous_programs() -> None:
    good, bad = (writer(SerdeSettings())({"name": name}) for name in ("abc", "abcdef"))
    many = Deserializer(None, framing="raw", topics={"*": BOX}, settings=TIGHT)
    assert many.deserialize_many([good, bad], topic="t", on_error="skip")["name"].to_pylist() == ["abc"]

    async def main() -> None:
        read = AsyncDeserializer(None, framing="raw", topics={"*": BOX}, settings=TIGHT).bind("t")
        await read(good)
        with pytest.raises(DecodeError, match="6 bytes"):
            await read(bad)
        with pytest.raises(EncodeError, match="6 bytes"):
            await AsyncSerializer(None, BOX, framing="raw", settings=TIGHT).serialize({"name": "abcdef"}, topic="t")

    asyncio.run(main())


def test_a_message_nested_without_end_is_refused_and_not_a_recursion_error() -> None:
    message = BOX.new_message({})
    inner: Any = message
    for _ in range(3000):
        inner = inner.inner
    inner.name = "x"
    for settings in (TIGHT, SerdeSettings(unknown_fields="drop")):
        with pytest.raises(EncodeError, match="nested"):
            writer(settings)(message)


def test_the_environment_states_limits_where_no_settings_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROTOBUF_MAX_FIELD_SIZE", "5")
    monkeypatch.setenv("PROTOBUF_MAX_MESSAGE_SIZE", "20")
    write = Serializer(None, BOX, framing="raw").bind("t")
    with pytest.raises(EncodeError, match="more than the 5 allowed"):
        write({"name": "abcdef"})
    with pytest.raises(EncodeError, match="more than the 20 allowed"):
        write({"words": ["abcde"] * 3})
    with pytest.raises(DecodeError, match="more than the 5 allowed"):
        Deserializer(None, framing="raw", topics={"*": BOX}).deserialize(b"\x0a\x06abcdef", topic="t")
    assert writer(SerdeSettings())({"name": "abcdef"})


# ── unknown fields ───────────────────────────────────────────────────────────────────────────────


def nested(levels: int, field: bytes) -> bytes:
    for level in range(levels):
        field = (b"\x42" if level % 2 else b"\x32") + encode_varint(len(field)) + field
    return field


UNKNOWN = b"\x98\x06\x01"
IN_A_MAP = b"\x3a\x07\x08\x01\x12\x03" + UNKNOWN


@pytest.mark.parametrize(
    "payload", [UNKNOWN, IN_A_MAP, *(nested(levels, UNKNOWN) for levels in (1, 59, 60, 61, 64, 66, 99))]
)
def test_unknown_fields_are_kept_or_dropped_or_a_reason_to_refuse(payload: bytes) -> None:
    kept = reader(SerdeSettings())(payload)
    assert kept.SerializeToString() == payload
    dropped = reader(SerdeSettings(unknown_fields="drop"))(payload)
    assert UNKNOWN not in dropped.SerializeToString()
    assert writer(SerdeSettings(unknown_fields="drop"))(kept) == dropped.SerializeToString()
    assert kept.SerializeToString() == payload  # a caller's message is his own
    with pytest.raises(DecodeError, match="fields that its class does not know"):
        reader(SerdeSettings(unknown_fields="refuse"))(payload)
    with pytest.raises(EncodeError, match="bytes of fields"):
        writer(SerdeSettings(unknown_fields="refuse"))(kept)
    assert reader(SerdeSettings(unknown_fields="refuse"))(dropped.SerializeToString()) == dropped


# ── partial messages ─────────────────────────────────────────────────────────────────────────────


def test_a_message_may_lack_required_fields_only_where_it_is_allowed(old: DescribedSchema) -> None:
    partial = SerdeSettings(allow_partial=True)
    message: Message = old.message_class()
    message.leaf.SetInParent()  # type: ignore[attr-defined]
    with pytest.raises(EncodeError):
        writer(SerdeSettings(), old)(message)
    raw = writer(partial, old)(message)
    with pytest.raises(DecodeError, match=r"leaf\.weight"):
        reader(SerdeSettings(), old)(raw)
    assert reader(partial, old)(raw) == message


# ── reflection and caching ───────────────────────────────────────────────────────────────────────


def test_without_reflection_no_class_is_made_from_what_a_registry_says(registry: SchemaRegistryClient) -> None:
    settings = SerdeSettings(reflection=False)
    raw = Serializer(registry, BOX, settings=settings).serialize({"name": "x"}, topic="t")
    for into in (None, dict, "json"):
        with pytest.raises(ConfigError) as refused:
            Deserializer(registry, into=into, settings=settings)
        assert refused.value.option == "reflection"
    own = Deserializer(registry, into=BOX.message_class, settings=settings).deserialize(raw)
    assert own == BOX.new_message({"name": "x"})


def test_without_caching_nothing_is_kept_from_record_to_record() -> None:
    with connect_registry("memory:") as registry:
        for caching, kept in ((False, 0), (True, 1)):
            settings = SerdeSettings(caching=caching)
            headers: list[tuple[str, bytes]] = []
            for framing in ("confluent", "guid"):
                serializer = Serializer(registry, BOX, framing=framing, settings=settings)  # type: ignore[arg-type]
                deserializer = Deserializer(registry, into=dict, settings=settings)
                for _ in range(2):
                    raw = serializer.serialize({"name": "x"}, topic="t", headers=headers)
                    assert deserializer.deserialize(raw, headers=headers)["name"] == "x"
                assert len(serializer._table(is_key=False)) == kept
                assert len(deserializer._parses) + len(deserializer._by_header) == kept
            assert len(deserializer._reads) == 0
        bound = Deserializer(registry, into=dict, settings=SerdeSettings(caching=False)).bind("t")
        raw = Serializer(registry, BOX).serialize({"name": "x"}, topic="t")
        assert [bound(raw)["name"] for _ in range(2)] == ["x", "x"]


def test_an_asynchronous_program_can_do_without_caching_too() -> None:
    async def main() -> None:
        settings = SerdeSettings(caching=False)
        async with connect_registry_async("memory:") as registry:
            deserializer = AsyncDeserializer(registry, into=dict, settings=settings)
            for framing in ("confluent", "guid"):
                headers: list[tuple[str, bytes]] = []
                serializer = AsyncSerializer(registry, BOX, framing=framing, settings=settings)  # type: ignore[arg-type]
                for _ in range(2):
                    raw = await serializer.serialize({"name": "x"}, topic="t", headers=headers)
                    assert (await deserializer.deserialize(raw, headers=headers))["name"] == "x"
                assert serializer._table(is_key=False) == {}
            assert (deserializer._reads, deserializer._parses, deserializer._by_header) == ({}, {}, {})

    asyncio.run(main())
