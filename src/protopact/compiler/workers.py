"""A bounded pool of contained processes: protoc's, or another program's (see `inside`).

A job is arguments and files for protoc, an outcome what came of it. A process that dies, or has to be ended because
it used too much processor time or took too long, costs its own job only: the outcome says so and the next job gets
a fresh process. Processes start when first needed and end with `close()`, with the pool, or with this program.
"""

from __future__ import annotations

import math
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from protopact.compiler.worker import LENGTH_BYTES, body_length, pack, unpack
from protopact.errors import ConfigError, MissingExtraError
from protopact.settings import CompilerSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORKER = Path(__file__).with_name("worker.py")
_INSIDE = (
    "import os, sys; sys.path[:] = sys.argv[1].split(os.pathsep); from protopact.compiler.inside import main; main()"
)
_CHUNK_BYTES = 1 << 18
_LAST_WORDS_BYTES = 4096
_MIB = 1 << 20
_STATM_BYTES = 128
_CPU_CLOCK = 2  # of all threads, in user mode and in the kernel
_DEFAULT_DIRECTORY, _SHARED_MEMORY = "/tmp", "/dev/shm"  # noqa: S108  (only parents of private directories)
_ENVIRONMENT_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # an interpreter may need them to start at all
_OUT_OF_MEMORY = (b"bad_alloc", b"MemoryError", b"Out of memory", b"out of memory")


