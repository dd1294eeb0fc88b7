"""A daemon for tests: started with its output in a file, asked until it is ready, stopped by its process id."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

STOP_S = 20.0
KILL_S = 10.0
PROBE_EVERY_S = 0.05
REPORT_EVERY_S = 5.0
TAIL_LINES = 30


class ServiceError(Exception):
    """A service cannot be fetched or started, or died; the message ends with the tail of its log."""


class ServiceMissingError(ServiceError):
    """This machine lacks a program that the service needs."""


def say_on_stderr(line: str) -> None:
    """Show one line of progress."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201  (a script's progress)


def require_program(name: str, *, used_for: str) -> str:
    """Give the path of a program, or say what is missing and what it is for."""
    path = shutil.which(name)
    if path is None:
        raise ServiceMissingError(f"the program {name!r} is not on the PATH; it is needed for {used_for}")
    return path


def free_ports(count: int) -> list[int]:
    """Give loopback ports that nobody listens on now; they are held together, so they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def tail_of(log_file: Path, lines: int = TAIL_LINES) -> str:
    """Give the last lines of a log, or a note that it is empty."""
    text = log_file.read_text(errors="replace") if log_file.exists() else ""
    return "\n".join(text.splitlines()[-lines:]) or f"({log_file} is empty)"


class Daemon:
    """One child process that writes to `log_file`; it ends with this process even when that one is killed."""

    def __init__(
        self, name: str, command: Sequence[str], *, log_file: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log_file = log_file
        self.started_at = time.monotonic()
        with log_file.open("ab") as output:
            self.process = subprocess.Popen(
                [*_dies_with_parent(), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,  # Ctrl-C reaches the test run, which then stops the daemon in order
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_ready(self, is_ready: Callable[[], bool], *, timeout_s: float, say: Callable[[str], None]) -> float:
        """Ask until the service answers and give the seconds since its start; fail with the log's tail."""
        report_at = self.started_at + REPORT_EVERY_S
        while not is_ready():
            waited_s = time.monotonic() - self.started_at
            if self.process.poll() is not None:
                raise self._failure(f"ended with status {self.process.returncode} before it was ready")
            if waited_s > timeout_s:
                raise self._failure(f"was not ready within {timeout_s:g} s")
            if time.monotonic() > report_at:
                report_at += REPORT_EVERY_S
                say(f"{self.name}: waiting for it to be ready, {waited_s:.0f} s")
            time.sleep(PROBE_EVERY_S)
        return time.monotonic() - self.started_at

    def stop(self) -> None:
        """End the process: politely, then by force. It is gone when this returns."""
        if self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(KILL_S)

    def _failure(self, what: str) -> ServiceError:
        return ServiceError(f"{self.name} {what}; the end of {self.log_file}:\n{tail_of(self.log_file)}")


def _dies_with_parent() -> list[str]:
    """Where util-linux is there, have the kernel end the child when a killed test run cannot."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
