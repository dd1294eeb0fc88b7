"""A large message is parsed in steps: no step is large, whatever the bytes are. That all is read, properties show."""

from __future__ import annotations

import pytest
from google.protobuf.message import DecodeError

from protopact.framing import encode_varint
from protopact.schema import load_schema
from protopact.wire import merge_in_steps, parse_in_steps
from protopact.wire.cuts import whole_fields

NODE = load_schema("""
    syntax = "proto2";
    message Node {
      repeated Node nodes = 1;
      optional Node node = 2;
      map<string, Node> by_name = 3;
      map<string, int32> counts = 4;
      repeated int32 numbers = 5;
      repeated double wide = 6;
      repeated group Line = 7 { repeated Node nodes = 1; }
      optional bytes raw = 8;
      extensions 100 to 199;
    }
    extend Node { optional Node extra = 100; }
    """)
STEP = 1000
SIZE = 20_000


def delimited(number: int, content: bytes) -> bytes:
    return encode_varint(number << 3 | 2) + encode_varint(len(content)) + content


EMPTY_NODES = b"\x0a\x00" * (SIZE // 2)
BOMBS = {
    "empty messages": EMPTY_NODES,
    "a map": b"".join(delimited(4, delimited(1, b"%05d" % n) + b"\x10\x01") for n in range(SIZE // 11)),
    "packed varints": delimited(5, b"\x81\x01" * (SIZE // 2)),
    "packed doubles": delimited(6, bytes(SIZE)),
    "numbers not packed": b"\x28\x01" * (SIZE // 2),
    "a large message in a singular field": delimited(2, EMPTY_NODES),
    "a large message in a repeated field": delimited(1, EMPTY_NODES) * 2,
    "a large message in a map": delimited(3, delimited(2, EMPTY_NODES) + delimited(1, b"name")),
    "a large group": b"\x3b" + EMPTY_NODES + b"\x3c",
    "a large extension": delimited(100, EMPTY_NODES),
    "large messages in one another": delimited(2, delimited(1, delimited(2, delimited(3, delimited(2, EMPTY_NODES))))),
    "groups in groups": b"\x3b\x0b\x13\x1b\x23\x24\x1c\x14\x0c\x3c" * (SIZE // 10),
    "long fields": delimited(8, bytes(300)) * (SIZE // 303),
}


@pytest.mark.parametrize("payload", BOMBS.values(), ids=BOMBS)
def test_no_step_takes_more_than_it_may(payload: bytes) -> None:
    message = NODE.new_message({})
    steps = list(merge_in_steps(message, payload, STEP))
    assert max(steps) <= STEP + 8  # packed numbers come with a key and a length
    assert sum(steps) > 0.9 * SIZE
    assert message == NODE.message_class.FromString(payload)


@pytest.mark.parametrize("payload", BOMBS.values(), ids=BOMBS)
def test_a_payload_that_is_cut_off_is_refused(payload: bytes) -> None:
    cut = payload[: -1 if payload[-2:] != b"\x00\x00" else -3]
    with pytest.raises(DecodeError):
        parse_in_steps(NODE.message_class, cut, STEP)


def test_what_the_root_cannot_reach_by_merging_is_still_nested_as_deep_as_it_is_there() -> None:
    """A parser that is called for the element alone would count from there."""

    def nested(depth: int) -> bytes:
        payload = b""
        for _ in range(depth):
            payload = delimited(2, payload)
        return delimited(1, delimited(1, delimited(8, bytes(100)) + payload))

    assert parse_in_steps(NODE.message_class, nested(98), 110) == NODE.message_class.FromString(nested(98))
    with pytest.raises(DecodeError):
        NODE.message_class.FromString(nested(99))
    with pytest.raises(DecodeError):
        parse_in_steps(NODE.message_class, nested(99), 110)


def test_what_is_nested_without_end_is_refused_without_ado() -> None:
    payload = b""
    for _ in range(5000):
        payload = delimited(2, payload)
    with pytest.raises(DecodeError):
        parse_in_steps(NODE.message_class, payload, STEP)
    with pytest.raises(DecodeError):
        parse_in_steps(NODE.message_class, b"\x3b" * SIZE, STEP)


@pytest.mark.parametrize("short", [1, 2, 127, 128, 129, 16383, 16384])
def test_fields_of_all_lengths_end_where_they_end(short: int) -> None:
    payload = delimited(8, bytes(short)) + delimited(2000, bytes(short)) + b"\x08\x01"
    assert whole_fields(payload, 0, len(payload)) == len(payload)
    assert whole_fields(payload, 0, len(payload) - 1) == len(payload) - 2
    assert whole_fields(payload, 0, short) == 0
