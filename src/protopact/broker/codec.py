"""Kafka's requests and answers as bytes, by kio: what a frame asks for, and the frame that answers it.

A frame is a length of four bytes, a header and a message. Source: https://kafka.apache.org/protocol.html
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING

from kio.index import load_request_schema, load_response_schema
from kio.serial import entity_reader, entity_writer
from kio.serial.errors import SerialError

from protopact.broker.announced import sifted
from protopact.broker.codes import Code
from protopact.broker.fitting import fitted
from protopact.errors import RefusedRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kio.serial.readers import Reader

    from protopact.broker.apis import Api

_HEAD_BYTES = 8  # key, version and correlation id stand at one place in every version of the header


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before every request: which one, in which version, and the number that its answer carries."""

    key: int
    version: int
    correlation_id: int


def read_head(frame: memoryview) -> Head:
    """Read the part of the header that all versions have. RefusedRequestError when the frame is shorter."""
    if len(frame) < _HEAD_BYTES:
        raise RefusedRequestError(
            f"a request of {len(frame)} bytes has no header of {_HEAD_BYTES}", error_code=Code.INVALID_REQUEST
        )
    return Head(
        int.from_bytes(frame[0:2], "big", signed=True),
        int.from_bytes(frame[2:4], "big", signed=True),
        int.from_bytes(frame[4:8], "big", signed=True),
    )


def read_request(frame: memoryview, api: Api, version: int) -> tuple[str, object]:
    """Read a whole request: the client's name for itself and the message, as an object of `api.request`.

    RefusedRequestError when the bytes are not such a request. Tagged fields that are not known are skipped (KIP-482).
    Bytes that follow are left unread, as Kafka's brokers do: librdkafka 2.16 sends three behind its Metadata request of
    version 13.
    """
    read_header, read_message = _readers(api.key, version)
    try:
        known = sifted(frame, load_request_schema(api.key, version))
        header, size = read_header(known, 0)
        message, _ = read_message(known, size)
    except (RefusedRequestError, SerialError, ValueError, OverflowError) as error:
        raise RefusedRequestError(
            f"the bytes are no {api.name} request of version {version}: {error}", error_code=Code.INVALID_REQUEST
        ) from error
    return header.client_id or "", fitted(message, api.request)


def write_answer(answer: object, api: Api, version: int, correlation_id: int) -> bytes:
    """Give the frame that answers a request of this version, its length in front."""
    target, header, write_header, write_message = _writers(api.key, version)
    frame = BytesIO()
    frame.write(bytes(4))
    write_header(frame, header(correlation_id=correlation_id))
    write_message(frame, fitted(answer, target))
    size = frame.tell() - 4
    frame.seek(0)
    frame.write(size.to_bytes(4, "big"))
    return frame.getvalue()


@cache
def _readers(key: int, version: int) -> tuple[Reader, Reader]:  # type: ignore[type-arg]  # of any header and message
    schema = load_request_schema(key, version)
    return entity_reader(schema.__header_schema__), entity_reader(schema)


@cache
def _writers(
    key: int, version: int
) -> tuple[type, Callable[..., object], Callable[..., object], Callable[..., object]]:
    schema = load_response_schema(key, version)
    header = schema.__header_schema__
    return schema, header, entity_writer(header), entity_writer(schema)
