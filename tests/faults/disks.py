"""Disks for tests: small ones that can be filled, and what makes one slow for a process."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Absent = Callable[[str, str], None]

CGROUPS = Path("/sys/fs/cgroup")


@contextmanager
def small_disk(folder: Path, mib: int, absent: Absent) -> Iterator[tuple[Path, str]]:
    """Mount a file system of so many MiB and give its directory and kind: ext4 in a file, else one in memory."""
    image, mounted = folder / "disk.img", folder / "disk"
    mounted.mkdir()
    ways = (
        ("ext4", [["truncate", "-s", f"{mib}M", image], ["mkfs.ext4", "-q", "-F", "-m", "0", image]],
         ["-o", "loop", image]),
        ("tmpfs", [], ["-t", "tmpfs", "-o", f"size={mib}m", "tmpfs"]),
    )  # fmt: skip
    why = []
    for kind, preparing, options in ways:
        refused = next(filter(None, map(_refusal, [*preparing, ["mount", *options, mounted]])), "")
        if not refused:
            break
        why.append(f"{kind}: {refused}")
    else:
        absent("faults", f"no small disk can be mounted ({'; '.join(why)})")
    try:
        yield mounted, kind
    finally:
        subprocess.run(["umount", mounted], check=True, timeout=60)


def _refusal(command: list[str | Path]) -> str:
    """Run a command and give why it failed, nothing if it did not."""
    name = str(command[0])
    if shutil.which(name) is None:
        return f"{name} is not installed"
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return " ".join(done.stderr.split()) or f"{name} failed" if done.returncode else ""


@contextmanager
def slow_writes(pid: int, disk: Path, per_s: int, absent: Absent) -> Iterator[None]:
    """Have a process's writes to a disk reach it at most so many times a second, until the block ends."""
    number = disk.stat().st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    group = Path()
    why = []
    for home, file, limit in _throttles(device, per_s):
        group = home / f"protopact-{os.getpid()}"
        try:
            group.mkdir()
            (group / file).write_text(limit)
            before = _move(pid, group)
        except OSError as error:
            why.append(f"{group / file}: {error.strerror}")
            with suppress(OSError):
                group.rmdir()
        else:
            break
    else:
        absent("faults", f"no disk can be made slow ({'; '.join(why) or 'no cgroup controls block devices'})")
    try:
        yield
    finally:
        (before / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def _throttles(device: str, per_s: int) -> Iterator[tuple[Path, str, str]]:
    """Give where a group can be made, the file of its limit, and the limit: cgroups of version 1, then of version 2."""
    old = CGROUPS / "blkio"
    if (old / "cgroup.procs").exists():
        yield old, "blkio.throttle.write_iops_device", f"{device} {per_s}"
    for new in (CGROUPS, CGROUPS / "unified"):
        with suppress(OSError):
            if "io" in (new / "cgroup.controllers").read_text().split():
                (new / "cgroup.subtree_control").write_text("+io")
                yield new, "io.max", f"{device} wiops={per_s}"


def _move(pid: int, group: Path) -> Path:
    """Move a process into a group and give the one that it came from."""
    old = group.parent.name == "blkio"
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if ("blkio" in controllers.split(",")) if old else not controllers:
            came_from = group.parent / path.lstrip("/")
            (group / "cgroup.procs").write_text(str(pid))
            return came_from
    raise FileNotFoundError(2, "the process is in no such group")
