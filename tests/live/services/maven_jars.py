"""The jars of a committed `pom.xml`, fetched from Maven Central once and kept in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from service_process import REPORT_EVERY_S, ServiceError, require_program, say_on_stderr, tail_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FETCH_S = 900.0
TRIES = 2
GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


def cache_root() -> Path:
    """Give the directory of this project's fetched test parts."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "protopact-tests"


def jars_of(pom: Path, *, say: Callable[[str], None] = say_on_stderr) -> Path:
    """Give a directory that holds every jar of the pom; it is filled whole or not there."""
    key = hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    jars = cache_root() / f"{pom.parent.name}-{key}"
    if jars.is_dir():
        return jars
    jars.parent.mkdir(parents=True, exist_ok=True)
    with _lock(jars.with_suffix(".lock")):
        if not jars.is_dir():
            _fetch(pom, jars, say)
    return jars


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Let one process fetch at a time; the others find the result."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch(pom: Path, jars: Path, say: Callable[[str], None]) -> None:
    maven = require_program("mvn", used_for=f"fetching the jars of {pom}")
    say(f"{pom.parent.name}: fetching its jars from Maven Central into {jars} (once, about a minute)")
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix=f".{jars.name}-") as scratch:
        target, log_file = Path(scratch) / "jars", Path(scratch) / "maven.log"
        command = [maven, "--batch-mode", "--no-transfer-progress", "-f", str(pom), GOAL, f"-DoutputDirectory={target}"]
        for attempt in range(1, TRIES + 1):
            if _run(command, target, log_file, say, pom.parent.name) == 0:
                break
            if attempt == TRIES:
                raise ServiceError(
                    f"mvn could not fetch the jars of {pom}; the end of its output:\n{tail_of(log_file)}"
                )
            shutil.rmtree(target, ignore_errors=True)
        target.rename(jars)


def _run(command: list[str], target: Path, log_file: Path, say: Callable[[str], None], name: str) -> int:
    """Run Maven with its output in a file, and say every few seconds how far it is."""
    started_at = time.monotonic()
    with log_file.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        while True:
            try:
                return process.wait(REPORT_EVERY_S)
            except subprocess.TimeoutExpired:
                waited_s = time.monotonic() - started_at
                count = len(list(target.glob("*.jar"))) if target.is_dir() else 0
                say(f"{name}: {count} jars in place after {waited_s:.0f} s")
                if waited_s > FETCH_S:
                    raise ServiceError(f"mvn took more than {FETCH_S:g} s:\n{tail_of(log_file)}") from None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
