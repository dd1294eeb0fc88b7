"""Streams of messages, each behind its length: files, pipes and compressed files, in constant memory.

A Protobuf message does not say where it ends, so a stream puts a length before each: a varint, as Protobuf's own
libraries for Java and C++ do, or four bytes, big-endian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.stream.lengths import Lengths
    from protopact.stream.opening import Compression, Source, Target
    from protopact.stream.reading import read_delimited
    from protopact.stream.writing import DelimitedWriter, write_delimited

__all__ = [
    "Compression",
    "DelimitedWriter",
    "Lengths",
    "Source",
    "Target",
    "read_delimited",
    "write_delimited",
]

__getattr__ = door(
    __name__,
    {
        "Compression": "opening",
        "DelimitedWriter": "writing",
        "Lengths": "lengths",
        "Source": "opening",
        "Target": "opening",
        "read_delimited": "reading",
        "write_delimited": "writing",
    },
)
