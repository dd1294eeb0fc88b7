"""What FastStream's users meet at every Kafka broker: both its clients write and read, across and with the others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from faststream import Context
from faststream.confluent import KafkaBroker as ConfluentStream
from faststream.kafka import KafkaBroker as AiokafkaStream

from contract.kafka_async import aiokafka_produce, aiokafka_read, of_aiokafka
from contract.kafka_clients import TIME_MS, WAIT_S, Broker, Clients, Record, of_confluent

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADERS = (("a", b"1"), ("empty", b""))
RECORDS = [
    Record(b"\x00\xff", b"key", HEADERS, TIME_MS),
    Record(b"\x01", b"\x00\xfe", HEADERS, TIME_MS + 1),
    Record(None, b"tombstone", HEADERS, TIME_MS),
]
OWN_HEADERS = {"content-type", "correlation_id"}  # FastStream adds them
STREAMS = {"aiokafka": (AiokafkaStream, of_aiokafka), "confluent": (ConfluentStream, of_confluent)}
MESSAGE = Context("message")


def without_place(record: Record) -> Record:
    """Leave out what FastStream adds, and the offset."""
    headers = tuple((name, value) for name, value in record.headers if name not in OWN_HEADERS)
    return Record(record.value, record.key, headers, record.timestamp_ms)


async def stream_produce(kind: str, broker: Broker, topic: str, records: Sequence[Record]) -> None:
    async with STREAMS[kind][0](broker.bootstrap_servers, logger=None) as stream:
        for record in records:
            await stream.publish(
                record.value,
                topic,
                key=record.key,
                partition=0,
                timestamp_ms=record.timestamp_ms,
                headers={name: (value or b"").decode() for name, value in record.headers},
            )


async def stream_read(kind: str, broker: Broker, topic: str, count: int) -> list[Record]:
    """Read in a group, by a handler."""
    stream_class, convert = STREAMS[kind]
    stream = stream_class(broker.bootstrap_servers, logger=None)
    read: list[Record] = []
    done = asyncio.Event()

    @stream.subscriber(topic, group_id=f"{topic}-{kind}", auto_offset_reset="earliest")
    async def handle(_body: object, message: object = MESSAGE) -> None:
        read.append(without_place(convert(message.raw_message)))
        if len(read) == count:
            done.set()

    await stream.start()
    try:
        await asyncio.wait_for(done.wait(), WAIT_S)
    finally:
        await stream.stop()
    return read


@pytest.mark.parametrize("kind", STREAMS)
def test_what_faststream_writes_every_client_reads(clients: Clients, kind: str) -> None:
    topic = clients.new_topic()
    asyncio.run(stream_produce(kind, clients.broker, topic, RECORDS))
    assert [without_place(record) for record in clients.read(topic, len(RECORDS))] == RECORDS
    read = aiokafka_read(clients.broker, topic, len(RECORDS))
    assert [without_place(of_aiokafka(record)) for record in read] == RECORDS


@pytest.mark.parametrize("kind", STREAMS)
def test_what_every_client_writes_faststream_reads(clients: Clients, kind: str) -> None:
    topic = clients.new_topic()
    clients.produce(topic, RECORDS)
    aiokafka_produce(clients.broker, topic, RECORDS)
    other = next(other for other in STREAMS if other != kind)
    asyncio.run(stream_produce(other, clients.broker, topic, RECORDS))
    assert asyncio.run(stream_read(kind, clients.broker, topic, 3 * len(RECORDS))) == 3 * RECORDS


def test_what_a_handler_was_given_is_not_given_to_its_group_again(clients: Clients) -> None:
    topic = clients.new_topic()
    clients.produce(topic, RECORDS)
    assert asyncio.run(stream_read("aiokafka", clients.broker, topic, 3)) == RECORDS
    clients.produce(topic, RECORDS[:1])
    assert asyncio.run(stream_read("aiokafka", clients.broker, topic, 1)) == RECORDS[:1]
