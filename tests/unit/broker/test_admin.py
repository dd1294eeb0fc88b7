"""Topics and their settings by a real client: made, grown, described, changed, deleted; refusals with Kafka's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
)

from protopact.integrations.kafka import OutgoingRecord, produce_all, read_topic
from protopact.testing import running_kafka

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from protopact.testing import RunningKafka

WAIT_S = 20.0


@pytest.fixture(scope="module")
def broker() -> Iterator[RunningKafka]:
    with running_kafka() as kafka:
        yield kafka


@pytest.fixture(scope="module")
def admin(broker: RunningKafka) -> AdminClient:
    return AdminClient({"bootstrap.servers": broker.bootstrap_servers})


def outcome(futures: Mapping[object, Future[Any]]) -> str:
    """Give the one future's error by name, or `done`."""
    (future,) = futures.values()
    try:
        future.result(WAIT_S)
    except KafkaException as error:
        return error.args[0].name()
    return "done"


def create(admin: AdminClient, *topics: NewTopic, **options: object) -> str:
    return outcome(admin.create_topics(list(topics), **options))


def test_a_topic_is_made_grown_and_deleted(admin: AdminClient) -> None:
    assert create(admin, NewTopic("grows", 2)) == "done"
    assert len(admin.list_topics("grows", timeout=WAIT_S).topics["grows"].partitions) == 2
    assert outcome(admin.create_partitions([NewPartitions("grows", 5)])) == "done"
    assert len(admin.list_topics("grows", timeout=WAIT_S).topics["grows"].partitions) == 5
    assert outcome(admin.delete_topics(["grows"])) == "done"
    assert "grows" not in admin.list_topics(timeout=WAIT_S).topics


@pytest.mark.parametrize(
    ("topic", "error"),
    [
        (NewTopic("bad name", 1), "TOPIC_EXCEPTION"),
        (NewTopic("many", 10_001), "INVALID_PARTITIONS"),
        (NewTopic("none", 0), "INVALID_PARTITIONS"),
        (NewTopic("replicated", 1, 3), "INVALID_REPLICATION_FACTOR"),
        (NewTopic("compacted", 1, config={"cleanup.policy": "compact"}), "INVALID_CONFIG"),
        (NewTopic("elsewhere", 1, replica_assignment=[[7]]), "INVALID_REPLICA_ASSIGNMENT"),
    ],
)
def test_a_topic_that_cannot_be_is_refused_and_not_made(admin: AdminClient, topic: NewTopic, error: str) -> None:
    if topic.num_partitions > 0 or error == "INVALID_PARTITIONS":
        assert create(admin, topic) == error
    assert topic.topic not in admin.list_topics(timeout=WAIT_S).topics


def test_a_topic_that_is_there_is_refused_and_validating_makes_none(admin: AdminClient) -> None:
    assert create(admin, NewTopic("only-once", 1)) == "done"
    assert create(admin, NewTopic("only-once", 1)) == "TOPIC_ALREADY_EXISTS"
    assert create(admin, NewTopic("only-checked", 1), validate_only=True) == "done"
    assert "only-checked" not in admin.list_topics(timeout=WAIT_S).topics


def test_what_is_not_there_is_neither_deleted_nor_grown(admin: AdminClient) -> None:
    assert outcome(admin.delete_topics(["nowhere"])) == "UNKNOWN_TOPIC_OR_PART"
    assert outcome(admin.create_partitions([NewPartitions("nowhere", 5)])) == "UNKNOWN_TOPIC_OR_PART"
    assert create(admin, NewTopic("fixed", 3)) == "done"
    assert outcome(admin.create_partitions([NewPartitions("fixed", 3)])) == "INVALID_PARTITIONS"


def described(admin: AdminClient, kind: object, name: str) -> dict[str, ConfigEntry]:
    (future,) = admin.describe_configs([ConfigResource(kind, name)]).values()
    return future.result(WAIT_S)


def test_settings_are_described_changed_and_taken_back(admin: AdminClient) -> None:
    assert create(admin, NewTopic("set", 1, config={"retention.ms": "1000"})) == "done"
    found = described(admin, ConfigResource.Type.TOPIC, "set")
    assert (found["retention.ms"].value, found["segment.bytes"].value) == ("1000", str(128 * 1024 * 1024))
    changes = [
        ConfigEntry("retention.ms", None, incremental_operation=AlterConfigOpType.DELETE),
        ConfigEntry("segment.ms", "5000", incremental_operation=AlterConfigOpType.SET),
    ]
    resource = ConfigResource(ConfigResource.Type.TOPIC, "set", incremental_configs=changes)
    assert outcome(admin.incremental_alter_configs([resource])) == "done"
    found = described(admin, ConfigResource.Type.TOPIC, "set")
    assert (found["retention.ms"].value, found["segment.ms"].value) == (str(7 * 24 * 3600 * 1000), "5000")


