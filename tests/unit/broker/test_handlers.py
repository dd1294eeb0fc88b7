"""Requests that few clients make, answered as Kafka's brokers answer them; by a client that speaks in frames."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from kio.index import load_request_schema

from protopact.broker import background_broker
from protopact.integrations.kafka import OutgoingRecord, produce_all
from unit.broker.raw_client import RawClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from protopact.broker import BackgroundBroker

LATEST = {
    "FindCoordinator": (10, 4),
    "OffsetForLeaderEpoch": (23, 4),
    "DescribeLogDirs": (35, 4),
    "DeleteTopics": (20, 6),
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackgroundBroker]:
    with background_broker(tmp_path_factory.mktemp("data")) as running:
        running.create_topic("orders", partitions=2)
        records = [OutgoingRecord(b"tea", partition=0) for _ in range(3)]
        produce_all(running.bootstrap_servers, "orders", records)
        yield running


@pytest.fixture
def client(broker: BackgroundBroker) -> Iterator[RawClient]:
    with RawClient(broker.bootstrap_servers) as raw:
        yield raw


def part(request: str, kind: str, /, **fields: object) -> object:
    """Make a part of a request by kio's class for it."""
    module = __import__(load_request_schema(*LATEST[request]).__module__, fromlist=[kind])
    return getattr(module, kind)(**fields)


def test_a_group_is_coordinated_by_the_one_broker(client: RawClient, broker: BackgroundBroker) -> None:
    (found,) = client.ask(*LATEST["FindCoordinator"], key_type=0, coordinator_keys=("billing",)).coordinators
    assert (found.error_code.name, f"{found.host}:{found.port}") == ("none", broker.bootstrap_servers)


@pytest.mark.parametrize(("kind", "said"), [(1, "no transactions"), (2, "no share groups"), (9, "no such kind")])
def test_other_coordinators_are_refused_with_the_reason(client: RawClient, kind: int, said: str) -> None:
    (found,) = client.ask(*LATEST["FindCoordinator"], key_type=kind, coordinator_keys=("x",)).coordinators
    assert found.error_code.name != "none"
    assert said in found.error_message


@pytest.mark.parametrize(
    ("partition", "known", "error", "end"),
    [
        (0, 0, "none", 3),
        (0, -1, "none", 3),
        (0, 7, "unknown_leader_epoch", -1),
        (9, -1, "unknown_topic_or_partition", -1),
    ],
)
def test_the_one_leader_epoch_ends_where_the_partition_does(
    client: RawClient, partition: int, known: int, error: str, end: int
) -> None:
    wanted = part(
        "OffsetForLeaderEpoch",
        "OffsetForLeaderPartition",
        partition=partition,
        current_leader_epoch=known,
        leader_epoch=0,
    )
    topic = part("OffsetForLeaderEpoch", "OffsetForLeaderTopic", topic="orders", partitions=(wanted,))
    answer = client.ask(*LATEST["OffsetForLeaderEpoch"], replica_id=-1, topics=(topic,))
    found = answer.topics[0].partitions[0]
    assert (found.error_code.name, found.end_offset) == (error, end)


def test_log_dirs_say_how_large_partitions_are_and_how_much_room_is_left(client: RawClient) -> None:
    (found,) = client.ask(*LATEST["DescribeLogDirs"], topics=None).results
    sizes = {each.partition_index: each.partition_size for topic in found.topics for each in topic.partitions}
    assert sizes.keys() == {0, 1}
    assert sizes[0] > 0 == sizes[1]
    assert 0 < found.usable_bytes <= found.total_bytes


def test_a_topic_is_deleted_by_its_id(client: RawClient, broker: BackgroundBroker) -> None:
    broker.create_topic("goes")
    topic_id = broker.call(lambda: broker.broker.node.topics.get("goes").topic_id)
    unwanted = part("DeleteTopics", "DeleteTopicState", name=None, topic_id=topic_id)
    nobody = part("DeleteTopics", "DeleteTopicState", name=None, topic_id=UUID(int=7))
    answer = client.ask(*LATEST["DeleteTopics"], topics=(unwanted, nobody), timeout=_seconds(1))
    assert [each.error_code.name for each in answer.responses] == ["none", "unknown_topic_id"]
    assert broker.call(lambda: broker.broker.node.topics.find("goes")) is None


def test_growth_and_settings_of_a_topic_are_there_after_a_restart(tmp_path: Path) -> None:
    with background_broker(tmp_path) as broker:
        broker.create_topic("grows")
        topics = broker.broker.node.topics
        topic = broker.call(lambda: topics.get("grows"))
        broker.run(lambda: topics.grow(topic, 3))
        broker.run(lambda: topics.configure(topic, {"retention.ms": "5000"}))
        broker.create_topic("goes")
        broker.run(lambda: topics.delete(topics.get("goes")))
    with background_broker(tmp_path) as broker:
        found = {topic.name: topic for topic in broker.call(lambda: list(broker.broker.node.topics))}
        assert found.keys() == {"grows"}
        assert (len(found["grows"].partitions), found["grows"].config.number("retention.ms")) == (3, 5000)


def _seconds(number: int) -> object:
    from datetime import timedelta

    return timedelta(seconds=number)
