"""The program that Protobuf's conformance runner tests: it reads requests from its input and writes the responses.

A frame is a length, four bytes little-endian, and a message; `conformance.proto` of the runner tells the protocol.
PROTOPACT_RECORD names the file in which the payloads are kept, as the fuzzer's corpus.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError as WireDecodeError

from protopact import from_json, load_schema, to_json
from protopact.descriptor import message_class
from protopact.errors import ProtopactError

if TYPE_CHECKING:
    from collections.abc import Iterator

PROTOCOL = "conformance/conformance.proto"
TESTED = ("proto2", "proto3", "proto2_editions", "proto3_editions", "edition2023")
PROTOBUF, JSON = 1, 2
IGNORING_UNKNOWN = 3


class Testee:
    """What stands between the runner and the product: each request is one value to read and to write again."""

    def __init__(self, include: Path) -> None:
        """Make the classes of the protocol and of every message that may be asked for."""
        protocol = load_schema(include / PROTOCOL, imports=include, message="ConformanceRequest")
        self.request = protocol.message_class
        self.response = message_class(protocol.file_set, "conformance.ConformanceResponse")
        files = [include / f"google/protobuf/test_messages_{name}.proto" for name in TESTED]
        tested = [load_schema(file, imports=include) for file in files]
        self.files = {file.name: file for schema in tested for file in schema.file_set.files}
        self.classes = {
            f"{schema.file_set.root_file.package}.{message.name}": message_class(
                schema.file_set, f"{schema.file_set.root_file.package}.{message.name}"
            )
            for schema in tested
            for message in schema.file_set.root_file.message_type
        }

    def answer(self, request: Any) -> dict[str, Any]:
        """Give the response's one field."""
        if request.message_type == "conformance.FailureSet":
            return {"protobuf_payload": b""}
        wanted, form = self.classes[request.message_type], request.WhichOneof("payload")
        if form not in {"protobuf_payload", "json_payload"} or request.requested_output_format not in {PROTOBUF, JSON}:
            return {"skipped": "neither Protobuf nor JSON"}
        try:
            if form == "protobuf_payload":
                message = wanted.FromString(request.protobuf_payload)
            else:
                message = from_json(
                    request.json_payload, wanted, ignore_unknown=request.test_category == IGNORING_UNKNOWN
                )
        except (ProtopactError, WireDecodeError) as error:
            return {"parse_error": str(error)}
        try:
            if request.requested_output_format == PROTOBUF:
                return {"protobuf_payload": message.SerializeToString()}
            return {"json_payload": to_json(message)}
        except ProtopactError as error:
            return {"serialize_error": str(error)}


def frames(pipe: BinaryIO) -> Iterator[bytes]:
    """Give each frame's message, until the pipe ends."""
    while head := pipe.read(4):
        yield pipe.read(struct.unpack("<I", head)[0])


def record(path: Path, testee: Testee, requests: list[Any]) -> None:
    """Keep what was asked."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from fuzz.corpus import Seed, write

    forms = {"protobuf_payload": False, "json_payload": True}
    seeds = [
        Seed(forms[form], request.message_type, payload if isinstance(payload, bytes) else payload.encode())
        for request in requests
        if request.message_type in testee.classes and (form := request.WhichOneof("payload")) in forms
        for payload in [getattr(request, form)]
    ]
    write(path, FileDescriptorSet(file=testee.files.values()), seeds)


def main() -> None:
    """Answer until the runner has no more requests."""
    testee, requests = Testee(Path(sys.argv[1])), []
    for frame in frames(sys.stdin.buffer):
        request = testee.request.FromString(frame)
        requests.append(request)
        fields = testee.answer(request)
        response = testee.response(**fields).SerializeToString()
        sys.stdout.buffer.write(struct.pack("<I", len(response)) + response)
        sys.stdout.buffer.flush()
    if path := os.environ.get("PROTOPACT_RECORD"):
        record(Path(path), testee, requests)


main()
