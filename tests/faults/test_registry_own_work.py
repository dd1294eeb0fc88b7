"""No schema keeps the registry's own process busy: what takes long is done in contained ones, and others are served.

The bombs, and schemas that are valid and large, are registered, looked up, checked against others and shown.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from bombs import BOMBS, GOOD, LARGE, Bomb
from processor import processor_s

from registry_node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOAL_S = 0.05  # of the server's own processor time
CHANGED = ("int32", "string")
ROUTES = {
    "register": "/subjects/{}/versions",
    "look-up": "/subjects/{}",
    "compatibility": "/compatibility/subjects/{}/versions",
}

# It pauses for as long as a request takes, so that a slow answer does not hide the next ones.
BYSTANDER = """
import http.client, json, select, sys, time
took_s = []
wire = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
body = json.dumps({"schema": 'syntax = "proto3"; message Good { int32 number = 1; }', "schemaType": "PROTOBUF"})
while not select.select([sys.stdin], [], [], 0.005)[0]:
    for request in (("GET", "/schemas/ids/1?subject=good"), ("POST", "/subjects/good", body)):
        start = time.perf_counter()
        wire.request(*request, headers={"Content-Type": "application/json"})
        reply = wire.getresponse()
        reply.read()
        took_s.append(time.perf_counter() - start if reply.status == 200 else 1e9)
    if len(took_s) == 2:
        print("ready", flush=True)
print(json.dumps(sorted(took_s)))
"""


class Client:
    def __init__(self, node: Node) -> None:
        self.node = node

    def send(self, method: str, path: str, body: dict[str, str] | None = None) -> tuple[int, str]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.node.port, timeout=60)) as wire:
            wire.request(method, path, None if body is None else json.dumps(body))
            reply = wire.getresponse()
            return reply.status, reply.read().decode()

    def post(self, path: str, schema: str) -> tuple[int, str]:
        return self.send("POST", path, {"schema": schema, "schemaType": "PROTOBUF"})

    def work(self, method: str, path: str, schema: str = "") -> tuple[int, float]:
        """Give the status of an answer, and what it took of the server's own processor time."""
        start_s = processor_s(self.node.pid)
        status, _ = self.post(path, schema) if schema else self.send(method, path)
        return status, processor_s(self.node.pid) - start_s


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    node = Node("memory:", tmp_path_factory.mktemp("work") / "node.log")
    try:
        node.start()
        client = Client(node)
        assert client.send("PUT", "/config", {"compatibility": "FULL_TRANSITIVE"})[0] == 200
        assert client.post("/subjects/good/versions", GOOD)[0] == 200
        large = next(iter(LARGE.values()))
        for path in ROUTES.values():  # what is loaded and started once is not counted
            assert client.post(path.format("warm"), large)[0] == 200
            assert client.post(path.format("good"), large)[0] in {200, 404, 409}
        yield client
    finally:
        node.stop()


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("bomb", BOMBS, ids=str)
def test_a_bomb_is_not_the_servers_own_work(bomb: Bomb, route: str, client: Client, say: Callable[[str], None]) -> None:
    status, work_s = client.work("POST", ROUTES[route].format("good"), bomb.text)
    say(f"{bomb.name}, {route}: {status}, {work_s * 1000:.1f} ms of the server's own work")
    assert status == 422
    assert work_s < GOAL_S


@pytest.mark.parametrize("name", LARGE)
def test_a_large_schema_is_not_the_servers_own_work(name: str, client: Client, say: Callable[[str], None]) -> None:
    subject, schema = name.replace(" ", "-"), LARGE[name]
    told = []
    for text in (schema, schema, schema.replace(*CHANGED)):
        for route, path in ROUTES.items():
            status, work_s = client.work("POST", path.format(subject), text)
            told.append(f"{route} {status} {work_s * 1000:.0f} ms")
            assert status < 500
            assert work_s < GOAL_S
    for query in ("", "?format=serialized", "?format=ignore_extensions"):
        status, work_s = client.work("GET", f"/subjects/{subject}/versions/latest{query}")
        told.append(f"GET {query} {status} {work_s * 1000:.0f} ms")
        assert work_s < GOAL_S
    say(f"{name}, {len(schema) // 1024} KiB: {', '.join(told)}")


def test_others_are_served_while_bombs_go_off(client: Client, say: Callable[[str], None]) -> None:
    def quietly() -> None:
        for _ in range(40):
            client.send("GET", "/subjects/good/versions")

    def attack() -> None:
        for bomb in BOMBS:
            for path in ROUTES.values():
                client.post(path.format("good"), bomb.text)

    for name, act in (("quiet", quietly), ("under attack", attack)):
        took_s = _bystander(client, act)
        p50, p99 = (took_s[int(len(took_s) * part)] * 1000 for part in (0.5, 0.99))
        say(f"bystander, {name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, slowest {took_s[-1] * 1000:.1f} ms")
        assert took_s[-1] < 1e9, "an answer was an error"


def _bystander(client: Client, act: Callable[[], None]) -> list[float]:
    command = [sys.executable, "-c", BYSTANDER, str(client.node.port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        act()
        took_s: list[float] = json.loads(process.communicate("stop\n", timeout=60)[0])
    return took_s
