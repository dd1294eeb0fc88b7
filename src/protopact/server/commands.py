"""One function per route: it reads what is asked, asks the service or the store, and gives the reply.

A command that only looks something up in microseconds gives its reply at once; others are flows.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from protopact.flow import Flow, Reply, blocking
from protopact.registry import DEFAULT_CONTEXT, Problem, RegisteredSchema, Subject, SubjectVersion, write_json
from protopact.server.draft import is_descriptor
from protopact.server.questions import Question

if TYPE_CHECKING:
    from protopact.server.bounded import BoundedCache
    from protopact.server.service import Service
    from protopact.server.store import Content, Store, StoredSchema, StoredVersion


@dataclass(frozen=True, slots=True)
class Desk:
    """What commands work with: the service decides, the store remembers.

    `bodies` are ready to send and never change, by path and form.
    """

    service: Service
    store: Store
    bodies: BoundedCache[tuple[str, str], bytes]


Command: TypeAlias = Callable[[Desk, Question], Reply | Flow[Reply]]
"""What serves a route."""

SERIALIZED = "serialized"
"""The form of a schema that is a descriptor in base64."""

_NAME_OF_SERIALIZED = "default"  # what Confluent's servers call it


def say_hello(_desk: Desk, _question: Question) -> Reply:
    """GET and POST /: an empty object, by which clients see that somebody is there."""
    return _json({})


def list_types(_desk: Desk, _question: Question) -> Reply:
    """GET /schemas/types: the kinds of schema that this registry keeps."""
    return _json(["PROTOBUF"])


def list_contexts(desk: Desk, question: Question) -> Reply:
    """GET /contexts: their names, the default one first."""
    return _json(question.page(list(dict.fromkeys([DEFAULT_CONTEXT, *desk.store.contexts()]))))


# ── schemas by id and GUID ───────────────────────────────────────────────────────────────────────


def get_schema(desk: Desk, question: Question) -> Reply:
    """GET /schemas/ids/{id}: the schema; with `subject`, also where that subject holds it."""
    key = (question.call.path, _form(question))
    subject, wants_max = question.subject_in_query(), question.flag("fetchMaxId")
    is_plain = subject is None and not wants_max
    body = desk.bodies.find(key) if is_plain else None
    if body is None:
        schema, place = _schema_and_place(desk.store, question.context, question.schema_id(), subject)
        shown = replace(_shown(schema.content, _form(question)), ts=schema.ts)
        if place is not None:
            shown = replace(shown, subject=place[0].qualified, version=place[1])
        if wants_max:
            shown = replace(shown, max_id=desk.store.last_id(schema.context))
        body = shown.to_json()
        if is_plain:
            desk.bodies.keep(key, body, len(body))
    return Reply(200, body=body)


def get_schema_text(desk: Desk, question: Question) -> Reply:
    """GET /schemas/ids/{id}/schema: the text itself, not quoted."""
    schema, _ = _schema_and_place(desk.store, question.context, question.schema_id(), question.subject_in_query())
    return _text(schema.content, _form(question))


def list_schema_subjects(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /schemas/ids/{id}/subjects: who holds it."""
    places = yield from blocking(lambda: _places(desk.store, question))
    return _json(question.page(list(dict.fromkeys(subject.qualified for subject, _ in places))))


