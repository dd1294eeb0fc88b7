"""A tree of `.proto` files: texts by import path, wherever they were read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.compiler import compile_files, load_sources
from protopact.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from protopact.compiler import Workers
    from protopact.descriptor import FileSet

SUFFIX = ".proto"


@dataclass(frozen=True, slots=True)
class Tree:
    """Texts by import path; `origin` says for people where they come from."""

    origin: str
    texts: Mapping[str, str] = field(repr=False)

    def compile(self, names: Iterable[str] | None = None, *, workers: Workers | None = None) -> dict[str, FileSet]:
        """Compile the named files, or all, and give each one's file set by its import path.

        Imports are found in the tree itself or are built in. SchemaSyntaxError, SchemaLinkError.
        """
        chosen = sorted(self.texts) if names is None else list(dict.fromkeys(names))
        if not chosen:
            return {}
        return dict(zip(chosen, compile_files(chosen, self.texts, workers=workers), strict=True))


def read_tree(directory: str | os.PathLike[str], names: Iterable[str] | None = None) -> Tree:
    """Read the `.proto` files below a directory, or the named ones with all that they import.

    Directories whose names start with a full stop are left out. ConfigError for what is no directory, SchemaLinkError
    for a named file that is not there, SchemaSyntaxError for one that is not UTF-8.
    """
    root = Path(directory)
    if not root.is_dir():
        raise ConfigError(f"{root} is no directory", option="DIR")
    return Tree(str(root), load_sources(sorted(_names(root)) if names is None else names, [root]))


def is_hidden(path: str) -> bool:
    """Say whether a path leads through a directory that is left out."""
    return any(part.startswith(".") for part in path.split("/")[:-1])


def _names(root: Path) -> Iterator[str]:
    for place, directories, files in os.walk(root):
        directories[:] = [name for name in directories if not name.startswith(".")]
        yield from ((Path(place) / name).relative_to(root).as_posix() for name in files if name.endswith(SUFFIX))
