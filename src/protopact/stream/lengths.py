"""The two ways to write a message's length before it, and how a buffer is split into payloads by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from protopact.errors import ConfigError, FramingError
from protopact.framing import decode_varint, encode_varint

if TYPE_CHECKING:
    from collections.abc import Callable

Lengths: TypeAlias = Literal["varint", "uint32"]
"""How a length is written: as a varint (protobuf's `writeDelimitedTo`), or in four bytes, big-endian."""

MESSAGE_BYTES_MAX: Final = 64 * 1024 * 1024
"""The longest message that is read or written unless told otherwise."""

_WORD = 4
_TWO_BYTES = 1 << 14
_CONTINUES = 0x80
_VARINT_BYTES_MAX = 5


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write lengths.

    `split(buffer, longest)` gives the payloads of all whole records from the buffer's start, and where the first
    record begins that is not whole, or whose length is more than `longest` or is no length; it never raises.
    `bytes_wanted(buffer, at, longest)` says how many bytes of that record must be there to go on, and raises
    FramingError, with an offset in the buffer, when no further byte can mend it. `lead(size)` writes a length.
    """

    split: Callable[[bytes, int], tuple[list[bytes], int]]
    bytes_wanted: Callable[[bytes, int, int], int]
    lead: Callable[[int], bytes]


def format_of(lengths: str) -> Format:
    """Give the format of a name; ConfigError for another."""
    try:
        return _FORMATS[lengths]
    except KeyError:
        known = " and ".join(repr(name) for name in _FORMATS)
        raise ConfigError(f"lengths {lengths!r} are not known", option="lengths", hint=f"there are {known}") from None


def _split_varints(buffer: bytes, longest: int) -> tuple[list[bytes], int]:
    payloads: list[bytes] = []
    at, limit = 0, len(buffer)
    keep = payloads.append
    while at < limit:
        size, start = buffer[at], at + 1
        if size >= _CONTINUES:
            if start == limit:
                break
            if (second := buffer[start]) < _CONTINUES:
                size, start = size - _CONTINUES | second << 7, start + 1
            else:
                try:
                    size, start = decode_varint(buffer, at, bits=32)
                except FramingError:
                    break
        end = start + size
        if end > limit or size > longest:
            break
        keep(buffer[start:end])
        at = end
    return payloads, at


def _varint_bytes_wanted(buffer: bytes, at: int, longest: int) -> int:
    try:
        size, start = decode_varint(buffer, at, bits=32)
    except FramingError:
        if len(buffer) - at < _VARINT_BYTES_MAX and all(byte >= _CONTINUES for byte in buffer[at:]):
            return len(buffer) - at + 1
        raise
    return start - at + _checked(size, at, longest)


def _split_words(buffer: bytes, longest: int) -> tuple[list[bytes], int]:
    payloads: list[bytes] = []
    at, limit = 0, len(buffer)
    keep, read = payloads.append, int.from_bytes
    while (start := at + _WORD) <= limit:
        size = read(buffer[at:start], "big")
        end = start + size
        if end > limit or size > longest:
            break
        keep(buffer[start:end])
        at = end
    return payloads, at


def _word_bytes_wanted(buffer: bytes, at: int, longest: int) -> int:
    if len(buffer) - at < _WORD:
        return _WORD
    return _WORD + _checked(int.from_bytes(buffer[at : at + _WORD], "big"), at, longest)


def _checked(size: int, at: int, longest: int) -> int:
    if size > longest:
        raise FramingError(f"the length at byte {at} says {size} bytes, more than the {longest} allowed", offset=at)
    return size


def _word(size: int) -> bytes:
    return size.to_bytes(_WORD, "big")


_FORMATS: Final = {
    "varint": Format(_split_varints, _varint_bytes_wanted, encode_varint),
    "uint32": Format(_split_words, _word_bytes_wanted, _word),
}
