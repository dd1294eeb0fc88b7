"""★ From `.proto` text to a linked file set.

Names and texts are checked, protoc runs on them in a worker, and either its diagnostics are raised or its
descriptors are linked with the dependencies and the built-in imports. The caller's process parses no text.
"""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

from protopact.compiler.diagnostics import refusal, surrender
from protopact.compiler.source import check_sources
from protopact.compiler.worker import OUT, SOURCE
from protopact.compiler.workers import Job, Workers, default_workers
from protopact.descriptor import BUILT_IN_FILES, FileSet, built_in_file, canonical_file, is_built_in
from protopact.errors import Diagnostic, SchemaLinkError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from protopact.compiler.source import Scan
    from protopact.compiler.workers import Outcome

NO_SOURCES: Mapping[str, str] = MappingProxyType({})
_DESCRIPTORS = "descriptors.bin"
_GIVEN = "given.bin"
_FILES_PER_JOB = 32  # the limits of a job are meant for one text; a tree of files gets them per so many files


def compile_text(
    text: str,
    *,
    file_name: str = "schema.proto",
    sources: Mapping[str, str] = NO_SOURCES,
    dependencies: Iterable[FileDescriptorProto] = (),
    workers: Workers | None = None,
) -> FileSet:
    """Compile one `.proto` text and give the file set whose root it is.

    `file_name` is the root's name; `sources` are other texts by import path, of which only the imported ones count;
    `dependencies` are files already compiled, with all that they import. Built-in imports need not be given.

    Raises SchemaLinkError for an import that is missing, circular, impossible as a path or given twice, and
    SchemaSyntaxError for all else that protoc refuses, both with diagnostics; a text that makes protoc crash or use
    more than its limits is a SchemaSyntaxError too. MissingExtraError when grpcio-tools is not installed.
    """
    if file_name in sources:
        raise _given_twice(file_name)
    (file_set,) = compile_files([file_name], {**sources, file_name: text}, dependencies=dependencies, workers=workers)
    return file_set


def compile_files(
    names: Iterable[str],
    sources: Mapping[str, str],
    *,
    dependencies: Iterable[FileDescriptorProto] = (),
    workers: Workers | None = None,
) -> tuple[FileSet, ...]:
    """Compile the named ones of `sources` (texts by import path) and give a file set for each, in order.

    Otherwise like `compile_text`; the limits count for every 32 files.
    """
    known = _by_name(dependencies)
    roots, outcomes = run_protoc(
        names,
        sources,
        (f"--descriptor_set_out=../{OUT}/{_DESCRIPTORS}", "--include_imports", "--retain_options"),
        dependencies=known.values(),
        workers=workers,
    )
    compiled: dict[str, FileDescriptorProto] = {}
    for outcome in outcomes:
        for file in _descriptors(outcome):
            if file.name in sources:  # the rest are our own descriptors, whatever else protoc may have found
                compiled[file.name] = file
    return tuple(FileSet.link(root, [*compiled.values(), *known.values()]) for root in roots)


def run_protoc(
    names: Iterable[str],
    sources: Mapping[str, str],
    outputs: Sequence[str],
    *,
    dependencies: Iterable[FileDescriptorProto],
    workers: Workers | None,
) -> tuple[tuple[str, ...], list[Outcome]]:
    """Run protoc over the named sources with the given output arguments; give the names and what came of each job."""
    pool = workers or default_workers()
    roots = tuple(names)
    texts, scan = check_sources(sources, pool.settings)
    given = _by_name(dependencies)
    _check_names(roots, texts, given)
    files = {f"{SOURCE}/{path}": text for path, text in texts.items()}
    compiled = [*given.values(), *_built_in_imports(scan, given)]
    if compiled:
        files[_GIVEN] = FileDescriptorSet(file=compiled).SerializeToString()
    # Without descriptors protoc would look for imports beside its own program, too.
    arguments = ("-I.", f"--descriptor_set_in={f'../{_GIVEN}' if compiled else os.devnull}", *outputs)
    outcomes = []
    for start in range(0, len(roots), _FILES_PER_JOB):
        part = roots[start : start + _FILES_PER_JOB]
        # "./" keeps a name that starts with "-" or "@" from being an option
        outcomes.append(_run(pool, Job((*arguments, *(f"./{root}" for root in part)), files), part))
    return roots, outcomes


def _check_names(roots: Iterable[str], texts: Container[str], given: Iterable[str]) -> None:
    for root in roots:
        if root not in texts:
            message = "file not found among the sources"
            raise SchemaLinkError(f"{root}: {message}", diagnostics=[Diagnostic(root, 0, 0, message)])
    for name in given:
        if name in texts:
            raise _given_twice(name)


def _run(pool: Workers, job: Job, roots: Sequence[str]) -> Outcome:
    outcome = pool.run(job)
    if outcome.gave_up:
        raise surrender(roots[0] if len(roots) == 1 else "", outcome.gave_up)
    if outcome.status:
        raise refusal(outcome.stderr)
    return outcome


def _descriptors(outcome: Outcome) -> Iterable[FileDescriptorProto]:
    try:
        return FileDescriptorSet.FromString(outcome.files[_DESCRIPTORS]).file
    except (DecodeError, KeyError) as error:
        raise surrender("", "its output cannot be read") from error


def _by_name(dependencies: Iterable[FileDescriptorProto]) -> dict[str, FileDescriptorProto]:
    """Give the dependencies by name, each once, without the built-in ones, of which we have our own."""
    known: dict[str, FileDescriptorProto] = {}
    for file in dependencies:
        if is_built_in(file.name):
            continue
        other = known.setdefault(file.name, file)
        if other is not file and canonical_file(other) != canonical_file(file):
            raise _given_twice(file.name)
    return known


def _built_in_imports(scan: Scan, given: Mapping[str, FileDescriptorProto]) -> Iterable[FileDescriptorProto]:
    """Give the built-in files that may be needed: all of them cost protoc a millisecond."""
    wanted = scan.import_paths() if scan.complete else set(BUILT_IN_FILES)
    wanted |= {name for file in given.values() for name in (*file.dependency, *file.option_dependency)}
    found: dict[str, FileDescriptorProto] = {}
    while wanted:
        name = wanted.pop()
        if name not in found and is_built_in(name):
            found[name] = built_in_file(name)
            wanted |= set(found[name].dependency)
    return found.values()


def _given_twice(name: str) -> SchemaLinkError:
    message = "given twice, with different contents or once as the root and once as an import"
    return SchemaLinkError(
        f"{name}: {message}",
        diagnostics=[Diagnostic(name, 0, 0, message)],
        hint="give each file once; the root's name is `file_name`",
    )
