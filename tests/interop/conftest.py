"""Foreign clients in environments of their own, driven over a pipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from environments import built_program, locked_environment, locked_packages
from identity_server import IdentityServer, running_identity_server
from peer import Peer

from protopact import connect_registry
from protopact.server import background_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from protopact import SchemaRegistryClient

HERE = Path(__file__).parent
PROTOS = HERE / "protos"
PACKAGE = "shop"


@pytest.fixture(scope="session")
def confluent_python(absent: Callable[[str, str], None]) -> str:
    """Give the Python of an environment that holds what `python/uv.lock` says; synced on demand, kept in the cache."""
    return str(locked_environment(HERE / "python", absent) / "python")


@pytest.fixture(scope="session")
def confluent_javascript(absent: Callable[[str, str], None]) -> Path:
    """Give a directory of the packages that `js/package-lock.json` names; installed on demand, kept in the cache."""
    return locked_packages(HERE / "js", absent)


@pytest.fixture(scope="session")
def confluent_go(absent: Callable[[str, str], None]) -> Path:
    """Give the program that `go/` is; built on demand, kept in the cache."""
    return built_program(HERE / "go", absent)


@pytest.fixture(scope="session")
def identity_server(absent: Callable[[str, str], None]) -> Iterator[IdentityServer]:
    """Give an OpenID Connect server of others, which gives tokens to the clients that it knows."""
    with running_identity_server(HERE / "identity", locked_packages(HERE / "identity", absent)) as server:
        yield server


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
    modules = [f"{PACKAGE}.order_pb2", f"{PACKAGE}.parcel_pb2"]
    peer = Peer([confluent_python, str(script), str(generated), *modules])
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


@pytest.fixture(scope="session")
def go_peer(confluent_go: Path, described: Path) -> Iterator[Peer]:
    """Give Confluent's Go client, which may remember earlier registries."""
    peer = Peer([str(confluent_go), str(described), PACKAGE])
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


@pytest.fixture
def go(go_peer: Peer) -> Peer:
    """Give Confluent's Go client."""
    go_peer("forget")
    return go_peer


@pytest.fixture(params=["python", "javascript", "go"])
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


def _protoc(*options: str) -> None:
    files = [str(path.relative_to(PROTOS)) for path in sorted(PROTOS.rglob("*.proto"))]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", *options, *files], check=True, timeout=60)
