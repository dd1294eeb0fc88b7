"""The registry under a real HTTP server."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from protopact.errors import ConfigError, StoreError
from protopact.server import Registry, background_registry, serve_registry
from protopact.server.http.app import App

if TYPE_CHECKING:
    from pathlib import Path

A = 'syntax = "proto3";\n\nmessage A {\n  int32 a = 1;\n}\n'
BODY = json.dumps({"schema": A, "schemaType": "PROTOBUF"}).encode()

SERVER = """
import sys
from protopact.server import serve_registry
serve_registry(sys.argv[1], port=0, say=lambda line: print(line, flush=True))
print("returned", flush=True)
"""


def fetch(url: str, method: str, path: str, body: bytes | None = None) -> tuple[int, object]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    try:
        connection.request(method, path, body)
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read() or b"null")
    finally:
        connection.close()


def test_a_registry_in_the_background_serves_until_its_block_ends() -> None:
    with background_registry() as url:
        assert url.startswith("http://127.0.0.1:")
        status, registered = fetch(url, "POST", "/subjects/a%2Fb/versions", BODY)
        assert (status, registered["id"]) == (200, 1)  # type: ignore[index]
        assert fetch(url, "GET", "/subjects") == (200, ["a/b"])
        assert fetch(url, "GET", "/associations")[0] == 404
        assert fetch(url, "HEAD", "/schemas/ids/1") == (200, None)
    with pytest.raises(OSError, match="refused"):
        fetch(url, "GET", "/")


def test_two_registries_stand_side_by_side_and_files_are_kept(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path / 'r.db'}"
    with background_registry(store) as first, background_registry() as second:
        fetch(first, "POST", "/subjects/s/versions", BODY)
        assert fetch(second, "GET", "/subjects") == (200, [])
    with background_registry(store) as url:
        assert fetch(url, "GET", "/subjects/s/versions") == (200, [1])


def test_a_long_body_is_refused_over_a_socket() -> None:
    with background_registry() as url:
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=10) as client:
            client.sendall(b"POST /subjects/s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000000\r\n\r\n")
            received = client.makefile("rb").read()
        assert received.startswith(b"HTTP/1.1 413 ")
        assert b'{"error_code":413,' in received
        assert fetch(url, "GET", "/subjects") == (200, [])


def test_nonsense_on_the_socket_hurts_nobody() -> None:
    with background_registry() as url:
        address = urlsplit(url)
        for sent in (b"\0\1\2\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET\r\n\r\n"):
            with socket.create_connection((address.hostname, address.port), timeout=10) as client:
                client.sendall(sent)
                assert b" 400 " in client.recv(1000)
        assert fetch(url, "GET", "/subjects") == (200, [])


@pytest.mark.parametrize("host", ["0.0.0.0", "", "::", "192.0.2.1", "registry.example"])
def test_an_address_that_others_can_reach_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="no authentication") as caught:
        serve_registry("memory:", host=host, port=0)
    assert "insecure" in caught.value.hint


def test_an_address_that_is_taken_is_a_config_error() -> None:
    with background_registry() as url, pytest.raises(ConfigError, match="cannot listen"):
        serve_registry("memory:", port=urlsplit(url).port or 0)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("192.0.2.1", 0), ("no.such.host.invalid", 0)])
def test_an_address_that_cannot_be_used_is_a_config_error(host: str, port: int) -> None:
    with pytest.raises(ConfigError, match="cannot listen"):
        serve_registry("memory:", host=host, port=port, insecure=True)


def test_a_store_that_cannot_be_opened_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        serve_registry(f"sqlite:{tmp_path}/none/r.db", port=0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_the_call_returns(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", SERVER, f"sqlite:{tmp_path / 'r.db'}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        done: list[tuple[int, object]] = []
        client = threading.Thread(target=lambda: done.append(fetch(url, "POST", "/subjects/s/versions", BODY)))
        fetch(url, "GET", "/")
        client.start()
        while not done and fetch(url, "GET", "/subjects") == (200, []):
            pass
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
        client.join(10)
    assert (process.returncode, output.splitlines(), errors) == (0, ["registry  stopped", "returned"], "")
    assert done[0][0] == 200


def test_an_answer_that_is_not_ready_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for = []
    find_prepared = Registry.find_prepared

    def counting(self: Registry, path: str, query: bytes, authorization: bytes = b"") -> object:
        looked_for.append(path)
        return find_prepared(self, path, query, authorization)

    monkeypatch.setattr(Registry, "find_prepared", counting)
    with background_registry() as url:
        assert fetch(url, "GET", "/subjects") == (200, [])
    assert looked_for == ["/subjects"]


@pytest.mark.parametrize("path", ["/subjects", "/schemas/ids/404"])
def test_a_client_that_wants_to_part_is_told_so_and_parted_from(path: str) -> None:
    with background_registry() as url, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
        client.sendall(b"GET %b HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n" % path.encode())
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.count(b"connection: close\r\n") == 1


def test_a_client_does_not_wait_for_an_answer_that_will_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stopped(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(App, "answer", stopped)
    with background_registry() as url, socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as client:
        client.settimeout(10)
        client.sendall(b"GET /subjects HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        assert client.recv(4096) == b""
