from __future__ import annotations

import time
import tracemalloc

import pytest

from protopact.errors import EncodeError, FramingError, SerdeError
from protopact.framing import MAGIC_BYTE, Prefix, decode_prefix, encode_prefix

HEAD = "000000002a"


@pytest.mark.parametrize(
    ("indexes", "tail"),
    [([0], "00"), ([1], "0202"), ([0, 2], "040004"), ([0, 0], "040000"), ([64], "028001"), ([1, 0, 300], "060200d804")],
)
def test_a_prefix_is_the_magic_byte_the_id_and_the_indexes(indexes: list[int], tail: str) -> None:
    written = encode_prefix(42, indexes)
    assert written.hex() == HEAD + tail
    assert decode_prefix(written + b"payload") == Prefix(42, tuple(indexes), len(written))


def test_the_magic_byte_is_zero() -> None:
    assert encode_prefix(1, [0])[0] == MAGIC_BYTE == 0


@pytest.mark.parametrize("long_form", ["0200", "8000", "828000"])
def test_the_long_form_of_the_first_message_is_read(long_form: str) -> None:
    data = bytes.fromhex(HEAD + long_form)
    if long_form == "828000":
        data += b"\x00"
    assert decode_prefix(data).indexes == (0,)


def test_a_prefix_without_payload_is_whole() -> None:
    assert decode_prefix(bytes.fromhex(HEAD + "00")) == Prefix(42, (0,), 6)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes_is_read(kind: type[bytes | bytearray | memoryview]) -> None:
    assert decode_prefix(kind(bytes.fromhex(HEAD + "0202"))) == Prefix(42, (1,), 7)


def test_the_largest_id_is_kept() -> None:
    assert decode_prefix(encode_prefix(2**31 - 1, [0])).schema_id == 2**31 - 1


@pytest.mark.parametrize(
    ("data", "offset", "words"),
    [
        (None, 0, "not NoneType"),
        ("text", 0, "not str"),
        (b"", 0, "empty"),
        (b"\x01" + bytes(16), 0, "byte 1, not 0"),
        (b"{}", 0, "byte 123, not 0"),
        (b"\x00", 1, "within the schema id"),
        (b"\x00\x00\x00", 3, "within the schema id"),
        (b"\x00\x00\x00\x00\x01", 5, "end within the varint"),
        (b"\x00\xff\xff\xff\xff\x00", 1, "above 2^31-1"),
        (bytes.fromhex(HEAD + "80"), 6, "end within the varint"),
        (bytes.fromhex(HEAD + "01"), 5, "-1 message indexes"),
        (bytes.fromhex(HEAD + "feffffff0f"), 5, "2147483647 message indexes"),
        (bytes.fromhex(HEAD + "ffffffff0f"), 5, "-2147483648 message indexes"),
        (bytes.fromhex(HEAD + "808080801000"), 9, "more than 32 bits"),
        (bytes.fromhex(HEAD + "ffffffffff01"), 9, "longer than 5 bytes"),
        (bytes.fromhex(HEAD + "8201") + bytes(65), 5, "65 message indexes"),
        (bytes.fromhex(HEAD + "02"), 6, "end within the varint"),
        (bytes.fromhex(HEAD + "0400"), 7, "end within the varint"),
        (bytes.fromhex(HEAD + "0201"), 6, "message index -1 is negative"),
        (bytes.fromhex(HEAD + "040003"), 7, "message index -2 is negative"),
        (bytes.fromhex(HEAD + "02ffffffffffffffff"), 10, "longer than 5 bytes"),
    ],
)
def test_what_is_no_prefix_is_refused_with_the_offset_of_the_wrong_byte(
    data: bytes | None, offset: int, words: str
) -> None:
    with pytest.raises(FramingError) as refused:
        decode_prefix(data)
    assert refused.value.offset == offset
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert isinstance(refused.value, SerdeError)


def test_a_guid_in_the_payload_is_explained() -> None:
    with pytest.raises(FramingError) as refused:
        decode_prefix(b"\x01" + bytes(17))
    assert "GUID" in refused.value.hint


def test_a_refusal_costs_nothing_that_depends_on_the_claimed_count() -> None:
    claims_2_31_indexes = bytes.fromhex(HEAD + "feffffff0f") + bytes(1_000_000)
    tracemalloc.start()
    started_s = time.thread_time()  # not the clock on the wall: the machine may have other things to do
    for _ in range(100):
        with pytest.raises(FramingError):
            decode_prefix(claims_2_31_indexes)
    took_s = time.thread_time() - started_s
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 100_000
    assert took_s < 1


@pytest.mark.parametrize(
    ("schema_id", "indexes"), [(-1, [0]), (2**31, [0]), (1, []), (1, [-1]), (1, [2**31]), (1, [0] * 65)]
)
def test_what_cannot_be_read_back_is_not_written(schema_id: int, indexes: list[int]) -> None:
    with pytest.raises(EncodeError):
        encode_prefix(schema_id, indexes)
