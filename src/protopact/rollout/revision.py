"""A tree as git keeps it at a revision: read from git's objects, nothing is checked out."""

from __future__ import annotations

import os
import posixpath
import shutil
import subprocess
from typing import TYPE_CHECKING

from protopact.errors import ConfigError, Diagnostic, SchemaSyntaxError
from protopact.rollout.tree import SUFFIX, Tree, is_hidden

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_TIMEOUT_S = 60.0
_FILE, _LINK = "100", "120000"
_LINKS_MAX = 8


def read_revision(directory: Path, revision: str) -> Tree:
    """Read the `.proto` files that a directory had at a revision; there may be none.

    ConfigError where git is not installed, the directory is in no repository, or the revision is unknown;
    SchemaSyntaxError for a file that is not UTF-8.
    """
    if not directory.is_dir():
        raise ConfigError(f"{directory} is no directory", option="DIR")
    commit = _git(directory, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").decode().strip()
    entries = _entries(_git(directory, "ls-tree", "-r", "-z", commit))
    wanted = [path for path in entries if path.endswith(SUFFIX) and not is_hidden(path)]
    blobs = _blobs(directory, [blob for _, blob in entries.values()])
    texts = {}
    for path in wanted:
        blob = _followed(path, entries, blobs)
        if blob is not None:
            texts[path] = _decoded(path, blobs[blob])
    return Tree(f"git#{revision}", texts)


def _entries(listing: bytes) -> dict[str, tuple[str, str]]:
    """Give mode and blob of each file and symbolic link that may lead to a `.proto` file."""
    found = {}
    for entry in listing.split(b"\0")[:-1]:
        head, _, path = entry.partition(b"\t")
        mode, _, blob = head.decode().split()
        name = os.fsdecode(path)
        if mode == _LINK or (mode.startswith(_FILE) and name.endswith(SUFFIX)):
            found[name] = (mode, blob)
    return found


def _blobs(directory: Path, names: Sequence[str]) -> dict[str, bytes]:
    if not names:
        return {}
    data = _git(directory, "cat-file", "--batch", told="\n".join(names).encode() + b"\n")
    found, at = {}, 0
    for name in names:
        end = data.index(b"\n", at)
        size = int(data[at:end].split()[2])
        found[name] = data[end + 1 : end + 1 + size]
        at = end + size + 2
    return found


def _followed(path: str, entries: Mapping[str, tuple[str, str]], blobs: Mapping[str, bytes]) -> str | None:
    """Follow symbolic links inside the tree to the blob of a file; None where they lead out of it."""
    for _ in range(_LINKS_MAX):
        if path not in entries:
            return None
        mode, blob = entries[path]
        if mode != _LINK:
            return blob
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), os.fsdecode(blobs[blob])))
    return None


def _decoded(path: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        diagnostic = Diagnostic(path, 0, 0, "the file is not UTF-8")
        raise SchemaSyntaxError(str(diagnostic), diagnostics=[diagnostic]) from error


def _git(directory: Path, *words: str, told: bytes = b"") -> bytes:
    program = shutil.which("git")
    if program is None:
        raise ConfigError("git is not installed", option="--against", hint="compare with a directory instead")
    command = [program, "-C", str(directory), *words]
    try:
        result = subprocess.run(command, input=told, capture_output=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603  (no shell; a revision cannot be taken for an option)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"git cannot be run: {error}", option="--against") from error
    if result.returncode:
        said = result.stderr.decode(errors="replace").strip().splitlines()
        raise ConfigError(f"git says: {said[-1] if said else result.returncode}", option="--against")
    return result.stdout
