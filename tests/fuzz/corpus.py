"""What fuzzing begins with: the payloads that Protobuf's conformance runner sends, and the types that they are of.

`conformance.gz` holds frames, each a length of four bytes, little-endian, and a body: first a FileDescriptorSet of the
types, then a frame for each payload: `P` (Protobuf) or `J` (JSON), the name of its type, a zero byte, the payload.
It is recorded anew by

    PROTOPACT_RECORD=$PWD/tests/fuzz/conformance.gz PROTOPACT_REQUIRE=interop pytest tests/interop/test_conformance.py
"""

from __future__ import annotations

import gzip
import struct
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from google.protobuf.message import Message

FILE = Path(__file__).parent / "conformance.gz"


class Seed(NamedTuple):
    is_json: bool
    type_name: str
    payload: bytes


def write(path: Path, files: FileDescriptorSet, seeds: Iterable[Seed]) -> None:
    """Write the types and each different payload once."""
    bodies = [f"{'PJ'[seed.is_json]}{seed.type_name}\0".encode() + seed.payload for seed in dict.fromkeys(seeds)]
    frames = [struct.pack("<I", len(body)) + body for body in [files.SerializeToString(), *sorted(bodies)]]
    path.write_bytes(gzip.compress(b"".join(frames), 9, mtime=0))


@cache
def seeds() -> tuple[Seed, ...]:
    frames = _frames()
    next(frames)
    return tuple(
        Seed(head[:1] == b"J", head[1:].decode(), payload)
        for head, _, payload in (body.partition(b"\0") for body in frames)
    )


@cache
def classes() -> dict[str, type[Message]]:
    """Give the class of each type that payloads are of, all in one pool."""
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(next(_frames())).file:
        pool.Add(file)  # type: ignore[no-untyped-call]
    names = sorted({seed.type_name for seed in seeds()})
    return {name: GetMessageClass(pool.FindMessageTypeByName(name)) for name in names}


def _frames() -> Iterator[bytes]:
    data, at = gzip.decompress(FILE.read_bytes()), 0
    while at < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size
