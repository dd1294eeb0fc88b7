"""Parsing in steps gives what parsing at once gives: the same message for every payload, or an error for the same."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError, Message
from hypothesis import example, given, strategies as st

from protopact import load_schema
from protopact.framing import encode_varint
from protopact.wire import parse_in_steps

if TYPE_CHECKING:
    from collections.abc import Callable

TEXTS = {
    "proto2": """
        syntax = "proto2";
        message Node {
          repeated Node nodes = 1;
          optional Node node = 2;
          map<string, Node> by_name = 3;
          map<int32, Color> colors = 4;
          repeated int32 numbers = 5;
          repeated fixed64 wide = 6 [packed = true];
          optional string text = 7;
          optional group One = 8 { repeated Node nodes = 1; optional Node node = 2; optional int32 number = 3; }
          repeated group Many = 9 { repeated Node nodes = 1; optional Node node = 2; optional int32 number = 3; }
          oneof choice { Node left = 10; Node right = 11; int32 neither = 12; }
          repeated Color palette = 13;
          required bool there = 14;
          optional Node SerializeToString = 16;
          extensions 100 to 199;
        }
        enum Color { RED = 0; BLUE = 2; }
        extend Node { optional Node extra = 100; repeated Node extras = 101; repeated group Odd = 102 {} }
        """,
    "proto3": """
        syntax = "proto3";
        message Node {
          repeated Node nodes = 1;
          Node node = 2;
          map<string, Node> by_name = 3;
          map<bool, string> texts = 4;
          repeated sint64 numbers = 5;
          repeated float wide = 6;
          string text = 7;
          bytes raw = 8;
          oneof choice { Node left = 10; Node right = 11; string neither = 12; }
          map<uint64, Node> by_number = 13;
        }
        """,
    "2023": """
        edition = "2023";
        message Node {
          repeated Node nodes = 1 [features.message_encoding = DELIMITED];
          Node node = 2 [features.message_encoding = DELIMITED];
          map<string, Node> by_name = 3;
          repeated int32 numbers = 5 [features.repeated_field_encoding = EXPANDED];
          string text = 7 [features.utf8_validation = NONE];
          oneof choice { Node left = 10; Node right = 11 [features.message_encoding = DELIMITED]; }
        }
        """,
}
NUMBERS = st.sampled_from([*range(1, 17), 100, 101, 102, 3000])
VARINT, FIXED64, LENGTH, GROUP, END_GROUP, FIXED32 = range(6)
STEP = st.sampled_from([1, 2, 3, 5, 8, 13, 30, 100])


@cache
def node(syntax: str) -> type[Message]:
    return load_schema(TEXTS[syntax], message="Node").message_class


def key(number: int, wire_type: int) -> bytes:
    return encode_varint(number << 3 | wire_type)


def delimited(number: int, content: bytes) -> bytes:
    return key(number, LENGTH) + encode_varint(len(content)) + content


def group(number: int, content: bytes) -> bytes:
    return key(number, GROUP) + content + key(number, END_GROUP)


def within(fields: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    content = st.lists(fields, max_size=5).map(b"".join)
    entry = st.builds(lambda name, value: delimited(1, name) + delimited(2, value), st.binary(max_size=3), content)
    return st.one_of(
        st.builds(delimited, NUMBERS, content),
        st.builds(delimited, st.sampled_from([3, 13]), entry),
        st.builds(group, NUMBERS, content),
    )


SINGLE_FIELDS = st.one_of(
    st.builds(lambda number, value: key(number, VARINT) + encode_varint(value), NUMBERS, st.integers(0, (1 << 64) - 1)),
    st.builds(lambda number, value: key(number, FIXED64) + value, NUMBERS, st.binary(min_size=8, max_size=8)),
    st.builds(lambda number, value: key(number, FIXED32) + value, NUMBERS, st.binary(min_size=4, max_size=4)),
    st.builds(delimited, NUMBERS, st.binary(max_size=40)),
    st.builds(delimited, NUMBERS, st.text(max_size=5).map(str.encode)),
)
FIELDS = st.recursive(SINGLE_FIELDS, within, max_leaves=30)
MESSAGES_WITHIN = {
    "proto2": [(delimited, 1), (delimited, 2), (delimited, 3), (group, 9), (delimited, 10), (delimited, 101)],
    "proto3": [(delimited, 1), (delimited, 2), (delimited, 3), (delimited, 10), (delimited, 13), (group, 77)],
    "2023": [(group, 1), (group, 2), (delimited, 3), (delimited, 10), (group, 11)],
}
PAYLOADS = st.lists(FIELDS, max_size=8).map(b"".join)


def outcome(parse: Callable[[], Message]) -> bytes | None:
    try:
        return parse().SerializePartialToString(deterministic=True)
    except DecodeError:
        return None


def assert_same(syntax: str, payload: bytes, step_bytes: int) -> None:
    cls = node(syntax)
    at_once = outcome(lambda: cls.FromString(payload))
    assert outcome(lambda: parse_in_steps(cls, payload, step_bytes)) == at_once


@given(syntax=st.sampled_from(sorted(TEXTS)), payload=PAYLOADS, step_bytes=STEP)
@example(
    syntax="proto2",
    payload=delimited(3, delimited(1, b"k") + key(9, VARINT) + b"\x01" + delimited(2, b"")),
    step_bytes=1,
)
def test_a_payload_parsed_in_steps_is_the_message_parsed_at_once(syntax: str, payload: bytes, step_bytes: int) -> None:
    assert_same(syntax, payload, step_bytes)


@given(
    syntax=st.sampled_from(sorted(TEXTS)),
    payload=PAYLOADS.filter(bool),
    step_bytes=STEP,
    places=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=3),
    cut=st.integers(0, 1 << 16),
)
def test_a_broken_payload_is_refused_in_steps_when_it_is_refused_at_once(
    syntax: str, payload: bytes, step_bytes: int, places: list[tuple[int, int]], cut: int
) -> None:
    broken = bytearray(payload)
    for place, byte in places:
        broken[place % len(broken)] = byte
    assert_same(syntax, bytes(broken[: 1 + cut % len(broken)]), step_bytes)


@given(data=st.data(), syntax=st.sampled_from(sorted(TEXTS)), depth=st.integers(95, 104), step_bytes=STEP)
def test_messages_are_nested_as_deep_in_steps_as_at_once(
    data: st.DataObject, syntax: str, depth: int, step_bytes: int
) -> None:
    kinds = data.draw(st.lists(st.sampled_from(MESSAGES_WITHIN[syntax]), min_size=1, max_size=8))
    payload = b""
    for level in range(depth):
        wrap, number = kinds[level % len(kinds)]
        is_entry = number in (3, 13)
        payload = wrap(number, delimited(2, payload) if is_entry else payload)
    assert_same(syntax, payload, step_bytes)
