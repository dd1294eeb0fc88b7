"""A broker in a thread: it starts beside whatever the program does, and keeps its data through a stop."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from protopact.broker import background_broker
from protopact.errors import ConfigError, MissingExtraError, RefusedRequestError, StoreError
from protopact.integrations.kafka import OutgoingRecord, produce_all, read_topic
from protopact.settings import BrokerSettings
from unit.broker.raw_client import RawClient

if TYPE_CHECKING:
    from pathlib import Path


def values(servers: str, topic: str) -> list[bytes | None]:
    return [record.value for record in read_topic(servers, topic, until_end=True)]


@pytest.mark.parametrize("flush", ["every", "interval"])
def test_topics_records_and_settings_are_there_after_a_restart(tmp_path: Path, flush: str) -> None:
    settings = BrokerSettings(flush=flush)
    with background_broker(tmp_path, settings=settings) as broker:
        broker.create_topic("kept", partitions=2, config={"retention.ms": "-1"})
        produce_all(broker.bootstrap_servers, "kept", [OutgoingRecord(b"%d" % n, partition=1) for n in range(50)])
        topic_id = broker.call(lambda: broker.broker.node.topics.get("kept").topic_id)
    with background_broker(tmp_path, settings=settings) as broker:
        assert values(broker.bootstrap_servers, "kept") == [b"%d" % n for n in range(50)]
        topic = broker.call(lambda: broker.broker.node.topics.get("kept"))
        assert (topic.topic_id, len(topic.partitions)) == (topic_id, 2)
        assert topic.config.own == {"retention.ms": "-1"}


def test_the_rest_of_a_deletion_is_removed_at_the_next_start(tmp_path: Path) -> None:
    with background_broker(tmp_path) as broker:
        broker.create_topic("kept")
    left = tmp_path / "topics" / ("0" * 32)
    left.mkdir()
    (left / "file").write_text("rest")
    with background_broker(tmp_path) as broker:
        assert not left.exists()
        assert len(list((tmp_path / "topics").iterdir())) == 1


def test_data_is_used_by_one_broker_at_a_time(tmp_path: Path) -> None:
    with (
        background_broker(tmp_path),
        pytest.raises(StoreError, match="another broker uses the data"),
        background_broker(tmp_path),
    ):
        pass
    with background_broker(tmp_path):
        pass


def test_a_port_that_is_taken_is_a_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"), background_broker(port=port):
            pass


def test_an_address_that_others_reach_is_refused_unless_allowed() -> None:
    with pytest.raises(ConfigError, match="the broker has no authentication"), background_broker(host="0.0.0.0"):
        pass
    with background_broker(host="0.0.0.0", insecure=True) as broker:
        assert broker.bootstrap_servers.startswith("0.0.0.0:")


def test_clients_are_told_the_advertised_address() -> None:
    with (
        background_broker(advertised=("elsewhere", 19092)) as broker,
        RawClient(broker.bootstrap_servers) as client,
    ):
        flags = {"include_cluster_authorized_operations": False, "include_topic_authorized_operations": False}
        (found,) = client.ask(3, 8, topics=None, allow_auto_topic_creation=False, **flags).brokers
        assert (found.host, found.port) == ("elsewhere", 19092)


def test_a_broker_starts_and_stops_inside_a_running_event_loop_and_leaves_it_alone() -> None:
    async def work() -> None:
        mine = asyncio.get_running_loop()
        with background_broker() as broker:
            assert produce_all(broker.bootstrap_servers, "any", [b"1"]) == 1
        await asyncio.sleep(0)
        assert asyncio.get_running_loop() is mine

    asyncio.run(work())


def test_a_topic_that_is_there_already_is_refused() -> None:
    with background_broker() as broker:
        broker.create_topic("twice")
        with pytest.raises(RefusedRequestError, match="'twice' already"):
            broker.create_topic("twice")


@pytest.mark.parametrize("package", ["cramjam", "crc32c", "kio"])
def test_without_its_packages_it_does_not_start_and_the_error_names_the_extra(package: str) -> None:
    code = f"""
import sys
sys.modules["{package}"] = None
from protopact.broker import background_broker
try:
    with background_broker():
        pass
except Exception as error:
    print(type(error).__name__, error.hint, sep=': ')
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == f"{MissingExtraError.__name__}: pip install 'protopact[broker]'\n"
