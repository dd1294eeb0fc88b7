"""Environments of their own for foreign tools: made on demand as a lock file says, kept in the user's cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SYNC_S = 300.0


def locked_environment(project: Path, absent: Callable[[str, str], None]) -> Path:
    """Give the `bin` directory of an environment that holds what the project's `uv.lock` says."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        absent("interop", f"uv is not on the PATH, and {project.name} needs an environment of its own")
        raise AssertionError  # absent() has ended the test
    home = _cached(f"{project.name}-{sys.version_info.major}.{sys.version_info.minor}", project / "uv.lock")
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
        absent("interop", f"the environment of {project.name} cannot be made: {done.stderr.strip()}")
    return home / "bin"


def locked_packages(project: Path, absent: Callable[[str, str], None]) -> Path:
    """Give a directory of the packages that the project's `package-lock.json` names."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        absent("interop", "node and npm are not on the PATH")
        raise AssertionError  # absent() has ended the test
    home = _cached(project.name, project / "package-lock.json")
    if home.exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as directory:
        fresh = Path(directory) / home.name
        fresh.mkdir()
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
            absent("interop", f"the packages of {project.name} cannot be installed: {done.stderr.strip()}")
        fresh.rename(home)
    return home


def built_program(project: Path, absent: Callable[[str, str], None]) -> Path:
    """Give the program that a Go project is, with the modules that its `go.sum` names."""
    go = shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))
    if go is None or shutil.which("gcc") is None:
        absent("interop", "go and gcc are not on the PATH")
        raise AssertionError  # absent() has ended the test
    program = _cached(project.name, project / "go.sum") / project.name
    done = subprocess.run(
        [go, "build", "-mod=readonly", "-o", str(program), "."],
        cwd=project,
        env={**os.environ, "CGO_ENABLED": "1"},
        capture_output=True,
        text=True,
        timeout=SYNC_S,
        check=False,
    )
    if done.returncode != 0:
        absent("interop", f"the program {project.name} cannot be built: {done.stderr.strip()}")
    return program


def _cached(name: str, lock: Path) -> Path:
    """Give where the user's cache keeps what a lock file names."""
    key = hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "protopact-tests"
    return cache / f"{name}-{key}"