def list_schema_versions(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /schemas/ids/{id}/versions: who holds it, and as which version."""
    places = yield from blocking(lambda: _places(desk.store, question))
    return _json([SubjectVersion(subject.qualified, number).to_object() for subject, number in question.page(places)])


def get_schema_by_guid(desk: Desk, question: Question) -> Reply:
    """GET /schemas/guids/{guid}: the schema with this content hash."""
    guid = question.parts["guid"]
    schema = desk.store.find_schema_by_guid(guid)
    if schema is None:
        raise Problem.SCHEMA_ID_NOT_FOUND.error(id=guid)
    return _schema(replace(_shown(schema.content, _form(question)), ts=schema.ts))


# ── subjects and versions ────────────────────────────────────────────────────────────────────────


def list_subjects(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /subjects: the qualified names, sorted."""
    context, prefix = question.subject_prefix()
    deleted = question.flag("deleted")
    subjects = yield from blocking(lambda: desk.store.subjects(context, prefix, deleted=deleted))
    return _json(question.page(sorted(subject.qualified for subject in subjects)))


def list_versions(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /subjects/{subject}/versions: the version numbers, ascending."""
    subject, deleted = question.subject(), question.flag("deleted")
    numbers = yield from blocking(lambda: desk.store.version_numbers(subject, deleted=deleted))
    if not numbers:
        raise Problem.SUBJECT_NOT_FOUND.error(subject=subject)
    return _json(question.page(numbers))


def get_version(desk: Desk, question: Question) -> Reply:
    """GET /subjects/{subject}/versions/{version}: the schema and its place."""
    return _schema(_placed(_version(desk.store, question), _form(question)))


def get_version_text(desk: Desk, question: Question) -> Reply:
    """GET /subjects/{subject}/versions/{version}/schema: the text itself, not quoted."""
    return _text(_version(desk.store, question).schema.content, _form(question))


def list_referrers(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /subjects/{subject}/versions/{version}/referencedby: the ids of the schemas that import it."""
    version, deleted = _version(desk.store, question), question.flag("deleted")
    ids = yield from blocking(lambda: desk.store.referrers(version.subject, version.version, deleted=deleted))
    return _json(question.page(ids))


def register(desk: Desk, question: Question) -> Flow[Reply]:
    """POST /subjects/{subject}/versions: keep a schema, or find it kept already.

    A schema that was sent as a descriptor is answered as one: Confluent's Python client keeps the answer and takes it
    for what it sent (seen in 2.16).
    """
    request = question.request()
    version = yield from desk.service.register(question.subject(), request)
    form = _form(question) or (SERIALIZED if is_descriptor(request.schema) else "")
    return _schema(replace(_placed(version, form), subject=None))


def look_up(desk: Desk, question: Question) -> Flow[Reply]:
    """POST /subjects/{subject}: where the subject holds this schema."""
    deleted = question.flag("deleted")
    version = yield from desk.service.look_up(question.subject(), question.request(), deleted=deleted)
    return _schema(_placed(version, _form(question)))


# ── what the commands share ──────────────────────────────────────────────────────────────────────


def _version(store: Store, question: Question) -> StoredVersion:
    subject, number, deleted = question.subject(), question.version(), question.flag("deleted")
    found = store.find_version(subject, number, deleted=deleted)
    if found is not None:
        return found
    if store.version_numbers(subject, deleted=deleted):
        raise Problem.VERSION_NOT_FOUND.error(version=number)
    raise Problem.SUBJECT_NOT_FOUND.error(subject=subject)


def _schema_and_place(
    store: Store, context: str, schema_id: int, subject: Subject | None
) -> tuple[StoredSchema, tuple[Subject, int] | None]:
    """Find a schema by its id, and where the subject holds it.

    A subject of the default context may be meant in any other; an id that it holds nowhere is still given.
    """
    home = context if subject is None else subject.context
    if subject is not None and subject.name:
        for tried in [home, *(store.contexts() if home == DEFAULT_CONTEXT else ())]:
            places = [place for place in store.uses(tried, schema_id, deleted=True) if place[0].name == subject.name]
            held = store.find_schema(tried, schema_id) if places else None
            if held is not None:
                return held, places[-1]
    schema = store.find_schema(home, schema_id)
    if schema is None:
        raise Problem.SCHEMA_ID_NOT_FOUND.error(id=schema_id)
    return schema, None


def _places(store: Store, question: Question) -> list[tuple[Subject, int]]:
    """Give who holds the asked id, live, or also deleted where that is asked for."""
    schema, _ = _schema_and_place(store, question.context, question.schema_id(), question.subject_in_query())
    wanted = question.subject_in_query()
    places = store.uses(schema.context, schema.id, deleted=question.flag("deleted"))
    return [place for place in places if wanted is None or not wanted.name or place[0].name == wanted.name]


def _form(question: Question) -> str:
    """Give the asked form of a schema's text; unknown ones mean the default."""
    form = question.query.get("format", "")
    return form if form == SERIALIZED else ""


def _in_form(content: Content, form: str) -> str:
    """Give the canonical text, or base64 of its FileDescriptorProto alone, without its imports."""
    if form != SERIALIZED:
        return content.text
    file = FileDescriptorProto.FromString(content.descriptor)
    file.name = _NAME_OF_SERIALIZED
    return base64.b64encode(file.SerializeToString(deterministic=True)).decode()


def _shown(content: Content, form: str) -> RegisteredSchema:
    return RegisteredSchema(
        guid=content.guid,
        schema=_in_form(content, form),
        references=content.references,
        metadata=content.metadata,
        rule_set=content.rule_set,
    )


def _placed(version: StoredVersion, form: str) -> RegisteredSchema:
    return replace(
        _shown(version.schema.content, form),
        subject=version.subject.qualified,
        version=version.version,
        id=version.schema.id,
        ts=version.ts,
        deleted=version.deleted or None,
    )


def _schema(schema: RegisteredSchema) -> Reply:
    return Reply(200, body=schema.to_json())


def _text(content: Content, form: str) -> Reply:
    return Reply(200, body=_in_form(content, form).encode())


def _json(value: object) -> Reply:
    return Reply(200, body=write_json(value))
