"""One function per route: it reads what is asked, asks the service or the store, and gives the reply.

A command that only looks something up in microseconds gives its reply at once; others are flows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from protopact.flow import Flow, Reply, blocking
from protopact.registry import (
    DEFAULT_CONTEXT,
    LATEST,
    PROTOBUF,
    Problem,
    RegisteredSchema,
    Subject,
    SubjectVersion,
    write_json,
)
from protopact.server.decisions.draft import is_descriptor
from protopact.server.decisions.tagging import find_tags
from protopact.server.decisions.terms import meant_subject, scopes_of, terms_of
from protopact.server.prepared import prepared
from protopact.server.questions import Question
from protopact.server.surface.forms import DEFAULT, SERIALIZED, in_form, known_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protopact.server.decisions.bounded import BoundedCache
    from protopact.server.decisions.draft import Draftsman
    from protopact.server.decisions.service import Service
    from protopact.server.guard.attended import AttendedStore
    from protopact.server.metrics import Metrics
    from protopact.server.prepared import Prepared
    from protopact.server.store import Store, StoredSchema, StoredVersion
    from protopact.settings import ServerSettings


ListKey: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
"""A context and a query."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What commands work with: the service decides, the store remembers.

    `bodies` are ready to send and never change, by path and form; `lists` are good as long as the store's mark, by
    context and query, and worked out one at a time. Store, bodies and lists show each caller what they may see.
    """

    service: Service
    store: AttendedStore
    bodies: BoundedCache[tuple[str, str], Prepared]
    lists: BoundedCache[ListKey, tuple[object, bytes]]
    metrics: Metrics
    draftsman: Draftsman
    settings: ServerSettings
    listing: threading.Lock = field(default_factory=threading.Lock)


Command: TypeAlias = Callable[[Desk, Question], Reply | Flow[Reply]]
"""What serves a route."""


@dataclass(frozen=True, slots=True)
class View:
    """How a schema is to be shown: its form, its references with their context or without, and with which tags."""

    form: str = DEFAULT
    qualified: bool = False
    tags: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether only the form was asked for."""
        return not self.qualified and not self.tags


def say_hello(_desk: Desk, _question: Question) -> Reply:
    """GET and POST /: an empty object, by which clients see that somebody is there."""
    return _json({})


def list_types(_desk: Desk, _question: Question) -> Reply:
    """GET /schemas/types: the kinds of schema that this registry keeps."""
    return _json([PROTOBUF])


def list_contexts(desk: Desk, question: Question) -> Reply:
    """GET /contexts: their names, or those that start with `contextPrefix`, the default one first."""
    names, prefix = dict.fromkeys([DEFAULT_CONTEXT, *desk.store.contexts()]), question.query.get("contextPrefix", "")
    return _json(question.page([name for name in names if name.startswith(prefix)]))


# ── schemas by id and GUID ───────────────────────────────────────────────────────────────────────


def get_schema(desk: Desk, question: Question) -> Reply:
    """GET /schemas/ids/{id}: the schema; with `subject`, also where that subject holds it."""
    view, subject, wants_max = view_of(question), question.subject_in_query(), question.flag("fetchMaxId")
    key = (question.call.path, view.form)
    is_plain = subject is None and not wants_max and view.is_plain
    kept = desk.bodies.find(key) if is_plain else None
    if kept is not None:
        return Reply(200, body=kept.body)
    age = desk.bodies.age
    schema, place = _schema_and_place(desk, question, subject)
    held, number = (None, None) if place is None else (place[0].qualified, place[1])
    shown = _shown(desk, schema, view, subject=held, version=number, ts=schema.ts)
    if wants_max:
        shown = replace(shown, max_id=desk.store.last_id(schema.context))
    body = shown.to_json()
    if is_plain:
        desk.bodies.keep(key, prepared(body), len(body), age=age)
    return Reply(200, body=body)


def get_schema_text(desk: Desk, question: Question) -> Reply:
    """GET /schemas/ids/{id}/schema: the text itself, not quoted."""
    schema, _ = _schema_and_place(desk, question, question.subject_in_query())
    return _text(desk, schema, view_of(question))


