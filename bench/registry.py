"""The registry's throughput and latency, beside a raw ASGI app that answers constant bytes under the same server.

    python bench/registry.py [--seconds N] [--subjects N] [--peer axonops] [--json]

Needs `wrk` (a Debian package). Load generator and servers share the machine's cores, so figures are read as ratios
to the raw app in the same run, beside each server's processor time for a request. `--subjects 10000` fills the store
first, ten versions a subject. `--peer axonops` has AxonOps Schema Registry answer the same loads in the same run; it is
built with Go on first use.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from protopact.compiler import print_file
from protopact.descriptor import FileSet
from protopact.registry import Subject, content_guid
from protopact.server import open_store
from protopact.server.store import Content

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = (1, 8, 32)
VERSIONS_PER_SUBJECT = 10
TYPE = "application/vnd.schemaregistry.v1+json"
RAW_APP = """
import socket, sys, uvicorn
BODY = bytes(int(sys.argv[1]))
HEADERS = [(b"content-length", b"%d" % len(BODY)), (b"content-type", b"application/vnd.schemaregistry.v1+json")]
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})
door = socket.create_server(("127.0.0.1", 0), backlog=2048)
print("raw http://127.0.0.1:%d" % door.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, server_header=False)).run([door])
"""
ORDER = 'syntax = "proto3"; package shop; message Order { int64 id = 1; string item = 2; repeated string tags = 3; }'
NEW_SCHEMA = r"""
math.randomseed(os.time())
local run, count = math.random(2^30), 0
function request()
  count = count + 1
  local name = "M" .. run .. "x" .. count
  local body = [[{"schemaType":"PROTOBUF","schema": "syntax = \"proto3\"; message ]] .. name .. [[ { int32 a = 1; }"}]]
  return wrk.format("POST", "/subjects/" .. name .. "/versions", HEADERS, body)
end
"""


@dataclass(frozen=True)
class Load:
    """One kind of request: a name, the target, and what wrk has to send."""

    name: str
    path: str
    script: str = ""


@dataclass(frozen=True)
class Row:
    load: str
    connections: int
    per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    cpu_us: float
    of_raw: float


@contextmanager
def served(*command: str) -> Iterator[tuple[str, int]]:
    """Start a server that prints its address as the last word of a line, and give the address and its process id."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1], process.pid
        finally:
            process.terminate()


def post(url: str, body: dict[str, str]) -> dict[str, object]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": TYPE})
    with urllib.request.urlopen(request, timeout=30) as reply:
        found: dict[str, object] = json.load(reply)
        return found


def fill(store_url: str, subjects: int) -> None:
    """Put ten versions under each subject, every content another one, through the store's own port."""
    store = open_store(store_url)
    for start in range(0, subjects, 500):
        with store.writing() as ledger:
            for number in range(start, min(start + 500, subjects)):
                for version in range(1, VERSIONS_PER_SUBJECT + 1):
                    ledger.append(Subject(f"subject-{number}"), version, content(number, version), ts=0)
    store.close()


def content(number: int, version: int) -> Content:
    file = FileDescriptorProto(name="schema.proto", package=f"p{number}", syntax="proto3")
    message = file.message_type.add(name="Order")
    for at in range(1, version + 5):
        message.field.add(name=f"field_{at}", number=at, type=FieldDescriptorProto.TYPE_STRING, label=1)
    text = print_file(FileSet.link("schema.proto", [file]))
    file.ClearField("name")
    return Content(content_guid(text), text, file.SerializeToString())


def posting(path: str, body: dict[str, object]) -> str:
    quoted = json.dumps(json.dumps(body))
    return f"wrk.method, wrk.path, wrk.body, wrk.headers = 'POST', '{path}', {quoted}, HEADERS"


def loads(schema_id: int) -> list[Load]:
    body: dict[str, object] = {"schema": ORDER, "schemaType": "PROTOBUF"}
    return [
        Load("GET by id", f"/schemas/ids/{schema_id}"),
        Load("register again", "/", posting("/subjects/orders-value/versions", body)),
        Load("look up", "/", posting("/subjects/orders-value", body)),
        Load("check compatibility", "/", posting("/compatibility/subjects/orders-value/versions/latest", body)),
        Load("register anew", "/", NEW_SCHEMA),
        Load("list subjects", "/subjects"),
    ]


def named_load(name: str, schema_id: int) -> Load:
    """Give the load of a name, for a registry in which the schema has this id."""
    return next(load for load in loads(schema_id) if load.name == name)


