"""Generated Python code: protoc's own, made in a worker, importable inside a package when asked for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from protopact.compiler.compile import run_protoc
from protopact.compiler.worker import OUT
from protopact.descriptor import is_built_in
from protopact.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from protopact.compiler.workers import Workers

_OPTIONS = {"python": "--python_out", "pyi": "--pyi_out", "grpc": "--grpc_python_out"}

# The forms in which protoc's Python generators import another generated module, each a line of its own.
_ALIASED = re.compile(r"(?m)^(?:from (?P<package>[\w.]+) )?import (?P<module>\w+_pb2) as (?P<alias>\w+)$")
_PUBLIC = re.compile(r"(?m)^from (?P<module>[\w.]+_pb2) import (?P<names>\*|\w+ as \w+)$")
_DYNAMIC = re.compile(r"(?m)^(?P<alias>\w+) = importlib\.import_module\('(?P<module>[\w.]+_pb2)'\)$")


def generate(
    sources: Mapping[str, str],
    files: Iterable[str],
    outputs: Iterable[str] = ("python", "pyi", "grpc"),
    *,
    relative_imports: bool = False,
    dependencies: Iterable[FileDescriptorProto] = (),
    workers: Workers | None = None,
) -> dict[str, bytes]:
    """Generate Python code for the named ones of `sources` and give it by file name, such as `shop/order_pb2.py`.

    `outputs` chooses modules (`python`), stubs (`pyi`) and gRPC code (`grpc`, needed only where services are). With
    `relative_imports` the modules import each other relative to their own place, so the whole tree can stand inside
    any package; the built-in ones and those not in `sources` stay absolute.

    Raises ConfigError for an unknown output, and what `compile_text` raises.
    """
    arguments = tuple(f"{_option(output)}=../{OUT}" for output in outputs)
    roots, outcomes = run_protoc(files, sources, arguments, dependencies=dependencies, workers=workers)
    code = {name: content for outcome in outcomes for name, content in outcome.files.items()}
    if not relative_imports:
        return code
    local = {module_name(path) for path in sources if path in roots or not is_built_in(path)}
    return {name: with_relative_imports(name, content.decode(), local).encode() for name, content in code.items()}


def module_name(path: str) -> str:
    """Give the dotted name of the module that protoc generates for an import path."""
    return path.removesuffix(".proto").replace("-", "_").replace("/", ".") + "_pb2"


def with_relative_imports(file_name: str, code: str, local: set[str]) -> str:
    """Make a generated file import the `local` modules relative to its own place in the tree."""
    here = "." * (file_name.count("/") + 1)

    def aliased(found: re.Match[str]) -> str:
        package = found["package"] or ""
        if f"{package}.{found['module']}".lstrip(".") not in local:
            return found[0]
        return f"from {here}{package} import {found['module']} as {found['alias']}"

    def public(found: re.Match[str]) -> str:
        return f"from {here}{found['module']} import {found['names']}" if found["module"] in local else found[0]

    def dynamic(found: re.Match[str]) -> str:
        if found["module"] not in local:
            return found[0]
        return f"{found['alias']} = importlib.import_module('{here}{found['module']}', __package__)"

    return _DYNAMIC.sub(dynamic, _PUBLIC.sub(public, _ALIASED.sub(aliased, code)))


def _option(output: str) -> str:
    if output not in _OPTIONS:
        raise ConfigError(
            f"output {output!r} is unknown", option="outputs", hint=f"the outputs are {', '.join(_OPTIONS)}"
        )
    return _OPTIONS[output]
