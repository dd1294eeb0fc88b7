"""The child process that runs protoc: started by path, with the standard library and grpc_tools alone.

It limits itself, sends an empty reply when it is ready, then answers one request after another until its standard
input ends. A request and a reply are lists of byte strings, length-delimited:

- request: the arguments joined by NUL, then path and content of every file, by turns;
- reply: exit status, what protoc wrote to standard error, then path and content of every file under `out`.

Nothing here imports protopact, so a fresh worker costs little more than a bare interpreter.
"""

from __future__ import annotations

import os
import shutil
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import BinaryIO

_LENGTH = struct.Struct(">Q")
LENGTH_BYTES = _LENGTH.size
STDERR_BYTES_MAX = 64 * 1024
"""So much of protoc's standard error is reported; one line per error could be megabytes."""
JOB, SOURCE, OUT = "job", "source", "out"


def pack(parts: Iterable[bytes]) -> bytes:
    """Join byte strings to one frame: its length, then length and content of each part."""
    body = b"".join(piece for part in parts for piece in (_LENGTH.pack(len(part)), part))
    return _LENGTH.pack(len(body)) + body


def body_length(frame: bytes | bytearray) -> int:
    """Give the number of bytes that follow a frame's first LENGTH_BYTES."""
    length: int = _LENGTH.unpack_from(frame)[0]
    return length


def unpack(body: bytes | bytearray) -> list[bytes]:
    """Split a frame's body into its parts."""
    parts, offset = [], 0
    while offset < len(body):
        start = offset + LENGTH_BYTES
        offset = start + _LENGTH.unpack_from(body, offset)[0]
        parts.append(bytes(body[start:offset]))
    return parts


def main() -> None:
    """Serve requests until standard input ends, then remove the private directory."""
    packages, directory, memory_bytes, cpu_s = sys.argv[1:5]
    limit(int(memory_bytes))
    sys.path.append(packages)
    from grpc_tools import _protoc_compiler

    requests, replies = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever protoc prints must not enter the replies
    os.chdir(directory)
    make_directories()
    send(replies, [])  # ready
    while request := read(requests):
        allow_processor_time(float(cpu_s))
        send(replies, answer(request, _protoc_compiler.run_main))
    os.chdir("/")
    shutil.rmtree(directory, ignore_errors=True)


def read(requests: BinaryIO) -> list[bytes]:
    """Give the parts of the next request, or none at the end of the input."""
    head = requests.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return []
    length = body_length(head)
    body = requests.read(length)
    return unpack(body) if len(body) == length else []


def send(replies: BinaryIO, parts: list[bytes]) -> None:
    """Send one reply."""
    replies.write(pack(parts))
    replies.flush()


def answer(request: list[bytes], run_protoc: Callable[[list[bytes]], int]) -> list[bytes]:
    """Lay the files out in the job's empty directories, run protoc there, and give the reply.

    A job is short, so what surrounds it counts: its directories are emptied instead of made anew, and by system calls
    alone, for pathlib takes several times as long.
    """
    arguments, *files = request
    for path, content in zip(files[::2], files[1::2], strict=True):
        write(f"{JOB}/{path.decode()}", content)
    os.chdir(f"{JOB}/{SOURCE}")
    os.ftruncate(2, 0)
    status = run_protoc([b"protoc", *arguments.split(b"\0")])
    os.chdir("../..")
    reply = [str(status).encode(), os.pread(2, STDERR_BYTES_MAX, 0), *contents_under(f"{JOB}/{OUT}")]
    remove_files()
    return reply


def make_directories() -> None:
    """Make the directories that every job has."""
    for name in (SOURCE, OUT):
        Path(JOB, name).mkdir(parents=True)


def write(path: str, content: bytes) -> None:
    """Write one file and the directories above it; the parent has checked the path."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True)
        descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def contents_under(directory: str, above: str = "") -> Iterator[bytes]:
    """Give path (below the directory) and content of every file, by turns."""
    for entry in entries_of(directory):
        if entry.is_dir(follow_symlinks=False):
            yield from contents_under(entry.path, f"{above}{entry.name}/")
        else:
            yield f"{above}{entry.name}".encode()
            with os.fdopen(os.open(entry.path, os.O_RDONLY), "rb") as file:
                yield file.read()


def remove_files() -> None:
    """Leave nothing in a job's directory but the empty directories that every job has."""
    kept = {f"{JOB}/{SOURCE}", f"{JOB}/{OUT}"}
    for directory in (JOB, *kept):
        for entry in entries_of(directory):
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)  # noqa: PTH108  (see `answer`)
            elif entry.path not in kept:
                shutil.rmtree(entry.path)


def entries_of(directory: str) -> list[os.DirEntry[str]]:
    """Give what stands in a directory, in the order of names."""
    with os.scandir(directory) as found:
        return sorted(found, key=lambda entry: entry.name)


def limit(memory_bytes: int) -> None:
    """Bound this process for good: address space, size of a file, no core dump."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def allow_processor_time(cpu_s: float) -> None:
    """Have the kernel end this process some time after the parent should have.

    The parent keeps the deadline; this ends a worker whose parent was killed in the middle of a job. (An idle one sees
    its input end. PR_SET_PDEATHSIG would not do: it is sent when the parent's thread ends.) RLIMIT_CPU counts from the
    process's start, in whole seconds, so it is moved before each job.
    """
    import resource

    times = os.times()
    soft = int(times.user + times.system + cpu_s) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
