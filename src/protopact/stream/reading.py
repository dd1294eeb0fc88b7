"""Reading a stream: a chunk of bytes is split into whole payloads at once, and these become messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from google.protobuf.message import DecodeError as WireDecodeError, Message

from protopact.errors import DecodeError, FramingError
from protopact.stream.lengths import MESSAGE_BYTES_MAX, Format, format_of
from protopact.stream.opening import is_broken_compression, source_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from protopact.stream.lengths import Lengths
    from protopact.stream.opening import Compression, Source

M = TypeVar("M", bound=Message)

_CHUNK_BYTES: Final = 1024 * 1024


def read_delimited(
    source: Source,
    message_class: type[M],
    *,
    lengths: Lengths = "varint",
    compression: Compression = "infer",
    message_bytes_max: int = MESSAGE_BYTES_MAX,
) -> Iterator[M]:
    r"""Give the messages of a stream one by one, in memory that does not grow with the stream.

        for order in read_delimited("orders.binpb.gz", Order):
            print(order.id)

    `source` is a path, an open binary file, a pipe, bytes or an `mmap`. From a pipe, messages come as soon as they
    are whole. A source that came open is left open.

    Where a stream is cut or garbled, all messages before that place have been given; then FramingError is raised,
    whose `offset` is where the record begins that is not whole: what stands before it can be kept. A length of more
    than `message_bytes_max` bytes is refused before that many are read. A record that is whole but no message of the
    class is a DecodeError, whose text names its offset. Offsets count bytes after decompression. ConfigError for
    options that are not known, OSError when the source cannot be opened or read.
    """
    form = format_of(lengths)
    return _read(source, message_class, form, compression, message_bytes_max)


def _read(source: Source, message_class: type[M], form: Format, compression: Compression, longest: int) -> Iterator[M]:
    parse = message_class.FromString
    with source_reader(source, compression) as read:
        buffer, base, wanted = b"", 0, 0
        while True:
            buffer, ended = _filled(read, buffer, base, wanted)
            payloads, at = form.split(buffer, longest)
            try:
                yield from map(parse, payloads)
            except WireDecodeError as error:
                raise _no_message(payloads, message_class, form, base) from error
            buffer, base = buffer[at:], base + at
            wanted = _bytes_wanted(form, buffer, base, longest)
            if ended:
                if buffer:
                    raise _cut(buffer, base, wanted)
                return


def _filled(read: Callable[[int], bytes], buffer: bytes, base: int, wanted: int) -> tuple[bytes, bool]:
    """Give the buffer with more bytes, at least as many as are wanted, and whether the stream has ended."""
    parts, size = [buffer], len(buffer)
    while True:
        try:
            more = read(max(_CHUNK_BYTES, wanted - size))
        except Exception as error:
            if not is_broken_compression(error):
                raise
            raise FramingError(
                f"the compressed stream is cut or broken after byte {base + size}: {error}",
                offset=base,
                hint="all whole records before have been given",
            ) from error
        parts.append(more)
        size += len(more)
        if not more or size >= wanted:
            return b"".join(parts), not more


def _bytes_wanted(form: Format, buffer: bytes, base: int, longest: int) -> int:
    """Say how many bytes must be in the buffer for its first record; FramingError when it can't become one."""
    if not buffer:
        return 1
    try:
        return form.bytes_wanted(buffer, 0, longest)
    except FramingError as error:
        raise FramingError(
            f"the stream is garbled at byte {base}: {error}", offset=base, hint="all records before have been given"
        ) from error


def _cut(buffer: bytes, base: int, wanted: int) -> FramingError:
    return FramingError(
        f"the stream ends within the record at byte {base}: {len(buffer)} of at least {wanted} bytes are there",
        offset=base,
        hint="all records before have been given; cut the file there to append to it",
    )


def _no_message(payloads: list[bytes], message_class: type[Message], form: Format, base: int) -> DecodeError:
    """Find the payload that is no message, and say where it stands."""
    at = base
    for payload in payloads:
        try:
            message_class.FromString(payload)
        except WireDecodeError as error:
            return DecodeError(f"the record at byte {at} is no {message_class.DESCRIPTOR.full_name}: {error}")
        at += len(form.lead(len(payload))) + len(payload)
    raise AssertionError  # called when one of them has just failed