@pytest.mark.parametrize(
    ("kind", "name", "entry", "error"),
    [
        ("TOPIC", "settable", ("retention.ms", "soon", "SET"), "INVALID_CONFIG"),
        ("TOPIC", "settable", ("retention.ms", "1", "APPEND"), "INVALID_CONFIG"),
        ("TOPIC", "settable", ("cleanup.policy", "compact", "APPEND"), "INVALID_CONFIG"),
        ("TOPIC", "nowhere", ("retention.ms", "1", "SET"), "UNKNOWN_TOPIC_OR_PART"),
        ("BROKER", "1", ("log.retention.ms", "1", "SET"), "INVALID_REQUEST"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_and_nothing_changes(
    admin: AdminClient, kind: str, name: str, entry: tuple[str, str, str], error: str
) -> None:
    create(admin, NewTopic("settable", 1))
    change = ConfigEntry(entry[0], entry[1], incremental_operation=AlterConfigOpType[entry[2]])
    resource = ConfigResource(ConfigResource.Type[kind], name, incremental_configs=[change])
    assert outcome(admin.incremental_alter_configs([resource])) == error
    assert described(admin, ConfigResource.Type.TOPIC, "settable")["retention.ms"].is_default


def test_the_brokers_settings_are_shown_and_read_only(admin: AdminClient) -> None:
    found = described(admin, ConfigResource.Type.BROKER, "1")
    assert found["num.partitions"].value == "1"
    assert all(entry.is_read_only for entry in found.values())


def test_the_cluster_is_one_broker_at_the_address_by_which_it_was_reached(
    admin: AdminClient, broker: RunningKafka
) -> None:
    cluster = admin.describe_cluster().result(WAIT_S)
    assert [f"{node.host}:{node.port}" for node in cluster.nodes] == [broker.bootstrap_servers]
    assert cluster.controller.id == 1


def test_records_before_an_offset_are_deleted_and_reading_begins_after_them(
    admin: AdminClient, broker: RunningKafka
) -> None:
    topic = broker.create_topic()
    produce_all(broker.bootstrap_servers, topic, [OutgoingRecord(b"%d" % n, partition=0) for n in range(10)])
    assert outcome(admin.delete_records([TopicPartition(topic, 0, 7)])) == "done"
    found = list(read_topic(broker.bootstrap_servers, topic, until_end=True))
    assert [record.offset for record in found] == [7, 8, 9]
    assert outcome(admin.delete_records([TopicPartition(topic, 0, 11)])) == "OFFSET_OUT_OF_RANGE"


def test_a_topic_is_made_by_naming_it_only_where_the_client_wants_that(broker: RunningKafka) -> None:
    produce_all(broker.bootstrap_servers, "made-by-name", [b"1"])
    forbidding = AdminClient({"bootstrap.servers": broker.bootstrap_servers, "allow.auto.create.topics": False})
    assert forbidding.list_topics("never-made", timeout=WAIT_S).topics["never-made"].error is not None
    assert "made-by-name" in forbidding.list_topics(timeout=WAIT_S).topics
    assert "never-made" not in forbidding.list_topics(timeout=WAIT_S).topics


def test_a_batch_above_the_topics_limit_is_refused(broker: RunningKafka) -> None:
    from protopact.errors import DeliveryError

    topic = broker.create_topic(config={"max.message.bytes": "1000"})
    with pytest.raises(DeliveryError, match="MSG_SIZE_TOO_LARGE"):
        produce_all(broker.bootstrap_servers, topic, [bytes(2000)])


def test_arrival_time_is_written_where_the_topic_asks_for_it(broker: RunningKafka) -> None:
    topic = broker.create_topic(config={"message.timestamp.type": "LogAppendTime"})
    before = broker.clock.now_ms()
    produce_all(broker.bootstrap_servers, topic, [b"1"])
    (record,) = read_topic(broker.bootstrap_servers, topic, until_end=True)
    assert before <= record.timestamp_ms <= broker.clock.now_ms()
