"""Where a schema's text and its imports come from: texts in memory, files, directories, other schemas."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from protopact.compiler import compile_text, import_paths, load_sources
from protopact.errors import ConfigError
from protopact.schema.installed_files import installed_files

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from protopact.compiler import Workers
    from protopact.descriptor import FileSet
    from protopact.schema.protocol import ProtoSchema

    Directory: TypeAlias = str | os.PathLike[str]
    Imports: TypeAlias = Mapping[str, str] | Directory | Iterable[Directory | ProtoSchema] | None


@dataclass(slots=True)
class ImportSources:
    """Imports sorted by kind: texts by import path, directories to search, files that are descriptors already."""

    texts: dict[str, str] = field(default_factory=dict)
    directories: list[Path] = field(default_factory=list)
    files: list[FileDescriptorProto] = field(default_factory=list)

    @classmethod
    def of(cls, imports: Imports) -> ImportSources:
        """Sort what a caller gave as imports; ConfigError for a directory that is none."""
        if imports is None:
            return cls()
        if isinstance(imports, Mapping):
            return cls(texts=dict(imports))
        found = cls()
        for each in [imports] if isinstance(imports, str | os.PathLike) else imports:
            if isinstance(each, str | os.PathLike):
                found.directories.append(_directory(each))
            else:
                found.files.extend(each.file_set.files)
        return found


def compile_source(
    source: str | os.PathLike[str], imports: Imports, *, file_name: str | None, workers: Workers | None
) -> FileSet:
    """Compile a text (`str`) or a file (`PathLike`) with its imports; give the file set."""
    given = ImportSources.of(imports)
    if isinstance(source, str):
        name, text = file_name or "schema.proto", source
        wanted = [path for path in import_paths(text) if any((root / path).is_file() for root in given.directories)]
        found = load_sources(wanted, given.directories)
    else:
        name, found = _load_file(Path(source), given.directories, file_name)
        text = found.pop(name)
    sources = {path: each for path, each in {**found, **given.texts}.items() if path != name}
    known = [file for file in given.files if file.name != name and file.name not in sources]
    imported = {path for each in (text, *sources.values()) for path in import_paths(each)}
    known += installed_files(imported, {name, *sources, *(file.name for file in known)})
    return compile_text(text, file_name=name, sources=sources, dependencies=known, workers=workers)


def _load_file(path: Path, directories: list[Path], file_name: str | None) -> tuple[str, dict[str, str]]:
    """Read a file and what it imports; its name is its path in the first directory that holds it, else its own."""
    try:
        if not path.is_file():
            raise ConfigError(f"{path} is no file", option="source", hint="a str is taken as text, a Path as a file")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", option="source") from error
    place = path.resolve()
    home = next((root for root in directories if place.is_relative_to(root.resolve())), path.parent)
    name = place.relative_to(home.resolve()).as_posix() if home != path.parent else path.name
    roots = list(dict.fromkeys([home, *directories, path.parent]))
    sources = load_sources([name], roots)
    if file_name is not None and file_name != name:
        sources[file_name] = sources.pop(name)
        name = file_name
    return name, sources


def _directory(given: str | os.PathLike[str]) -> Path:
    path = Path(given)
    if not path.is_dir():
        raise ConfigError(
            f"{given} is no directory", option="imports", hint="imports are directories, or texts by import path"
        )
    return path
