"""Members come and are killed while producers write: no record is lost, and what is committed has no gaps before it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from broker_load import Load, committed
from broker_node import ApacheKafka, EmbeddedBroker, create_topic, read_copies, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from broker_node import Broker

TOPIC, GROUP, PARTITIONS = "orders", "readers", 6
MEMBERS = 3
SESSION_MS = 6000
CATCH_UP_S = 90.0
PACE_S = 0.002

# A member in a process of its own: it writes down each record before it commits it, and what it committed after that.
MEMBER = """
import json, os, signal, sys
from confluent_kafka import Consumer, KafkaException, TopicPartition

address, topic, group, session_ms = sys.argv[1:5]
stopped = []
signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
conf = {
    "bootstrap.servers": address, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest",
    "session.timeout.ms": int(session_ms), "heartbeat.interval.ms": 300, "log_level": 0, "fetch.wait.max.ms": 100,
    "partition.assignment.strategy": sys.argv[5],
}

def tell(*parts):
    os.write(1, (json.dumps(parts) + "\\n").encode())

consumer = Consumer(conf)
consumer.subscribe([topic], on_assign=lambda _, places: tell("assigned", [place.partition for place in places]))
while not stopped:
    messages = [message for message in consumer.consume(200, timeout=0.2) if message.error() is None]
    ends = {}
    for message in messages:
        ends[message.partition()] = message.offset() + 1
    for message in messages:
        tell("read", message.partition(), message.offset())
    if ends:
        try:
            consumer.commit(offsets=[TopicPartition(topic, *end) for end in ends.items()], asynchronous=False)
            tell("committed", list(ends.items()))
        except KafkaException as error:
            tell("refused", error.args[0].name())
consumer.close()
tell("left")
"""


class Members:
    """Members as processes, and what all of them told."""

    def __init__(self, broker: Broker, folder: Path, strategy: str) -> None:
        self._command = [
            sys.executable,
            "-c",
            MEMBER,
            broker.bootstrap_servers,
            TOPIC,
            GROUP,
            str(SESSION_MS),
            strategy,
        ]
        self._folder = folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._number = 0

    def add(self) -> None:
        self._number += 1
        with (self._folder / f"member-{self._number}.out").open("wb") as told:
            self._running.append(subprocess.Popen(self._command, stdout=told))

    def kill_the_oldest(self) -> None:
        member = self._running.pop(0)
        member.kill()
        member.wait()

    def dismiss_the_oldest(self) -> None:
        member = self._running.pop(0)
        member.terminate()
        assert member.wait(60) == 0

    def stop(self) -> None:
        for member in self._running:
            member.send_signal(signal.SIGTERM)
        for member in self._running:
            try:
                member.wait(30)
            except subprocess.TimeoutExpired:
                member.kill()
                member.wait()
        self._running.clear()

    def told(self) -> list[list[Any]]:
        lines = [line for file in self._folder.glob("member-*.out") for line in file.read_text().splitlines()]
        return [json.loads(line) for line in lines if line.endswith("]")]  # a kill may cut the last one short

    def read(self) -> dict[int, dict[int, int]]:
        """Give how often each offset of each partition was read."""
        found: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        for kind, *rest in self.told():
            if kind == "read":
                partition, offset = rest
                found[partition][offset] += 1
        return found


@pytest.fixture(params=["embedded", "kafka"])
def broker(request: pytest.FixtureRequest, tmp_path: Path, count: Callable[[int, int], int]) -> Broker:
    """Give a broker that is not started; Apache Kafka, which shows that the test is right, with the full counts."""
    if request.param == "kafka":
        if not count(0, 1):
            pytest.skip("Apache Kafka is asked with the full counts")
        return ApacheKafka(tmp_path)
    return EmbeddedBroker(tmp_path / "data", tmp_path / "broker.log")


@pytest.mark.parametrize("strategy", ["range", "cooperative-sticky"])
def test_nothing_is_lost_and_no_commit_leaves_a_gap_while_members_come_and_are_killed(
    broker: Broker, strategy: str, tmp_path: Path, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    rounds = count(2, 20) if isinstance(broker, EmbeddedBroker) else 2
    with running(broker), ExitStack() as stack:
        create_topic(broker.bootstrap_servers, TOPIC, PARTITIONS)
        members = Members(broker, tmp_path, strategy)
        stack.callback(members.stop)
        for _ in range(MEMBERS - 1):
            members.add()
        with Load(broker.bootstrap_servers, TOPIC, "others", writers=2, partitions=PARTITIONS, pace_s=PACE_S) as load:
            for number in range(rounds):
                members.add()
                load.wait_for(500)
                wait_until_read(members, load.records)
                (members.kill_the_oldest if number % 2 == 0 else members.dismiss_the_oldest)()
                load.wait_for(500)
        copies = read_copies(broker.bootstrap_servers, TOPIC)
        ends = dict.fromkeys(range(PARTITIONS), 0)
        for places in copies.offsets.values():
            for partition, offset in places:
                ends[partition] = max(ends[partition], offset + 1)
        wait_until_read(members, sum(ends.values()))
        members.stop()
        held = committed(broker.bootstrap_servers, TOPIC, GROUP, range(PARTITIONS))
    read = members.read()
    missed = {p: [o for o in range(end) if o not in read[p]] for p, end in ends.items()}
    again = sum(times - 1 for offsets in read.values() for times in offsets.values())
    refused = sum(kind == "refused" for kind, *_ in members.told())
    lost = sum(map(len, missed.values()))
    say(
        f"{rounds} members added and as many killed or dismissed ({strategy}): {sum(ends.values())} records,"
        f" {lost} missed, {again} read again, {refused} commits refused to a member that was out"
    )
    assert load.failures() == []
    assert not any(missed.values()), missed
    assert held == ends
    assert commits_behind(members, read) == []


def wait_until_read(members: Members, records: int) -> None:
    """Wait until so many different records were read; a killed member's session has to end first."""
    end_at = time.monotonic() + CATCH_UP_S
    while (seen := sum(map(len, members.read().values()))) < records:
        assert time.monotonic() < end_at, f"{seen} of {records} records were read"
        time.sleep(0.1)


def commits_behind(members: Members, read: dict[int, dict[int, int]]) -> list[object]:
    """Find commits of an offset before which a record was read by nobody."""
    reached = {partition: first_gap(offsets) for partition, offsets in read.items()}
    return [
        (partition, offset)
        for kind, *rest in members.told()
        if kind == "committed"
        for partition, offset in rest[0]
        if offset > reached[partition]
    ]


def first_gap(offsets: dict[int, int]) -> int:
    at = 0
    while at in offsets:
        at += 1
    return at
