"""No reference and no import makes the registry open a file or a connection, nor resolve a schema twice."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from system_calls import read_calls, recording_calls

import protopact
from protopact.flow import Call, perform
from protopact.server import Registry, open_store
from registry_node import Client, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from system_calls import SystemCall

GOOD = 'syntax = "proto3";\npackage good;\n\nmessage Good {\n  int32 n = 1;\n}\n'
DEEP, LAYERS, CROWD = 50, 20, 20_000

HOSTILE = [
    "../../etc/passwd",
    "../registry.db",
    "/etc/passwd",
    "//etc/passwd",
    "..",
    ".",
    "",
    "/",
    "a/../../../etc/passwd",
    "a/./b.proto",
    "a//b.proto",
    "google/protobuf/../../../etc/passwd",
    "google/protobuf/any.proto/../../etc/passwd",
    "http://{canary}/x.proto",
    "https://{canary}/x.proto",
    "//{canary}/x.proto",
    "file:///etc/passwd",
    "file://{canary}/etc/passwd",
    "jar:http://{canary}/x.jar!/x.proto",
    "a\0.proto",
    "/etc/passwd\0.proto",
    "a\n.proto",
    "\u2024\u2024/etc/passwd",  # one dot leader
    "\uff0e\uff0e\uff0fetc\uff0fpasswd",  # full-width dots and slashes
    "..\u2215..\u2215etc\u2215passwd",  # division slash
    "..\u2044etc\u2044passwd",  # fraction slash
    "\u202edwssap/cte/..",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/etc/passwd",
    "..\\..\\etc\\passwd",
    "C:\\Windows\\win.ini",
    "\\\\{canary}\\share\\x.proto",
    "~/.ssh/id_rsa",
    "$HOME/.ssh/id_rsa",
    "@/etc/passwd",
    "-I/etc",
    "--descriptor_set_out=/tmp/written.proto",
    "/dev/zero",
    "/dev/stdin",
    "/proc/self/environ",
    "x" * 5000,
    "/".join("d" * 2000),
    "\ud800.proto",
]

PATHS = ["/subjects/{}/versions", "/subjects/{}", "/compatibility/subjects/{}/versions"]


class Watched:
    """A registry under strace, what it was told to stay within, and a listener that nobody shall call."""

    def __init__(self, node: Node, record: Path, canary: socket.socket, data: Path) -> None:
        self.node = node
        self.client = Client(node.port)
        self.canary = canary
        self._record = record
        self._start = 0
        packages = Path(protopact.__file__).parents[1]
        libraries = {sys.prefix, sys.base_prefix, str(packages), "/lib", "/lib64", "/usr/lib", "/usr/local/lib"}
        self.interpreter = [*(f"{folder}/" for folder in sorted(libraries)), "/etc/ld.so.cache"]
        workers = [f"{folder}/protopact-" for folder in ("/dev/shm", tempfile.gettempdir())]
        self._folders = [f"{data}/", "/proc/", "/dev/null", *self.interpreter]
        self._workers = tuple(workers)

    def names(self) -> list[str]:
        host, port = self.canary.getsockname()
        return [name.replace("{canary}", f"{host}:{port}") for name in HOSTILE]

    def begin(self) -> None:
        """Count from here."""
        self._start = self._record.stat().st_size

    def calls(self) -> list[SystemCall]:
        return list(read_calls(self._record, self._start))

    def escapes(self) -> list[str]:
        """Find what went out of bounds."""
        return [call.text for call in self.calls() if not self.is_allowed(call)]

    def is_allowed(self, call: SystemCall) -> bool:
        if call.kind == "run":
            return call.is_below([sys.executable, str(Path(sys.executable).resolve())])
        if call.kind == "open":
            return call.is_below(self._folders) or call.what.startswith(self._workers)
        return False

    def was_called(self) -> bool:
        try:
            self.canary.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, absent: Callable[[str, str], None]) -> Iterator[Watched]:
    strace = shutil.which("strace")
    if strace is None:
        absent("faults", "strace is not installed")
    folder = tmp_path_factory.mktemp("references")
    data, record = folder / "data", folder / "record"
    data.mkdir()
    node = Node(f"sqlite:{data / 'registry.db'}", folder / "node.log", under=recording_calls(str(strace), record))
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0)
        try:
            node.start()
            watched = Watched(node, record, canary, data)
            assert register(watched.client, "good", GOOD)[0] == 200
            yield watched
            watched.client.close()
        finally:
            node.stop()


def request(text: str, references: Iterable[tuple[str, str, int]]) -> dict[str, object]:
    return {
        "schemaType": "PROTOBUF",
        "schema": text,
        "references": [{"name": name, "subject": to, "version": version} for name, to, version in references],
    }


def register(
    client: Client, subject: str, text: str, *references: tuple[str, str, int], path: str = "/subjects/{}/versions"
) -> tuple[int, dict[str, object]]:
    where = quote(subject.encode("utf-8", "surrogatepass"), safe="")
    return client.ask("POST", path.format(where), request(text, references))


def answered(registry: Registry, subject: str, text: str, references: Iterable[tuple[str, str, int]]) -> int:
    """Give the status of a registration in a registry of this process."""
    body = json.dumps(request(text, references)).encode()
    call = Call("POST", f"/subjects/{subject}/versions", headers={"content-type": "application/json"}, body=body)
    return perform(registry.exchange(call)).status


def importing(*names: str) -> str:
    """Give a schema that imports these, with what a literal cannot hold written as protoc's escapes."""
    literals = [name.translate({n: f"\\{n:03o}" for n in (*range(32), ord('"'), ord("\\"))}) for name in names]
    return 'syntax = "proto3";\n' + "".join(f'import "{literal}";\n' for literal in literals)


