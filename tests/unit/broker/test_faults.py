"""A test's faults meet the requests that it names, as often as it says, and clients see them as Kafka's own."""

from __future__ import annotations

import pytest

from protopact.broker.apis import APIS
from protopact.broker.codes import Code
from protopact.broker.faults import Faults
from protopact.broker.handlers.refusing import _REFUSED
from protopact.broker.messages.cluster import MetadataRequest
from protopact.errors import BrokerError, ConfigError, DeliveryError
from protopact.integrations.kafka import kafka_produce, produce_all, read_topic
from protopact.testing import RunningKafka, running_kafka
from unit.broker.raw_client import RawClient

VERSIONS = {"client_software_name": "raw", "client_software_version": "1"}


@pytest.fixture
def kafka() -> RunningKafka:
    with running_kafka() as running:
        yield running


def values(kafka: RunningKafka, topic: str) -> list[bytes | None]:
    return [record.value for record in read_topic(kafka.bootstrap_servers, topic, until_end=True)]


def test_every_request_of_the_table_has_an_answer_that_refuses_it() -> None:
    assert {api.request for api in APIS.values()} - {MetadataRequest} == set(_REFUSED)


def test_an_error_that_passes_is_tried_again_and_the_record_stands_once(kafka: RunningKafka) -> None:
    topic = kafka.create_topic()
    kafka.faults.error("NOT_LEADER_OR_FOLLOWER", "Produce", times=2)
    assert kafka_produce(kafka.bootstrap_servers, topic, b"one").offset == 0
    assert values(kafka, topic) == [b"one"]


def test_an_error_that_lasts_is_the_deliverys(kafka: RunningKafka) -> None:
    topic = kafka.create_topic()
    kafka.faults.error("TOPIC_AUTHORIZATION_FAILED", "Produce", times=None)
    with pytest.raises(DeliveryError, match="TOPIC_AUTHORIZATION_FAILED"):
        produce_all(kafka.bootstrap_servers, topic, [b"one"])
    kafka.faults.clear()
    assert values(kafka, topic) == []


def test_a_lost_answer_leaves_the_record_which_an_idempotent_producer_does_not_double(kafka: RunningKafka) -> None:
    topic = kafka.create_topic()
    kafka.faults.lose_answer("Produce", times=2)
    kafka_produce(kafka.bootstrap_servers, topic, b"one")
    assert values(kafka, topic) == [b"one"]


def test_a_dropped_request_is_not_done(kafka: RunningKafka) -> None:
    with RawClient(kafka.bootstrap_servers) as client:
        kafka.faults.drop("ApiVersions", skip=1)
        assert client.ask(18, 3, **VERSIONS) is not None
        assert client.ask(18, 3, **VERSIONS) is None
    with RawClient(kafka.bootstrap_servers) as client:
        assert client.ask(18, 3, **VERSIONS) is not None


def test_a_delay_makes_requests_late_and_not_wrong(kafka: RunningKafka) -> None:
    topic = kafka.create_topic()
    kafka.faults.delay(0.05, times=3)
    assert kafka_produce(kafka.bootstrap_servers, topic, b"one").offset == 0


def test_refused_connections_are_an_outage_until_they_are_taken_again(kafka: RunningKafka) -> None:
    topic = kafka.create_topic()
    kafka.faults.refuse_connections()
    with pytest.raises(BrokerError):
        kafka_produce(kafka.bootstrap_servers, topic, b"one", timeout_s=0.5)
    kafka.faults.refuse_connections(refuse=False)
    assert kafka_produce(kafka.bootstrap_servers, topic, b"two").offset == 0


def test_an_error_in_metadata_still_names_the_broker(kafka: RunningKafka) -> None:
    kafka.create_topic("known")
    kafka.faults.error("LEADER_NOT_AVAILABLE", "Metadata")
    with RawClient(kafka.bootstrap_servers) as client:
        answer = client.ask(
            3,
            8,
            topics=None,
            allow_auto_topic_creation=False,
            include_cluster_authorized_operations=False,
            include_topic_authorized_operations=False,
        )
        assert [topic.error_code.name for topic in answer.topics] == ["leader_not_available"]
        assert len(answer.brokers) == 1


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda faults: faults.error("NOT_LEADER", "Produce"), "NOT_LEADER_OR_FOLLOWER"),
        (lambda faults: faults.error("NOT_LEADER_OR_FOLLOWER", "Prodcue"), "Produce"),
        (lambda faults: faults.drop("fetch"), "Fetch"),
    ],
)
def test_a_name_that_does_not_exist_is_refused_with_the_nearest(call: object, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        call(Faults())
    assert hint in caught.value.hint


def test_codes_have_the_protocols_numbers() -> None:
    from kio.schema.errors import ErrorCode

    assert {code.name: code.value for code in Code} == {ErrorCode(code.value).name.upper(): code.value for code in Code}
