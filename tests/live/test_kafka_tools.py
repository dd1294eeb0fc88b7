"""The tools that people have at hand, kcat and those of Apache Kafka, do their work at every broker of the contract."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from kafka_service import PARTS
from maven_jars import jars_of

from contract.embedded_broker import embedded_broker
from contract.kafka_clients import TIME_MS, Broker, Clients, Record, becomes, new_name
from contract.kafka_fixtures import clients
from contract.kafka_refusals import APACHE_REFUSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Absent

__all__ = ["clients"]

TOOL_S = 60.0
JAVA_OPTIONS = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
TOOLS = "org.apache.kafka.tools"
TOPICS, GROUPS, OFFSETS = (
    f"{TOOLS}.TopicCommand",
    f"{TOOLS}.consumer.group.ConsumerGroupCommand",
    f"{TOOLS}.GetOffsetShell",
)
PRODUCER, CONSUMER = f"{TOOLS}.ConsoleProducer", f"{TOOLS}.consumer.ConsoleConsumer"
CONFIGS, DELETE_RECORDS = "kafka.admin.ConfigCommand", f"{TOOLS}.DeleteRecordsCommand"


@pytest.fixture(scope="module", params=["apache", "embedded"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    if request.param == "apache":
        yield Broker(request.getfixturevalue("kafka").bootstrap_servers, APACHE_REFUSES)
    else:
        with embedded_broker(None) as broker:
            yield broker


def run(command: list[str], given: str = "") -> str:
    """Run a tool to its good end, and give what it wrote."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=TOOL_S, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


class Tools:
    """Each tool with the broker's address."""

    def __init__(self, address: str, kcat: str, java: str) -> None:
        self._address = address
        self._kcat = kcat
        self._java = [java, *JAVA_OPTIONS, "-cp", f"{jars_of(PARTS / 'pom.xml')}/*"]

    def kcat(self, *arguments: str, given: str = "") -> str:
        return run([self._kcat, "-b", self._address, *arguments], given)

    def java(self, main: str, *arguments: str, given: str = "") -> str:
        return run([*self._java, main, "--bootstrap-server", self._address, *arguments], given)


@pytest.fixture
def tools(broker: Broker, absent: Absent) -> Tools:
    programs = {name: shutil.which(name) for name in ("kcat", "java")}
    for name, path in programs.items():
        if path is None:
            absent("live", f"the program {name!r} is not on the PATH")
    return Tools(broker.bootstrap_servers, str(programs["kcat"]), str(programs["java"]))


def rows(table: str) -> list[list[str]]:
    return [line.split() for line in table.splitlines() if line.strip()]


def test_kcat_lists_the_broker_and_the_topics_partitions(clients: Clients, tools: Tools) -> None:
    topic = clients.new_topic(3)
    found = json.loads(tools.kcat("-L", "-J", "-t", topic))
    assert [broker["name"] for broker in found["brokers"]] == [clients.broker.bootstrap_servers]
    assert [(each["topic"], len(each["partitions"])) for each in found["topics"]] == [(topic, 3)]


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_kcat_reads_what_kcat_wrote(clients: Clients, tools: Tools, codec: str) -> None:
    topic = clients.new_topic()
    lines = "k1:v1\nk2:v2\nk3:\n"
    tools.kcat("-P", "-t", topic, "-p", "0", "-K", ":", "-Z", "-H", "a=1", "-H", "a=2", "-z", codec, given=lines)
    found = [json.loads(line) for line in tools.kcat("-C", "-t", topic, "-e", "-q", "-J").splitlines()]
    assert [(each["offset"], each["key"], each["payload"]) for each in found] == [
        (0, "k1", "v1"),
        (1, "k2", "v2"),
        (2, "k3", None),
    ]
    assert all(each["headers"] == ["a", "1", "a", "2"] for each in found)
    assert [record.value for record in clients.read(topic, 3)] == [b"v1", b"v2", None]


def test_kcat_reads_in_a_group_from_an_offset_and_from_a_time(clients: Clients, tools: Tools) -> None:
    topic, group = clients.new_topic(), new_name("group")
    clients.produce(topic, [Record(b"%d" % number, timestamp_ms=TIME_MS + number) for number in range(5)])
    earliest = ("-X", "auto.offset.reset=earliest")
    assert tools.kcat("-G", group, "-c", "3", "-q", *earliest, topic).split() == ["0", "1", "2"]
    assert tools.kcat("-G", group, "-c", "2", "-q", *earliest, topic).split() == ["3", "4"]
    assert tools.kcat("-C", "-t", topic, "-o", "3", "-e", "-q").split() == ["3", "4"]
    assert tools.kcat("-C", "-t", topic, "-o", "-1", "-e", "-q").split() == ["4"]
    assert tools.kcat("-C", "-t", topic, "-o", f"s@{TIME_MS + 2}", "-e", "-q").split() == ["2", "3", "4"]
    assert tools.kcat("-Q", "-t", f"{topic}:0:{TIME_MS + 2}").split()[-1] == "2"


