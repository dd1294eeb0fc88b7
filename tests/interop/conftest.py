"""Foreign clients in environments of their own, driven over a pipe."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from peer import Peer

from protopact import connect_registry
from protopact.server import background_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from protopact import SchemaRegistryClient

HERE = Path(__file__).parent
PROTOS = HERE / "protos"
PACKAGE = "shop"
SYNC_S = 300.0


@pytest.fixture(scope="session")
def confluent_python(absent: Callable[[str, str], None]) -> str:
    """Give the Python of an environment that holds what `python/uv.lock` says; synced on demand, kept in the cache."""
    project = HERE / "python"
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        absent("interop", "uv is not on the PATH, and Confluent's client needs an environment of its own")
    release = f"{sys.version_info.major}.{sys.version_info.minor}"
    home = _cached(f"confluent-python-{release}", project / "uv.lock")
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run(
        [uv, "sync", "--locked", "--quiet", "--project", str(project), "--python", sys.executable],
        env={**env, "UV_PROJECT_ENVIRONMENT": str(home)},
        capture_output=True,
        text=True,
        timeout=SYNC_S,
        check=False,
    )
    if done.returncode != 0:
        absent("interop", f"the environment of Confluent's client cannot be made: {done.stderr.strip()}")
    return str(home / "bin" / "python")


@pytest.fixture(scope="session")
def confluent_javascript(absent: Callable[[str, str], None]) -> Path:
    """Give a directory of the packages that `js/package-lock.json` names; installed on demand, kept in the cache."""
    project = HERE / "js"
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        absent("interop", "node and npm are not on the PATH")
    home = _cached("confluent-javascript", project / "package-lock.json")
    if home.exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as fresh:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(project / name, fresh)
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=fresh,
            capture_output=True,
            text=True,
            timeout=SYNC_S,
            check=False,
        )
        if done.returncode != 0:
            absent("interop", f"the packages of Confluent's client cannot be installed: {done.stderr.strip()}")
        shutil.copytree(fresh, home, symlinks=True)
    return home


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a directory of code that plain protoc generated, for a client that cannot do without."""
    target = tmp_path_factory.mktemp("generated")
    _protoc(f"--python_out={target}")
    return target


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file descriptor set, for a client that makes its messages of one."""
    target = tmp_path_factory.mktemp("described") / "shop.binpb"
    _protoc("--include_imports", f"--descriptor_set_out={target}")
    return target


@pytest.fixture(scope="session")
def python_peer(confluent_python: str, generated: Path) -> Iterator[Peer]:
    """Give Confluent's Python client, which may remember earlier registries."""
    script = HERE / "python" / "confluent_peer.py"
    peer = Peer([confluent_python, str(script), str(generated), f"{PACKAGE}.order_pb2"])
    try:
        yield peer
    finally:
        peer.close()


@pytest.fixture(scope="session")
def javascript_peer(confluent_javascript: Path, described: Path) -> Iterator[Peer]:
    """Give Confluent's JavaScript client, which may remember earlier registries."""
    script = HERE / "js" / "confluent_peer.cjs"
    peer = Peer(["node", str(script), str(confluent_javascript), str(described), PACKAGE])
    try:
        yield peer
    finally:
        peer.close()


@pytest.fixture
def python(python_peer: Peer) -> Peer:
    """Give Confluent's Python client."""
    python_peer("forget")
    return python_peer


@pytest.fixture
def javascript(javascript_peer: Peer) -> Peer:
    """Give Confluent's JavaScript client."""
    javascript_peer("forget")
    return javascript_peer


@pytest.fixture(params=["python", "javascript"])
def confluent(request: pytest.FixtureRequest) -> Peer:
    """Give each of Confluent's clients."""
    peer: Peer = request.getfixturevalue(request.param)
    return peer


@pytest.fixture
def registry() -> Iterator[str]:
    """Give the address of an empty registry of ours."""
    with background_registry() as url:
        yield url


@pytest.fixture
def client(registry: str) -> Iterator[SchemaRegistryClient]:
    """Give our client of that registry."""
    with connect_registry(registry) as client:
        yield client


def _cached(name: str, lock: Path) -> Path:
    """Give where the user's cache keeps what a lock file names."""
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "protopact-tests"
    return cache / f"{name}-{key}"


def _protoc(*options: str) -> None:
    files = [str(path.relative_to(PROTOS)) for path in sorted(PROTOS.rglob("*.proto"))]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", *options, *files], check=True, timeout=60)
