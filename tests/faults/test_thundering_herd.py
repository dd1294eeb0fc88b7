"""Many cold clients at once: each asks for an id once, holds few connections, and comes back at a time of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from fault_proxy import faulty_way_to
from herd_client import ASKERS

from protopact.client import SchemaRegistryClient
from registry_node import READY_S, Node, schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fault_proxy import Proxy

    Herd: TypeAlias = list[subprocess.Popen[str]]

PROCESSES = 4
CONNECTIONS_MAX = 6  # of one client
LOAD_MAX = 1.2
BINS = 10
HERD_S = 300


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("herd")
    node = Node(f"sqlite:{folder / 'registry.db'}", folder / "node.log")
    try:
        node.start()
        yield node
    finally:
        node.stop()


@pytest.fixture
def way(node: Node) -> Iterator[Proxy]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the proxy holds the connections of all clients
    with faulty_way_to(node.port, names_clients=True) as proxy:
        yield proxy


def registered(way: Proxy, number: int) -> list[int]:
    """Give the ids of so many schemas."""
    with SchemaRegistryClient(f"{way.url}/first") as registry:
        found = [registry.register(f"herd-{n}", schema(n)).id or 0 for n in range(number)]
    way.reset()
    return found


@contextmanager
def herd(way: Proxy, clients: int, ids: list[int], **settings: float) -> Iterator[Herd]:
    """Have the clients ready in a few processes; `let_go` lets them all ask at once."""
    with ExitStack() as opened:
        running: Herd = []
        for first in range(PROCESSES):
            urls = [f"{way.url}/client-{n}" for n in range(first, clients, PROCESSES)]
            command = [sys.executable, str(Path(__file__).with_name("herd_client.py"))]
            process = opened.enter_context(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            opened.callback(process.kill)
            assert process.stdin is not None
            process.stdin.write(json.dumps({"urls": urls, "ids": ids, "settings": settings}) + "\n")
            process.stdin.flush()
            running.append(process)
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield running


def let_go(running: Herd) -> None:
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def reports(running: Herd) -> list[dict[str, Any]]:
    return [json.loads(process.communicate(timeout=HERD_S)[0]) for process in running]


def test_each_of_many_cold_clients_asks_for_an_id_once(
    way: Proxy, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    clients, number = count(60, 500), count(10, 50)
    ids = registered(way, number)
    with herd(way, clients, ids) as running:
        let_go(running)
        told = reports(running)
    fetched = sum(report["fetched"] for report in told)
    requests, unique = sum(way.asked.values()), clients * number
    say(
        f"{clients} cold clients, {number} ids, each wanted {ASKERS} times at once: {fetched} answers from {requests}"
        f" requests, {requests / unique:.2f} of the fewest possible, at most {max(way.asked.values())} of one client"
        f" for one id, at most {max(way.open_max.values())} connections of one client"
    )
    assert fetched == unique * ASKERS
    assert len(way.asked) == unique
    assert max(way.asked.values()) == 1
    assert requests <= LOAD_MAX * unique
    assert max(way.open_max.values()) <= CONNECTIONS_MAX
    assert all(report["fewest_fields"] == 1 and report["failures"] == 0 for report in told)


def test_a_registry_that_comes_back_is_not_trampled_and_all_clients_recover(
    node: Node, way: Proxy, count: Callable[[int, int], int], say: Callable[[str], None]
) -> None:
    """Every client asks while the registry is down; it starts when all of them have been turned away twice."""
    clients, number = count(40, 500), count(5, 50)
    ids, unique = registered(way, number), clients * number
    node.kill()
    with herd(way, clients, ids) as running:
        let_go(running)
        turned_away = 2
        while len(way.asked) < unique or min(list(way.asked.values())) < turned_away:
            assert all(process.poll() is None for process in running)
            time.sleep(0.05)
        in_vain = sum(way.asked.values())
        node.begin()
        node.wait_ready(READY_S)
        told = reports(running)
    fetched = sum(report["fetched"] for report in told)
    answered = sum(way.answered.values())
    waits = [wait for report in told for wait in report["waits"]]
    crowd = max(Counter(int(wait * BINS) for wait in waits).values()) / len(waits)
    say(
        f"{clients} clients, {number} ids, registry down and up: {in_vain} requests in vain before it was started,"
        f" {answered} answered after, {answered / unique:.2f} of the fewest possible; {len(waits)} waits, the fullest"
        f" tenth of their range holds {crowd:.0%}; at most {max(way.open_max.values())} connections of one client"
    )
    assert fetched == unique * ASKERS
    assert answered <= LOAD_MAX * unique
    assert max(way.answered.values()) == 1
    assert max(way.open_max.values()) <= CONNECTIONS_MAX
    assert len(waits) >= turned_away * unique - unique
    assert crowd < 2 / BINS
