"""What is fuzzed: each target takes any bytes at all. What it raises is a finding; errors of protopact never leave it.

The first byte chooses a type and the second what is done; `SEEDS` makes of the conformance corpus such inputs.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError as WireDecodeError

from fuzz import corpus
from protopact import Deserializer, Serializer, connect_registry, from_dict, from_json, load_schema, to_dict, to_json
from protopact.errors import ProtopactError
from protopact.framing import decode_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.message import Message

SCHEMA = """
    syntax = "proto3";
    package fuzz.v1;
    message First { string text = 1; repeated int64 numbers = 2; map<string, First> below = 3; }
    message Second { bytes data = 1; message Inner { sint32 number = 1; } }
"""
IS_JSON, FLAG = 1, 2

# ── the frame, and what a deserializer does with a record ────────────────────────────────────────


def framing(data: bytes) -> None:
    with suppress(ProtopactError):
        prefix = decode_prefix(data)
        assert 0 < prefix.size <= len(data)
    for read in _readers():
        with suppress(ProtopactError):
            read(data)


@cache
def _records() -> tuple[Any, tuple[bytes, ...]]:
    registry, schema = connect_registry("memory:"), load_schema(SCHEMA, message="First")
    names = ("First", "Second", "Inner")
    values: tuple[dict[str, object], ...] = ({"text": "x", "below": {"a": {"numbers": [1]}}}, {"data": b"x"}, {})
    messages = [schema.for_message(name).new_message(value) for name, value in zip(names, values, strict=True)]
    return registry, tuple(Serializer(registry, schema).serialize(message, topic="t") for message in messages)  # type: ignore[call-overload]


@cache
def _readers() -> tuple[Callable[[bytes], object], ...]:
    registry, _ = _records()
    own = load_schema(SCHEMA, message="First").message_class
    return tuple(Deserializer(registry, into=into).bind("t") for into in (None, dict, own))  # type: ignore[call-overload]


def framing_seeds() -> Iterator[bytes]:
    yield from _records()[1]
    yield from (record[:5] + bytes(indexes) + record[6:] for record in _records()[1] for indexes in ([2, 2], [4, 2, 0]))


# ── JSON ⇄ messages ──────────────────────────────────────────────────────────────────────────────


def json_bridge(data: bytes) -> None:
    """Read JSON or bytes; what is taken has JSON, and its JSON is taken and says the same again."""
    if len(data) < 2:
        return
    cls, payload = _class_of(data[0]), data[2:]
    try:
        if data[1] & IS_JSON:
            message = from_json(payload, cls, ignore_unknown=bool(data[1] & FLAG))
        else:
            message = cls.FromString(payload)
    except (ProtopactError, WireDecodeError):
        return
    try:
        told = to_json(message)
    except ProtopactError as error:
        assert not data[1] & IS_JSON, f"taken from JSON, and has none: {error}"  # noqa: PT017  (this is no test)
        return
    assert json.loads(to_json(from_json(told, cls))) == json.loads(told)


def json_seeds() -> Iterator[bytes]:
    return (bytes((_place(seed), seed.is_json)) + seed.payload for seed in corpus.seeds())


# ── bytes → dicts → messages ─────────────────────────────────────────────────────────────────────


def decoder(data: bytes) -> None:
    if len(data) < 2:
        return
    try:
        message = _class_of(data[0]).FromString(data[2:])
    except WireDecodeError:
        return
    with suppress(ProtopactError):
        enums, timestamps = ("number", "rfc3339") if data[1] & FLAG else ("name", "datetime")
        values = to_dict(message, enums=enums, timestamps=timestamps)  # type: ignore[arg-type]
        from_dict(values, type(message))


def decoder_seeds() -> Iterator[bytes]:
    return (bytes((_place(seed), 0)) + seed.payload for seed in corpus.seeds() if not seed.is_json)


def _class_of(number: int) -> type[Message]:
    classes = list(corpus.classes().values())
    return classes[number % len(classes)]


def _place(seed: corpus.Seed) -> int:
    return list(corpus.classes()).index(seed.type_name)


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterator[bytes]]]] = {
    "framing": (framing, framing_seeds),
    "json": (json_bridge, json_seeds),
    "decoder": (decoder, decoder_seeds),
}
