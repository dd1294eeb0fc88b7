"""From what a client sends to what would be stored: text → descriptors → canonical text."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

from protopact.compiler import check_import_path, compile_text, normal_text, print_file
from protopact.descriptor import FileSet, is_built_in
from protopact.errors import ProtopactError, SchemaError
from protopact.registry import (
    LATEST,
    PROTOBUF,
    Metadata,
    Problem,
    Reference,
    RuleSet,
    Subject,
    content_guid,
    normal_references,
)
from protopact.server.decisions.bounded import BoundedCache
from protopact.server.store import Content

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from protopact.compiler import Workers
    from protopact.errors import RegistryError
    from protopact.registry import SchemaRequest
    from protopact.server.store import Store, StoredVersion

_ROOT = "schema.proto"
_COMPILATIONS_MAX = 1000
_COMPILATIONS_BYTES_MAX = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Draft:
    """A schema that was understood, but has no id yet. Its references carry real version numbers."""

    text: str
    descriptor: bytes
    references: tuple[Reference, ...] = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    schema_type: str = PROTOBUF

    @property
    def guid(self) -> str:
        """The content hash."""
        return content_guid(self.text, self.references, self.metadata, self.rule_set)

    def content(self) -> Content:
        """Give what is stored."""
        return Content(
            self.guid, self.text, self.descriptor, self.references, self.metadata, self.rule_set, self.schema_type
        )

    @classmethod
    def of(cls, content: Content) -> Draft:
        """Give the draft that a stored content was."""
        return cls(
            content.text,
            content.descriptor,
            content.references,
            content.metadata,
            content.rule_set,
            content.schema_type,
        )


class Draftsman:
    """Makes drafts: finds the references in the store, and has texts compiled in contained processes.

    `files_max` bounds the files that one schema imports, directly or not.
    """

    def __init__(self, store: Store, workers: Workers | None, *, files_max: int) -> None:
        """Use this store, and these workers or the shared ones."""
        self._store = store
        self._workers = workers
        self._files_max = files_max
        self._compilations: BoundedCache[tuple[str, bool], tuple[str, bytes]] = BoundedCache(
            entries_max=_COMPILATIONS_MAX, bytes_max=_COMPILATIONS_BYTES_MAX
        )

    def draft(self, context: str, request: SchemaRequest, *, normalize: bool = False, deleted: bool = False) -> Draft:
        """Understand a request for a schema in a context; `deleted` lets it refer to soft-deleted versions.

        InvalidSchemaError (42201) for a reference that is not kept here or is no import path, and for a text that
        does not compile.
        """
        references = self.references(context, request.references, deleted=deleted)
        if normalize:
            references = normal_references(references)
        dependencies = self.files(context, references, deleted=deleted)
        try:
            text, descriptor = self._compiled(request.schema, dependencies, normalize=normalize)
        except SchemaError as error:
            raise _invalid(error) from error
        return Draft(text, descriptor, references, request.metadata, request.rule_set)

    def opaque(self, context: str, request: SchemaRequest) -> Draft:
        """Take a schema of a type that is not understood here, as it came; its references may be soft-deleted."""
        references = self.references(context, request.references, deleted=True)
        schema_type = request.schema_type.upper()
        return Draft(request.schema, b"", references, request.metadata, request.rule_set, schema_type)

    def references(
        self, context: str, references: Iterable[Reference], *, deleted: bool = False
    ) -> tuple[Reference, ...]:
        """Give references with real version numbers; InvalidSchemaError (42201) for what is not kept here."""
        return tuple(
            replace(reference, version=self._referenced(context, reference, deleted=deleted).version)
            for reference in references
        )

    def _compiled(
        self, schema: str, dependencies: Sequence[FileDescriptorProto], *, normalize: bool
    ) -> tuple[str, bytes]:
        """Give the text to keep and its descriptor; every producer that starts sends the text it sent before."""
        key = (schema, normalize)
        known = None if dependencies else self._compilations.find(key)
        if known is not None:
            return known
        file_set = self._compile(schema, dependencies)
        text = print_file(file_set)
        if normalize:
            text = normal_text(file_set)
            file_set = self._compile(text, dependencies)
        descriptor = _bare(file_set.root_file)
        if not dependencies:
            self._compilations.keep(key, (text, descriptor), len(schema) + len(text) + len(descriptor))
        return text, descriptor

    def _compile(self, schema: str, dependencies: Sequence[FileDescriptorProto]) -> FileSet:
        root = _free_name({file.name for file in dependencies})
        sent = _sent_descriptor(schema)
        if sent is not None:
            sent.name = root
            schema = _printed(sent, dependencies)
        return compile_text(schema, file_name=root, dependencies=dependencies, workers=self._workers)

    def _referenced(self, context: str, reference: Reference, *, deleted: bool = False) -> StoredVersion:
        """Give the live version that a reference means; what stored schemas refer to may be soft-deleted."""
        subject = Subject.parse(reference.subject, context=context)
        number = reference.version
        found = self._store.find_version(subject, number, deleted=deleted) if number > 0 or number == LATEST else None
        if found is None:
            raise Problem.NO_REFERENCE.error(subject=reference.subject, version=number)
        return found

    def files(
        self, context: str, references: Iterable[Reference], *, deleted: bool = False
    ) -> list[FileDescriptorProto]:
        """Give the files of the references and of theirs, each under its import path; the first of a name wins.

        InvalidSchemaError (42201) for a reference that is not kept here or is no import path.
        """
        files: dict[str, FileDescriptorProto | None] = {}
        waiting = [(context, reference, deleted) for reference in references]
        while waiting:
            its_context, reference, also_deleted = waiting.pop(0)
            if reference.name in files:
                continue
            if len(files) == self._files_max:
                raise Problem.INVALID_SCHEMA.error(reason=f"it imports more than {self._files_max} files")
            found = self._referenced(its_context, reference, deleted=also_deleted)
            files[reference.name] = None if is_built_in(reference.name) else _named(reference.name, found)
            below = found.schema
            waiting += [(below.context, further, True) for further in below.content.references]
        return [file for file in files.values() if file is not None]


def _named(name: str, version: StoredVersion) -> FileDescriptorProto:
    """Give a stored file under the name by which it is imported."""
    try:
        check_import_path(name)
    except SchemaError as error:
        raise _invalid(error) from error
    file = FileDescriptorProto.FromString(version.schema.content.descriptor)
    file.name = name
    return file


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


def is_descriptor(schema: str) -> bool:
    """Tell whether a schema was sent as base64 of a FileDescriptorProto instead of text."""
    return _sent_descriptor(schema) is not None


def _sent_descriptor(schema: str) -> FileDescriptorProto | None:
    """Give the FileDescriptorProto that a base64 text carries; a `.proto` text is never base64."""
    try:
        file = FileDescriptorProto.FromString(base64.b64decode(schema.strip(), validate=True))
    except (binascii.Error, ValueError, DecodeError):
        return None
    return file if schema.strip() else None


def _printed(file: FileDescriptorProto, dependencies: Iterable[FileDescriptorProto]) -> str:
    """Give the text of a descriptor that came from outside, and which no compiler has checked."""
    try:
        return print_file(FileSet.link(file.name, [file, *dependencies]))
    except ProtopactError:
        raise
    except Exception as error:
        raise Problem.INVALID_SCHEMA.error(reason="the FileDescriptorProto makes no sense") from error


def _invalid(error: SchemaError) -> RegistryError:
    diagnostics = getattr(error, "diagnostics", ())
    return Problem.INVALID_SCHEMA.error(reason="; ".join(str(diagnostic) for diagnostic in diagnostics[:5]) or error)
