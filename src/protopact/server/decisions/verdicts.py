"""Whether a draft may follow the versions before it: descriptors come from the store, the verdict from `compat`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protopact.compat import Level
from protopact.registry import PROTOBUF, Metadata, Subject
from protopact.server.decisions.bounded import BoundedCache
from protopact.server.decisions.comparing import Comparer, Rules, Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from protopact.descriptor import FileSet
    from protopact.registry import Reference
    from protopact.server.decisions.draft import Draft, Draftsman
    from protopact.server.decisions.terms import Terms
    from protopact.server.decisions.understanding import Imported
    from protopact.server.store import StoredVersion

_FILE_SETS_MAX = 500
_FILE_SETS_BYTES_MAX = 16 * 1024 * 1024
_RESERVED = "confluent:reserved"
_FOREIGN = ("Incompatible because of different schema type",)


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
        self._comparer = Comparer(draftsman.apart)
        self._file_sets: BoundedCache[tuple[str, int, str], FileSet] = BoundedCache(
            entries_max=_FILE_SETS_MAX, bytes_max=_FILE_SETS_BYTES_MAX
        )
        self._imports: BoundedCache[tuple[str, int, str], tuple[Imported, ...]] = BoundedCache(
            entries_max=_FILE_SETS_MAX, bytes_max=_FILE_SETS_BYTES_MAX
        )

    def judge(self, context: str, draft: Draft, history: Sequence[StoredVersion], terms: Terms) -> Verdict:
        """Judge a draft against live versions, newest first, by the level and policy of the terms.

        The level says which versions it is compared with; a strict policy looks at the numbers of the older ones too.
        Reserved names are looked at whatever the level.
        """
        reserved = reserved_messages(draft, history) if terms.flag("validateFields") else ()
        level = Level.parse(terms.level)
        known = comparable(draft.metadata, history, terms.group)
        if level is Level.NONE or not known:
            return Verdict(reserved)
        compared = known if level.transitive else known[:1]
        foreign = next((one for one in compared if one.schema.content.schema_type != draft.schema_type), None)
        if foreign is not None or draft.schema_type != PROTOBUF:
            return Verdict((*_FOREIGN[: foreign is not None], *reserved))
        looked_at = [one for one in known if one.schema.content.schema_type == PROTOBUF]
        told = self._compared(context, draft, looked_at if terms.is_strict else compared, terms)
        return Verdict((*told, *reserved))

    def _compared(self, context: str, draft: Draft, history: Sequence[StoredVersion], terms: Terms) -> tuple[str, ...]:
        imports = self._draftsman.imports(context, draft.references)
        candidate = Side(draft.descriptor, tuple(imports), _places(context, draft.references))
        rules = Rules(terms.level, terms.breaking_policy, terms.is_strict, terms.flag("validateFields"))
        sides = [self._side(version) for version in history]
        return self._comparer.messages(candidate, sides, rules, linked=self._file_set)

    def _side(self, version: StoredVersion) -> Side:
        """Give a stored schema as it is compared; ids never stand for anything else."""
        schema = version.schema
        # An id that a write gives out and does not commit is given out again, and so it stands for one content with it.
        content, identity = schema.content, (schema.context, schema.id, schema.content.guid)
        imports: tuple[Imported, ...] | None = ()
        if content.references:
            imports = self._imports.find(identity)
        if imports is None:
            imports = tuple(self._draftsman.imports(schema.context, content.references, deleted=True))
            self._imports.keep(identity, imports, sum(len(one.descriptor) for one in imports))
        places = _places(schema.context, content.references)
        return Side(content.descriptor, imports, places, version.version, content.text, identity)

    def _file_set(self, side: Side) -> FileSet:
        """Give the linked files of a stored schema."""
        found = self._file_sets.find(side.identity)
        if found is None:
            found = side.file_set()
            self._file_sets.keep(side.identity, found, sum(file.ByteSize() for file in found.files))
        return found


def comparable(metadata: Metadata | None, history: Sequence[StoredVersion], group: str) -> Sequence[StoredVersion]:
    """Give the versions that a schema is compared with: all, or those with its value of the group's property."""
    if not group:
        return history
    own = _property(metadata, group)
    return [version for version in history if _property(version.schema.content.metadata, group) == own]


def reserved_messages(draft: Draft, history: Sequence[StoredVersion]) -> tuple[str, ...]:
    """Give what speaks against a schema by the names of fields that metadata reserve."""
    reserved = _reserved(draft.metadata)
    before = _reserved(history[0].schema.content.metadata) if history else frozenset()
    removed = [
        f'{{errorType:"RESERVED_FIELD_REMOVED", description:"The new schema has reserved field {name} removed '
        f"from its metadata which is present in the old schema's metadata.\"}}"
        for name in sorted(before - reserved)
    ]
    fields = _first_fields(draft.descriptor) if reserved else set()
    used = [
        f'{{errorType:"FIELD_CONFLICTS_WITH_RESERVED_FIELD", description:"The new schema has field that conflicts '
        f'with the reserved field {name}."}}'
        for name in sorted(reserved & fields)
    ]
    return (*removed, *used)


def _first_fields(descriptor: bytes) -> set[str]:
    """Give the names of the fields of a file's first message."""
    first = FileDescriptorProto.FromString(descriptor).message_type[:1]
    return {field.name for message in first for field in message.field}


def _reserved(metadata: Metadata | None) -> frozenset[str]:
    names = (name.strip() for name in _property(metadata, _RESERVED).split(","))
    return frozenset(name for name in names if name)


def _property(metadata: Metadata | None, name: str) -> str:
    return "" if metadata is None else metadata.properties.get(name, "")


def _places(context: str, references: Iterable[Reference]) -> Mapping[str, tuple[str, int]]:
    """Give where each import comes from, by its path."""
    return {
        reference.name: (Subject.parse(reference.subject, context=context).qualified, reference.version)
        for reference in references
    }
