"""Processes are contained, replaced and cleaned up."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from protopact.compiler import workers as module
from protopact.compiler.worker import pack, unpack
from protopact.compiler.workers import Job, Outcome, Workers
from protopact.errors import ConfigError, MissingExtraError
from protopact.settings import CompilerSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = 'syntax = "proto3"; message Good { int32 number = 1; }'


@pytest.fixture(autouse=True)
def private_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(CompilerSettings(workers_max=2)) as pool:
        yield pool


def job(text: str = GOOD) -> Job:
    return Job(("-I.", "--descriptor_set_out=../out/set.bin", "./a.proto"), {"source/a.proto": text.encode()})


def slow_job() -> Job:
    return job('syntax = "proto3"; message M { reserved ' + ",".join(str(2 * n + 1) for n in range(60_000)) + "; }")


def pids(pool: Workers) -> list[int]:
    return [worker._process.pid for worker in pool._live]


def succeeded(outcome: Outcome) -> bool:
    return outcome.status == 0 and not outcome.gave_up and "set.bin" in outcome.files


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # before the file was opened, or after
        return False


def stop_with_little_time_left(workers: Workers, wall_s: float) -> int:
    """Stop the only process, and give it, not those that start after it, so much time for each of its jobs."""
    (worker,) = workers._live
    worker._settings = replace(worker._settings, wall_s=wall_s)
    os.kill(worker._process.pid, signal.SIGSTOP)
    return worker._process.pid


def wait_until(condition: object, timeout_s: float = 30.0) -> None:
    assert callable(condition)
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def test_frames_come_back_as_they_went() -> None:
    parts = [b"", b"a", b"\0" * 1000]
    assert unpack(pack(parts)[8:]) == parts


def test_no_process_starts_before_the_first_job(workers: Workers) -> None:
    assert pids(workers) == []
    assert succeeded(workers.run(job()))
    assert len(pids(workers)) == 1


def test_a_process_serves_many_jobs(workers: Workers) -> None:
    assert succeeded(workers.run(job()))
    before = pids(workers)
    assert all(succeeded(workers.run(job())) for _ in range(20))
    assert pids(workers) == before


def test_a_process_leaves_nothing_of_a_job_behind(workers: Workers, private_directories: Path) -> None:
    for _ in range(2):
        nested = Job(job().arguments, {**job().files, "source/a/b/c.proto": b"", "d/e": b"", "f": b""})
        assert succeeded(workers.run(nested))
        (home,) = private_directories.iterdir()
        left = {str(path.relative_to(home)) for path in home.rglob("*")}
        assert left == {"stderr", "job", "job/source", "job/out"}
    assert home.stat().st_mode & 0o777 == 0o700


def test_a_process_is_limited_and_gets_no_environment_of_ours(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "token")
    workers.run(job())
    (pid,) = pids(workers)
    limits = {line[:25].strip(): line[25:].split() for line in Path(f"/proc/{pid}/limits").read_text().splitlines()}
    assert limits["Max address space"][:2] == [str(workers.settings.memory_bytes)] * 2
    assert limits["Max core file size"][:2] == ["0", "0"]
    assert b"SECRET" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_process_holds_no_descriptor_of_ours(workers: Workers, tmp_path: Path) -> None:
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)  # noqa: FBT003  (positional only)
        workers.run(job())
        (pid,) = pids(workers)
        targets = [path.readlink() for path in Path(f"/proc/{pid}/fd").iterdir()]
    assert not any(target.name == "ours" for target in targets)


def test_a_job_may_use_so_much_processor_time_and_the_next_gets_a_fresh_process() -> None:
    with Workers(CompilerSettings(cpu_s=0.2)) as workers:
        assert succeeded(workers.run(job()))
        before = pids(workers)
        assert workers.run(slow_job()).gave_up == "it needed more than 0.2 s of processor time"
        assert succeeded(workers.run(job()))
        assert pids(workers) != before


def test_processor_time_counts_for_each_job_alone() -> None:
    text = 'syntax = "proto3";' + "".join(f"message M{n} {{}}" for n in range(10_000))
    with Workers(CompilerSettings(cpu_s=0.5)) as workers:
        assert all(succeeded(workers.run(job(text))) for _ in range(15))


def test_a_job_may_take_so_much_time(workers: Workers) -> None:
    assert succeeded(workers.run(job()))
    pid = stop_with_little_time_left(workers, wall_s=0.3)
    assert workers.run(job()).gave_up == "it took longer than 0.3 s"
    assert succeeded(workers.run(job()))
    assert not is_running(pid)


def test_a_stopped_process_that_reads_no_more_is_given_up_too(workers: Workers) -> None:
    workers.run(job())
    stop_with_little_time_left(workers, wall_s=0.3)
    assert workers.run(job("//" + " " * 1_000_000)).gave_up == "it took longer than 0.3 s"


def test_a_job_may_use_so_much_memory() -> None:
    text = 'syntax = "proto2"; message M {' + "optional group G = 1 {" * 20_000 + "}" * 20_001
    with Workers() as workers:
        assert workers.run(job(text)).gave_up == "it needed more than 256 MiB of memory"
        assert succeeded(workers.run(job()))


def test_a_job_that_meets_a_process_ended_from_outside_is_done_by_another(workers: Workers) -> None:
    assert succeeded(workers.run(job()))
    os.kill(pids(workers)[0], signal.SIGKILL)
    assert succeeded(workers.run(job()))


def test_a_process_is_replaced_after_its_number_of_jobs() -> None:
    with Workers(CompilerSettings(jobs_max=3)) as workers:
        seen = {pid for _ in range(7) if succeeded(workers.run(job())) for pid in pids(workers)}
        assert len(seen) == 3


def test_a_process_that_keeps_too_much_memory_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with Workers() as workers:
        monkeypatch.setattr(module, "_size_bytes", lambda _: workers.settings.memory_bytes // 2 + 1)
        assert succeeded(workers.run(job()))
        assert pids(workers) == []


def test_threads_share_the_processes_and_none_sees_an_error(workers: Workers) -> None:
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda _: workers.run(job()), range(80)))
    assert all(map(succeeded, outcomes))
    assert len(pids(workers)) <= workers.settings.workers_max


def test_close_ends_the_processes_and_removes_their_directories(workers: Workers, private_directories: Path) -> None:
    workers.run(job())
    before = pids(workers)
    workers.close()
    assert not any(map(is_running, before))
    assert list(private_directories.iterdir()) == []
    assert succeeded(workers.run(job()))


def test_a_job_under_way_at_close_is_finished_and_its_process_ended_then(private_directories: Path) -> None:
    with Workers() as workers:
        assert succeeded(workers.run(job()))
        (pid,) = pids(workers)
        os.kill(pid, signal.SIGSTOP)  # the job is under way for as long as that is wanted here
        with ThreadPoolExecutor(1) as threads:
            running = threads.submit(workers.run, job())
            wait_until(lambda: workers._idle == [])
            workers.close()
            assert is_running(pid)
            os.kill(pid, signal.SIGCONT)
            assert succeeded(running.result())
        assert pids(workers) == []
        assert not is_running(pid)
    assert list(private_directories.iterdir()) == []


def test_a_pool_that_is_dropped_ends_its_processes(private_directories: Path) -> None:
    workers = Workers()
    workers.run(job())
    (pid,) = pids(workers)
    del workers
    gc.collect()
    assert not is_running(pid)
    assert list(private_directories.iterdir()) == []


_PROGRAM = """
import os, sys, tempfile
tempfile.tempdir = sys.argv[1]
from protopact.compiler.workers import Job, default_workers
job = Job(("-I.", "--descriptor_set_out=../out/set.bin", "./a.proto"), {"source/a.proto": b'syntax = "proto3";'})
assert default_workers().run(job).status == 0
(worker,) = default_workers()._live
print(worker._process.pid, flush=True)
"""


def test_the_processes_end_with_the_program(private_directories: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM, private_directories], capture_output=True, check=True)
    assert not is_running(int(done.stdout))
    assert list(private_directories.iterdir()) == []


def test_a_program_that_is_killed_leaves_neither_processes_nor_directories(private_directories: Path) -> None:
    program = _PROGRAM + "os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", program, private_directories], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: not is_running(int(done.stdout)))
    wait_until(lambda: list(private_directories.iterdir()) == [])


def test_a_process_whose_program_is_killed_in_the_middle_of_a_job_ends_too(private_directories: Path) -> None:
    program = (
        _PROGRAM
        + """
