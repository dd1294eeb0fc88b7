"""Records as values: what is sent, what the broker confirmed, what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from confluent_kafka import Message

Headers: TypeAlias = Mapping[str, bytes | str | None] | Sequence[tuple[str, bytes | str | None]]


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """A record that was read. A null value (tombstone) or key is None; `timestamp_ms` is None where there is none.

    Headers keep their order, and a name may come twice.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp_ms: int | None = None


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """A record to send; without a partition its key decides, and without a key any partition is taken."""

    value: bytes | str | None
    key: bytes | str | None = None
    headers: Headers | None = None
    partition: int | None = None


Outgoing: TypeAlias = OutgoingRecord | tuple[bytes | str | None, bytes | str | None] | bytes | str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the broker confirmed that a record stands; `offset` is -1 with `acks=0`, which confirms nothing."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int | None


def outgoing_record(record: Outgoing) -> OutgoingRecord:
    """Take the short spellings too: a pair is (key, value), anything else is a value without a key."""
    if isinstance(record, OutgoingRecord):
        return record
    if isinstance(record, tuple):
        key, value = record
        return OutgoingRecord(value, key)
    return OutgoingRecord(record)


def header_list(headers: Headers | None) -> list[tuple[str, bytes | str | None]]:
    """Give headers in the one form that librdkafka is handed."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    return list(pairs)


def record_of(message: Message) -> KafkaRecord:
    """Copy what librdkafka read into a value of our own."""
    headers = message.headers() or ()
    pairs = headers.items() if isinstance(headers, dict) else headers
    return KafkaRecord(
        topic=message.topic() or "",
        partition=_number(message.partition()),
        offset=_number(message.offset()),
        key=message.key(),
        value=message.value(),
        headers=tuple((name, _as_bytes(value)) for name, value in pairs),
        timestamp_ms=_timestamp_ms(message),
    )


def delivery_of(message: Message) -> Delivery:
    """Say where a confirmed record stands."""
    return Delivery(
        topic=message.topic() or "",
        partition=_number(message.partition()),
        offset=_number(message.offset()),
        timestamp_ms=_timestamp_ms(message),
    )


def _number(value: int | None) -> int:
    return -1 if value is None else value


def _as_bytes(value: bytes | str | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _timestamp_ms(message: Message) -> int | None:
    kind, milliseconds = message.timestamp()
    return milliseconds if kind else None  # kind 0 is TIMESTAMP_NOT_AVAILABLE