def test_javas_console_consumer_reads_what_its_producer_wrote(clients: Clients, tools: Tools) -> None:
    topic, group = clients.new_topic(2), new_name("group")
    parse = ("--property", "parse.key=true", "--property", "parse.headers=true")
    lines = "".join(f"h:{n}\tk{n}\tv{n}\n" for n in range(6))
    tools.java(PRODUCER, "--topic", topic, *parse, "--compression-codec", "zstd", given=lines)
    show = [part for what in ("key", "headers", "partition", "offset") for part in ("--property", f"print.{what}=true")]
    shown = tools.java(CONSUMER, "--topic", topic, "--group", group, "--from-beginning", "--max-messages", "6", *show)
    read = sorted(row[-2:] + row[-3:-2] for row in rows(shown))
    assert read == [[f"k{n}", f"v{n}", f"h:{n}"] for n in range(6)]
    by_client = [record for p in range(2) for record in clients.read(topic, clients.end_of(topic, p), partition=p)]
    assert sorted((record.key, record.value) for record in by_client) == [(b"k%d" % n, b"v%d" % n) for n in range(6)]


def test_javas_topics_tool_makes_describes_widens_and_deletes_a_topic(clients: Clients, tools: Tools) -> None:
    topic = new_name("topic")
    named = ("--topic", topic)
    tools.java(TOPICS, "--create", *named, "--partitions", "2", "--config", "retention.ms=1234567")
    clients.wait_for_leader(topic, 1)
    assert topic in tools.java(TOPICS, "--list").split()
    described = tools.java(TOPICS, "--describe", *named)
    assert "PartitionCount: 2" in described
    assert "retention.ms=1234567" in described
    tools.java(TOPICS, "--alter", *named, "--partitions", "3")
    assert becomes(lambda: "PartitionCount: 3" in tools.java(TOPICS, "--describe", *named), expected=True)
    tools.java(TOPICS, "--delete", *named)
    assert becomes(lambda: topic in tools.java(TOPICS, "--list").split(), expected=False)


def test_javas_groups_tool_lists_describes_resets_and_deletes(clients: Clients, tools: Tools) -> None:
    topic, group = clients.new_topic(), new_name("group")
    clients.produce(topic, [Record(b"x")] * 5)
    assert tools.kcat("-G", group, "-c", "3", "-q", "-X", "auto.offset.reset=earliest", topic).split() == ["x"] * 3
    assert group in tools.java(GROUPS, "--list").split()
    (row,) = [row for row in rows(tools.java(GROUPS, "--describe", "--group", group)) if row[0] == group]
    assert row[:6] == [group, topic, "0", "3", "5", "2"]  # group, topic, partition, offset, end, lag
    where = ("--group", group, "--topic", topic)
    tools.java(GROUPS, "--reset-offsets", *where, "--to-earliest", "--execute")
    (row,) = [row for row in rows(tools.java(GROUPS, "--describe", "--group", group)) if row[0] == group]
    assert row[3] == "0"
    assert "Successful" in tools.java(GROUPS, "--delete-offsets", *where)
    tools.java(GROUPS, "--delete", "--group", group)
    assert group not in tools.java(GROUPS, "--list").split()


def test_javas_other_tools_tell_offsets_change_configs_and_delete_records(
    clients: Clients, tools: Tools, tmp_path: Path
) -> None:
    topic = clients.new_topic()
    clients.produce(topic, [Record(b"x")] * 5)
    assert tools.java(OFFSETS, "--topic", topic).strip() == f"{topic}:0:5"
    entity = ("--entity-type", "topics", "--entity-name", topic)
    tools.java(CONFIGS, *entity, "--alter", "--add-config", "retention.ms=1234567")
    assert "retention.ms=1234567" in tools.java(CONFIGS, *entity, "--describe")
    wanted = tmp_path / "records.json"
    wanted.write_text(json.dumps({"version": 1, "partitions": [{"topic": topic, "partition": 0, "offset": 2}]}))
    assert "low_watermark: 2" in tools.java(DELETE_RECORDS, "--offset-json-file", str(wanted))
    assert tools.java(OFFSETS, "--topic", topic, "--time", "earliest").strip() == f"{topic}:0:2"
