"""Schemas that import others: registering them with their imports, and fetching them with theirs.

Each import is registered under its own import path as subject, and the schema refers to it by that path. Fetched
schemas come as descriptors (`format=serialized`), so that no compiler is needed; a registry that cannot give them is
remembered and asked for text.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.message import DecodeError

from protopact.client import calls
from protopact.client.state import FetchedSchema
from protopact.descriptor import FileSet, is_built_in
from protopact.errors import MissingExtraError, RegistryError, SchemaError, SchemaLinkError
from protopact.flow import blocking
from protopact.registry import PROTOBUF, Reference, SchemaRequest, Subject, content_guid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from protopact.client.asks import Ask
    from protopact.client.state import State
    from protopact.flow import Flow
    from protopact.registry import Metadata, RegisteredSchema, RuleSet
    from protopact.schema import ProtoSchema

    Route: TypeAlias = Callable[[str, SchemaRequest], Ask[RegisteredSchema]]
    NameImport: TypeAlias = Callable[[str], str]

REFERENCES_MAX = 1000
"""How many files one schema may need, directly and through others."""
REFERENCE_DEPTH_MAX = 64
"""How long a chain of imports may be."""

# What registries say that have no serialized format; Karapace says 500.
_SAYS_NO_FORMAT = frozenset({400, 406, 422, 500, 501})
_FAILURES_FROM = 500
_EVERYWHERE = None


# ── registering ──────────────────────────────────────────────────────────────────────────────────


def register_with_imports(
    state: State,
    subject: str,
    schema: ProtoSchema,
    *,
    metadata: Metadata | None = None,
    rule_set: RuleSet | None = None,
    normalize: bool = False,
    force: bool = False,
    name_import: NameImport | None = None,
) -> Flow[RegisteredSchema]:
    """Register what a schema imports, dependencies first, then the schema itself with references to them.

    `name_import` names an import's subject by its path. Metadata, rules and `force` are for the schema alone.
    SchemaLinkError, RegistryError and TransportError say what failed; what was registered by then stays.
    """

    def route(name: str, request: SchemaRequest) -> Ask[RegisteredSchema]:
        return calls.register(name, request, normalize=normalize)

    references = yield from _imports(state, subject, schema, route, name_import)
    request = SchemaRequest(schema.to_schema_string(), references=references, metadata=metadata, rule_set=rule_set)
    return (yield from state.exchange.ask(calls.register(subject, request, normalize=normalize, force=force)))


def lookup_with_imports(
    state: State,
    subject: str,
    schema: ProtoSchema,
    *,
    normalize: bool = False,
    deleted: bool = False,
    name_import: NameImport | None = None,
) -> Flow[RegisteredSchema]:
    """Look up what a schema imports, then the schema itself; SchemaNotFoundError where one is not registered."""

    def route(name: str, request: SchemaRequest) -> Ask[RegisteredSchema]:
        return calls.lookup(name, request, normalize=normalize, deleted=deleted)

    references = yield from _imports(state, subject, schema, route, name_import)
    return (
        yield from state.exchange.ask(route(subject, SchemaRequest(schema.to_schema_string(), references=references)))
    )


def request_with_imports(
    state: State, subject: str, schema: ProtoSchema, *, metadata: Metadata | None = None
) -> Flow[SchemaRequest]:
    """Look up what a schema imports and give the schema with its references; raises as `lookup_with_imports`."""
    references = yield from _imports(state, subject, schema, calls.lookup)
    return SchemaRequest(schema.to_schema_string(), references=references, metadata=metadata)


def _imports(
    state: State, subject: str, schema: ProtoSchema, route: Route, name_import: NameImport | None = None
) -> Flow[tuple[Reference, ...]]:
    from protopact.compiler import print_file

    file_set, context = schema.file_set, Subject.parse(subject).context
    held: dict[str, Reference] = {}
    for file in file_set.files:
        if file.name == file_set.root or is_built_in(file.name):
            continue
        request = SchemaRequest(print_file(file_set, file.name), references=_references(file.dependency, held))
        name = name_import(file.name) if name_import else file.name
        version = yield from _version_of_import(state, Subject(name, context).qualified, request, route)
        held[file.name] = Reference(file.name, name, version)
    return _references(file_set.root_file.dependency, held)


def _version_of_import(state: State, subject: str, request: SchemaRequest, route: Route) -> Flow[int]:
    ask = route(subject, request)
    key = (ask.call.path, ask.call.query, content_guid(request.schema, request.references))
    version = state.import_versions.find(key)
    if version is None:
        clearings = state.import_versions.clearings
        version = (yield from state.exchange.ask(ask)).version
        if version is None:
            # Registries before 7.5 answer a registration with the id alone.
            version = (yield from state.exchange.ask(calls.lookup(subject, request))).version
        if version is None:
            raise RegistryError(f"the registry does not say which version of {subject!r} holds the import")
        state.import_versions.put(key, version, clearings=clearings)
    return version


def _references(imports: Iterable[str], held: dict[str, Reference]) -> tuple[Reference, ...]:
    return tuple(held[name] for name in imports if name in held)


# ── fetching ─────────────────────────────────────────────────────────────────────────────────────


def fetch_schema(state: State, schema_id: int, *, subject: str | None = None) -> Flow[FetchedSchema]:
    """Fetch a schema and everything that it refers to; `subject` says in whose context the id counts.

    SchemaNotFoundError for an unknown id, SchemaLinkError for references that are circular, too many or too deep,
    MissingExtraError where only text can be had and no compiler is installed.
    """
    trouble: BaseException | None = None
    if not state.text_only.find(_EVERYWHERE):
        try:
            return (yield from _fetch_descriptors(state, schema_id, subject))
        except _NoDescriptorsError as error:
            trouble = error.__cause__
    try:
        return (yield from _fetch_text(state, schema_id, subject))
    except MissingExtraError as error:
        # A server's failure may pass; that it ends in the want of a compiler would hide it.
        if isinstance(trouble, RegistryError) and trouble.status >= _FAILURES_FROM:
            raise trouble from error
        raise


class _NoDescriptorsError(Exception):
    """The registry answers `format=serialized` with text, an error, or damaged descriptors. Never leaves this file."""


def _fetched(root: RegisteredSchema, schema_id: int, subject: str | None, file_set: FileSet) -> FetchedSchema:
    return FetchedSchema(schema_id, Subject.parse(subject or "").context, file_set, root.rule_set)


def _fetch_descriptors(state: State, schema_id: int, subject: str | None) -> Flow[FetchedSchema]:
    ask = calls.get_schema_by_id(schema_id, subject=subject, serialized=True)
    root = yield from _serialized(state.unless_missing((schema_id, subject), ask))
    _check_type(root)
    root_file = _descriptor(root.schema, name=None)
    parts = yield from _fetch_references(state, root, subject, serialized=True)
    if not root_file.name or root_file.name in parts:
        root_file.name = _free_name(parts)
    files = [_descriptor(part.schema, name=name) for name, part in parts.items()]
    return _fetched(root, schema_id, subject, FileSet.link(root_file.name, [*files, root_file]))


def _serialized(asking: Flow[RegisteredSchema]) -> Flow[RegisteredSchema]:
    try:
        return (yield from asking)
    except RegistryError as error:
        if error.status in _SAYS_NO_FORMAT:
            raise _NoDescriptorsError from error
        raise


def _fetch_text(state: State, schema_id: int, subject: str | None) -> Flow[FetchedSchema]:
    from protopact.compiler import compile_text

    root = yield from state.unless_missing((schema_id, subject), calls.get_schema_by_id(schema_id, subject=subject))
    _check_type(root)
    parts = yield from _fetch_references(state, root, subject, serialized=False)
    sources = {name: part.schema for name, part in parts.items()}
    name = _free_name(sources)
    file_set = yield from blocking(lambda: compile_text(root.schema, file_name=name, sources=sources))
    state.text_only.put(_EVERYWHERE, value=True)
    return _fetched(root, schema_id, subject, file_set)


@dataclass(slots=True)
class _Walk:
    """References still to follow, each with the chain that led to it, and the schemas found by import path."""

    waiting: list[tuple[Reference, str, tuple[tuple[str, int], ...]]] = field(default_factory=list)
    found: dict[str, RegisteredSchema] = field(default_factory=dict)

    def add(self, references: Iterable[Reference], context: str, chain: tuple[tuple[str, int], ...]) -> None:
        """Note the references of one schema; the first of two with one name wins."""
        self.waiting.extend((reference, context, chain) for reference in reversed(tuple(references)))


def _fetch_references(
    state: State, root: RegisteredSchema, subject: str | None, *, serialized: bool
) -> Flow[dict[str, RegisteredSchema]]:
    walk = _Walk()
    walk.add(root.references, Subject.parse(subject or "").context, ())
    while walk.waiting:
        reference, context, chain = walk.waiting.pop()
        place = Subject.parse(reference.subject, context=context)
        step = (place.qualified, reference.version)
        _check_chain(chain, step)
        if reference.name in walk.found or is_built_in(reference.name):
            continue
        if len(walk.found) >= REFERENCES_MAX:
            raise SchemaLinkError(f"the schema refers to more than {REFERENCES_MAX} files")
        part = yield from _fetch_part(state, *step, serialized=serialized)
        walk.found[reference.name] = part
        walk.add(part.references, place.context, (*chain, step))
    return walk.found


def _fetch_part(state: State, subject: str, version: int, *, serialized: bool) -> Flow[RegisteredSchema]:
    key = (subject, version, serialized)
    part = state.parts.find(key)
    if part is None:
        clearings = state.parts.clearings
        ask = calls.get_version(subject, version, deleted=True, serialized=serialized)
        asking = state.exchange.ask(ask)
        part = yield from (_serialized(asking) if serialized else asking)
        state.parts.put(key, part, clearings=clearings)
    return part


def _check_type(root: RegisteredSchema) -> None:
    if root.schema_type != PROTOBUF:
        raise SchemaError(f"the schema with id {root.id} is {root.schema_type}, not {PROTOBUF}")


def _check_chain(chain: tuple[tuple[str, int], ...], step: tuple[str, int]) -> None:
    if step in chain:
        circle = " → ".join(f"{subject} v{version}" for subject, version in (*chain[chain.index(step) :], step))
        raise SchemaLinkError(f"the schema's references go in a circle: {circle}")
    if len(chain) >= REFERENCE_DEPTH_MAX:
        raise SchemaLinkError(f"the schema's references are more than {REFERENCE_DEPTH_MAX} deep")


def _free_name(taken: Iterable[str]) -> str:
    names = set(taken)
    return next(name for n in range(len(names) + 1) if (name := f"schema{n or ''}.proto") not in names)


def _descriptor(text: str, *, name: str | None) -> FileDescriptorProto:
    """Read base64 of one FileDescriptorProto; importers call it by the reference's name, whatever its own is."""
    try:
        file = FileDescriptorProto.FromString(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, DecodeError) as error:
        raise _NoDescriptorsError from error
    if any(_lost_map(message) for message in file.message_type):
        raise _NoDescriptorsError
    if name is not None:
        file.name = name
    return file


def _lost_map(message: DescriptorProto) -> bool:
    """Say whether a map came back as a plain repeated message, as Karapace's descriptors have it."""
    entries = {nested.name for nested in message.nested_type if _is_unmarked_entry(nested)}
    repeated = (f for f in message.field if f.label == FieldDescriptorProto.LABEL_REPEATED)
    return any(_entry_name(f.name) in entries and f.type_name.endswith(_entry_name(f.name)) for f in repeated) or any(
        _lost_map(nested) for nested in message.nested_type
    )


def _is_unmarked_entry(message: DescriptorProto) -> bool:
    shape = [(f.name, f.number) for f in message.field]
    return shape == [("key", 1), ("value", 2)] and not message.options.map_entry


def _entry_name(field_name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in field_name.split("_")) + "Entry"
