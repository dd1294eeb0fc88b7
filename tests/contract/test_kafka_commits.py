"""What every Kafka broker keeps for a group: its offsets, with what was noted beside them, and who its members are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition as AioPartition
from confluent_kafka import (
    OFFSET_INVALID,
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)

from contract.kafka_clients import WAIT_S, Clients, Record, becomes, messages, new_name
from contract.kafka_members import Readers
from contract.kafka_proxy import OFFSET_FOR_LEADER_EPOCH

if TYPE_CHECKING:
    from confluent_kafka.admin import ConsumerGroupDescription

    from contract.kafka_proxy import KafkaProxy


def committed(clients: Clients, group: str, topic: str, partitions: int = 1) -> list[TopicPartition]:
    consumer = clients.consumer({"group.id": group})
    return consumer.committed([TopicPartition(topic, partition) for partition in range(partitions)], WAIT_S)


def commit(clients: Clients, group: str, *offsets: TopicPartition) -> None:
    """Commit as a consumer does that is no member."""
    clients.consumer({"group.id": group}).commit(offsets=list(offsets), asynchronous=False)


def described(clients: Clients, group: str) -> ConsumerGroupDescription:
    return clients.admin.describe_consumer_groups([group])[group].result(WAIT_S)


def test_a_member_that_comes_back_reads_on_from_its_commit(clients: Clients) -> None:
    topic, group = clients.new_topic(), new_name("group")
    clients.produce(topic, [Record(b"%d" % number) for number in range(10)])
    for first, last in ((0, 4), (4, 9)):
        with clients.consumer({"group.id": group}) as consumer:
            consumer.subscribe([topic])
            found = list(messages(consumer, last - first))
            assert [message.offset() for message in found] == list(range(first, last))
            consumer.commit(found[-1], asynchronous=False)
    assert [each.offset for each in committed(clients, group, topic)] == [9]


def test_one_client_reads_on_from_the_commit_of_another(clients: Clients) -> None:
    topic, group = clients.new_topic(), new_name("group")
    clients.produce(topic, [Record(b"x")] * 10)
    commit(clients, group, TopicPartition(topic, 0, 3))

    async def read() -> list[int]:
        async with AIOKafkaConsumer(
            topic, bootstrap_servers=clients.broker.bootstrap_servers, group_id=group, enable_auto_commit=False
        ) as consumer:
            offsets = [(await consumer.getone()).offset for _ in range(3)]
            await consumer.commit({AioPartition(topic, 0): (6, "by aiokafka")})
            return offsets

    assert asyncio.run(asyncio.wait_for(read(), WAIT_S)) == [3, 4, 5]
    (left,) = committed(clients, group, topic)
    assert (left.offset, left.metadata) == (6, "by aiokafka")


def test_what_is_noted_beside_an_offset_is_kept(clients: Clients) -> None:
    topic, group = clients.new_topic(3), new_name("group")
    notes = ["", "Łódź", "x" * 4000]
    commit(clients, group, *(TopicPartition(topic, n, n + 7, metadata=note) for n, note in enumerate(notes)))
    found = committed(clients, group, topic, 3)
    assert [(each.offset, each.metadata or "") for each in found] == [(n + 7, note) for n, note in enumerate(notes)]


def test_a_note_of_more_than_4_kib_is_refused_and_the_offset_stays(clients: Clients) -> None:
    topic, group = clients.new_topic(), new_name("group")
    commit(clients, group, TopicPartition(topic, 0, 1))
    with pytest.raises(KafkaException) as refused:
        commit(clients, group, TopicPartition(topic, 0, 2, metadata="x" * 5000))
    assert refused.value.args[0].code() == KafkaError.OFFSET_METADATA_TOO_LARGE
    assert committed(clients, group, topic)[0].offset == 1


def test_the_leader_epoch_of_a_commit_is_kept_and_checked_by_the_one_who_reads_on(
    clients: Clients, proxy: KafkaProxy
) -> None:
    topic, group = clients.new_topic(), new_name("group")
    clients.produce(topic, [Record(b"x")] * 3)
    reader = clients.reader(topic, conf={"group.id": group})
    last = list(messages(reader, 2))[-1]
    assert last.leader_epoch() == 0
    reader.commit(last, asynchronous=False)
    (left,) = committed(clients, group, topic)
    assert (left.offset, left.leader_epoch) == (2, 0)
    again = clients.through(proxy).consumer({"group.id": group})
    again.assign([left])
    assert next(messages(again, 1)).offset() == 2
    assert proxy.answered[OFFSET_FOR_LEADER_EPOCH] >= 1


def test_an_offset_of_a_partition_that_is_not_there_cannot_be_committed(clients: Clients) -> None:
    topic, group = clients.new_topic(), new_name("group")
    with pytest.raises(KafkaException) as refused:
        commit(clients, group, TopicPartition(topic, 1, 1))
    assert refused.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_who_is_no_member_cannot_commit_for_a_group_that_has_some(clients: Clients) -> None:
    readers = Readers(clients, partitions=1)
    readers.wait_for_shares(readers.join(), sizes=[1])
    with pytest.raises(KafkaException) as refused:
        commit(clients, readers.group, TopicPartition(readers.topic, 0, 1))
    assert refused.value.args[0].code() == KafkaError.UNKNOWN_MEMBER_ID
    assert committed(clients, readers.group, readers.topic)[0].offset == OFFSET_INVALID


def test_the_offsets_of_a_deleted_topic_are_forgotten(clients: Clients) -> None:
    gone, kept, group = clients.new_topic(), clients.new_topic(), new_name("group")
    commit(clients, group, TopicPartition(gone, 0, 5), TopicPartition(kept, 0, 6))
    clients.admin.delete_topics([gone])[gone].result(WAIT_S)

    def listed() -> list[tuple[str, int]]:
        (result,) = clients.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
        return [(each.topic, each.offset) for each in result.result(WAIT_S).topic_partitions]

    assert becomes(listed, [(kept, 6)])


def test_a_group_that_has_committed_nothing_has_no_offset(clients: Clients) -> None:
    topic = clients.new_topic()
    assert [each.offset for each in committed(clients, new_name("group"), topic)] == [OFFSET_INVALID]


def test_offsets_of_a_group_are_listed_and_altered(clients: Clients) -> None:
    topic, group = clients.new_topic(2), new_name("group")
    commit(clients, group, TopicPartition(topic, 0, 5, metadata="a"), TopicPartition(topic, 1, 6))
    altered = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 2)])
    (result,) = clients.admin.alter_consumer_group_offsets([altered]).values()
    assert [(each.offset, each.error) for each in result.result(WAIT_S).topic_partitions] == [(2, None)]
    (result,) = clients.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    found = sorted(result.result(WAIT_S).topic_partitions, key=lambda each: each.partition)
    assert [(each.topic, each.partition, each.offset) for each in found] == [(topic, 0, 2), (topic, 1, 6)]


def test_offsets_of_a_group_with_members_cannot_be_altered(clients: Clients) -> None:
    readers = Readers(clients, partitions=1)
    readers.wait_for_shares(readers.join(), sizes=[1])
    altered = ConsumerGroupTopicPartitions(readers.group, [TopicPartition(readers.topic, 0, 2)])
    (result,) = clients.admin.alter_consumer_group_offsets([altered]).values()
    with pytest.raises(KafkaException) as refused:
        raise KafkaException(result.result(WAIT_S).topic_partitions[0].error)
    assert refused.value.args[0].code() == KafkaError.UNKNOWN_MEMBER_ID


def test_a_group_is_described_with_its_members_and_what_they_hold(clients: Clients) -> None:
    readers = Readers(clients, partitions=4, client_id="reader", partition_assignment_strategy="range")
    members = [readers.join(), readers.join({"group.instance.id": "static"})]
    readers.wait_for_shares(*members, sizes=[2, 2])
    found = described(clients, readers.group)
    assert (found.state, found.is_simple_consumer_group) == (ConsumerGroupState.STABLE, False)
    assert found.partition_assignor == "range"
    assert found.coordinator is not None
    assert sorted(member.group_instance_id or "" for member in found.members) == ["", "static"]
    assert {member.client_id for member in found.members} == {"reader"}
    held = [each.partition for member in found.members for each in member.assignment.topic_partitions]
    assert sorted(held) == [0, 1, 2, 3]
    assert all(member.host.strip("/") == "127.0.0.1" for member in found.members)


def test_groups_are_listed_with_their_state(clients: Clients) -> None:
    readers = Readers(clients, partitions=1)
    readers.wait_for_shares(readers.join(), sizes=[1])
    empty = new_name("group")
    commit(clients, empty, TopicPartition(readers.topic, 0, 0))
    listed = clients.admin.list_consumer_groups().result(WAIT_S)
    assert listed.errors == []
    states = {each.group_id: each.state for each in listed.valid}
    assert (states[readers.group], states[empty]) == (ConsumerGroupState.STABLE, ConsumerGroupState.EMPTY)
    only_empty = clients.admin.list_consumer_groups(states={ConsumerGroupState.EMPTY}).result(WAIT_S)
    names = {each.group_id for each in only_empty.valid}
    assert empty in names
    assert readers.group not in names


def test_a_group_that_is_not_there_is_described_as_dead(clients: Clients) -> None:
    assert described(clients, new_name("group")).state == ConsumerGroupState.DEAD


def test_a_deleted_group_has_no_offsets(clients: Clients) -> None:
    topic, group = clients.new_topic(), new_name("group")
    commit(clients, group, TopicPartition(topic, 0, 5))
    clients.admin.delete_consumer_groups([group])[group].result(WAIT_S)
    assert committed(clients, group, topic)[0].offset == OFFSET_INVALID
    assert group not in {each.group_id for each in clients.admin.list_consumer_groups().result(WAIT_S).valid}


def test_a_group_with_members_or_one_that_is_not_there_cannot_be_deleted(clients: Clients) -> None:
    readers = Readers(clients, partitions=1)
    readers.wait_for_shares(readers.join(), sizes=[1])
    expected = {readers.group: KafkaError.NON_EMPTY_GROUP, new_name("group"): KafkaError.GROUP_ID_NOT_FOUND}
    for group, code in expected.items():
        with pytest.raises(KafkaException) as refused:
            clients.admin.delete_consumer_groups([group])[group].result(WAIT_S)
        assert refused.value.args[0].code() == code
