"""Foreign clients in environments of their own, driven over a pipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from environments import locked_environment
from peer import Peer

from protopact.server import background_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
PROTOS = HERE / "protos"


@pytest.fixture(scope="session")
def confluent_python(absent: Callable[[str, str], None]) -> str:
    """Give the Python of an environment that holds what `python/uv.lock` says; synced on demand, kept in the cache."""
    return str(locked_environment(HERE / "python", absent) / "python")


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a directory of code that plain protoc generated, for a client that cannot do without."""
    target = tmp_path_factory.mktemp("generated")
    files = [str(path.relative_to(PROTOS)) for path in sorted(PROTOS.rglob("*.proto"))]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", f"--python_out={target}", *files]
    subprocess.run(command, check=True, timeout=60)
    return target


@pytest.fixture(scope="session")
def confluent(confluent_python: str, generated: Path) -> Iterator[Peer]:
    """Give Confluent's Python client."""
    script = HERE / "python" / "confluent_peer.py"
    peer = Peer([confluent_python, str(script), str(generated), "shop.order_pb2"])
    try:
        yield peer
    finally:
        peer.close()


@pytest.fixture
def registry() -> Iterator[str]:
    """Give the address of an empty registry of ours."""
    with background_registry() as url:
        yield url
