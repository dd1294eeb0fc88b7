"""Foreign clients in environments of their own, driven over a pipe."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from peer import Peer

from protopact.server import background_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
PROTOS = HERE / "protos"
SYNC_S = 300.0


@pytest.fixture(scope="session")
def confluent_python(absent: Callable[[str, str], None]) -> str:
    """Give the Python of an environment that holds what `python/uv.lock` says; synced on demand, kept in the cache."""
    project = HERE / "python"
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        absent("interop", "uv is not on the PATH, and Confluent's client needs an environment of its own")
    release = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = hashlib.sha256((project / "uv.lock").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "protopact-tests"
    home = cache / f"confluent-python-{release}-{key}"
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
