"""A registry server process, as people start it, and clients that count what it acknowledged."""

from __future__ import annotations

import http.client
import json
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from live.services.service_process import Daemon, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

READY_S = 20.0
REQUEST_S = 30.0
UNAVAILABLE = 503
SERVER = ("-m", "protopact.cli")


class Client:
    """One keep-alive connection to a registry; a failed one is made anew for the next request."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_S)

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Give an answer's status and JSON; OSError or HTTPException when there is none."""
        status, answer, _ = self.ask_all(method, path, body)
        return status, answer

    def ask_all(self, method: str, path: str, body: object = None) -> tuple[int, Any, http.client.HTTPMessage]:
        """Give an answer's status, JSON and headers."""
        data = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, data, {"content-type": "application/json"} if data else {})
            reply = self._connection.getresponse()
            return reply.status, json.loads(reply.read() or b"null"), reply.headers
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()


class Node:
    """`protopact registry serve` on a port of its own."""

    def __init__(
        self, store_url: str, log_file: Path, *, under: Sequence[str] = (), program: Sequence[str] = SERVER
    ) -> None:
        self.port = free_ports(1)[0]
        self._log_file = log_file
        listen = ["registry", "serve", "--listen", f"127.0.0.1:{self.port}", "--store", store_url]
        self._command = [*under, sys.executable, *program, *listen]
        self._daemon: Daemon | None = None

    def begin(self) -> None:
        """Start the server. It ends with the thread that started it."""
        self._daemon = Daemon("registry", self._command, log_file=self._log_file)

    def start(self) -> float:
        """Start the server and give the seconds until it was ready."""
        self.begin()
        assert self._daemon is not None
        return self._daemon.wait_ready(self.is_ready, timeout_s=READY_S, say=lambda _line: None)

    def is_ready(self) -> bool:
        client = Client(self.port)
        try:
            return client.ask("GET", "/health/ready")[0] == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            client.close()

    def wait_ready(self, timeout_s: float) -> float:
        """Give the seconds until the server is ready."""
        start = time.monotonic()
        while not self.is_ready():
            assert time.monotonic() - start < timeout_s, "the node is not ready"
            time.sleep(0.02)
        return time.monotonic() - start

    def kill(self) -> None:
        """`kill -9`; the compilers that it started end with it."""
        assert self._daemon is not None
        os.kill(self._daemon.pid, signal.SIGKILL)
        self._daemon.process.wait()

    def stop(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()

    @property
    def pid(self) -> int:
        assert self._daemon is not None
        return self._daemon.pid


@contextmanager
def nodes(store_url: str, folder: Path, number: int) -> Iterator[list[Node]]:
    """Run so many servers on one store; they start at once."""
    running = [Node(store_url, folder / f"node-{n}.log") for n in range(number)]
    try:
        for node in running:
            node.begin()
        for node in running:
            node.wait_ready(READY_S)
        yield running
    finally:
        for node in running:
            node.stop()


@dataclass(frozen=True)
class Fact:
    """What a server acknowledged: this text is this version of this subject, under this id."""

    subject: str
    version: int
    id: int
    guid: str
    text: str


@dataclass
class History:
    """What all clients were told, and how often they were told what."""

    facts: dict[Fact, float] = field(default_factory=dict)  # with the time when it was first known
    statuses: dict[int, int] = field(default_factory=dict)
    cut: int = 0
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def register(self, client: Client, subject: str, text: str) -> bool:
        """Register and write down what came of it; whether it was acknowledged."""
        start = time.perf_counter()
        try:
            status, answer, headers = client.ask_all(
                "POST", f"/subjects/{subject}/versions", {"schemaType": "PROTOBUF", "schema": text}
            )
        except (OSError, http.client.HTTPException):
            with self._lock:
                self.cut += 1
            return False
        now = time.time()
        with self._lock:
            self.seconds.append(time.perf_counter() - start)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            if status == 200:
                fact = Fact(subject, answer["version"], answer["id"], answer["guid"], text)
                self.facts[fact] = min(now, self.facts.get(fact, now))
            elif status != UNAVAILABLE or headers.get("retry-after") is None:
                self.wrong.append(f"{status} {answer}")
        return status == 200

    @property
    def acknowledged(self) -> int:
        return self.statuses.get(200, 0)

    @property
    def refused(self) -> int:
        return self.statuses.get(UNAVAILABLE, 0)

    def percentile(self, share: float) -> float:
        """Give a share of the answers' times, in milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def contradictions(self) -> list[str]:
        """Find ids that stand for two texts, texts that have two ids, and versions that hold two texts."""
        found: list[str] = []
        for name, key, value in (
            ("id", lambda f: f.id, lambda f: (f.text, f.guid)),
            ("text", lambda f: f.text, lambda f: (f.id, f.guid)),
            ("version", lambda f: (f.subject, f.version), lambda f: (f.text, f.id)),
        ):
            seen: dict[Any, Any] = {}
            found += [
                f"{name} {key(fact)} is {value(fact)} and {seen[key(fact)]}"
                for fact in sorted(self.facts, key=lambda f: (f.subject, f.version))
                if seen.setdefault(key(fact), value(fact)) != value(fact)
            ]
        return found

    def lost(self, client: Client) -> list[str]:
        """Find what was acknowledged and is not there, and subjects whose versions have gaps."""
        found: list[str] = []
        for subject in sorted({fact.subject for fact in self.facts}):
            status, numbers = client.ask("GET", f"/subjects/{subject}/versions")
            if status != 200 or numbers != list(range(1, len(numbers) + 1)):
                found.append(f"{subject} has the versions {numbers}")
        for fact in self.facts:
            status, answer = client.ask("GET", f"/subjects/{fact.subject}/versions/{fact.version}")
            if status != 200 or (answer["id"], answer["guid"]) != (fact.id, fact.guid):
                found.append(f"{fact} is {status} {answer}")
        return found


def schema(number: int) -> str:
    """Give a schema of its own for each number; every two of them are compatible."""
    return f'syntax = "proto3";\npackage shop;\n\nmessage Order {{\n  string f{number} = {1 + number % 18000};\n}}\n'
