"""What every Kafka broker does for those who administer it: topics, their configs, and the cluster itself."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic as AioTopic
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    ResourceType,
)

from contract.kafka_clients import WAIT_S, Clients, Record, becomes, messages, new_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confluent_kafka.admin import TopicDescription

DAY_MS = 24 * 3600 * 1000


def create(clients: Clients, *topics: NewTopic, validate_only: bool = False) -> dict[str, int | None]:
    """Create topics, and give the error code of each."""
    futures = clients.admin.create_topics(list(topics), validate_only=validate_only)
    return {name: code_of(lambda future=future: future.result(WAIT_S)) for name, future in futures.items()}


def code_of(call: Callable[[], object]) -> int | None:
    try:
        call()
    except KafkaException as error:
        return error.args[0].code()
    return None


def partitions_of(clients: Clients, topic: str) -> int | None:
    """Give the number of partitions, None where there is no such topic; every partition has this one broker."""
    found = clients.admin.list_topics(topic, timeout=WAIT_S).topics[topic]
    if found.error is not None:
        assert found.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART
        return None
    assert sorted(found.partitions) == list(range(len(found.partitions)))
    for partition in found.partitions.values():
        assert partition.replicas == partition.isrs == [partition.leader]
    return len(found.partitions)


def configs(clients: Clients, topic: str) -> dict[str, ConfigEntry]:
    resource = ConfigResource(ResourceType.TOPIC, topic)
    return clients.admin.describe_configs([resource])[resource].result(WAIT_S)


def change(clients: Clients, topic: str, name: str, value: str | None, kind: AlterConfigOpType) -> int | None:
    entry = ConfigEntry(name, value, incremental_operation=kind)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    return code_of(lambda: clients.admin.incremental_alter_configs([resource])[resource].result(WAIT_S))


def test_topics_are_created_with_partitions_and_config(clients: Clients) -> None:
    one, two = new_name("topic"), new_name("topic")
    asked = [NewTopic(one, 3, 1, config={"retention.ms": "1234567"}), NewTopic(two, 1, 1)]
    assert create(clients, *asked) == {one: None, two: None}
    assert becomes(lambda: [partitions_of(clients, name) for name in (one, two)], [3, 1])
    assert configs(clients, one)["retention.ms"].value == "1234567"
    assert {one, two} <= clients.admin.list_topics(timeout=WAIT_S).topics.keys()


def test_a_topic_that_does_not_say_gets_the_brokers_number_of_partitions(clients: Clients) -> None:
    name = new_name("topic")
    assert create(clients, NewTopic(name)) == {name: None}
    assert becomes(lambda: partitions_of(clients, name), 1)


def test_a_topic_that_exists_is_refused_beside_one_that_is_created(clients: Clients) -> None:
    old, new = clients.new_topic(2), new_name("topic")
    asked = [NewTopic(old, 5, 1), NewTopic(new, 1, 1)]
    assert create(clients, *asked) == {old: KafkaError.TOPIC_ALREADY_EXISTS, new: None}
    assert becomes(lambda: partitions_of(clients, old), 2)


@pytest.mark.parametrize("name", [".", "..", "a/b", "a b", "Łódź", "t" * 250])
def test_an_invalid_name_is_refused(clients: Clients, name: str) -> None:
    assert create(clients, NewTopic(name, 1, 1)) == {name: KafkaError.TOPIC_EXCEPTION}


def test_the_longest_name_and_every_letter_are_taken(clients: Clients) -> None:
    name = new_name("A-z_0.9").ljust(249, "x")
    assert create(clients, NewTopic(name, 1, 1)) == {name: None}
    assert becomes(lambda: partitions_of(clients, name), 1)
    clients.admin.delete_topics([name])[name].result(WAIT_S)


@pytest.mark.parametrize(
    ("partitions", "replicas", "config", "code"),
    [
        (1, 3, {}, KafkaError.INVALID_REPLICATION_FACTOR),
        (1, 1, {"no.such.config": "1"}, KafkaError.INVALID_CONFIG),
        (1, 1, {"retention.ms": "soon"}, KafkaError.INVALID_CONFIG),
        (1, 1, {"retention.ms": "-2"}, KafkaError.INVALID_CONFIG),
        (1, 1, {"max.message.bytes": "-1"}, KafkaError.INVALID_CONFIG),
        (1, 1, {"message.timestamp.type": "Yesterday"}, KafkaError.INVALID_CONFIG),
        (1, 1, {"cleanup.policy": "burn"}, KafkaError.INVALID_CONFIG),
    ],
)
def test_a_topic_with_impossible_settings_is_refused_and_not_there(
    clients: Clients, partitions: int, replicas: int, config: Mapping[str, str], code: int
) -> None:
    name = new_name("topic")
    assert create(clients, NewTopic(name, partitions, replicas, config=dict(config))) == {name: code}
    assert partitions_of(clients, name) is None


def test_a_topic_that_is_only_validated_is_not_created(clients: Clients) -> None:
    name, old = new_name("topic"), clients.new_topic()
    asked = [NewTopic(name, 1, 1), NewTopic(old, 1, 1)]
    assert create(clients, *asked, validate_only=True) == {name: None, old: KafkaError.TOPIC_ALREADY_EXISTS}
    assert partitions_of(clients, name) is None


def test_a_deleted_topic_is_gone_and_can_be_made_anew(clients: Clients) -> None:
    topic = clients.new_topic(3)
    clients.produce(topic, [Record(b"old")])
    clients.admin.delete_topics([topic])[topic].result(WAIT_S)
    assert becomes(lambda: partitions_of(clients, topic), None)
    assert topic not in clients.admin.list_topics(timeout=WAIT_S).topics
    assert create(clients, NewTopic(topic, 1, 1)) == {topic: None}
    clients.wait_for_leader(topic)
    assert clients.end_of(topic) == 0
    clients.produce(topic, [Record(b"new")])
    assert clients.read(topic, 1)[0].value == b"new"


def test_a_topic_that_is_not_there_cannot_be_deleted(clients: Clients) -> None:
    topic = new_name("topic")
    code = code_of(lambda: clients.admin.delete_topics([topic])[topic].result(WAIT_S))
    assert code == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_a_topic_that_is_not_there_is_told_and_not_created(clients: Clients) -> None:
    topic = new_name("topic")
    assert partitions_of(clients, topic) is None
    consumer = clients.consumer()
    consumer.subscribe([topic])
    with pytest.raises(KafkaException) as told:
        next(messages(consumer, 1))
    assert told.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    assert partitions_of(clients, topic) is None
    assert topic not in clients.admin.list_topics(timeout=WAIT_S).topics


def test_a_topic_gains_partitions_and_keeps_its_records(clients: Clients) -> None:
    topic = clients.new_topic(1)
    clients.produce(topic, [Record(b"0")])
    clients.admin.create_partitions([NewPartitions(topic, 3)])[topic].result(WAIT_S)
    assert becomes(lambda: partitions_of(clients, topic), 3)
    clients.wait_for_leader(topic, 2)
    clients.produce(topic, [Record(b"2", partition=2)])
    assert [clients.read(topic, 1, partition=number)[0].value for number in (0, 2)] == [b"0", b"2"]


@pytest.mark.parametrize("total", [1, 2])
def test_partitions_become_more_or_the_change_is_refused(clients: Clients, total: int) -> None:
    topic = clients.new_topic(2)
    code = code_of(lambda: clients.admin.create_partitions([NewPartitions(topic, total)])[topic].result(WAIT_S))
    assert code == KafkaError.INVALID_PARTITIONS
    assert becomes(lambda: partitions_of(clients, topic), 2)


def test_partitions_of_a_topic_that_is_not_there_are_refused(clients: Clients) -> None:
    topic = new_name("topic")
    code = code_of(lambda: clients.admin.create_partitions([NewPartitions(topic, 2)])[topic].result(WAIT_S))
    assert code == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_a_config_that_nobody_set_is_told_as_the_default(clients: Clients) -> None:
    found = configs(clients, clients.new_topic(config={"retention.bytes": "5000000"}))
    assert (found["cleanup.policy"].value, found["cleanup.policy"].is_default) == ("delete", True)
    assert (found["retention.ms"].value, found["retention.ms"].is_default) == (str(7 * DAY_MS), True)
    assert (found["message.timestamp.type"].value, found["compression.type"].value) == ("CreateTime", "producer")
    own = found["retention.bytes"]
    assert (own.value, own.is_default, own.source) == ("5000000", False, ConfigSource.DYNAMIC_TOPIC_CONFIG.value)
    assert not any(entry.is_sensitive or entry.is_read_only for entry in found.values())
    assert {"max.message.bytes", "segment.bytes", "min.insync.replicas"} <= found.keys()


def retention(clients: Clients, topic: str) -> tuple[str | None, bool, str | None, bool]:
    """Give the two bounds of retention, each with whether it is the default."""
    time_bound, size_bound = (configs(clients, topic)[name] for name in ("retention.ms", "retention.bytes"))
    return time_bound.value, time_bound.is_default, size_bound.value, size_bound.is_default


def test_one_config_is_changed_and_the_others_stay(clients: Clients) -> None:
    topic = clients.new_topic(config={"retention.ms": "1000000", "retention.bytes": "5000000"})
    assert change(clients, topic, "retention.ms", "2000000", AlterConfigOpType.SET) is None
    assert becomes(lambda: retention(clients, topic), ("2000000", False, "5000000", False))
    assert change(clients, topic, "retention.ms", None, AlterConfigOpType.DELETE) is None
    assert becomes(lambda: retention(clients, topic), (str(7 * DAY_MS), True, "5000000", False))


def test_all_configs_are_replaced_at_once(clients: Clients) -> None:
    topic = clients.new_topic(config={"retention.ms": "1000000", "retention.bytes": "5000000"})
    resource = ConfigResource(ResourceType.TOPIC, topic, set_config={"retention.bytes": "6000000"})
    with pytest.deprecated_call():
        future = clients.admin.alter_configs([resource])[resource]
    future.result(WAIT_S)
    assert becomes(lambda: retention(clients, topic), (str(7 * DAY_MS), True, "6000000", False))


def test_a_change_of_config_holds_from_then_on(clients: Clients) -> None:
    topic = clients.new_topic()
    assert change(clients, topic, "max.message.bytes", "1000", AlterConfigOpType.SET) is None
    write = partial(clients.produce, topic, [Record(bytes(2000))])
    assert becomes(lambda: code_of(write), KafkaError.MSG_SIZE_TOO_LARGE)


@pytest.mark.parametrize(("name", "value"), [("retention.ms", "soon"), ("no.such.config", "1")])
def test_an_impossible_change_is_refused_and_all_stays(clients: Clients, name: str, value: str) -> None:
    topic = clients.new_topic(config={"retention.ms": "1000000"})
    assert change(clients, topic, name, value, AlterConfigOpType.SET) == KafkaError.INVALID_CONFIG
    assert configs(clients, topic)["retention.ms"].value == "1000000"


def test_configs_of_a_topic_that_is_not_there_are_refused(clients: Clients) -> None:
    topic = new_name("topic")
    assert code_of(lambda: configs(clients, topic)) == KafkaError.UNKNOWN_TOPIC_OR_PART
    code = change(clients, topic, "retention.ms", "1", AlterConfigOpType.SET)
    assert code == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_the_cluster_is_described_alike_by_every_request(clients: Clients) -> None:
    metadata = clients.admin.list_topics(timeout=WAIT_S)
    described = clients.admin.describe_cluster().result(WAIT_S)
    assert described.cluster_id == metadata.cluster_id != ""
    (node,) = described.nodes
    assert f"{node.host}:{node.port}" == clients.broker.bootstrap_servers
    assert node.id == described.controller.id == metadata.controller_id
    assert [(broker.id, broker.host, broker.port) for broker in metadata.brokers.values()] == [
        (node.id, node.host, node.port)
    ]


def test_configs_of_the_broker_are_told(clients: Clients) -> None:
    broker_id = clients.admin.describe_cluster().result(WAIT_S).nodes[0].id
    resource = ConfigResource(ResourceType.BROKER, str(broker_id))
    found = clients.admin.describe_configs([resource])[resource].result(WAIT_S)
    assert found["auto.create.topics.enable"].value == "false"
    assert found["num.partitions"].value == "1"
    assert int(found["log.retention.ms"].value or 7 * DAY_MS) == 7 * DAY_MS


def test_a_topic_is_described_with_an_id_that_no_other_has(clients: Clients) -> None:
    topic = clients.new_topic(2)

    def described() -> TopicDescription:
        return clients.admin.describe_topics(TopicCollection([topic]))[topic].result(WAIT_S)

    found = described()
    assert (found.name, found.is_internal, len(found.partitions)) == (topic, False, 2)
    clients.admin.delete_topics([topic])[topic].result(WAIT_S)
    assert create(clients, NewTopic(topic, 2, 1)) == {topic: None}
    clients.wait_for_leader(topic, 1)
    assert str(described().topic_id) != str(found.topic_id)


def test_aiokafkas_admin_client_is_served_too(clients: Clients) -> None:
    topic = new_name("topic")

    async def administer() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=clients.broker.bootstrap_servers)
        await admin.start()
        try:
            await admin.create_topics([AioTopic(topic, 2, 1, topic_configs={"retention.ms": "1000000"})])
            await asyncio.to_thread(clients.wait_for_leader, topic, 1)
            assert topic in await admin.list_topics()
            (found,) = await admin.describe_topics([topic])
            assert len(found["partitions"]) == 2
            assert (await admin.describe_cluster())["cluster_id"] == clients.admin.cluster_id(WAIT_S)
            await admin.delete_topics([topic])
        finally:
            await admin.close()

    asyncio.run(asyncio.wait_for(administer(), WAIT_S))
    assert becomes(lambda: partitions_of(clients, topic), None)
