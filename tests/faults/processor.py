"""Processor time: unlike the clock on the wall it counts what a program does, not what the machine does besides."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_CHILDREN_USER, _CHILDREN_SYSTEM = 13, 14  # in /proc/PID/stat, counted from the field after the name


def processor_s(pid: int) -> float:
    """Give the processor time of all threads of a process, in seconds: its clock, as clock_getcpuclockid makes it."""
    return time.clock_gettime((~pid << 3) | 2)


def family_s(pid: int) -> float:
    """Give the processor time of a process and its children, those that have ended and those that live."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ended_s = (int(fields[_CHILDREN_USER]) + int(fields[_CHILDREN_SYSTEM])) / _TICKS_PER_S
    return processor_s(pid) + ended_s + sum(map(_living_s, _children(pid)))


def _children(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for one in lists for child in one.read_text().split()]


def _living_s(pid: int) -> float:
    try:
        return family_s(pid)
    except OSError:  # it has ended meanwhile, and counts as ended when its parent has waited for it
        return 0.0
