"""Long work, done in contained processes: there it holds up nobody, and takes no more than it may.

What a task is asked and what it gives are JSON and byte strings, never objects: a text that took over the process
it is compiled in must not reach this one.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from protopact.compiler import Inside, Job, Outcome, Workers
from protopact.errors import (
    Diagnostic,
    MissingExtraError,
    ProtopactError,
    RegistryError,
    SchemaError,
    SchemaLinkError,
    SchemaSyntaxError,
    registry_error,
)
from protopact.settings import CompilerSettings

if TYPE_CHECKING:
    from protopact.registry import JsonValue

LIGHT_BYTES_MAX = 8 * 1024
"""Work on texts or descriptors of so many bytes together is done at once; it takes some 10 ms at most."""

_CPU_SHARE = 0.8  # the rest is for starting the process again, when a task has overrun
_MEMORY_BYTES = 512 * 1024 * 1024
_JOBS_MAX = 16
_GAVE_UP = 2

Answer: TypeAlias = "tuple[JsonValue, Sequence[bytes]]"
Task: TypeAlias = Callable[[Mapping[str, Any], Sequence[bytes], Workers], Answer]
"""A function that is called apart: with a question, byte strings, and what runs protoc there."""


class TooLongError(SchemaError):
    """The work was given up: it took too much time or memory, or crashed its process."""


class Apart:
    """Has tasks done in a few contained processes, each task within the limits of one compilation."""

    def __init__(self, settings: CompilerSettings) -> None:
        """Keep to these limits; no process is started yet."""
        memory_bytes, cpu_s = max(settings.memory_bytes, _MEMORY_BYTES), settings.cpu_s * _CPU_SHARE
        self._settings = replace(settings, memory_bytes=memory_bytes, cpu_s=cpu_s)
        self._workers = Workers(self._settings, program=f"{__name__}:{carry_out.__name__}")
        self._places = threading.BoundedSemaphore(_JOBS_MAX)

    def ask(self, task: Task, question: Mapping[str, object], parts: Sequence[bytes]) -> Answer:
        """Have a function of a module called apart, and give what it gives.

        TooLongError where it was given up, RegistryError 503 where too many wait already, and whatever SchemaError or
        RegistryError the function raised.
        """
        name = f"{task.__module__}:{task.__name__}"
        told = json.dumps([name, asdict(self._settings), question])
        job = Job((told,), {str(number): part for number, part in enumerate(parts)})
        if not self._places.acquire(blocking=False):
            raise RegistryError("the registry is busy, try again", error_code=503)
        try:
            outcome = self._workers.run(job)
        finally:
            self._places.release()
        if outcome.gave_up:
            raise TooLongError(outcome.gave_up)
        if outcome.status:
            raise _raised(json.loads(outcome.stderr))
        (answer, *given) = outcome.files.values()
        return json.loads(answer), given

    def close(self) -> None:
        """End the processes."""
        self._workers.close()


def carry_out(job: Job) -> Outcome:
    """Do one task in a contained process. What nobody foresaw ends the process, and with it the job."""
    name, settings, question = json.loads(job.arguments[0])
    module, _, function = name.partition(":")
    task: Task = getattr(import_module(module), function)
    try:
        answer, parts = task(question, list(job.files.values()), Inside(CompilerSettings(**settings)))
    except (SchemaError, RegistryError, MissingExtraError) as error:
        return Outcome(_GAVE_UP, json.dumps(_told(error)))
    told = json.dumps(answer).encode()
    return Outcome(0, "", {str(number): part for number, part in enumerate([told, *parts])})


_SCHEMA_ERRORS = (SchemaLinkError, SchemaSyntaxError)
_TEXT_LENGTH_MAX = 64 * 1024


def _told(error: ProtopactError) -> dict[str, object]:
    """Give an error as JSON."""
    told: dict[str, object] = {"kind": type(error).__name__, "message": str(error)[:_TEXT_LENGTH_MAX]}
    told["hint"] = error.hint
    if isinstance(error, _SCHEMA_ERRORS):
        found = error.diagnostics[:100]
        told["diagnostics"] = [[one.file, one.line, one.column, one.message[:_TEXT_LENGTH_MAX]] for one in found]
    if isinstance(error, RegistryError):
        told["message"], told["code"] = error.message, error.error_code
    return told


def _raised(told: dict[str, Any]) -> ProtopactError:
    """Give the error that JSON tells of."""
    message, hint = str(told["message"]), str(told["hint"])
    for cls in _SCHEMA_ERRORS:
        if told["kind"] == cls.__name__:
            return cls(message, diagnostics=[Diagnostic(*one) for one in told["diagnostics"]], hint=hint)
    if "code" in told:
        return registry_error(int(told["code"]), message)
    if told["kind"] == MissingExtraError.__name__:
        return MissingExtraError(message, option="compiler", hint=hint)
    return SchemaError(message, hint=hint)