import threading
text = 'syntax = "proto3"; message M { reserved ' + ",".join(str(2 * n + 1) for n in range(100_000)) + "; }"
slow = Job(job.arguments, {"source/a.proto": text.encode()})
threading.Thread(target=default_workers().run, args=[slow]).start()
while worker.jobs < 2:
    pass
os.kill(os.getpid(), 9)
"""
    )
    done = subprocess.run([sys.executable, "-c", program, private_directories], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: not is_running(int(done.stdout)))


def test_a_forked_program_gets_processes_of_its_own_and_leaves_its_parents_alone(private_directories: Path) -> None:
    program = (
        _PROGRAM
        + """
child = os.fork()
if not child:
    assert default_workers()._live == set()
    assert default_workers().run(job).status == 0
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert default_workers().run(job).status == 0
(same,) = default_workers()._live
assert same is worker
"""
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, private_directories], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert list(private_directories.iterdir()) == []


def test_an_interrupted_caller_does_not_leave_its_process_in_the_pool(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "_await", interrupt)
        with pytest.raises(KeyboardInterrupt):
            workers.run(job())
    assert pids(workers) == []
    assert succeeded(workers.run(job()))


@pytest.mark.parametrize("fault", ["interpreter", "memory", "directory"])
def test_a_process_that_cannot_start_is_no_fault_of_the_text(
    fault: str, monkeypatch: pytest.MonkeyPatch, private_directories: Path
) -> None:
    settings = CompilerSettings()
    if fault == "interpreter":
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
    elif fault == "memory":
        settings = CompilerSettings(memory_bytes=16 << 20)
    else:
        monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with Workers(settings) as workers, pytest.raises(ConfigError, match="start"):
        workers.run(job())
    assert pids(workers) == []
    assert list(private_directories.iterdir()) == []


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module.grpc_tools_home.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with Workers() as workers, pytest.raises(MissingExtraError, match="grpcio-tools is not installed") as missing:
        workers.run(job())
    assert missing.value.hint == "pip install 'protopact[compiler]'"


def test_the_child_imports_neither_protopact_nor_protobuf() -> None:
    program = """
import runpy, sys
sys.path.append(sys.argv[1])
worker = runpy.run_path(sys.argv[2])
from grpc_tools import _protoc_compiler
assert not [name for name in sys.modules if name.startswith(("protopact", "google"))], sorted(sys.modules)
"""
    command = [sys.executable, "-I", "-S", "-c", program, module.grpc_tools_home(), module._WORKER]
    subprocess.run(command, check=True)
