"""From what a client sends to what would be stored: text → descriptors → canonical text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from protopact.compiler import check_import_path
from protopact.descriptor import is_built_in
from protopact.errors import SchemaError
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
from protopact.server.decisions.apart import Apart
from protopact.server.decisions.bounded import BoundedCache
from protopact.server.decisions.understanding import Imported, sent_descriptor, understand
from protopact.server.store import Content
from protopact.settings import CompilerSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from protopact.compiler import Workers
    from protopact.errors import RegistryError
    from protopact.registry import SchemaRequest
    from protopact.server.store import Store, StoredVersion

_COMPILATIONS_MAX = 1000
_COMPILATIONS_BYTES_MAX = 32 * 1024 * 1024
_IMPORTED_BYTES_MAX = 8 * 1024 * 1024


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
        if self.metadata is None and self.rule_set is None:
            return _plain_guid(self.text, self.references)
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


@lru_cache(maxsize=16)
def _plain_guid(text: str, references: tuple[Reference, ...]) -> str:
    """Give a content hash that is asked for several times while a schema is registered."""
    return content_guid(text, references)


class Draftsman:
    """Makes drafts: finds the references in the store, and has texts compiled in contained processes.

    `files_max` bounds the files that one schema imports, directly or not. `apart` is where long work is done.
    """

    def __init__(self, store: Store, workers: Workers | None, *, files_max: int) -> None:
        """Use this store, and these workers or the shared ones."""
        self._store = store
        self._workers = workers
        self._files_max = files_max
        self.apart = Apart(CompilerSettings() if workers is None else workers.settings)
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
        imports = self.imports(context, references, deleted=deleted)
        try:
            text, descriptor = self._compiled(request.schema, imports, normalize=normalize)
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
        wanted = tuple(references)
        if len(wanted) > self._files_max:  # before any is looked for: a body has room for tens of thousands
            raise self._too_many()
        return tuple(
            replace(reference, version=self._referenced(context, reference, deleted=deleted).version)
            for reference in wanted
        )

    def _too_many(self) -> RegistryError:
        return Problem.INVALID_SCHEMA.error(reason=f"it imports more than {self._files_max} files")

    def _compiled(self, schema: str, imports: Sequence[Imported], *, normalize: bool) -> tuple[str, bytes]:
        """Give the text to keep and its descriptor; every producer that starts sends the text it sent before."""
        key = (schema, normalize)
        known = None if imports else self._compilations.find(key)
        if known is not None:
            return known
        text, descriptor = understand(schema, imports, self._workers, self.apart, normalize=normalize)
        if not imports:
            self._compilations.keep(key, (text, descriptor), len(schema) + len(text) + len(descriptor))
        return text, descriptor

    def _referenced(self, context: str, reference: Reference, *, deleted: bool = False) -> StoredVersion:
        """Give the live version that a reference means; what stored schemas refer to may be soft-deleted."""
        subject = Subject.parse(reference.subject, context=context)
        number = reference.version
        found = self._store.find_version(subject, number) if number > 0 or number == LATEST else None
        if found is None and deleted and (number > 0 or number == LATEST):
            found = self._store.find_version(subject, number, deleted=True)
        if found is None:
            raise Problem.NO_REFERENCE.error(subject=reference.subject, version=number)
        return found

    def files(
        self, context: str, references: Iterable[Reference], *, deleted: bool = False
    ) -> list[FileDescriptorProto]:
        """Give the files of the references and of theirs, as `imports` does."""
        return [imported.file() for imported in self.imports(context, references, deleted=deleted)]

    def imports(self, context: str, references: Iterable[Reference], *, deleted: bool = False) -> list[Imported]:
        """Give what the references and theirs stand for, each under its import path; the first of a name wins.

        InvalidSchemaError (42201) for a reference that is not kept here or is no import path, and for too many.
        """
        found: dict[str, Imported | None] = {}
        waiting = [(context, reference, deleted) for reference in references]
        room = _IMPORTED_BYTES_MAX
        while waiting:
            its_context, reference, also_deleted = waiting.pop(0)
            if reference.name in found:
                continue
            if len(found) == self._files_max:
                raise self._too_many()
            version = self._referenced(its_context, reference, deleted=also_deleted)
            room -= len(version.schema.content.descriptor)
            if room < 0:
                raise Problem.INVALID_SCHEMA.error(reason=f"it imports more than {_IMPORTED_BYTES_MAX:,} bytes")
            found[reference.name] = None if is_built_in(reference.name) else _named(reference.name, version)
            below = version.schema
            waiting += [(below.context, further, True) for further in below.content.references]
        return [imported for imported in found.values() if imported is not None]

    def close(self) -> None:
        """End the processes in which long work was done."""
        self.apart.close()


def _named(name: str, version: StoredVersion) -> Imported:
    """Give a stored file under the name by which it is imported."""
    try:
        check_import_path(name)
    except SchemaError as error:
        raise _invalid(error) from error
    return Imported(name, version.schema.content.descriptor)


def is_descriptor(schema: str) -> bool:
    """Tell whether a schema was sent as base64 of a FileDescriptorProto instead of text."""
    return sent_descriptor(schema) is not None


def _invalid(error: SchemaError) -> RegistryError:
    diagnostics = getattr(error, "diagnostics", ())
    return Problem.INVALID_SCHEMA.error(reason="; ".join(str(diagnostic) for diagnostic in diagnostics[:5]) or error)