def run_wrk(
    server: tuple[str, int], load: Load, connections: int, seconds: float, folder: Path
) -> tuple[float, float, float, int, float]:
    """Have a server answer a load.

    Gives requests per second, median and 99th percentile in milliseconds, the number of wrong answers, and the
    microseconds of processor time that a request took of the server and of its children.
    """
    url, pid = server
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "--timeout", "30s"]
    if load.script:
        script = folder / "load.lua"
        script.write_text(f"HEADERS = {{['Content-Type'] = '{TYPE}'}}\n{load.script}\n")
        command += ["-s", str(script)]
    used_s = processor_s(pid)
    shown = subprocess.run([*command, url + load.path], capture_output=True, text=True, check=True).stdout
    used_s = processor_s(pid) - used_s
    answered = int(re.search(r"(\d+) requests in", shown)[1])  # type: ignore[index]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", shown)[1])  # type: ignore[index]
    p50, p99 = (milliseconds(re.search(rf"{at}%\s+([\d.]+\w+)", shown)[1]) for at in (50, 99))  # type: ignore[index]
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", shown)
    return rate, p50, p99, int(wrong[1]) if wrong else 0, 1e6 * used_s / max(answered, 1)


def milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def processor_s(pid: int) -> float:
    """Give the processor time that a process and its children have used, those that have ended among them."""
    used = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            used += sum(map(int, fields[11:15])) if pid in (int(process.name), int(fields[1])) else 0
    return used / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def measure(seconds: float, subjects: int, *, peer: str = "") -> tuple[list[Row], dict[str, float]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = f"sqlite:{folder / 'registry.db'}"
        if subjects:
            fill(store, subjects)
        started = time.perf_counter()
        serve = ("protopact.cli", "registry", "serve", "--listen", "127.0.0.1:0", "--store", store)
        url, pid = stack.enter_context(served(sys.executable, "-m", *serve))
        urllib.request.urlopen(f"{url}/schemas/types", timeout=30).close()
        facts = {"ready_s": time.perf_counter() - started, "rss_idle_mib": resident_mib(pid)}
        order = {"schema": ORDER, "schemaType": "PROTOBUF"}
        schema_id = int(str(post(f"{url}/subjects/orders-value/versions", order)["id"]))
        with urllib.request.urlopen(f"{url}/schemas/ids/{schema_id}", timeout=30) as reply:
            size = len(reply.read())
        raw_server = stack.enter_context(served(sys.executable, "-c", RAW_APP, str(size)))
        peers: dict[str, tuple[str, int]] = {}
        if peer == "axonops":
            from axonops import axonops

            peers = stack.enter_context(axonops(folder))
        their_ids = {
            who: int(str(post(f"{at}/subjects/orders-value/versions", order)["id"])) for who, (at, _) in peers.items()
        }
        facts |= {f"rss_idle_mib {who}": resident_mib(their_pid) for who, (_, their_pid) in peers.items()}
        rows = []
        for connections in CONNECTIONS:
            raw = run_wrk(raw_server, Load("raw app", "/"), connections, seconds, folder)
            rows.append(Row("raw app", connections, *raw, 1.0))
            for load in loads(schema_id):
                found = run_wrk((url, pid), load, connections, seconds, folder)
                rows.append(Row(load.name, connections, *found, found[0] / raw[0]))
                for who, peer_server in peers.items():
                    theirs = run_wrk(peer_server, named_load(load.name, their_ids[who]), connections, seconds, folder)
                    rows.append(Row(f"  {who}", connections, *theirs, theirs[0] / raw[0]))
        facts["rss_loaded_mib"] = resident_mib(pid)
        facts |= {f"rss_loaded_mib {who}": resident_mib(their_pid) for who, (_, their_pid) in peers.items()}
    return rows, facts


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="per load and number of connections (5)")
    parser.add_argument("--subjects", type=int, default=0, help="subjects to fill the store with first (0)")
    parser.add_argument("--peer", choices=["axonops"], default="", help="another registry to measure beside ours")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: apt-get install wrk")
    rows, facts = measure(options.seconds, options.subjects, peer=options.peer)
    if options.json:
        json.dump({"rows": [asdict(row) for row in rows], **facts}, sys.stdout, indent=1)
        print()
        return
    print(f"{'':22}{'clients':>8}{'per s':>10}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}{'cpu us':>8}{'of raw':>8}")
    for row in rows:
        print(
            f"{row.load:22}{row.connections:>8}{row.per_s:>10,.0f}{row.p50_ms:>9.2f}{row.p99_ms:>9.2f}"
            f"{row.errors:>8}{row.cpu_us:>8.0f}{row.of_raw:>8.2f}"
        )
    print(" · ".join(f"{name} {value:.2f}" for name, value in facts.items()))


if __name__ == "__main__":
    main()
