"""PostgreSQL on loopback with data of its own: a context manager for tests, a script for people."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from service_process import (
    Daemon,
    ServiceError,
    ServiceMissingError,
    free_ports,
    require_program,
    say_on_stderr,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

START_S = 30.0
INIT_S = 60.0
TRIES = 3
PORT_TAKEN = "could not bind"
SUPERUSER = "postgres"
NEEDED_FOR = "running PostgreSQL"
# Safe as it is by default, and small.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "recovery_init_sync_method": "syncfs",  # else a start after a crash visits every file
    "max_connections": "100",
}


def programs() -> Path:
    """Give the directory of the newest PostgreSQL's programs; Debian keeps them off the PATH."""
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if homes:
        return homes[-1].parent
    found = shutil.which("initdb")
    if found is None:
        raise ServiceMissingError(f"no PostgreSQL server is installed; it is needed for {NEEDED_FOR}")
    return Path(found).resolve().parent


class PostgresService:
    """A PostgreSQL server that can be stopped, killed and started again at the same address."""

    def __init__(self, home: Path, port: int, say: Callable[[str], None], settings: Mapping[str, str]) -> None:
        self.port = port
        self.data_dir = home / "data"
        self.log_file = home / "postgres.log"
        self._say = say
        self._settings = {**SETTINGS, **settings}
        self._daemon: Daemon | None = None
        _initialise(self.data_dir)

    def url(self, database: str = "postgres") -> str:
        """Give the address of a database."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str) -> str:
        """Make a database and give its address."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE \"{name}\" TEMPLATE template0 ENCODING 'UTF8'")
        return self.url(name)

    def start(self) -> float:
        """Start the server and give the seconds until it answered."""
        set_by = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(programs() / "postgres"), "-D", str(self.data_dir), "-h", "127.0.0.1", "-p", str(self.port)]
        self._daemon = Daemon("postgres", _as_owner(*command, *set_by), log_file=self.log_file)
        try:
            start_s = self._daemon.wait_ready(self._answers, timeout_s=START_S, say=self._say)
        except BaseException:
            self._daemon.stop()
            raise
        return start_s

    def stop(self) -> None:
        """Stop the server: those connected are thrown out, all is written. It is gone when this returns."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGINT)
        self._await_end()

    def kill(self) -> None:
        """Kill every process of the server at once, as `kill -9` would. They are gone when this returns."""
        postmaster = self.pid
        # Stopped first, so that no child is born between the list and the last kill.
        os.kill(postmaster, signal.SIGSTOP)
        for pid in [*_children(postmaster), postmaster]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._await_end()

    @property
    def pid(self) -> int:
        """The first process's id; the others are its children."""
        return int((self.data_dir / "postmaster.pid").read_text().split("\n", 1)[0])

    def _await_end(self) -> None:
        if self._daemon is not None:
            self._daemon.stop()
            self._daemon = None

    def _answers(self) -> bool:
        import psycopg

        with suppress(psycopg.OperationalError), psycopg.connect(self.url(), connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
        return False


@contextmanager
def running_postgres(
    *,
    port: int | None = None,
    data_dir: Path | None = None,
    settings: Mapping[str, str] | None = None,
    say: Callable[[str], None] = say_on_stderr,
) -> Iterator[PostgresService]:
    """Run a server for the length of the block; its data is private and goes with it unless a directory is given."""
    programs()
    home = data_dir or Path(tempfile.mkdtemp(prefix="protopact-postgres-"))
    home.mkdir(parents=True, exist_ok=True)
    try:
        service = _started(home, port, say, settings or {})
        say(f"postgres: ready at {service.url()} (pid {service.pid}, log {service.log_file})")
        try:
            yield service
        finally:
            with suppress(FileNotFoundError):
                service.stop()
            say("postgres: stopped")
    finally:
        if data_dir is None:
            shutil.rmtree(home, ignore_errors=True)


def _started(home: Path, port: int | None, say: Callable[[str], None], settings: Mapping[str, str]) -> PostgresService:
    """Start on a free port; another program may take it first, and then another is tried."""
    for attempt in range(1, TRIES + 1):
        service = PostgresService(home, port or free_ports(1)[0], say, settings)
        try:
            service.start()
        except ServiceError as error:
            if port is None and attempt < TRIES and PORT_TAKEN in str(error):
                continue
            raise
        return service
    raise AssertionError("the last try returns or raises")


def _initialise(data_dir: Path) -> None:
    """Prepare an empty data directory that the server's user owns; one that was used before is kept as it is."""
    if (data_dir / "PG_VERSION").exists():
        return
    if os.geteuid() == 0:
        data_dir.parent.chmod(0o755)
        data_dir.mkdir(exist_ok=True)
        shutil.chown(data_dir, SUPERUSER, SUPERUSER)
    initdb = str(programs() / "initdb")
    command = _as_owner(initdb, "-D", str(data_dir), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    done = subprocess.run(command, capture_output=True, text=True, timeout=INIT_S, check=False)
    if done.returncode != 0:
        raise ServiceError(f"postgres's data directory cannot be made:\n{done.stdout}{done.stderr}")


def _as_owner(*command: str) -> list[str]:
    """Give a command as the server's own user: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return list(command)
    setpriv = require_program("setpriv", used_for=NEEDED_FOR)
    return [
        setpriv,
        f"--reuid={SUPERUSER}",
        f"--regid={SUPERUSER}",
        "--init-groups",
        "--pdeathsig=KILL",
        "--",
        *command,
    ]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def main() -> None:
    """Run a server until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run PostgreSQL on loopback until Ctrl-C.")
    parser.add_argument("--port", type=int, help="the server's port (default: a free one)")
    parser.add_argument("--data-dir", type=Path, help="keep the data here (default: private, removed at the end)")
    options = parser.parse_args()
    stopped = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stopped.set())
    with running_postgres(port=options.port, data_dir=options.data_dir) as service:
        print(service.url(), flush=True)  # noqa: T201  (the script's answer)
        stopped.wait()


if __name__ == "__main__":
    try:
        main()
    except ServiceError as error:
        raise SystemExit(f"error: {error}") from None
