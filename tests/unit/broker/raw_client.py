"""A client that speaks in frames: whatever bytes a test wants, and requests by kio's own classes."""

from __future__ import annotations

import socket
from io import BytesIO
from typing import TYPE_CHECKING, Self

from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader, entity_writer

if TYPE_CHECKING:
    from types import TracebackType

TIMEOUT_S = 20.0


class RawClient:
    """One connection to a broker."""

    def __init__(self, bootstrap_servers: str) -> None:
        host, _, port = bootstrap_servers.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive_frame(self) -> bytes | None:
        """Give the next frame; None when the broker has closed the connection."""
        size = self._receive(4)
        return None if size is None else self._receive(int.from_bytes(size, "big"))

    def ask(self, key: int, version: int, correlation_id: int = 1, **fields: object) -> object:
        """Send a request and give its answer as kio's object; None when the broker has closed the connection."""
        self.send(request_frame(key, version, correlation_id, **fields))
        frame = self.receive_frame()
        return None if frame is None else read_answer(frame, key, version)

    def _receive(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            try:
                chunk = self.socket.recv(size - len(data))
            except ConnectionError:
                return None
            if not chunk:
                return None
            data += chunk
        return data


def request_frame(key: int, version: int, correlation_id: int = 1, **fields: object) -> bytes:
    schema = load_request_schema(key, version)
    header = schema.__header_schema__
    told = {"request_api_key": key, "request_api_version": version, "correlation_id": correlation_id}
    named = {"client_id": "raw"} if "client_id" in header.__dataclass_fields__ else {}
    buffer = BytesIO()
    entity_writer(header)(buffer, header(**told, **named))
    entity_writer(schema)(buffer, schema(**fields))
    frame = buffer.getvalue()
    return len(frame).to_bytes(4, "big") + frame


def read_answer(frame: bytes, key: int, version: int) -> object:
    schema = load_response_schema(key, version)
    header, size = entity_reader(schema.__header_schema__)(frame, 0)
    answer, message_size = entity_reader(schema)(frame, size)
    assert size + message_size == len(frame)
    assert header.correlation_id > 0
    return answer
