from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from protopact.errors import ConversionError, DecodeError, EncodeError, MessageNotFoundError, WrongTypeError
from protopact.schema import CompiledProtoMessage, DescribedSchema, ProtoMessage, load_schema

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = 'syntax = "proto3"; package p; message A { int32 x = 1; map<string, int32> m = 2; } message B { int32 x = 1; }'


def test_maps_are_sorted_where_equal_values_must_give_equal_bytes() -> None:
    schema = load_schema(TEXT)
    entries = {str(number): number for number in range(50)}
    backwards = dict(reversed(entries.items()))
    first, second = (schema.serialize({"m": each}, deterministic=True) for each in (entries, backwards))
    assert first == second


def test_values_that_do_not_fit_are_all_named() -> None:
    with pytest.raises(ConversionError) as caught:
        load_schema(TEXT).serialize({"x": "one", "m": {"a": "b"}})
    assert len(caught.value.issues) == 2


def test_a_message_of_an_equal_file_is_taken_whatever_its_pool() -> None:
    first, second = load_schema(TEXT), CompiledProtoMessage(load_schema(TEXT).message_class)
    message = first.new_message({"x": 5})
    assert second.serialize(message) == first.serialize(message) == b"\x08\x05"


def test_a_message_of_another_version_is_refused() -> None:
    newer = load_schema(TEXT.replace("int32 x = 1", "int64 x = 1"))
    with pytest.raises(WrongTypeError, match=r"p\.A"):
        load_schema(TEXT).serialize(newer.new_message({"x": 5}))


def test_a_message_of_another_type_is_refused_although_its_bytes_would_fit() -> None:
    schema = load_schema(TEXT)
    with pytest.raises(WrongTypeError, match=r"p\.B"):
        schema.serialize(schema.for_message("B").new_message({"x": 5}))


def test_a_required_field_that_is_not_set_cannot_be_written() -> None:
    schema = load_schema('syntax = "proto2"; message A { required int32 x = 1; }')
    with pytest.raises(EncodeError, match="x"):
        schema.serialize(schema.message_class())


@pytest.mark.parametrize("raw", [b"\x08", b"\xff\xff", b"\x0a\x05abc", None, "text"])
def test_bytes_that_are_not_the_message_are_refused(raw: object) -> None:
    with pytest.raises(DecodeError, match=r"p\.A"):
        load_schema(TEXT).deserialize(raw)  # type: ignore[arg-type]


def test_any_bytes_like_payload_can_be_read() -> None:
    schema = load_schema(TEXT)
    for kind in (bytes, bytearray, memoryview):
        assert schema.deserialize(kind(b"\x08\x05")) == {"x": 5, "m": {}}  # type: ignore[arg-type]


def test_a_message_that_the_file_does_not_define_is_refused_at_once() -> None:
    with pytest.raises(MessageNotFoundError):
        DescribedSchema(load_schema(TEXT).file_set, "p.C")


@pytest.mark.parametrize(
    "build",
    [
        lambda: load_schema(TEXT),
        lambda: CompiledProtoMessage(load_schema(TEXT).message_class),
        lambda: ProtoMessage("A", package="p"),
    ],
)
def test_every_schema_shows_what_it_is(build: Callable[[], DescribedSchema]) -> None:
    assert "p.A" in repr(build())