def test_no_name_leads_out_of_the_registry(watched: Watched, say: Callable[[str], None]) -> None:
    watched.begin()
    statuses: dict[int, int] = {}
    wrong, accepted, posts = [], set(), 0
    for name in watched.names():
        asked = [
            ("imported", "s", importing(name), ()),
            ("imported in public", "s", importing(name).replace("import ", "import public "), ()),
            ("referred to", "s", importing(name), [(name, "good", 1)]),
            ("referred to in vain", "s", GOOD, [(name, "good", 1)]),
            ("subject of a reference", "s", importing("good.proto"), [("good.proto", name, 1)]),
            ("subject", name, GOOD, ()),
        ]
        for what, subject, text, references in asked:
            for path in PATHS:
                posts += 1
                status, answer = register(watched.client, subject, text, *references, path=path)
                statuses[status] = statuses.get(status, 0) + 1
                if status == 200 and what.startswith(("imported", "referred")):
                    accepted.add(name)
                if status != 200 and not (400 <= status < 500 and answer["error_code"]):
                    wrong.append(f"{name[:40]!r} {what} {path}: {status} {answer}")
    escapes = watched.escapes()
    opened = sum(call.kind == "open" for call in watched.calls())
    say(
        f"{posts} posts with {len(HOSTILE)} hostile names under strace: {statuses}; {opened} files opened,"
        f" {len(escapes)} calls out of bounds"
    )
    assert wrong == []
    assert escapes == []
    assert not watched.was_called()
    assert watched.client.ask("GET", "/subjects/good/versions")[1] == [1]
    assert opened > 0
    for name in accepted:  # as names of files within a directory, and no more
        assert not {"", ".", ".."} & set(name.split("/")), name
        assert not {"\0", "\n", "\\"} & set(name), name


def test_a_call_out_of_bounds_is_seen(watched: Watched, tmp_path: Path) -> None:
    """The other tests could not fail if this one did not pass."""
    strace, record = str(shutil.which("strace")), tmp_path / "record"
    escape = (
        "import os, socket; os.chdir('/usr/lib'); open('../../etc/passwd').close()\n"
        f"socket.create_connection({watched.canary.getsockname()!r}).close(); os.execv('/bin/true', ['true'])"
    )
    subprocess.run([*recording_calls(strace, record), sys.executable, "-c", escape], check=True)
    other = Watched(watched.node, record, watched.canary, tmp_path)
    found = [(call.kind, call.what) for call in other.calls() if not other.is_allowed(call)]
    other.client.close()
    assert watched.was_called()
    assert [call for call in found if call[0] != "open"] == [
        ("socket", "AF_INET"),
        ("connect", "AF_INET"),
        ("run", "/bin/true"),
    ]
    assert ("open", "/etc/passwd") in found


