"""What every Kafka broker does for a group: its members share the partitions, and each record is read once."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from confluent_kafka import KafkaError

from contract.kafka_clients import WAIT_S, Clients, Record, messages
from contract.kafka_members import Readers
from contract.kafka_proxy import HEARTBEAT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.kafka_members import Member
    from contract.kafka_proxy import KafkaProxy

PARTITIONS = 6
SESSION_MS = 3000  # a member that is only slow stays


def write(readers: Readers, turn: int = 1) -> set[tuple[int, int]]:
    """Write ten records to each partition, and give the places of all that were written so far."""
    readers.clients.produce(readers.topic, [Record(b"x", partition=n % PARTITIONS) for n in range(10 * PARTITIONS)])
    return {(partition, offset) for partition in range(PARTITIONS) for offset in range(10 * turn)}


def first_member(readers: Readers, conf: Mapping[str, object] | None = None) -> Member:
    """Give a group its first member, and wait until it has read a first turn of records.

    From then on the group has an offset for each partition, and no member begins at the topic's beginning again.
    """
    written = write(readers)
    member = readers.join(conf)
    readers.wait_for(lambda: set(readers.seen) == written)
    return member


@pytest.mark.parametrize("strategy", ["range", "roundrobin", "cooperative-sticky"])
def test_members_share_the_partitions_and_read_each_record_once(clients: Clients, strategy: str) -> None:
    readers = Readers(clients, partitions=PARTITIONS, partition_assignment_strategy=strategy)
    first = first_member(readers)
    second = readers.join()
    readers.wait_for_shares(first, second, sizes=[3, 3])
    written = write(readers, 2)
    third = readers.join()
    readers.wait_for_shares(first, second, third, sizes=[2, 2, 2])
    readers.wait_for(lambda: set(readers.seen) == written)
    first.leave()
    readers.wait_for_shares(second, third, sizes=[3, 3])
    written = write(readers, 3)
    readers.wait_for(lambda: set(readers.seen) == written)
    assert sorted(readers.seen) == sorted(written)  # none twice


def test_cooperative_members_keep_what_they_need_not_give_away(clients: Clients) -> None:
    readers = Readers(clients, partitions=PARTITIONS, partition_assignment_strategy="cooperative-sticky")
    first = readers.join()
    readers.wait_for_shares(first, sizes=[6])
    second = readers.join()
    readers.wait_for_shares(first, second, sizes=[3, 3])
    assert [partitions for partitions in first.given if partitions] == [set(range(6))]
    assert [len(partitions) for partitions in first.taken if partitions] == [3]


def test_a_member_of_another_client_shares_the_partitions(clients: Clients) -> None:
    readers = Readers(clients, partitions=PARTITIONS, partition_assignment_strategy="range")
    member = first_member(readers)

    async def read() -> set[tuple[int, int]]:
        async with AIOKafkaConsumer(
            readers.topic,
            bootstrap_servers=clients.broker.bootstrap_servers,
            group_id=readers.group,
            partition_assignment_strategy=(RangePartitionAssignor,),
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            heartbeat_interval_ms=100,
        ) as other:
            await asyncio.to_thread(readers.wait_for, lambda: len(member.assigned) == 3)
            await asyncio.to_thread(write, readers, 2)
            records = [await other.getone() for _ in range(30)]
            assert {each.partition for each in other.assignment()} | member.assigned == set(range(PARTITIONS))
            await other.commit()
            return {(record.partition, record.offset) for record in records}

    theirs = asyncio.run(asyncio.wait_for(read(), WAIT_S))
    readers.wait_for_shares(member, sizes=[6])
    readers.wait_for(lambda: len(readers.seen) == 90)
    assert len(theirs | set(readers.seen)) == 120


def test_a_static_member_that_comes_back_causes_no_rebalance(clients: Clients) -> None:
    readers = Readers(clients, partitions=PARTITIONS, partition_assignment_strategy="range")
    first = first_member(readers, {"group.instance.id": "first"})
    second = readers.join({"group.instance.id": "second"})
    readers.wait_for_shares(first, second, sizes=[3, 3])
    held, given = second.assigned, len(first.given)
    second.leave()
    written = write(readers, 2)
    again = readers.join({"group.instance.id": "second"})
    readers.wait_for(lambda: again.assigned == held)
    readers.wait_for(lambda: set(readers.seen) == written)
    assert len(first.given) == given
    assert len(again.given) == 1
    assert sorted(readers.seen) == sorted(written)


def test_a_static_member_whose_place_is_taken_is_fenced(clients: Clients) -> None:
    readers = Readers(clients, partitions=PARTITIONS)
    first = readers.join({"group.instance.id": "one"})
    readers.wait_for_shares(first, sizes=[6])
    second = readers.join({"group.instance.id": "one"})
    readers.wait_for(lambda: len(second.assigned) == PARTITIONS and first.error is not None)
    assert first.error is not None
    assert first.error.code() == KafkaError._FATAL
    assert "Static consumer fenced" in str(first.error)


def test_the_partitions_of_a_member_that_falls_silent_are_given_to_the_others(
    clients: Clients, proxy: KafkaProxy
) -> None:
    readers = Readers(clients, partitions=PARTITIONS)
    short = {"bootstrap.servers": proxy.bootstrap_servers, "session.timeout.ms": SESSION_MS}
    silent = first_member(readers, short)
    other = readers.join()
    readers.wait_for_shares(silent, other, sizes=[3, 3])
    proxy.wait_for(lambda: proxy.answered[HEARTBEAT] > 0)
    proxy.cut()
    readers.wait_for(lambda: len(other.assigned) == PARTITIONS)
    written = write(readers, 2)
    readers.wait_for(lambda: set(readers.seen) == written)


def test_members_of_different_groups_each_read_all(clients: Clients) -> None:
    one = Readers(clients, partitions=PARTITIONS)
    two = Readers(clients, partitions=PARTITIONS, topic=one.topic)
    members = [one.join(), two.join()]
    written = write(one)
    for readers, member in zip((one, two), members, strict=True):
        readers.wait_for(lambda readers=readers: set(readers.seen) == written)
        readers.wait_for_shares(member, sizes=[6])


def test_a_member_reads_the_topics_that_its_pattern_names(clients: Clients) -> None:
    topics = [clients.new_topic(2) for _ in range(2)]
    for topic in topics:
        clients.produce(topic, [Record(topic.encode()), Record(topic.encode(), partition=1)])
    consumer = clients.consumer()
    consumer.subscribe([f"^({'|'.join(topics)})$"])
    assert {(m.topic(), m.partition(), m.value().decode()) for m in messages(consumer, 4)} == {
        (topic, partition, topic) for topic in topics for partition in range(2)
    }


def test_a_member_follows_the_partitions_that_its_topic_gains(clients: Clients) -> None:
    readers = Readers(clients, partitions=2, topic_metadata_refresh_interval_ms=100)
    member = readers.join()
    readers.wait_for_shares(member, sizes=[2])
    readers.grow(PARTITIONS)
    readers.wait_for_shares(member, sizes=[6])
    written = write(readers)
    readers.wait_for(lambda: set(readers.seen) == written)


def test_all_members_may_join_at_once(clients: Clients) -> None:
    readers = Readers(clients, partitions=PARTITIONS)
    together = threading.Barrier(3)
    members = []

    def join() -> None:
        together.wait(WAIT_S)
        members.append(readers.join())

    threads = [threading.Thread(target=join) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    readers.wait_for_shares(*members, sizes=[2, 2, 2])
