"""From what was sent to what is kept: text, or a descriptor, → canonical text and descriptor; here or apart."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

from protopact.compiler import compile_text, normal_text, print_compiled, print_file
from protopact.descriptor import FileSet
from protopact.errors import ProtopactError, SchemaError, SchemaSyntaxError
from protopact.registry import Problem
from protopact.server.decisions.apart import LIGHT_BYTES_MAX, TooLongError
from protopact.server.decisions.written_maps import with_maps, with_marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from protopact.compiler import Workers
    from protopact.server.decisions.apart import Answer, Apart

_ROOT = "schema.proto"


class Imported(NamedTuple):
    """A file that a schema imports: the path, and the descriptor as it is stored, which has no name."""

    name: str
    descriptor: bytes

    def file(self) -> FileDescriptorProto:
        """Give the descriptor under its path."""
        file = FileDescriptorProto.FromString(self.descriptor)
        file.name = self.name
        return file


def understand(
    schema: str, imports: Sequence[Imported], workers: Workers | None, apart: Apart, *, normalize: bool
) -> tuple[str, bytes]:
    """Give the text and the descriptor to keep for a schema; a long one is understood apart.

    SchemaError for what does not compile, InvalidSchemaError (42201) for a descriptor that makes no sense.
    """
    if len(schema) + sum(len(one.descriptor) for one in imports) <= LIGHT_BYTES_MAX:
        return understood(schema, [one.file() for one in imports], workers, normalize=normalize)
    question = {"normalize": normalize, "imports": [one.name for one in imports]}
    parts = [schema.encode("utf-8", "surrogatepass"), *(one.descriptor for one in imports)]
    try:
        _, (text, descriptor) = apart.ask(_understood_apart, question, parts)
    except TooLongError as error:
        raise SchemaSyntaxError(f"the compiler gave up: {error}") from error
    return text.decode(), descriptor


def _understood_apart(question: Mapping[str, Any], parts: Sequence[bytes], workers: Workers) -> Answer:
    """Do for `understand` what takes long."""
    schema, *descriptors = parts
    imports = [Imported(*one).file() for one in zip(question["imports"], descriptors, strict=True)]
    text, descriptor = understood(
        schema.decode("utf-8", "surrogatepass"), imports, workers, normalize=question["normalize"], large=True
    )
    return None, [text.encode(), descriptor]


def understood(
    schema: str,
    imports: Sequence[FileDescriptorProto],
    workers: Workers | None,
    *,
    normalize: bool,
    large: bool = False,
) -> tuple[str, bytes]:
    """Give the text and the descriptor to keep for a schema; it is understood here, but for protoc's part.

    A large one is loaded as well: protobuf's runtime has bounds that protoc has not, and who reads would meet them.
    """
    file_set = _compiled(schema, imports, workers)
    text = print_file(file_set) if large else print_compiled(file_set)
    if normalize:
        text = normal_text(file_set)
        file_set = _compiled(text, imports, workers)
    return text, _bare(file_set.root_file)


def sent_descriptor(schema: str) -> FileDescriptorProto | None:
    """Give the FileDescriptorProto that a base64 text carries; a `.proto` text is never base64."""
    try:
        file = FileDescriptorProto.FromString(base64.b64decode(schema.strip(), validate=True))
    except (binascii.Error, ValueError, DecodeError):
        return None
    return file if schema.strip() else None


def _compiled(schema: str, imports: Sequence[FileDescriptorProto], workers: Workers | None) -> FileSet:
    root = _free_name({file.name for file in imports})
    sent = sent_descriptor(schema)
    if sent is not None:
        sent.name = root
        schema = _printed(sent, imports)
    try:
        return compile_text(schema, file_name=root, dependencies=imports, workers=workers)
    except SchemaError:
        text, marks = with_marks(schema)
        if not marks:
            raise
        marked = compile_text(text, file_name=root, dependencies=imports, workers=workers)
        folded = with_maps(marked.root_file, marks)
        if folded is None:
            raise
    return compile_text(_printed(folded, imports), file_name=root, dependencies=imports, workers=workers)


def _bare(file: FileDescriptorProto) -> bytes:
    """Give a file's bytes as they are stored: without its name, which each importer chooses, and its comments."""
    descriptor = FileDescriptorProto()
    descriptor.CopyFrom(file)
    descriptor.ClearField("name")
    descriptor.ClearField("source_code_info")
    return descriptor.SerializeToString(deterministic=True)


def _free_name(taken: set[str]) -> str:
    """Give a name for the root that no import has."""
    return next(name for name in (_ROOT, *(f"schema_{n}.proto" for n in range(len(taken) + 1))) if name not in taken)


def _printed(file: FileDescriptorProto, imports: Iterable[FileDescriptorProto]) -> str:
    """Give the text of a descriptor that came from outside, and which no compiler has checked."""
    try:
        return print_file(FileSet.link(file.name, [file, *imports]))
    except ProtopactError:
        raise
    except Exception as error:
        raise Problem.INVALID_SCHEMA.error(reason="the FileDescriptorProto makes no sense") from error
