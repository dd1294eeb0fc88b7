"""Streams of messages: what is written is read back, and what is cut or garbled is refused where it begins."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import os
import sys
import threading
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, UninterpretedOption
from google.protobuf.duration_pb2 import Duration
from google.protobuf.proto import parse_length_prefixed, serialize_length_prefixed
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import BytesValue

from protopact.errors import ConfigError, DecodeError, EncodeError, FramingError, WrongTypeError
from protopact.stream import DelimitedWriter, read_delimited, write_delimited

if TYPE_CHECKING:
    from pathlib import Path

    from protopact.stream import Lengths

LENGTHS: list[Lengths] = ["varint", "uint32"]
SIZES = [0, 1, 125, 126, 127, 128, 129, 4_000, 16_380, 16_384, 70_000, 1_100_000]


def values(*sizes: int) -> list[BytesValue]:
    return [BytesValue(value=os.urandom(size)) for size in sizes]


def written(messages: list[BytesValue], lengths: Lengths = "varint") -> bytes:
    target = io.BytesIO()
    write_delimited(target, messages, lengths=lengths)
    return target.getvalue()


def read(data: bytes, lengths: Lengths = "varint") -> tuple[list[BytesValue], FramingError | None]:
    """Give the messages that come, and the error that ends them."""
    messages: list[BytesValue] = []
    try:
        messages.extend(read_delimited(data, BytesValue, lengths=lengths))
    except FramingError as error:
        return messages, error
    return messages, None


@pytest.mark.parametrize("lengths", LENGTHS)
def test_messages_of_all_sizes_come_back_in_order(lengths: Lengths) -> None:
    messages = values(*SIZES, *reversed(SIZES))
    assert read(written(messages, lengths), lengths) == (messages, None)


def test_varint_streams_are_those_of_protobufs_own_libraries() -> None:
    messages, theirs = values(*SIZES), io.BytesIO()
    for message in messages:
        serialize_length_prefixed(message, theirs)
    assert written(messages) == theirs.getvalue()
    ours = io.BytesIO(written(messages))
    assert [parse_length_prefixed(BytesValue, ours) for _ in messages] == messages


def test_uint32_streams_have_four_bytes_big_endian() -> None:
    assert written([BytesValue(value=b"ab")], "uint32") == b"\0\0\0\x04\x0a\x02ab"


@pytest.mark.parametrize("lengths", LENGTHS)
def test_an_empty_stream_holds_no_messages(lengths: Lengths) -> None:
    assert read(b"", lengths) == ([], None)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_each_cut_is_refused_where_the_cut_record_begins_and_all_before_it_are_given(lengths: Lengths) -> None:
    messages = values(0, 3, 130, 0, 7, 300)
    data = written(messages, lengths)
    starts = [len(written(messages[:count], lengths)) for count in range(len(messages) + 1)]
    for cut in range(len(data) + 1):
        whole = max(index for index, start in enumerate(starts) if start <= cut)
        came, error = read(data[:cut], lengths)
        assert came == messages[:whole]
        assert error is None if cut in starts else error is not None and error.offset == starts[whole]


def test_a_length_beyond_the_limit_is_refused_before_its_bytes_are_awaited() -> None:
    good = written(values(5))
    for bad, why in ((b"\xff\xff\xff\xff\x07", "2147483647 bytes"), (b"\xff\xff\xff\xff\xff\x01", "more than 32 bits")):
        came, error = read(good + bad + b"more")
        assert len(came) == 1
        assert error is not None
        assert error.offset == len(good)
        assert why in str(error) or "longer than" in str(error)


def test_a_pipe_that_stays_open_gives_the_messages_that_are_whole(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as target:
        messages = values(10, 20, 30)
        data = written(messages)
        target.write(data[:-1])
        coming = read_delimited(source, BytesValue)
        assert list(islice(coming, 2)) == messages[:2]
        target.write(data[-1:])
        assert next(coming) == messages[2]


def test_a_record_larger_than_a_pipe_comes_through() -> None:
    reading, writing = os.pipe()
    messages = values(5_000_000, 1)

    def write() -> None:
        with os.fdopen(writing, "wb") as target:
            write_delimited(target, messages)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reading, "rb") as source:
        assert list(read_delimited(source, BytesValue)) == messages
    thread.join()


@pytest.mark.parametrize(("suffix", "opened"), [(".gz", gzip.open), (".bz2", bz2.open), (".xz", lzma.open)])
def test_a_files_name_says_how_it_is_compressed(suffix: str, opened: object, tmp_path: Path) -> None:
    path, messages = tmp_path / f"values.binpb{suffix}", values(*SIZES)
    write_delimited(path, messages[:5])
    write_delimited(path, messages[5:], append=True)
    assert opened(path).read() == written(messages)  # type: ignore[operator]
    assert list(read_delimited(str(path), BytesValue)) == messages


@pytest.mark.parametrize("compression", ["gzip", "bz2", "xz"])
def test_a_cut_compressed_stream_gives_what_is_whole_and_is_refused(compression: str) -> None:
    target, messages = io.BytesIO(), values(*[1_000] * 1_500)
    write_delimited(target, messages, compression=compression)  # type: ignore[arg-type]
    came: list[BytesValue] = []
    cut = read_delimited(target.getvalue()[:-500], BytesValue, compression=compression)  # type: ignore[arg-type]
    with pytest.raises(FramingError, match="compressed stream is cut") as caught:
        came.extend(cut)
    assert 0 < len(came) < len(messages)
    assert came == messages[: len(came)]
    assert caught.value.offset == len(written(came))


@pytest.mark.parametrize("compression", ["gzip", "bz2", "xz"])
def test_what_is_not_compressed_is_refused_at_once(compression: str) -> None:
    with pytest.raises(FramingError, match="cut or broken after byte 0"):
        list(read_delimited(b"no such format", BytesValue, compression=compression))  # type: ignore[arg-type]


def test_a_mapped_file_and_a_memory_view_are_read_like_a_file(tmp_path: Path) -> None:
    path, messages = tmp_path / "values.binpb", values(*[9_000] * 2_500)
    assert write_delimited(path, messages) == 2_500
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert list(read_delimited(mapped, BytesValue)) == messages
        assert mapped[:2] == path.read_bytes()[:2]
    assert list(read_delimited(memoryview(path.read_bytes()), BytesValue)) == messages


def test_a_record_that_is_no_message_is_named_by_its_offset() -> None:
    good, bad = written(values(5, 6)), b"\x01\xff"
    coming = read_delimited(good + bad + good, BytesValue)
    assert len(list(islice(coming, 2))) == 2
    with pytest.raises(DecodeError, match=rf"record at byte {len(good)} is no google\.protobuf\.BytesValue"):
        next(coming)


def test_a_stream_holds_messages_of_one_type() -> None:
    target = io.BytesIO()
    with DelimitedWriter(target) as writer:
        writer.write(Timestamp(seconds=1))
        with pytest.raises(WrongTypeError, match=r"message 2 of the stream is a google\.protobuf\.Duration"):
            writer.write_many([Timestamp(seconds=2), Duration(seconds=3), Timestamp(seconds=4)])
        with pytest.raises(WrongTypeError, match="is a str, the stream holds google"):
            writer.write("text")  # type: ignore[arg-type]
        writer.write(Timestamp(seconds=5))
    assert [stamp.seconds for stamp in read_delimited(target.getvalue(), Timestamp)] == [1, 2, 5]


def test_nothing_is_written_that_a_reader_would_refuse() -> None:
    target, options = io.BytesIO(), [UninterpretedOption(), UninterpretedOption(name=[{}])]  # type: ignore[list-item]
    with pytest.raises(EncodeError, match="message 1 of the stream cannot be written"):
        write_delimited(target, options)
    assert list(read_delimited(target.getvalue(), UninterpretedOption)) == options[:1]
    with pytest.raises(EncodeError, match="message 0 of the stream has 104 bytes, more than the 100 allowed"):
        write_delimited(target, values(102), message_bytes_max=100)


def test_odd_options_and_sources_are_refused_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match="lengths 'fixed' are not known") as caught:
        read_delimited(b"", FieldDescriptorProto, lengths="fixed")  # type: ignore[arg-type]
    assert caught.value.hint == "there are 'varint' and 'uint32'"
    with pytest.raises(ConfigError, match="compression 'brotli' is not known"):
        write_delimited(io.BytesIO(), [], compression="brotli")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="open as text"):
        list(read_delimited(io.StringIO("text"), FieldDescriptorProto))  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError):
        list(read_delimited("nowhere/at-all.binpb", FieldDescriptorProto))


def test_a_file_that_came_open_is_left_open(tmp_path: Path) -> None:
    with (tmp_path / "values.binpb").open("w+b") as file:
        write_delimited(file, values(1))
        assert not file.closed
        file.seek(0)
        assert len(list(read_delimited(file, BytesValue))) == 1
        assert not file.closed


def test_messages_of_a_batch_cost_no_python_call_each_not_even_the_first_ones() -> None:
    messages, calls = values(*[100] * 300), 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    write_delimited(io.BytesIO(), messages)
    sys.setprofile(count)
    try:
        write_delimited(io.BytesIO(), messages)
    finally:
        sys.setprofile(None)
    assert calls < 100
