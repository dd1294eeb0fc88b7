"""Other programs in place of protoc's: the loop of a contained process that carries out a caller's jobs.

`Workers(program="package.module:function")` starts it. The function is given each job and gives its outcome; what ends
the process costs that job alone. Jobs that need protoc run it here, in the same process: see `Inside`.
"""

from __future__ import annotations

import os
import shutil
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from protopact.compiler.worker import allow_processor_time, answer, limit, make_directories, read, send, unpack
from protopact.compiler.workers import Job, Outcome, Workers, missing_compiler, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable


class Inside(Workers):
    """A pool that has no processes: it runs protoc in this one, which a real pool contains."""

    def run(self, job: Job) -> Outcome:
        """Run one job; MissingExtraError without grpcio-tools. What crashes protoc ends this process."""
        try:
            from grpc_tools import _protoc_compiler
        except ImportError as error:
            raise missing_compiler() from error
        return outcome_of(answer(unpack(job.body()), _protoc_compiler.run_main))


def main() -> None:
    """Carry out jobs until standard input ends, then remove the private directory."""
    directory, memory_bytes, cpu_s, program = sys.argv[2:6]
    limit(int(memory_bytes))
    module, _, function = program.partition(":")
    carry_out: Callable[[Job], Outcome] = getattr(import_module(module), function)
    requests, replies = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a job prints must not enter the replies
    os.chdir(directory)
    make_directories()
    send(replies, [])  # ready
    while request := read(requests):
        allow_processor_time(float(cpu_s))
        send(replies, carry_out(Job.unpacked(request)).packed())
    os.chdir("/")
    shutil.rmtree(directory, ignore_errors=True)
