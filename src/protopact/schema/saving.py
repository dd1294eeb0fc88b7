"""Writing schemas to disk: whole files or none, and never outside the directory that was named."""

from __future__ import annotations

import secrets
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from protopact.compiler import check_import_path, print_file
from protopact.descriptor import is_built_in
from protopact.errors import ConfigError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from protopact.descriptor import FileSet


def save_files(
    file_set: FileSet,
    directory: str | os.PathLike[str],
    retouch: Callable[[str, str], str] = lambda _import_path, text: text,
) -> Path:
    """Write a file set as `.proto` texts below `directory`, each under its import path; give the root's path.

    `retouch` gets the import path and the text of each file, and gives the text that is written.
    """
    texts = {
        file.name: retouch(file.name, print_file(file_set, file.name))
        for file in file_set.files
        if file.name == file_set.root or not is_built_in(file.name)
    }
    return save_texts(texts, directory)[-1]


def save_texts(texts: Mapping[str, str], directory: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Write texts below `directory`, each under its import path, replacing what is there; give their places.

    SchemaLinkError for an import path that no file can have: then nothing is written. ConfigError when a file cannot
    be written there, or would not be below the directory.
    """
    base = Path(directory)
    places = {place_below(base, path): text for path, text in texts.items()}
    for place, text in places.items():
        write_atomically(place, text)
    return tuple(places)


def place_below(base: Path, import_path: str) -> Path:
    """Give the path for an import path below `base`.

    SchemaLinkError for an import path that no file can have, ConfigError when a symbolic link leads elsewhere.
    """
    check_import_path(import_path)
    path = base / PurePosixPath(import_path)
    if not path.parent.resolve().is_relative_to(base.resolve()):
        raise ConfigError(f"{path} leads out of {base}", option="directory")
    return path


def write_atomically(path: Path, text: str) -> None:
    """Write a text file in UTF-8 so that a reader sees the old one or the new one, whole; ConfigError on failure."""
    draft = path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}", option="directory") from error
