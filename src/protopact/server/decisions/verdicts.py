"""Whether a draft may follow the versions before it: descriptors come from the store, the verdict from `compat`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protopact.compat import Level, check
from protopact.descriptor import FileSet
from protopact.errors import SchemaError
from protopact.registry import PROTOBUF, Metadata, Subject
from protopact.server.decisions.bounded import BoundedCache

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from protopact.registry import Reference
    from protopact.server.decisions.draft import Draft, Draftsman
    from protopact.server.decisions.terms import Terms
    from protopact.server.store import StoredVersion

_ROOT = "default"
_FILE_SETS_MAX = 500
_FILE_SETS_BYTES_MAX = 16 * 1024 * 1024
_RESERVED = "confluent:reserved"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a draft may not follow, as Confluent words it; nothing where it may."""

    messages: tuple[str, ...] = ()

    @property
    def compatible(self) -> bool:
        """Whether the draft may follow."""
        return not self.messages


class Judge:
    """Judges drafts by the descriptors that the store keeps; nothing is compiled."""

    def __init__(self, draftsman: Draftsman) -> None:
        """Find imported files by this draftsman."""
        self._draftsman = draftsman
        self._file_sets: BoundedCache[tuple[str, int], FileSet] = BoundedCache(
            entries_max=_FILE_SETS_MAX, bytes_max=_FILE_SETS_BYTES_MAX
        )

    def judge(self, context: str, draft: Draft, history: Sequence[StoredVersion], terms: Terms) -> Verdict:
        """Judge a draft against live versions, newest first, by the level and policy of the terms."""
        level = Level.parse(terms.level)
        compared = comparable(draft.metadata, history, terms.group)
        if level is Level.NONE or not compared:
            return Verdict()
        compared = compared if level.transitive else compared[:1]
        foreign = next((one for one in compared if one.schema.content.schema_type != draft.schema_type), None)
        if foreign is not None or draft.schema_type != PROTOBUF:
            return Verdict(() if foreign is None else ("Incompatible because of different schema type",))
        return self._compared(context, draft, compared, terms)

    def _compared(self, context: str, draft: Draft, history: Sequence[StoredVersion], terms: Terms) -> Verdict:
        candidate = _linked(draft.descriptor, self._draftsman.files(context, draft.references))
        report = check(
            candidate,
            [self._file_set(version) for version in history],
            terms.level,
            policy=terms.breaking_policy,
            candidate_references=_places(context, draft.references),
            history_references=[
                _places(version.schema.context, version.schema.content.references) for version in history
            ],
        )
        validates = terms.flag("validateFields")
        reserved = reserved_messages(draft.metadata, candidate.root_file, history) if validates else ()
        if report.refused_by is None:
            return Verdict(reserved)
        old = history[report.refused_by.index]
        told = report.messages(old_version=old.version, old_schema=old.schema.content.text, validate_fields=validates)
        return Verdict((*told, *reserved))

    def _file_set(self, version: StoredVersion) -> FileSet:
        """Give a stored schema with all that it imports; ids never stand for anything else."""
        schema = version.schema
        key = (schema.context, schema.id)
        found = self._file_sets.find(key)
        if found is None:
            files = self._draftsman.files(schema.context, schema.content.references, deleted=True)
            found = _linked(schema.content.descriptor, files)
            self._file_sets.keep(key, found, sum(file.ByteSize() for file in found.files))
        return found


def comparable(metadata: Metadata | None, history: Sequence[StoredVersion], group: str) -> Sequence[StoredVersion]:
    """Give the versions that a schema is compared with: all, or those with its value of the group's property."""
    if not group:
        return history
    own = _property(metadata, group)
    return [version for version in history if _property(version.schema.content.metadata, group) == own]


def reserved_messages(
    metadata: Metadata | None, file: FileDescriptorProto, history: Sequence[StoredVersion]
) -> tuple[str, ...]:
    """Give what speaks against a schema by the names of fields that metadata reserve."""
    reserved = _reserved(metadata)
    before = _reserved(history[0].schema.content.metadata) if history else frozenset()
    removed = [
        f'{{errorType:"RESERVED_FIELD_REMOVED", description:"The new schema has reserved field {name} removed '
        f"from its metadata which is present in the old schema's metadata.\"}}"
        for name in sorted(before - reserved)
    ]
    fields = {field.name for message in file.message_type[:1] for field in message.field}
    used = [
        f'{{errorType:"FIELD_CONFLICTS_WITH_RESERVED_FIELD", description:"The new schema has field that conflicts '
        f'with the reserved field {name}."}}'
        for name in sorted(reserved & fields)
    ]
    return (*removed, *used)


def _reserved(metadata: Metadata | None) -> frozenset[str]:
    names = (name.strip() for name in _property(metadata, _RESERVED).split(","))
    return frozenset(name for name in names if name)


def _property(metadata: Metadata | None, name: str) -> str:
    return "" if metadata is None else metadata.properties.get(name, "")


def _linked(descriptor: bytes, files: Iterable[FileDescriptorProto]) -> FileSet:
    imported = list(files)
    taken = {file.name for file in imported}
    root = FileDescriptorProto.FromString(descriptor)
    root.name = next(name for name in (_ROOT, *(f"{_ROOT}_{n}" for n in range(len(taken) + 1))) if name not in taken)
    try:
        return FileSet.link(root.name, [root, *imported])
    except SchemaError as error:
        raise SchemaError(f"a stored schema cannot be linked: {error}") from error


def _places(context: str, references: Iterable[Reference]) -> Mapping[str, tuple[str, int]]:
    """Give where each import comes from, by its path."""
    return {
        reference.name: (Subject.parse(reference.subject, context=context).qualified, reference.version)
        for reference in references
    }
