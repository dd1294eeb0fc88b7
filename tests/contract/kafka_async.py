"""The asynchronous clients of the contract: aiokafka, and FastStream over it and over confluent-kafka."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from contract.kafka_clients import WAIT_S, Broker, Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka import ConsumerRecord
    from aiokafka.structs import RecordMetadata


def of_aiokafka(record: ConsumerRecord) -> Record:
    return Record(
        value=record.value,
        key=record.key,
        headers=tuple(record.headers),
        timestamp_ms=record.timestamp,
        partition=record.partition,
        offset=record.offset,
    )


async def produce_all(producer: AIOKafkaProducer, topic: str, records: Sequence[Record]) -> list[RecordMetadata]:
    """Write records where they say; they may share batches."""
    sent = [
        await producer.send(
            topic,
            record.value,
            record.key,
            partition=record.partition,
            timestamp_ms=record.timestamp_ms,
            headers=list(record.headers),
        )
        for record in records
    ]
    return [await each for each in sent]


def aiokafka_produce(broker: Broker, topic: str, records: Sequence[Record], **options: object) -> list[RecordMetadata]:
    async def produce() -> list[RecordMetadata]:
        async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers, **options) as producer:
            return await produce_all(producer, topic, records)

    return asyncio.run(asyncio.wait_for(produce(), WAIT_S))


def aiokafka_read(
    broker: Broker, topic: str, count: int, *, partition: int = 0, **options: object
) -> list[ConsumerRecord]:
    """Read the first records of a partition, without a group."""

    async def read() -> list[ConsumerRecord]:
        async with AIOKafkaConsumer(
            bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest", **options
        ) as consumer:
            consumer.assign([TopicPartition(topic, partition)])
            return [await consumer.getone() for _ in range(count)]

    return asyncio.run(asyncio.wait_for(read(), WAIT_S))
