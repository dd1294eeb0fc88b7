"""No schema text harms the caller: it is refused in time, and others go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bombs import BOMBS, CROWDED, GOOD, MANY_MESSAGES, Bomb
from processor import family_s

from protopact.compiler import Workers, compile_text
from protopact.compiler.workers import grpc_tools_home
from protopact.errors import SchemaSyntaxError
from protopact.settings import CompilerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY_MIB_MAX = 64  # of a worker, above what it has when idle
GOAL_S = 1.5  # of processor time, of this process and its workers


def peak_mib(pid: int) -> float:
    """Give the most memory that a process ever had."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


_BARE_PROTOC = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
sys.path.append(sys.argv[1])
from grpc_tools import _protoc_compiler
built_in = "-I" + sys.argv[1] + "/grpc_tools/_proto"
arguments = ["protoc", "-I.", built_in, "--descriptor_set_out=out.bin", "schema.proto"]
sys.exit(_protoc_compiler.run_main([argument.encode() for argument in arguments]))
"""


@pytest.fixture(params=[True, False], ids=["prescan", "no prescan"])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    with Workers(CompilerSettings(prescan=request.param)) as pool:
        yield pool


@pytest.mark.parametrize("bomb", BOMBS, ids=str)
def test_a_bomb_is_refused_in_time_with_a_place_or_a_reason_and_the_next_text_compiles(
    bomb: Bomb, workers: Workers, record_property: Callable[[str, object], None]
) -> None:
    start_s, began = family_s(os.getpid()), time.perf_counter()
    with pytest.raises(bomb.error) as refused:
        compile_text(bomb.text, sources=bomb.sources, workers=workers)
    elapsed_s, took_s = time.perf_counter() - began, family_s(os.getpid()) - start_s
    record_property("refused_after_s", round(elapsed_s, 3))
    print(f"{bomb.name}: {len(bomb.text):,} B, {elapsed_s:.3f} s, {took_s:.3f} s of work: {refused.value}")  # noqa: T201

    assert took_s < GOAL_S
    assert refused.value.diagnostics
    assert all(diagnostic.message for diagnostic in refused.value.diagnostics)
    assert "/tmp" not in str(refused.value)
    if bomb.prescan_places_it and workers.settings.prescan:
        (diagnostic,) = refused.value.diagnostics
        assert (diagnostic.file, diagnostic.line > 0, diagnostic.column > 0) == ("schema.proto", True, True)
    assert compile_text(GOOD, workers=workers).root_file.message_type[0].name == "Good"


@pytest.mark.parametrize("bomb", [bomb for bomb in BOMBS if bomb.protoc.startswith("SIG")], ids=str)
def test_protoc_without_protection_does_not_survive_the_bomb(bomb: Bomb, tmp_path: Path) -> None:
    (tmp_path / "schema.proto").write_text(bomb.text)
    command = [sys.executable, "-I", "-S", "-c", _BARE_PROTOC, grpc_tools_home()]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert signal.Signals(-done.returncode).name == bomb.protoc


def test_fifty_thousand_messages_cost_one_job_at_most(workers: Workers) -> None:
    start_s = family_s(os.getpid())
    try:
        file_set = compile_text(MANY_MESSAGES, workers=workers)
    except SchemaSyntaxError as refused:
        assert "the compiler gave up" in str(refused)  # noqa: PT017  (both ends are good)
    else:
        assert len(file_set.root_file.message_type) == 50_000
    assert family_s(os.getpid()) - start_s < GOAL_S


@pytest.mark.parametrize("text", [CROWDED, MANY_MESSAGES], ids=["38,000 reserved numbers", "50,000 messages"])
def test_what_is_let_through_takes_a_worker_sixty_four_mebibytes_at_most(text: str) -> None:
    with Workers(CompilerSettings(workers_max=1, cpu_s=10)) as pool:  # memory is looked at here, whatever the time
        compile_text(GOOD, workers=pool)
        (worker,) = pool._live
        before_mib = peak_mib(worker._process.pid)
        compile_text(text, workers=pool)
        grown_mib = peak_mib(worker._process.pid) - before_mib
    print(f"a worker took {grown_mib:.1f} MiB more")  # noqa: T201
    assert grown_mib <= MEMORY_MIB_MAX


def test_concurrent_callers_see_no_error_while_bombs_go_off(workers: Workers) -> None:
    deadly = [bomb for bomb in BOMBS if bomb.protoc != "refuses"]

    def attack() -> int:
        for bomb in deadly:
            with pytest.raises(bomb.error):
                compile_text(bomb.text, workers=workers)
        return len(deadly)

    with ThreadPoolExecutor(4) as threads:
        attacker = threads.submit(attack)
        compiled = 0
        while not attacker.done() or compiled < 30:
            waves = [threads.submit(compile_text, GOOD, workers=workers) for _ in range(3)]
            compiled += sum(wave.result().root == "schema.proto" for wave in waves)
        assert attacker.result() == len(deadly)
