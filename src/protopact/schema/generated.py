"""`compile_protos`: generated Python code on disk, as a package that can be imported from wherever it is put."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, overload

from protopact.compiler import compile_files, generate, import_paths, load_sources, print_file
from protopact.descriptor import FileSet, built_in_file, is_built_in
from protopact.errors import ConfigError
from protopact.schema.saving import place_below, write_atomically

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from protopact.compiler import Workers

# What generated code says about itself: https://protobuf.dev/support/cross-version-runtime-guarantee/ lets a runtime
# read code of its own and of the major version before it.
_PROTOBUF_VERSION = re.compile(rb"^# Protobuf Python Version: (\d+)\.(\d+\.\d+)$", re.MULTILINE)
_GRPC_VERSION = re.compile(rb"^GRPC_GENERATED_VERSION = '([\d.]+)'$", re.MULTILINE)
_GRPC_SERVICE = re.compile(rb"^class \w+Stub\b", re.MULTILINE)
# Imports that come with packages: `google.protobuf` with protobuf, `google.type` with googleapis-common-protos.
_INSTALLED = "google/"


@dataclass(frozen=True, slots=True)
class GeneratedFiles(Sequence[Path]):
    """The files that were written, in order, and the packages that they need, such as `protobuf>=7.35.1,<9`."""

    paths: tuple[Path, ...]
    requirements: tuple[str, ...]

    @property
    def runtime(self) -> str:
        """The packages that the files need, in one line."""
        return ", ".join(self.requirements)

    @overload
    def __getitem__(self, index: int) -> Path: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Path, ...]: ...
    def __getitem__(self, index: int | slice) -> Path | tuple[Path, ...]:
        return self.paths[index]

    def __len__(self) -> int:
        return len(self.paths)


def compile_protos(
    proto_dir: str | os.PathLike[str],
    output_dir: str | os.PathLike[str],
    *,
    grpc: bool = False,
    stubs: bool = True,
    imports: Iterable[str | os.PathLike[str]] = (),
    workers: Workers | None = None,
) -> GeneratedFiles:
    """Generate Python code for every `.proto` file below `proto_dir` and write it to `output_dir`.

    `output_dir` becomes a package (each directory gets an `__init__.py` unless it has one) whose modules import each
    other relatively: it can be put inside another package. `stubs` adds `.pyi` files, `grpc` adds `_pb2_grpc.py` for
    files with services. `imports` are further directories to find imports in; for those nothing is generated, so
    their modules must be importable by their own names.

    Gives the written paths with what the code needs at run time. Raises ConfigError for a directory that is missing
    or holds no `.proto` file, SchemaSyntaxError and SchemaLinkError with diagnostics before anything is written,
    MissingExtraError when the compiler is not installed.
    """
    source, target = Path(proto_dir), Path(output_dir)
    names = _names_below(source)
    found = load_sources(names, [source, *imports])
    names += _not_installed(found)
    sources = {name: found[name] if name in found else _built_in_text(name) for name in names}
    foreign = {name: text for name, text in found.items() if name not in sources and not _is_installed(name)}
    outputs = ["python", *(["pyi"] if stubs else []), *(["grpc"] if grpc else [])]
    known = _compiled(foreign, sources, workers)
    code = generate(sources, names, outputs, relative_imports=True, dependencies=known, workers=workers)
    code = {name: content for name, content in sorted(code.items()) if _is_wanted(name, content)}
    code = dict.fromkeys(_package_files(target, code), b"") | code
    paths = {name: place_below(target, name) for name in code}
    for name, path in paths.items():
        write_atomically(path, code[name].decode())
    return GeneratedFiles(tuple(paths.values()), _requirements(code.values()))


def _names_below(directory: Path) -> list[str]:
    if not directory.is_dir():
        raise ConfigError(f"{directory} is no directory", option="proto_dir")
    found = sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*.proto") if path.is_file())
    names = [name for name in found if not _is_installed(name)]
    if not names:
        raise ConfigError(f"{directory} holds no .proto file", option="proto_dir", hint="name the directory of imports")
    return names


def _is_installed(name: str) -> bool:
    return is_built_in(name) and name.startswith(_INSTALLED)


def _not_installed(sources: Mapping[str, str]) -> list[str]:
    """Give the built-in imports whose modules come with no package: they are generated along."""
    wanted = {path for text in sources.values() for path in import_paths(text)}
    return sorted(path for path in wanted - set(sources) if is_built_in(path) and not _is_installed(path))


def _built_in_text(name: str) -> str:
    return print_file(FileSet.link(name, [built_in_file(name)]))


def _compiled(foreign: Mapping[str, str], own: Mapping[str, str], workers: Workers | None) -> list[FileDescriptorProto]:
    """Give the descriptors of imports from other directories: what is given as text would be imported relatively."""
    if not foreign:
        return []
    file_sets = compile_files(list(foreign), {**foreign, **own}, workers=workers)
    return [file for file_set in file_sets for file in file_set.files if file.name in foreign]


def _is_wanted(name: str, content: bytes) -> bool:
    return not name.endswith("_pb2_grpc.py") or _GRPC_SERVICE.search(content) is not None


def _package_files(target: Path, code: Iterable[str]) -> list[str]:
    """Name the `__init__.py` files that the package lacks."""
    directories = {parent.as_posix() for name in code for parent in Path(name).parents}
    names = sorted(f"{directory}/__init__.py".removeprefix("./") for directory in directories)
    return [name for name in names if not (target / name).exists()]


def _requirements(code: Iterable[bytes]) -> tuple[str, ...]:
    needed: dict[str, None] = {}
    for content in code:
        if found := _PROTOBUF_VERSION.search(content):
            major, rest = int(found[1]), found[2].decode()
            needed[f"protobuf>={major}.{rest},<{major + 2}"] = None
        if found := _GRPC_VERSION.search(content):
            needed[f"grpcio>={found[1].decode()}"] = None
    return tuple(needed)