def message(number: int, *uses: str) -> str:
    fields = "".join(f"  {use} f{n} = {n};\n" for n, use in enumerate(uses, start=1))
    return f"message M{number} {{\n{fields}}}\n"


def test_chains_circles_and_diamonds_are_answered_within_bounds(watched: Watched, say: Callable[[str], None]) -> None:
    watched.begin()
    client = watched.client
    for n in range(DEEP):
        below = [(f"c{n - 1}.proto", f"chain-{n - 1}", 1)] if n else []
        text = importing(*(name for name, _, _ in below)) + message(n, *([f"M{n - 1}"] if n else []))
        assert register(client, f"chain-{n}", text, *below)[0] == 200, n
    # No version refers to itself, but a second one may to what refers to the first: then its messages are there twice.
    for n in range(3):
        text = importing("b.proto" if n else "good.proto") + message(100, *["int32"] * n)
        before = [("b.proto", "circle-b", -1)] if n else [("good.proto", "good", 1)]
        status, answer = register(client, "circle-a", text, *before)
        assert status == 200 if n == 0 else (status, answer["error_code"]) == (422, 42201), answer
        text = importing("a.proto") + message(200, *["int32"] * n)
        assert register(client, "circle-b", text, ("a.proto", "circle-a", -1))[0] == 200
    for name in ("schema.proto", "schema_0.proto"):  # as the registry may call the schema itself
        assert register(client, "itself", importing(name), (name, "good", 1))[0] == 200
    assert client.ask("PUT", "/mode/loop", {"mode": "IMPORT"})[0] == 200
    body = {
        "schemaType": "PROTOBUF", "schema": importing("loop.proto"), "id": 5000, "version": 1,
        "references": [{"name": "loop.proto", "subject": "loop", "version": 1}],
    }  # fmt: skip
    status, answer = client.ask("POST", "/subjects/loop/versions", body)
    assert (status, answer["error_code"]) == (422, 42201)
    escapes = watched.escapes()
    say(f"a chain of {DEEP}, circles: answered; {len(escapes)} calls out of bounds")
    assert escapes == []


def test_a_fan_out_resolves_each_schema_once(monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None]) -> None:
    """Twenty layers of two files, each importing both of the layer below: 2^20 ways down."""
    store, resolved = open_store("memory:"), []
    find_version = store.find_version

    def counted(*arguments: Any, **more: Any) -> object:
        resolved.append(arguments)
        return find_version(*arguments, **more)

    monkeypatch.setattr(store, "find_version", counted)
    with closing(Registry(store)) as registry:
        for layer in range(LAYERS):
            below = [(f"{layer - 1}{side}.proto", f"{layer - 1}{side}", 1) for side in "ab"] if layer else []
            for side in "ab":
                text = importing(*(name for name, _, _ in below)) + f"message {side.upper()}{layer} {{}}\n"
                assert answered(registry, f"{layer}{side}", text, below) == 200
        resolved.clear()
        names = [(f"{LAYERS - 1}{side}.proto", f"{LAYERS - 1}{side}", 1) for side in "ab"]
        assert (
            answered(registry, "root", importing(*(name for name, _, _ in names)) + "message Root {}\n", names) == 200
        )
        of_root, distinct = len(resolved), 2 * LAYERS + 1
        resolved.clear()
        status = answered(registry, "crowd", GOOD, [("good.proto", "0a", 1)] * CROWD)
        of_crowd = len(resolved)
        status_of_many = answered(registry, "many", GOOD, [(f"{n}.proto", "0a", 1) for n in range(CROWD)])
        of_many = len(resolved) - of_crowd
    say(
        f"2^{LAYERS} ways to {distinct} schemas: {of_root} resolved; {CROWD} references to one schema: {status} after"
        f" {of_crowd}, under as many names: {status_of_many} after {of_many}"
    )
    assert of_root <= 2 * distinct
    assert max(of_crowd, of_many) <= 2 * 1000
