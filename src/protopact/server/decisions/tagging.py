"""Tags inside schemas: read from, and written into, the options that `confluent/meta.proto` defines.

A path such as `Outer.Inner.field` names a field or message from the file's top, without the package.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from protopact.compiler import print_file
from protopact.descriptor import FileSet, built_in_file, options_in_pool, pool_of
from protopact.errors import ProtopactError
from protopact.registry import EntityTags, Problem
from protopact.server.decisions.apart import LIGHT_BYTES_MAX
from protopact.server.decisions.understanding import Imported

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from google.protobuf.descriptor_pool import DescriptorPool

    from protopact.compiler import Workers
    from protopact.server.decisions.apart import Answer, Apart
    from protopact.server.decisions.draft import Draft

RECORD, FIELD = "sr_record", "sr_field"
"""What can be tagged: a message, a field."""

_ALL = "*"
_META_FILE = "confluent/meta.proto"
_EXTENSIONS = {RECORD: "confluent.message_meta", FIELD: "confluent.field_meta"}
_Entity: TypeAlias = DescriptorProto | FieldDescriptorProto


def find_tags(descriptor: bytes, wanted: Iterable[str]) -> tuple[EntityTags, ...]:
    """Give the entities of a stored file that have one of the wanted tags, with those; `*` wants all."""
    file = FileDescriptorProto.FromString(descriptor)
    if _META_FILE not in file.dependency:
        return ()
    names = set(wanted)
    found = []
    for kind, path, entity in _entities(file):
        tags = tuple(tag for tag in _tags(kind, entity) if _ALL in names or tag in names)
        if tags:
            found.append(EntityTags(path, kind, tags))
    return tuple(found)


def tags_to_propagate(before: bytes, descriptor: bytes) -> tuple[EntityTags, ...]:
    """Give the tags of a stored file that a later one has the entities for; those of what is gone go too."""
    known = {(kind, path) for kind, path, _ in _entities(FileDescriptorProto.FromString(descriptor))}
    return tuple(tags for tags in find_tags(before, [_ALL]) if (tags.entity_type, tags.entity_path) in known)


def with_tags(
    draft: Draft,
    imports: Sequence[Imported],
    added: Iterable[EntityTags],
    removed: Iterable[EntityTags],
    apart: Apart,
) -> Draft:
    """Give a draft with tags added and removed, and its text printed anew; a long one is changed apart.

    InvalidSchemaError (42201) for an entity that the schema does not have.
    """
    changes = [(change, True) for change in added] + [(change, False) for change in removed]
    if len(draft.descriptor) + sum(len(one.descriptor) for one in imports) <= LIGHT_BYTES_MAX:
        text, descriptor = _tagged(draft.descriptor, [one.file() for one in imports], changes)
        return replace(draft, text=text, descriptor=descriptor)
    told = [[change.entity_path, change.entity_type, *change.tags, is_added] for change, is_added in changes]
    question = {"changes": told, "imports": [one.name for one in imports]}
    _, (data, descriptor) = apart.ask(_tagged_apart, question, [draft.descriptor, *(one.descriptor for one in imports)])
    return replace(draft, text=data.decode(), descriptor=descriptor)


def _tagged_apart(question: Mapping[str, Any], parts: Sequence[bytes], _workers: Workers) -> Answer:
    """Do for `with_tags` what takes long."""
    descriptor, *descriptors = parts
    imported = [Imported(*one).file() for one in zip(question["imports"], descriptors, strict=True)]
    told = question["changes"]
    changes = [(EntityTags(path, kind, tuple(tags)), is_added) for path, kind, *tags, is_added in told]
    text, changed = _tagged(descriptor, imported, changes)
    return None, [text.encode(), changed]


def _tagged(
    descriptor: bytes, imported: Iterable[FileDescriptorProto], changes: Iterable[tuple[EntityTags, bool]]
) -> tuple[str, bytes]:
    file = FileDescriptorProto.FromString(descriptor)
    entities = {(kind, path): entity for kind, path, entity in _entities(file)}
    for change, is_added in changes:
        entity = entities.get((change.entity_type, change.entity_path))
        if entity is None:
            raise Problem.INVALID_SCHEMA.error(
                reason=f"No {change.entity_type} entity with the path '{change.entity_path}' is in the schema"
            )
        _change(change.entity_type, entity, change.tags, is_added=is_added)
    if _META_FILE not in file.dependency and any(_tags(kind, entity) for (kind, _), entity in entities.items()):
        file.dependency.append(_META_FILE)
    return printed(file, imported), file.SerializeToString(deterministic=True)


def printed(file: FileDescriptorProto, imported: Iterable[FileDescriptorProto]) -> str:
    """Give the canonical text of a stored file."""
    files = list(imported)
    taken = {one.name for one in files}
    named = FileDescriptorProto()
    named.CopyFrom(file)
    named.name = next(name for name in (f"schema_{n}.proto" for n in range(len(taken) + 1)) if name not in taken)
    try:
        return print_file(FileSet.link(named.name, [named, *files]))
    except ProtopactError as error:
        raise Problem.INVALID_SCHEMA.error(reason=error) from error


def _entities(file: FileDescriptorProto) -> Iterator[tuple[str, str, _Entity]]:
    """Give what can be tagged, with its kind and path."""
    waiting: list[tuple[str, DescriptorProto]] = [(message.name, message) for message in file.message_type]
    while waiting:
        path, message = waiting.pop(0)
        yield RECORD, path, message
        for field in message.field:
            yield FIELD, f"{path}.{field.name}", field
        nested = [one for one in message.nested_type if not one.options.map_entry]
        waiting[:0] = [(f"{path}.{one.name}", one) for one in nested]


def _tags(kind: str, entity: _Entity) -> Sequence[str]:
    if not entity.HasField("options"):
        return ()
    options: Any = options_in_pool(entity.options, meta_pool())
    return tuple(options.Extensions[_extension(kind)].tags)


def _change(kind: str, entity: _Entity, tags: Iterable[str], *, is_added: bool) -> None:
    options: Any = options_in_pool(entity.options, meta_pool())
    extension = _extension(kind)
    meta = options.Extensions[extension]
    before, changed = list(meta.tags), set(tags)
    after = dict.fromkeys([*before, *tags]) if is_added else [tag for tag in before if tag not in changed]
    meta.tags[:] = after
    if not meta.ByteSize():
        options.ClearExtension(extension)
    entity.options.ParseFromString(options.SerializeToString(deterministic=True))
    if not entity.options.ByteSize():
        entity.ClearField("options")


def _extension(kind: str) -> Any:
    return meta_pool().FindExtensionByName(_EXTENSIONS[kind])


@cache
def meta_pool() -> DescriptorPool:
    """Give the pool in which options have Confluent's extensions and no others."""
    return pool_of(FileSet.link(_META_FILE, [built_in_file(_META_FILE)]))
