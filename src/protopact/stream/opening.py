"""What a stream is read from or written to: files, compressed or not, pipes, and bytes that are there already."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import os
import zlib
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, TypeAlias, cast

from protopact.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Compression: TypeAlias = Literal["infer", "none", "gzip", "bz2", "xz"]
"""How a stream is compressed; `infer` goes by the end of a file's name, and means none for other sources."""

Source: TypeAlias = str | os.PathLike[str] | BinaryIO | bytes | bytearray | memoryview | mmap.mmap
"""A file's path (a `str` is a path), an open binary file or pipe, or bytes that are there."""

Target: TypeAlias = str | os.PathLike[str] | BinaryIO
"""A file's path (a `str` is a path), or an open binary file or pipe."""

_SUFFIXES: Final = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz"}
_METHODS: Final[dict[str, Callable[..., BinaryIO] | None]] = {
    "none": None,
    "gzip": cast("Callable[..., BinaryIO]", gzip.open),
    "bz2": cast("Callable[..., BinaryIO]", bz2.open),
    "xz": cast("Callable[..., BinaryIO]", lzma.open),
}
_MAPPED_BYTES_KEPT: Final = 16 * 1024 * 1024


@contextmanager
def source_reader(source: Source, compression: Compression) -> Iterator[Callable[[int], bytes]]:
    """Give what reads some of the bytes that come next, about as many as asked for; none at the end.

    What is opened here is closed in the end; a file that came open stays open. OSError as `open` raises it.
    """
    method, opened = _method(source, compression), source
    with ExitStack() as closing:
        if isinstance(opened, str | os.PathLike):
            opened = closing.enter_context(Path(opened).open("rb", buffering=0))
        if isinstance(opened, bytes | bytearray | memoryview):
            opened = io.BytesIO(opened)
        if isinstance(opened, mmap.mmap) and method is None:
            yield _reader_of_mapping(opened)
            return
        if method is not None:
            opened = closing.enter_context(method(opened, "rb"))
        yield _checked(getattr(opened, "read1", None) or opened.read)


@contextmanager
def target_writer(target: Target, compression: Compression, *, append: bool) -> Iterator[Callable[[bytes], object]]:
    """Give what writes bytes, all of them; what is opened here is flushed and closed in the end.

    A compressed file is appended to as a further member, which readers of all three formats take as one stream.
    """
    method, opened = _method(target, compression), target
    with ExitStack() as closing:
        if isinstance(opened, str | os.PathLike):
            opened = closing.enter_context(Path(opened).open("ab" if append else "wb"))
        if method is not None:
            opened = closing.enter_context(method(opened, "wb"))
        yield opened.write


def is_broken_compression(error: Exception) -> bool:
    """Whether an error says that compressed bytes are cut or wrong, and not that they could not be had.

    bz2 and gzip raise a bare OSError for wrong bytes; one from the system carries its number.
    """
    if isinstance(error, OSError):
        return error.errno is None
    return isinstance(error, EOFError | lzma.LZMAError | zlib.error)


def _method(place: Source, compression: str) -> Callable[..., BinaryIO] | None:
    if compression == "infer":
        return _METHODS[
            _SUFFIXES.get(PurePath(place).suffix, "none") if isinstance(place, str | os.PathLike) else "none"
        ]
    if compression not in _METHODS:
        known = ", ".join(("infer", *_METHODS))
        raise ConfigError(f"compression {compression!r} is not known", option="compression", hint=f"there are {known}")
    return _METHODS[compression]


def _checked(read: Callable[[int], bytes | None]) -> Callable[[int], bytes]:
    """Refuse what is not a binary file that waits for its bytes."""

    def read_bytes(size: int) -> bytes:
        data = read(size)
        if not isinstance(data, bytes):
            form = "text" if isinstance(data, str) else "non-blocking"
            raise ConfigError(f"the source is open as {form}", option="source", hint="open it in mode 'rb'")
        return data

    return read_bytes


def _reader_of_mapping(mapping: mmap.mmap) -> Callable[[int], bytes]:
    """Read a mapped file from its start, and let go of pages once read, so that memory does not grow with the file."""
    at = kept_from = 0
    page = mmap.ALLOCATIONGRANULARITY

    def read(size: int) -> bytes:
        nonlocal at, kept_from
        data = mapping[at : at + size]
        at += len(data)
        if at - kept_from > _MAPPED_BYTES_KEPT and hasattr(mapping, "madvise"):
            until = at // page * page
            mapping.madvise(mmap.MADV_DONTNEED, kept_from, until - kept_from)
            kept_from = until
        return data

    return read
