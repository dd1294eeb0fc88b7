"""Writing records with each delivery confirmed by the broker."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from protopact.errors import BrokerError, DeliveryError, DeliveryFailure
from protopact.integrations.kafka.librdkafka import broker_error, kafka_exception, needs_producer_id, new_producer
from protopact.integrations.kafka.record import OutgoingRecord, delivery_of, header_list, outgoing_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from confluent_kafka import KafkaError, Message, Producer

    from protopact.integrations.kafka.librdkafka import KafkaConf
    from protopact.integrations.kafka.record import Delivery, Headers, Outgoing

POLL_S = 0.1  # another thread may serve the callback of this one's record, so no wait is longer
DELIVERY_S_MIN = 0.1
PRODUCER_ID_S_MAX = 0.5  # librdkafka asks by itself after so long
# The fault of one record; any other failure would meet the next records too.
_FAULTS_OF_ONE_RECORD = frozenset({"INVALID_MSG_SIZE", "INVALID_RECORD", "INVALID_TIMESTAMP", "MSG_SIZE_TOO_LARGE"})


def kafka_produce(
    producer: Producer | KafkaConf,
    topic: str,
    value: bytes | str | None,
    *,
    key: bytes | str | None = None,
    headers: Headers | None = None,
    partition: int | None = None,
    timeout_s: float = 30.0,
) -> Delivery:
    """Write one record and give its confirmed place: topic, partition, offset, timestamp in ms.

    `producer` is a confluent-kafka Producer, used and left open, or a configuration, for which one is made and
    closed: hand over a Producer to write more than a few records, or use `produce_all`. Raises `BrokerError` with
    the topic when the broker refuses the record, or has not confirmed it within `timeout_s` seconds: then it is not
    known whether the record was written.
    """
    record = OutgoingRecord(value, key, headers, partition)
    with _confirming(producer, topic, timeout_s, {"linger.ms": 0}) as confirmations:
        confirmations.send(0, record)
        confirmations.wait_until_below(1)
        if confirmations.error is not None:
            raise confirmations.error
        assert confirmations.last is not None
        return confirmations.last


def produce_all(
    producer: Producer | KafkaConf,
    topic: str,
    records: Iterable[Outgoing],
    *,
    in_flight_max: int = 10_000,
    timeout_s: float = 30.0,
) -> int:
    """Write records through one producer, at most `in_flight_max` of them unconfirmed, and give their number.

    A record is a value, a pair (key, value) or an `OutgoingRecord`. The number comes back only when the broker has
    confirmed every record. Otherwise `DeliveryError` lists every failure with the record's index: the fault of one
    record (too large) does not stop the others; any other failure (broker gone) ends the sending. `timeout_s` bounds
    each record's delivery.
    """
    with _confirming(producer, topic, timeout_s, {}) as confirmations:
        for index, record in enumerate(records):
            confirmations.wait_until_below(in_flight_max)
            if confirmations.hopeless:
                break
            confirmations.send(index, outgoing_record(record))
        confirmations.wait_until_below(1)
        if confirmations.error is not None:
            raise DeliveryError(
                topic,
                confirmations.failures,
                confirmed=confirmations.confirmed,
                hint=confirmations.error.hint,
            )
        return confirmations.confirmed


@contextmanager
def _confirming(
    producer: Producer | KafkaConf, topic: str, timeout_s: float, defaults: Mapping[str, object]
) -> Iterator[_Confirmations]:
    """Write by the caller's producer, or by one of our own that holds nothing back when it ends."""
    if not isinstance(producer, (str, Mapping)):
        yield _Confirmations(producer, topic, timeout_s)
        return
    # librdkafka looks for records that are out of time once a second: its own verdict comes before ours.
    delivery_s = max(timeout_s - 1.0, timeout_s / 2, DELIVERY_S_MIN)
    own = new_producer(producer, {"delivery.timeout.ms": int(delivery_s * 1000), **defaults})
    try:
        yield _Confirmations(own, topic, timeout_s, needs_producer_id=needs_producer_id(producer))
    finally:
        own.purge()  # nothing is left unless an exception is on its way; its records must not be sent later
        own.flush(POLL_S)


class _Confirmations:
    """Records in flight to one topic, and what the broker said of each."""

    def __init__(self, producer: Producer, topic: str, timeout_s: float, *, needs_producer_id: bool = False) -> None:
        self.confirmed = 0
        self.last: Delivery | None = None
        self.failures: list[DeliveryFailure] = []
        self.error: BrokerError | None = None
        self.hopeless = False
        self._producer = producer
        self._topic = topic
        self._timeout_s = timeout_s
        self._needs_producer_id = needs_producer_id
        self._in_flight = 0
        self._heard_at = time.monotonic()

    def send(self, index: int, record: OutgoingRecord) -> None:
        """Hand one record to librdkafka, waiting while its queue is full."""
        if not self._in_flight:
            self._heard_at = time.monotonic()
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    record.value,
                    record.key,
                    -1 if record.partition is None else record.partition,
                    on_delivery=partial(self._settle, index),
                    headers=header_list(record.headers),
                )
            except BufferError:
                self._serve(POLL_S)
            except kafka_exception() as error:
                self._fail(index, error.args[0])
                return
            else:
                self._in_flight += 1
                self._get_producer_id()
                self._producer.poll(0)
                return

    def wait_until_below(self, limit: int) -> None:
        """Serve confirmations until fewer than `limit` records are in flight."""
        while self._in_flight >= limit:
            self._serve(POLL_S)

    def _get_producer_id(self) -> None:
        """Have a new producer get the id without which no record leaves it.

        librdkafka asks for one when metadata come while a broker is connected, else twice a second. The first metadata
        come over the connection to a bootstrap server, which ends with them; the second come over one that stays.
        """
        if not self._needs_producer_id:
            return
        self._needs_producer_id = False
        wait_s = min(PRODUCER_ID_S_MAX, self._timeout_s / 4)
        with suppress(kafka_exception()):  # what is wrong is told of the records
            for _ in range(2):
                self._producer.list_topics(self._topic, timeout=wait_s)

    def _serve(self, wait_s: float) -> None:
        self._producer.poll(wait_s)
        silent_s = time.monotonic() - self._heard_at
        if silent_s > self._timeout_s:  # the caller's producer may have a longer delivery.timeout.ms
            raise BrokerError(
                f"{self._in_flight} records to the topic {self._topic!r} were not confirmed within {silent_s:.1f} s",
                topic=self._topic,
                hint="they may or may not have been written; check that the brokers can be reached",
            )

    def _settle(self, index: int, error: KafkaError | None, message: Message) -> None:
        self._in_flight -= 1
        self._heard_at = time.monotonic()
        if error is not None:
            self._fail(index, error)
            return
        self.confirmed += 1
        self.last = delivery_of(message)

    def _fail(self, index: int, error: KafkaError) -> None:
        what = f"a record to the topic {self._topic!r} was not delivered"
        self.error = self.error or broker_error(what, error, topic=self._topic)
        self.hopeless = self.hopeless or error.name() not in _FAULTS_OF_ONE_RECORD
        self.failures.append(DeliveryFailure(index, f"{error.str().strip()} ({error.name()})"))
