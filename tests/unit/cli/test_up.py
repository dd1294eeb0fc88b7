"""`up` serves broker and registry from one process, says when they are there, and stops both so that all is kept."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from protopact.broker import background_broker
from protopact.connect import connect_registry
from protopact.integrations.kafka import kafka_produce, read_topic
from protopact.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from unit.cli.running import Ran

FREE = ("--registry", "127.0.0.1:0", "--kafka", "127.0.0.1:0")


@contextmanager
def running(directory: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Give the process of `up` on free ports, and the addresses of broker and registry that it said."""
    command = [sys.executable, "-m", "protopact.cli", "up", "--data-dir", str(directory), *FREE, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            said = "".join(process.stdout.readline() for _ in range(3))
            broker, registry = re.search(r"broker +(\S+)\n", said), re.search(r"registry +(\S+)\n", said)
            assert said.startswith(f"data      {directory}\n")
            assert broker, said + process.stderr.read()
            assert registry, said + process.stderr.read()
            yield process, broker[1], registry[1]
        finally:
            process.kill()


def stop(process: subprocess.Popen[str], number: signal.Signals) -> None:
    process.send_signal(number)
    assert process.wait(30) == 0, process.stderr.read()
    assert process.stdout.read() == "registry  stopped\nbroker    stopped\n"


def test_a_signal_stops_both_and_the_next_start_finds_everything(tmp_path: Path) -> None:
    schema = load_schema('syntax = "proto3"; message Order { int64 id = 1; }')
    with running(tmp_path, "--partitions", "3", "--kafka-flush", "every") as (process, broker, url):
        for partition in range(3):
            assert kafka_produce(broker, "orders", b"tea", partition=partition).offset == 0
        with connect_registry(url) as registry:
            assert registry.register("orders-value", schema).id == 1
        stop(process, signal.SIGTERM)
    with running(tmp_path) as (process, broker, url):
        assert len(list(read_topic(broker, "orders", until_end=True))) == 3
        with connect_registry(url) as registry:
            assert registry.get_subjects() == ["orders-value"]
            assert registry.register("orders-value", schema).id == 1
        stop(process, signal.SIGINT)
    with background_broker(tmp_path / "kafka") as kafka:
        assert len(list(read_topic(kafka.bootstrap_servers, "orders", until_end=True))) == 3


def test_the_advertised_address_is_what_clients_are_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with running(tmp_path, "--kafka-advertised", f"127.0.0.1:{port}") as (_, broker, _):
        from unit.broker.raw_client import RawClient

        with RawClient(broker) as client:
            flags = {"include_cluster_authorized_operations": False, "include_topic_authorized_operations": False}
            (found,) = client.ask(3, 8, topics=None, allow_auto_topic_creation=False, **flags).brokers
            assert (found.host, found.port) == ("127.0.0.1", port)


def test_a_port_that_is_taken_is_a_clear_error(tmp_path: Path, run: Callable[..., Ran]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        for option, free in (("--kafka", "--registry"), ("--registry", "--kafka")):
            ran = run("up", "--data-dir", tmp_path, option, taken, free, "127.0.0.1:0")
            assert (ran.code, f"cannot listen on {taken}" in ran.err) == (1, True)


def test_data_that_another_broker_uses_is_a_clear_error(tmp_path: Path, run: Callable[..., Ran]) -> None:
    with background_broker(tmp_path / "kafka"):
        ran = run("up", "--data-dir", tmp_path, *FREE)
        assert (ran.code, "another broker uses the data" in ran.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--kafka", "0.0.0.0:0"), "the broker has no authentication"),
        (("--registry", "0.0.0.0:0"), "the registry has no authentication"),
        (("--kafka", "nowhere"), "--kafka is 'nowhere'"),
        (("--kafka-advertised", "nowhere"), "--kafka-advertised is 'nowhere'"),
        (("--partitions", 0), "1 partition or more"),
    ],
)
def test_what_cannot_be_served_is_refused(
    tmp_path: Path, words: tuple[object, ...], said: str, run: Callable[..., Ran]
) -> None:
    ran = run("up", "--data-dir", tmp_path, *FREE, *words)
    assert (ran.code, said in ran.err + ran.out) == (1, True), ran.err


def test_without_the_brokers_packages_the_error_names_the_extra(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.modules['kio'] = None; from protopact.cli.main import main; sys.exit(main({['up', *FREE]!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "protopact[broker]" in done.stderr) == (1, True)