@dataclass(frozen=True, slots=True)
class Job:
    """What protoc shall do: its arguments, and files by path relative to the private directory."""

    arguments: tuple[str, ...]
    files: Mapping[str, bytes]

    def packed(self) -> bytes:
        """Give the request that a worker reads."""
        files = (part for path, content in self.files.items() for part in (path.encode(), content))
        return pack(["\0".join(self.arguments).encode(), *files])

    def body(self) -> bytes:
        """Give the request without its length."""
        return self.packed()[LENGTH_BYTES:]

    @classmethod
    def unpacked(cls, request: list[bytes]) -> Self:
        """Give the job that a request asks for."""
        arguments, *files = request
        names = (name.decode() for name in files[::2])
        return cls(tuple(arguments.decode().split("\0")), dict(zip(names, files[1::2], strict=True)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job: protoc's exit status, its standard error, and the files it wrote by name.

    `gave_up` is empty, or says why the process did not finish; then nothing else counts.
    """

    status: int = 1
    stderr: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    gave_up: str = ""

    def packed(self) -> list[bytes]:
        """Give the parts of the reply that a worker sends."""
        files = (part for path, content in self.files.items() for part in (path.encode(), content))
        return [str(self.status).encode(), self.stderr.encode(errors="replace"), *files]


class Workers:
    """At most `settings.workers_max` processes, shared by any number of threads.

    They run protoc, or the `program` that is named, `package.module:function`, which is given jobs and gives outcomes.
    Use it as a context manager, or call `close()`; a pool that is used again after `close()` starts new processes.
    Raises MissingExtraError when grpcio-tools is not installed, ConfigError when no process can be started.
    """

    def __init__(self, settings: CompilerSettings | None = None, *, program: str = "") -> None:
        """Take the limits; start nothing yet."""
        self.settings = settings or CompilerSettings()
        self._program = program
        self._generation = 0
        self._idle: list[_Worker] = []
        self._live: set[_Worker] = set()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(self.settings.workers_max)
        _pools.add(self)

    def __enter__(self) -> Self:
        """Give the pool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the pool."""
        self.close()

    def run(self, job: Job) -> Outcome:
        """Run one job, waiting for a free process; a process that failed is replaced.

        A process that dies by itself may have been damaged by an earlier job or ended from outside, so a job that
        met one that was not fresh is tried once more on a fresh one.
        """
        request = job.packed()
        with self._slots:
            outcome, worker = self._attempt(request, self._borrow())
            if outcome.gave_up and not worker.overran and worker.jobs > 1:
                outcome, _ = self._attempt(request, self._start())
            return outcome

    def close(self) -> None:
        """End the idle processes now and the busy ones after their job, and remove their directories."""
        with self._lock:
            self._generation += 1
            idle = self._idle
            self._idle = []
        for worker in idle:
            self._end(worker)

    def _attempt(self, request: bytes, worker: _Worker) -> tuple[Outcome, _Worker]:
        try:
            outcome = worker.run(request)
        except BaseException:
            self._end(worker)  # interrupted in the middle of an exchange: the process cannot be used again
            raise
        if outcome.gave_up or worker.is_worn():
            self._end(worker)
        else:
            self._give_back(worker)
        return outcome, worker

    def _borrow(self) -> _Worker:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._start()

    def _start(self) -> _Worker:
        worker = _Worker(self.settings, self._generation, self._program)
        with self._lock:
            self._live.add(worker)
        return worker

    def _give_back(self, worker: _Worker) -> None:
        with self._lock:
            if worker.generation == self._generation:
                self._idle.append(worker)
                return
        self._end(worker)

    def _end(self, worker: _Worker) -> None:
        with self._lock:
            self._live.discard(worker)
        worker.end()

    def disown(self) -> None:
        """Let go of processes that belong to the program this one was forked from."""
        for worker in self._live:
            worker.disown()
        self._idle, self._live = [], set()
        self._lock = threading.Lock()  # another thread may have held it
        self._slots = threading.BoundedSemaphore(self.settings.workers_max)


class _Worker:
    """One protoc process with its private directory."""

    def __init__(self, settings: CompilerSettings, generation: int, program: str) -> None:
        self.generation = generation
        self.jobs = 0
        self.overran = False
        self._settings = settings
        self._process, self._directory = _start_process(settings, program)
        self.end = weakref.finalize(self, _end_process, self._process, self._directory)
        self._requests, self._replies = _descriptors(self._process)

    def run(self, request: bytes) -> Outcome:
        """Exchange a request for a reply within the limits; raises only when the process cannot even start."""
        self.jobs += 1
        try:
            if self.jobs == 1:
                self._await_start()
            budget = _Budget(self._process.pid, self._settings)
            self._send(request, budget)
            return outcome_of(unpack(self._receive(budget)))
        except _OverrunError as overrun:
            self.overran = True
            return Outcome(gave_up=str(overrun))
        except (OSError, EOFError):
            return Outcome(gave_up=self._cause_of_death())

    def is_worn(self) -> bool:
        """Tell whether the process served enough jobs, or keeps so much memory that the next job might lack it."""
        crowded = _size_bytes(self._process.pid) > self._settings.memory_bytes // 2
        return crowded or self.jobs >= self._settings.jobs_max

    def disown(self) -> None:
        """Close this side's ends and forget the process, which is another program's child."""
        self.end.detach()
        _close_pipes(self._process)
        self._process.returncode = 0  # else Popen warns of a process left running, at its end

    def _await_start(self) -> None:
        try:
            self._receive(_Budget(self._process.pid, self._settings))
        except EOFError as error:
            self._process.wait()
            last_line = (self._last_words().decode(errors="replace").split("\n") or [""])[-1]
            raise ConfigError(
                f"the compiler process does not start: {last_line or self._process.returncode}",
                option="compiler",
                hint="check that grpcio-tools fits this Python, and CompilerSettings.memory_bytes",
            ) from error

    def _send(self, request: bytes, budget: _Budget) -> None:
        rest = memoryview(request)
        while rest:
            try:
                rest = rest[os.write(self._requests, rest[:_CHUNK_BYTES]) :]
            except BlockingIOError:
                _await(self._requests, select.POLLOUT, budget)

    def _receive(self, budget: _Budget) -> bytearray:
        data, length = bytearray(), LENGTH_BYTES
        while len(data) < length:
            _await(self._replies, select.POLLIN, budget)
            chunk = os.read(self._replies, _CHUNK_BYTES)
            if not chunk:
                raise EOFError("the process ended")
            if len(data) < LENGTH_BYTES <= len(data) + len(chunk):
                length += body_length((data + chunk)[:LENGTH_BYTES])
            if length > self._settings.memory_bytes:
                raise EOFError("the reply is larger than the process")
            data += chunk
        if len(data) > length:
            raise EOFError("the process said more than it was asked")
        return data[LENGTH_BYTES:]

    def _cause_of_death(self) -> str:
        self._process.kill()  # a process that closed its pipe without ending is of no more use either
        status = self._process.wait()
        said = self._last_words()
        if any(sign in said for sign in _OUT_OF_MEMORY):
            return f"it needed more than {self._settings.memory_bytes // _MIB} MiB of memory"
        if status == -signal.SIGXCPU:
            return _too_much_cpu(self._settings)
        if status < 0 and status != -signal.SIGKILL:
            return f"it crashed ({signal.Signals(-status).name})"
        return "its process was ended"

    def _last_words(self) -> bytes:
        try:
            with (self._directory / "stderr").open("rb") as stderr:
                stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - _LAST_WORDS_BYTES))
                return stderr.read().strip()
        except FileNotFoundError:  # this program is ending, and has removed the directory
            return b""


class _OverrunError(Exception):
    """A job used up its processor time or its elapsed time."""


class _Budget:
    """What one job may still use."""

    def __init__(self, pid: int, settings: CompilerSettings) -> None:
        self._pid = pid
        self._settings = settings
        self._cpu_end_s = _cpu_s(pid) + settings.cpu_s
        self._wall_end_s = time.monotonic() + settings.wall_s

    def left_s(self) -> float:
        """Give the time for which the job cannot overrun; raises _OverrunError when it has."""
        wall_left_s = self._wall_end_s - time.monotonic()
        cpu_left_s = self._cpu_end_s - _cpu_s(self._pid)
        if cpu_left_s <= 0:
            raise _OverrunError(_too_much_cpu(self._settings))
        if wall_left_s <= 0:
            raise _OverrunError(f"it took longer than {self._settings.wall_s:g} s")
        return min(cpu_left_s, wall_left_s)


def _too_much_cpu(settings: CompilerSettings) -> str:
    return f"it needed more than {settings.cpu_s:g} s of processor time"


def outcome_of(reply: list[bytes]) -> Outcome:
    """Give the outcome that a reply tells."""
    status, stderr, *files = reply
    names = (name.decode(errors="replace") for name in files[::2])
    return Outcome(int(status), stderr.decode(errors="replace"), dict(zip(names, files[1::2], strict=True)))


def _await(descriptor: int, event: int, budget: _Budget) -> None:
    poll = select.poll()  # not select.select, which fails in a server with more than 1,023 open descriptors
    poll.register(descriptor, event)
    while not poll.poll(math.ceil(budget.left_s() * 1000)):
        pass


def _cpu_s(pid: int) -> float:
    """Give the processor time that a process has used; 0 where the system does not say (RLIMIT_CPU bounds it then)."""
    try:
        # What clock_getcpuclockid(3) makes of a process id on Linux: one system call, where /proc takes three.
        return time.clock_gettime(~pid << 3 | _CPU_CLOCK)
    except (OSError, OverflowError):
        return 0.0


def _size_bytes(pid: int) -> int:
    """Give the size of a process's address space; 0 where the system does not say."""
    try:
        statm = os.open(f"/proc/{pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return int(os.read(statm, _STATM_BYTES).split()[0]) * _page_bytes()
    except (OSError, IndexError):  # it has ended
        return 0
    finally:
        os.close(statm)


@cache
def _page_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE")


@cache
def grpc_tools_home() -> str:
    """Give the directory that grpc_tools is installed in, without importing it here; raises MissingExtraError."""
    from importlib.util import find_spec

    spec = find_spec("grpc_tools")
    if spec is None or not spec.submodule_search_locations:
        raise missing_compiler()
    return str(Path(spec.submodule_search_locations[0]).parent)


def missing_compiler() -> MissingExtraError:
    """Give the error for a text that nothing here can compile."""
    return MissingExtraError(
        "a .proto text needs the compiler, and grpcio-tools is not installed",
        option="compiler",
        hint="pip install 'protopact[compiler]'",
    )


def _start_process(settings: CompilerSettings, program: str) -> tuple[subprocess.Popen[bytes], Path]:
    command = _command(program)
    directory = None
    try:
        directory = Path(tempfile.mkdtemp(prefix="protopact-", dir=_quick_directory()))
        return _spawn(settings, command, directory), directory
    except OSError as error:
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)
        raise ConfigError(
            f"no compiler process can be started: {error.strerror}",
            option="compiler",
            hint="it needs a writable temporary directory, memory, and a Python interpreter at sys.executable",
        ) from error


def _quick_directory() -> str | None:
    """Give where files live in memory, unless a temporary directory was chosen.

    A job writes and removes a few files, which costs several times its compilation where they live on a disk.
    """
    is_usable = tempfile.gettempdir() == _DEFAULT_DIRECTORY and os.access(_SHARED_MEMORY, os.W_OK | os.X_OK)
    return _SHARED_MEMORY if is_usable else None


def _command(program: str) -> tuple[list[str], list[str]]:
    """Give the start of a worker's command line, where it finds its packages included, and the end of it."""
    if not program:
        return ["-I", "-S", "-B", str(_WORKER), grpc_tools_home()], []
    here = str(Path(__file__).parents[2])
    return ["-I", "-B", "-c", _INSIDE, os.pathsep.join([here, *filter(os.path.isabs, sys.path)])], [program]


def _spawn(
    settings: CompilerSettings, command: tuple[list[str], list[str]], directory: Path
) -> subprocess.Popen[bytes]:
    with (directory / "stderr").open("ab+") as stderr:
        return subprocess.Popen(  # noqa: S603  (no shell; every argument is ours)
            [
                *(sys.executable, *command[0]),
                *(str(directory), str(settings.memory_bytes), str(settings.cpu_s), *command[1]),
            ],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={name: os.environ[name] for name in _ENVIRONMENT_KEPT if name in os.environ},
            start_new_session=True,  # Ctrl-C in a terminal is this program's to handle
        )


def _descriptors(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    requests, replies = _pipes(process)
    os.set_blocking(requests.fileno(), False)
    os.set_blocking(replies.fileno(), False)
    return requests.fileno(), replies.fileno()


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _close_pipes(process: subprocess.Popen[bytes]) -> None:
    for pipe in _pipes(process):
        pipe.close()


def _end_process(process: subprocess.Popen[bytes], directory: Path) -> None:
    process.kill()
    process.wait()
    _close_pipes(process)
    shutil.rmtree(directory, ignore_errors=True)


_pools: weakref.WeakSet[Workers] = weakref.WeakSet()
_default: list[Workers] = []
_default_lock = threading.Lock()


def default_workers() -> Workers:
    """Give the pool that all callers share who bring none of their own, with the default limits."""
    with _default_lock:
        if not _default:
            _default.append(Workers())
        return _default[0]


def _after_fork_in_child() -> None:
    global _default_lock  # noqa: PLW0603  (another thread may have held it)
    _default_lock = threading.Lock()
    for pool in list(_pools):
        pool.disown()


os.register_at_fork(after_in_child=_after_fork_in_child)