def list_schema_subjects(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /schemas/ids/{id}/subjects: who holds it."""
    places = yield from blocking(lambda: _places(desk, question))
    return _json(question.page(list(dict.fromkeys(subject.qualified for subject, _ in places))))


def list_schema_versions(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /schemas/ids/{id}/versions: who holds it, and as which version."""
    places = yield from blocking(lambda: _places(desk, question))
    return _json([SubjectVersion(subject.qualified, number).to_object() for subject, number in question.page(places)])


def get_schema_by_guid(desk: Desk, question: Question) -> Reply:
    """GET /schemas/guids/{guid}: the schema with this content hash."""
    guid = question.parts["guid"]
    schema = desk.store.find_schema_by_guid(guid)
    if schema is None:
        raise Problem.SCHEMA_ID_NOT_FOUND.error(id=guid)
    return _schema(_shown(desk, schema, view_of(question), ts=schema.ts))


def list_ids_of_guid(desk: Desk, question: Question) -> Reply:
    """GET /schemas/guids/{guid}/ids: the contexts and ids under which this content is kept."""
    places = desk.store.ids_with_guid(question.parts["guid"])
    return _json([{"context": context, "id": schema_id} for context, schema_id in places])


# ── subjects and versions ────────────────────────────────────────────────────────────────────────


def list_subjects(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /subjects: the qualified names, sorted."""
    return Reply(200, body=(yield from blocking(lambda: _subject_list(desk, question))))


def _subject_list(desk: Desk, question: Question) -> bytes:
    """Give the list as it was worked out, until anything changes; who comes meanwhile waits for who works it out."""
    key, mark = (question.context, question.call.query), desk.store.mark()
    with desk.listing:
        kept = desk.lists.find(key)
        if kept is not None and kept[0] == mark:
            return kept[1]
        subjects = _subjects(desk.store, question)
        body = write_json(question.page(sorted(subject.qualified for subject in subjects)))
        desk.lists.keep(key, (mark, body), len(body))
    return body


def _subjects(store: Store, question: Question) -> Sequence[Subject]:
    context, prefix = question.subject_prefix()
    if not question.flag("deletedOnly"):
        return store.subjects(context, prefix, deleted=question.flag("deleted"))
    live = set(store.subjects(context, prefix))
    return [subject for subject in store.subjects(context, prefix, deleted=True) if subject not in live]


def list_versions(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /subjects/{subject}/versions: the version numbers, ascending; deleted ones, if so asked, as negative."""
    subject = subject_of(desk, question)
    numbers = yield from blocking(lambda: _numbers(desk.store, subject, question))
    if not numbers:
        raise Problem.SUBJECT_NOT_FOUND.error(subject=subject)
    return _json(question.page(numbers))


def _numbers(store: Store, subject: Subject, question: Question) -> Sequence[int]:
    only, negative = question.flag("deletedOnly"), question.flag("deletedAsNegative")
    if not (only or negative or question.flag("deleted")):
        return store.version_numbers(subject)
    live = set(store.version_numbers(subject))
    numbers = [number for number in store.version_numbers(subject, deleted=True) if not (only and number in live)]
    return [-number if negative and number not in live else number for number in numbers]


def get_version(desk: Desk, question: Question) -> Reply:
    """GET /subjects/{subject}/versions/{version}: the schema and its place."""
    return _schema(placed(desk, _version(desk, question), view_of(question)))


def get_version_text(desk: Desk, question: Question) -> Reply:
    """GET /subjects/{subject}/versions/{version}/schema: the text itself, not quoted."""
    return _text(desk, _version(desk, question).schema, view_of(question))


def list_referrers(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /subjects/{subject}/versions/{version}/referencedby: the ids of the schemas that import it."""
    version, deleted = _version(desk, question), question.flag("deleted")
    ids = yield from blocking(lambda: desk.store.referrers(version.subject, version.version, deleted=deleted))
    return _json(question.page(ids))


def register(desk: Desk, question: Question) -> Flow[Reply]:
    """POST /subjects/{subject}/versions: keep a schema, or find it kept already.

    A schema that was sent as a descriptor is answered as one: Confluent's Python client keeps the answer and takes it
    for what it sent (seen in 2.16).
    """
    request, view = question.request(), view_of(question)
    normalize, force = question.flag("normalize"), question.flag("force")
    named = question.subject
    documents = desk.store.documents_at(scopes_of(named))
    subject = meant_subject(documents, named)
    terms = terms_of(documents, subject) if subject == named else None
    version = yield from desk.service.register(subject, request, normalize=normalize, force=force, terms=terms)
    if view.form == DEFAULT and is_descriptor(request.schema):
        view = replace(view, form=SERIALIZED)
    return registered(desk, version, view)


def registered(desk: Desk, version: StoredVersion, view: View) -> Reply:
    """Give the reply to a registration."""
    return _schema(placed(desk, version, view, named=False))


def look_up(desk: Desk, question: Question) -> Flow[Reply]:
    """POST /subjects/{subject}: where the subject holds this schema."""
    deleted, normalize = question.flag("deleted"), question.flag("normalize")
    request, subject = question.request(), subject_of(desk, question)
    version = yield from desk.service.look_up(subject, request, normalize=normalize, deleted=deleted)
    return _schema(placed(desk, version, view_of(question)))


def find_by_metadata(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /subjects/{subject}/metadata: the newest version that has every `key` with its `value`."""
    subject, deleted = subject_of(desk, question), question.flag("deleted")
    wanted = set(zip(question.values("key"), question.values("value"), strict=False))
    versions = yield from blocking(lambda: desk.store.versions(subject, deleted=deleted))
    if not versions:
        raise Problem.SUBJECT_NOT_FOUND.error(subject=subject)
    for version in versions:
        metadata = version.schema.content.metadata
        if wanted <= (metadata.properties.items() if metadata else set()):
            return _schema(placed(desk, version, view_of(question)))
    raise Problem.SCHEMA_NOT_FOUND.error()


# ── what the commands share ──────────────────────────────────────────────────────────────────────


def subject_of(desk: Desk, question: Question) -> Subject:
    """Give the subject that a call is about: the path's, or the one that its config names as what it is an alias of."""
    return aliased(desk.store, question.subject)


def aliased(store: Store, subject: Subject) -> Subject:
    """Give the subject that a name stands for."""
    return meant_subject(store.documents_at([subject]), subject)


def view_of(question: Question) -> View:
    """Read how a schema is to be shown."""
    return View(
        form=known_form(question.query.get("format", "")),
        qualified=question.query.get("referenceFormat", "") == "qualified",
        tags=tuple(question.values("findTags")),
    )


def placed(desk: Desk, version: StoredVersion, view: View, *, named: bool = True) -> RegisteredSchema:
    """Show a version: its schema and its place; not `named`, without the subject."""
    return _shown(
        desk,
        version.schema,
        view,
        subject=version.subject.qualified if named else None,
        version=version.version,
        schema_id=version.schema.id,
        ts=version.ts,
        deleted=version.deleted or None,
    )


def _shown(
    desk: Desk,
    schema: StoredSchema,
    view: View,
    *,
    ts: int,
    subject: str | None = None,
    version: int | None = None,
    schema_id: int | None = None,
    deleted: bool | None = None,
) -> RegisteredSchema:
    """Show a schema's content, with what the answer says of its place."""
    content = schema.content
    references = content.references
    if view.qualified:
        references = tuple(
            replace(one, subject=Subject.parse(one.subject, context=schema.context).qualified) for one in references
        )
    return RegisteredSchema(
        subject=subject,
        version=version,
        id=schema_id,
        guid=content.guid,
        schema_type=content.schema_type,
        schema=in_form(content, view.form, schema.context, desk.draftsman),
        references=references,
        metadata=content.metadata,
        rule_set=content.rule_set,
        schema_tags=find_tags(content.descriptor, view.tags) if view.tags else (),
        ts=ts,
        deleted=deleted,
    )


def _version(desk: Desk, question: Question) -> StoredVersion:
    subject, number, deleted = subject_of(desk, question), question.version(), question.flag("deleted")
    found = desk.store.find_version(subject, number, deleted=deleted)
    if found is not None:
        return found
    if number != LATEST and desk.store.version_numbers(subject, deleted=deleted):
        raise Problem.VERSION_NOT_FOUND.error(version=number)
    raise Problem.SUBJECT_NOT_FOUND.error(subject=subject)


def _schema_and_place(
    desk: Desk, question: Question, subject: Subject | None
) -> tuple[StoredSchema, tuple[Subject, int] | None]:
    """Find a schema by its id, and where the subject holds it.

    A subject of the default context may be meant in any other; an id that it holds nowhere is still given.
    """
    store, schema_id = desk.store, question.schema_id()
    subject = aliased(store, subject) if subject is not None and subject.name else subject
    home = question.context if subject is None else subject.context
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


def _places(desk: Desk, question: Question) -> list[tuple[Subject, int]]:
    """Give who holds the asked id, live, or also deleted where that is asked for."""
    wanted = question.subject_in_query()
    schema, _ = _schema_and_place(desk, question, wanted)
    places = desk.store.uses(schema.context, schema.id, deleted=question.flag("deleted"))
    return [place for place in places if wanted is None or not wanted.name or place[0].name == wanted.name]


def _schema(schema: RegisteredSchema) -> Reply:
    return Reply(200, body=schema.to_json())


def _text(desk: Desk, schema: StoredSchema, view: View) -> Reply:
    return Reply(200, body=in_form(schema.content, view.form, schema.context, desk.draftsman).encode())


def _json(value: object) -> Reply:
    return Reply(200, body=write_json(value))
