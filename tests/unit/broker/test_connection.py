"""A client that sends what is no request loses its connection, with a line in the log; others are served."""

from __future__ import annotations

import logging
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from protopact.broker import background_broker
from protopact.integrations.kafka import produce_all, read_topic
from protopact.settings import BrokerSettings
from protopact.testing import running_kafka
from record_batches import make_batch
from unit.broker.newer_messages import request
from unit.broker.raw_client import RawClient, read_answer, request_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.testing import RunningKafka

VERSIONS = {"client_software_name": "raw", "client_software_version": "1"}
ASK = request_frame(18, 3, 1, **VERSIONS)


@pytest.fixture(scope="module")
def broker() -> Iterator[RunningKafka]:
    with running_kafka() as kafka:
        yield kafka


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x7f\xff\xff\xff", "announces 2147483647 bytes"),
        (b"\xff\xff\xff\xff", "announces -1 bytes"),
        (b"\x00\x00\x00\x00", "has no header"),
        (b"\x00\x00\x00\x07" + bytes(7), "has no header"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "announces 1195725856 bytes"),
        (b"\x00\x00\x00\x0a\x03\xe7\x00\x00" + bytes(6), "request 999 is not known"),
        (b"\x00\x00\x00\x0a\x00\x03\x00\x63" + bytes(6), "Metadata is known in the versions"),
        (b"\x00\x00\x00\x0a\x00\x03\x00\x0c" + bytes(6), "the bytes are no"),
        (ASK[:4] + b"\x00\x12\x00\x03" + b"\xff" * (len(ASK) - 8), "the bytes are no"),
    ],
)
def test_bytes_that_are_no_request_end_the_connection_and_nobody_elses(
    broker: RunningKafka, data: bytes, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.WARNING, logger="protopact.broker"),
        RawClient(broker.bootstrap_servers) as other,
        RawClient(broker.bootstrap_servers) as client,
    ):
        client.send(data)
        assert client.receive_frame() is None
        assert said in caplog.text
        assert other.ask(18, 3, **VERSIONS).error_code.name == "none"


def test_a_version_of_api_versions_that_is_not_known_is_answered_with_the_list_in_version_0(
    broker: RunningKafka,
) -> None:
    with RawClient(broker.bootstrap_servers) as client:
        client.send(b"\x00\x00\x00\x0a\x00\x12\x00\x63\x00\x00\x00\x05\xff\xff")
        answer = read_answer(client.receive_frame(), 18, 0)
        assert (answer.error_code.name, len(answer.api_keys) > 20) == ("unsupported_version", True)
        assert client.ask(18, 3, **VERSIONS).error_code.name == "none"  # the same connection goes on


def test_answers_come_in_the_order_of_the_requests(broker: RunningKafka) -> None:
    with RawClient(broker.bootstrap_servers) as client:
        client.send(b"".join(request_frame(18, 3, number, **VERSIONS) for number in range(1, 101)))
        heads = [int.from_bytes(client.receive_frame()[:4], "big") for _ in range(100)]
        assert heads == list(range(1, 101))


def test_a_request_may_come_byte_by_byte(broker: RunningKafka) -> None:
    with RawClient(broker.bootstrap_servers) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in ASK:
            client.send(bytes([byte]))
        assert client.receive_frame() is not None


def test_a_client_of_a_later_kafka_is_served_without_the_tagged_fields_that_are_new(broker: RunningKafka) -> None:
    topic = broker.create_topic()

    def appending(message: Any) -> Any:
        (each, _) = message.topic_data
        (part, _) = each.partition_data
        parts = (replace(part, index=0, records=make_batch((broker.clock.now_ms(),), size=3)),)
        return replace(
            message, acks=-1, transactional_id=None, topic_data=(replace(each, name=topic, partition_data=parts),)
        )

    further = {4: b"later", 1000: bytes(1000)}
    with RawClient(broker.bootstrap_servers) as client:
        for key, version, change in ((18, 3, lambda message: message), (0, 9, appending)):
            frame = request(key, version, further, change=change)
            client.send(len(frame).to_bytes(4, "big") + frame)
            answer = read_answer(client.receive_frame() or b"", key, version)
        ((appended,),) = [each.partition_responses for each in answer.responses]
        assert (appended.error_code, appended.base_offset) == (0, 0)
    assert [record.value for record in read_topic(broker.bootstrap_servers, topic, until_end=True)] == [b"vvv"]


def test_a_connection_above_the_limit_is_closed_and_a_place_that_is_left_is_given_again() -> None:
    with background_broker(settings=BrokerSettings(connections_max=2)) as broker:
        with RawClient(broker.bootstrap_servers) as first, RawClient(broker.bootstrap_servers) as second:
            assert first.ask(18, 3, **VERSIONS) is not None
            assert second.ask(18, 3, **VERSIONS) is not None
            with RawClient(broker.bootstrap_servers) as third:
                assert third.receive_frame() is None
        while broker.call(lambda: len(broker.broker.connections)):
            pass
        with RawClient(broker.bootstrap_servers) as again:
            assert again.ask(18, 3, **VERSIONS) is not None


def test_requests_together_larger_than_the_memory_for_them_are_all_served() -> None:
    settings = BrokerSettings(requests_bytes_max=300_000)
    with background_broker(settings=settings) as broker:
        conf = {"bootstrap.servers": broker.bootstrap_servers, "batch.num.messages": 2, "linger.ms": 0}
        assert produce_all(conf, "large", [bytes(200_000) for _ in range(40)]) == 40
        found = list(read_topic(broker.bootstrap_servers, "large", until_end=True))
        assert [len(record.value) for record in found] == [200_000] * 40


def test_a_client_that_is_still_in_the_midst_of_a_request_is_given_up() -> None:
    with (
        background_broker(settings=BrokerSettings(request_s=0.0)) as broker,
        RawClient(broker.bootstrap_servers) as half,
    ):
        half.send(ASK[:-1])
        while not broker.call(lambda: [each for each in broker.broker.connections if each._intake.is_owed]):
            pass
        broker.call(broker.broker._sweep)
        assert half.receive_frame() is None
