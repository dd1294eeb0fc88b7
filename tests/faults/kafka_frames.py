"""Frames of Kafka's protocol put together by hand (https://kafka.apache.org/protocol), right ones and wrong ones."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

PRODUCE, FETCH, LIST_OFFSETS, METADATA, API_VERSIONS = 0, 1, 2, 3, 18
CORRUPT_MESSAGE = 2
ANSWER_S = 20.0
NOW_MS = time.time_ns() // 1_000_000  # records of a time long ago might be gone as too old before they are read
BATCH_HEAD = ">qiibIhiqqqhii"
GZIP = 1


def framed(request: bytes) -> bytes:
    return struct.pack(">i", len(request)) + request


def request(key: int, version: int, body: bytes = b"", *, correlation_id: int = 7, client_id: bytes = b"test") -> bytes:
    return framed(struct.pack(">hhih", key, version, correlation_id, len(client_id)) + client_id + body)


def text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


def produce(topic: str, batch: bytes, *, acks: int = -1) -> bytes:
    place = struct.pack(">i", 1) + text(topic) + struct.pack(">iii", 1, 0, len(batch)) + batch
    return request(PRODUCE, 3, struct.pack(">hhi", -1, acks, 30_000) + place)


def fetch(topic: str, offset: int, *, wait_ms: int = 0, bytes_max: int = 1 << 24) -> bytes:
    place = struct.pack(">i", 1) + text(topic) + struct.pack(">iiqi", 1, 0, offset, bytes_max)
    return request(FETCH, 4, struct.pack(">iiiib", -1, wait_ms, 1, bytes_max, 0) + place)


def metadata(*topics: str) -> bytes:
    return request(METADATA, 5, struct.pack(">i", len(topics)) + b"".join(map(text, topics)) + b"\0")


def record(value: bytes) -> bytes:
    """Give one record without key and headers, the first of its batch."""
    body = b"\0\0\0\x01" + varint(len(value)) + value + b"\0"
    return varint(len(body)) + body


def batch(records: bytes, *, count: int = 1, attributes: int = 0, newest_ms: int = NOW_MS) -> bytes:
    """Give a batch of the second format with the right checksum."""
    rest = struct.pack(">hiqqqhii", attributes, count - 1, NOW_MS, newest_ms, -1, -1, -1, count)
    rest += records
    return struct.pack(">qiibI", 0, len(rest) + 9, 0, 2, crc32c(rest)) + rest


def varint(number: int) -> bytes:
    """Give a number that is not negative as a zigzag varint."""
    number <<= 1
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _crc_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)  # noqa: PLW2901  (eight steps of the division)
        table.append(value)
    return table


_CRC = _crc_table()


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class Wire:
    """One connection to a broker."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=ANSWER_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> bool:
        """Send, and tell whether the broker still took it."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def answer(self, timeout_s: float = ANSWER_S) -> bytes | None:
        """Give the next answer without its length; None when the broker closes instead; TimeoutError."""
        self.socket.settimeout(timeout_s)
        try:
            size = self._take(4)
            return None if size is None else self._take(int.from_bytes(size, "big"))
        except ConnectionError:
            return None

    def _take(self, size: int) -> bytes | None:
        found = bytearray()
        while len(found) < size:
            part = self.socket.recv(size - len(found))
            if not part:
                return None
            found += part
        return bytes(found)

    def is_closed_by_the_broker(self, timeout_s: float = ANSWER_S) -> bool:
        """Read on until the broker closes; False where it has not in time."""
        self.socket.settimeout(timeout_s)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        return True


def round_trip(wire: Wire, topic: str, value: bytes) -> bool:
    """Write a record, read at the offset that was given for it, and tell whether it is there."""
    wire.send(produce(topic, batch(record(value))))
    told = wire.answer()
    if told is None:
        return False
    error, offset = struct.unpack_from(">hq", told, 4 + 4 + 2 + len(topic) + 4 + 4)
    if error:
        return False
    wire.send(fetch(topic, offset))
    return value in (wire.answer() or b"")


class Recorder:
    """A place between a client and a broker that keeps the frames that the client sends.

    Where the broker names its address, this one is put in its place, so that all connections come here.
    """

    def __init__(self, broker: tuple[str, int]) -> None:
        self.frames: list[bytes] = []
        self._broker = broker
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._theirs, self._ours = (b"127.0.0.1" + struct.pack(">i", port) for port in (broker[1], self.port))
        self._begin(self._accept)

    def close(self) -> None:
        """End all connections, and wait until nothing of them is left."""
        for each in (self._door, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join()
        for each in (self._door, *self._sockets):
            each.close()

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._door.accept()
            except OSError:
                return
            broker = socket.create_connection(self._broker)
            self._sockets += [client, broker]
            self._begin(self._pass_on, client, broker, True)  # noqa: FBT003
            self._begin(self._pass_on, broker, client, False)  # noqa: FBT003

    def _pass_on(self, source: socket.socket, target: socket.socket, keep: bool) -> None:  # noqa: FBT001  (a direction)
        waiting = b""
        try:
            while data := source.recv(65536):
                target.sendall(data if keep else data.replace(self._theirs, self._ours))
                waiting += data if keep else b""
                while len(waiting) >= 4 and len(waiting) >= 4 + int.from_bytes(waiting[:4], "big"):
                    end = 4 + int.from_bytes(waiting[:4], "big")
                    self.frames.append(waiting[4:end])
                    waiting = waiting[end:]
        except OSError:
            pass
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
