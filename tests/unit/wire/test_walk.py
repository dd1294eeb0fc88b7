"""Annotated bytes: every byte is in one part, names and values are the schema's, and what is wrong is said."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, strategies as st

from protopact.framing import encode_prefix
from protopact.schema import load_schema
from protopact.wire import Part, annotate, annotate_prefix

if TYPE_CHECKING:
    from google.protobuf.message import Message

TEXT = """
syntax = "proto2";
package odd;
message All {
  optional int32 plain = 1;
  optional sint64 zigzag = 2;
  optional bool flag = 3;
  optional Size size = 4;
  optional double real = 5;
  optional sfixed32 fixed = 6;
  optional string text = 7;
  optional bytes data = 8;
  optional All inner = 9;
  repeated int32 loose = 10;
  repeated fixed64 packed = 11 [packed = true];
  optional group Box = 12 { optional int32 width = 1; }
  map<string, int32> counts = 13;
  optional uint64 wide = 14;
}
enum Size { SMALL = 0; LARGE = 1; }
"""


@pytest.fixture(scope="module")
def all_class() -> type[Any]:
    return load_schema(TEXT, message="All").message_class


def explained(data: bytes, message_class: type[Message] | None = None) -> list[Part]:
    return list(annotate(data, message_class.DESCRIPTOR if message_class else None))


def test_each_kind_of_field_is_shown_as_its_schema_reads_it(all_class: type[Any]) -> None:
    message = all_class(
        plain=-1, zigzag=-3, flag=True, size=1, real=0.5, fixed=-7, text='naïve "\n"', data=b"\0\xff", loose=[1, 2],
        packed=[5], inner=all_class(plain=3), box={"width": 4}, counts={"a": 1}, wide=2**64 - 1,
    )  # fmt: skip
    parts = explained(message.SerializeToString(), all_class)
    assert not any(part.wrong or part.note for part in parts)
    assert [(part.depth, part.name, part.kind, part.value) for part in parts] == [
        (0, "plain", "int32", "-1"),
        (0, "zigzag", "sint64", "-3"),
        (0, "flag", "bool", "true"),
        (0, "size", "odd.Size", "LARGE (1)"),
        (0, "real", "double", "0.5"),
        (0, "fixed", "sfixed32", "-7"),
        (0, "text", "string", '"naïve \\"\\n\\""'),
        (0, "data", "bytes", "00 ff"),
        (0, "inner", "odd.All", "2 bytes"),
        (1, "plain", "int32", "3"),
        (0, "loose", "int32", "1"),
        (0, "loose", "int32", "2"),
        (0, "packed", "fixed64", "8 bytes, packed"),
        (1, "packed", "fixed64", "5"),
        (0, "box", "odd.All.Box", ""),
        (1, "width", "int32", "4"),
        (1, "[12]", "end of group", ""),
        (0, "counts", "odd.All.CountsEntry", "5 bytes"),
        (1, "key", "string", '"a"'),
        (1, "value", "int32", "1"),
        (0, "wide", "uint64", str(2**64 - 1)),
    ]


def test_without_a_schema_messages_text_and_bytes_are_told_apart(all_class: type[Any]) -> None:
    message = all_class(inner=all_class(plain=-1), text="hello", data=b"\xff\xfe", real=1.5)
    shown = [
        (part.depth, part.name, part.kind, part.value, part.note) for part in explained(message.SerializeToString())
    ]
    assert shown == [
        (0, "[5]", "64 bits", f"{struct.unpack('<Q', struct.pack('<d', 1.5))[0]} (1.5 if a float)", ""),
        (0, "[7]", "length", '"hello"', ""),
        (0, "[8]", "length", "ff fe", ""),
        (0, "[9]", "length", "11 bytes", "reads as a message"),
        (1, "[1]", "varint", "18446744073709551615 (-1 if signed)", ""),
    ]


BROKEN = {
    b"\x08": (1, 1, "the bytes end within a varint"),
    b"\x08\x01\x3a\x05abc": (2, 5, "the length says 5 bytes, 3 are there"),
    b"\x08\x01\x00\x01": (2, 2, "field number 0"),
    b"\x0f\x01": (0, 2, "wire type 7 does not exist"),
    b"\x29\x01\x02": (0, 3, "8 bytes are needed, 2 are there"),
    b"\x63\x08\x01": (3, 0, "the bytes end within the group"),
    b"\x64": (0, 1, "a group ends here that has not begun"),
    b"\x63\x6c": (1, 1, "a group ends here that has not begun"),
    b"\x08" + b"\xff" * 10 + b"\x01": (0, 12, "a varint of more than 64 bits"),
    b"\xff\xff\xff\xff\xff\x01": (0, 6, "no field key: a varint of more than 32 bits"),
    b"\x4a\x03\x3a\x05ab": (2, 3, "the length says 5 bytes, 1 are there"),
}


@pytest.mark.parametrize(("data", "wrong"), BROKEN.items())
def test_what_is_wrong_in_broken_bytes_is_said_where_it_is(
    data: bytes, wrong: tuple[int, int, str], all_class: type[Any]
) -> None:
    parts = [part for part in explained(data, all_class) if part.wrong]
    assert wrong[2] in {part.wrong for part in parts}
    with pytest.raises(DecodeError):
        all_class.FromString(data)


def test_text_that_is_no_utf_8_is_wrong_only_where_readers_refuse_it(all_class: type[Any]) -> None:
    data = b"\x3a\x02\xc3\x28"
    (lenient,) = explained(data, all_class)
    assert (lenient.wrong, lenient.note) == ("", "not UTF-8 at byte 2")
    strict = load_schema('syntax = "proto3"; message Strict { string text = 7; }').message_class
    (refused,) = explained(data, strict)
    assert refused.wrong == "not UTF-8 at byte 2"


def test_what_readers_skip_is_noted(all_class: type[Any]) -> None:
    unknown, other, value = explained(b"\xf8\x06\x01\x0a\x01a\x20\x63", all_class)
    assert unknown.note == "the schema has no such field"
    assert other.note == "plain is of type int32, which is written otherwise: read as unknown"
    assert (value.value, value.note) == ("99", "the enum has no such value")


def test_messages_nested_deeper_than_readers_go_are_wrong(all_class: type[Any]) -> None:
    message = all_class()
    inner = message
    for _ in range(101):
        inner = inner.inner
    inner.plain = 1
    assert "messages are nested more than 100 deep" in {
        p.wrong for p in explained(message.SerializeToString(), all_class)
    }


def test_a_prefix_is_explained_and_a_broken_one_too() -> None:
    data = encode_prefix(42, [0, 2])
    parts, size = annotate_prefix(data + b"payload")
    assert size == len(data)
    assert [(part.offset, part.size, part.name, part.value) for part in parts] == [
        (0, 1, "magic byte", "0"),
        (1, 4, "schema id", "42"),
        (5, 3, "message indexes", "[0, 2]"),
    ]
    (broken,), size = annotate_prefix(b"\0\0\0")
    assert (size, broken.offset, broken.wrong) == (0, 3, "the record ends within the schema id, after 3 bytes")


@given(st.binary(max_size=80))
def test_any_bytes_are_covered_part_by_part_and_wrong_just_where_protobuf_refuses_them(
    all_class: type[Any], data: bytes
) -> None:
    parts, at = explained(data, all_class), 0
    for part in parts:
        assert part.offset == at
        at += part.size
    wrong = any(part.wrong for part in parts)
    assert wrong or at == len(data)
    try:
        all_class.FromString(data)
    except DecodeError:
        assert wrong
    else:
        assert not wrong
