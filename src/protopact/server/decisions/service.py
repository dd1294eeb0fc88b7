"""★ What the registry decides about a schema that comes.

Registering: `.proto` text → descriptors → canonical text + content hash → look-up → mode → compatibility → store → id.
`Service._register` tells it. What is decided is decided by functions over what was read; reading and writing stand
apart, and what was read is read again when the write begins.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from protopact.errors import IncompatibleSchemaError, InvalidSchemaError, SchemaLinkError, registry_error
from protopact.flow import blocking
from protopact.registry import DEFAULT_CONTEXT, LATEST, PROTOBUF, Problem, Subject
from protopact.server.decisions.contracts import check_rule_set
from protopact.server.decisions.deciding import (
    Addition,
    History,
    check_mode,
    decide,
    find_equal,
    find_known,
    given,
    meant_by,
)
from protopact.server.decisions.draft import Draft
from protopact.server.decisions.rule_checks import check_rules_apply
from protopact.server.decisions.tagging import tags_to_propagate, with_tags
from protopact.server.decisions.terms import read_terms, scopes_of, terms_of
from protopact.server.decisions.verdicts import Judge, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from protopact.flow import Flow
    from protopact.registry import EntityTags, Reference, SchemaRequest
    from protopact.server.decisions.draft import Draftsman
    from protopact.server.decisions.terms import Terms
    from protopact.server.store import Ledger, Reading, Standing, Store, StoredVersion

_OPAQUE_TYPES = frozenset({"AVRO", "JSON"})
_REFERENCE_SETS_TRIED_MAX = 4


class Service:
    """The registry's decisions about schemas, over a store."""

    def __init__(
        self, store: Store, draftsman: Draftsman, *, incompatible_code: int = IncompatibleSchemaError.error_code_default
    ) -> None:
        """Decide over this store, with drafts by this draftsman; `incompatible_code` is what a 409 carries."""
        self._store = store
        self._draftsman = draftsman
        self._judge = Judge(draftsman)
        self._incompatible_code = incompatible_code

    def register(
        self,
        subject: Subject,
        request: SchemaRequest,
        *,
        normalize: bool = False,
        force: bool = False,
        terms: Terms | None = None,
    ) -> Flow[StoredVersion]:
        """Have a schema kept under a subject and give its version; the same schema gives the same version again.

        `terms` are what holds for the subject, where they were just read.
        InvalidSchemaError (42201) for a schema that cannot be kept, OperationNotPermittedError (42205) where the mode
        forbids it, IncompatibleSchemaError (409), RegistryError 42210 for rules; `force` skips compatibility.
        """
        try:
            kept = blocking(lambda: self._register(subject, request, terms, normalize=normalize, force=force))
            return (yield from kept)
        except IncompatibleSchemaError as error:
            raise registry_error(self._incompatible_code, error.message) from error

    def look_up(
        self, subject: Subject, request: SchemaRequest, *, normalize: bool = False, deleted: bool = False
    ) -> Flow[StoredVersion]:
        """Give the version under which a subject holds a schema; nothing is changed.

        SubjectNotFoundError (40401), SchemaNotFoundError (40403), InvalidSchemaError (42201).
        """
        return (yield from blocking(lambda: self._look_up(subject, request, normalize=normalize, deleted=deleted)))

    def judge(
        self, subject: Subject, request: SchemaRequest, version: int | None = None, *, normalize: bool = False
    ) -> Flow[Verdict]:
        """Judge whether a schema could be registered after one version, or after all that the level names.

        VersionNotFoundError (40402), InvalidSchemaError (42201).
        """
        return (yield from blocking(lambda: self._judged(subject, request, version, normalize=normalize)))

    def _register(
        self, subject: Subject, request: SchemaRequest, terms: Terms | None, *, normalize: bool, force: bool
    ) -> StoredVersion:
        """Tell the way of a schema: ★."""
        check_rule_set(request.rule_set)
        request = _telling_its_version(request)
        terms = terms or read_terms(self._store, subject)
        draft = self._draft(subject, request, terms, normalize=normalize)
        history = _history(subject, draft, request, self._store)
        known = find_known(draft, history, request, terms)
        if known is not None:
            return known
        check_mode(subject, request, terms.mode)
        decision = decide(draft, history, request, terms, judge=self._judging(subject, terms, history, force=force))
        self._check_rules(subject, decision, terms)
        if not isinstance(decision, Addition):
            return decision
        with self._store.writing() as ledger:
            check_references(ledger, subject, draft, terms)
            standing = ledger.standing(subject, draft.text, scopes_of(subject))
            now, terms_now = _history_of(standing, subject, request, ledger), terms_of(standing.documents, subject)
            if (now, terms_now) != (history, terms):
                if request.propagate_schema_tags:
                    draft = self._draft(subject, request, terms_now, normalize=normalize)
                    now = _history(subject, draft, request, ledger)
                check_mode(subject, request, terms_now.mode)
                judge = self._judging(subject, terms_now, now, ledger, force=force)
                decision = decide(draft, now, request, terms_now, judge=judge)
                self._check_rules(subject, decision, terms_now)
            return add(ledger, subject, decision, now) if isinstance(decision, Addition) else decision

    def _check_rules(self, subject: Subject, decision: StoredVersion | Addition, terms: Terms) -> None:
        """Have the rules of what is added looked at closely, where the config asks for that."""
        if isinstance(decision, Addition) and terms.flag("validateRules") and not terms.mode.takes_ids:
            content = decision.content
            files = partial(self._draftsman.files, subject.context, content.references, deleted=True)
            check_rules_apply(content, files)

    def _draft(self, subject: Subject, request: SchemaRequest, terms: Terms, *, normalize: bool = False) -> Draft:
        """Understand a schema, in the form in which it is to be kept."""
        imports = terms.mode.takes_ids and request.id is not None
        _check_type(request, also=_OPAQUE_TYPES if imports else frozenset())
        if not request.schema.strip():
            draft = self._latest_again(subject, request)
        elif request.schema_type.upper() == PROTOBUF:
            normalize = normalize or terms.flag("normalize")
            deleted = imports or terms.takes_deleted_references
            draft = self._draftsman.draft(subject.context, request, normalize=normalize, deleted=deleted)
        else:
            draft = self._draftsman.opaque(subject.context, request)
        added, removed = request.schema_tags_to_add, request.schema_tags_to_remove
        if request.propagate_schema_tags:
            added = (*self._tags_of_latest(subject, draft), *added)
        if added or removed:
            files = self._draftsman.imports(subject.context, draft.references, deleted=True)
            return with_tags(draft, files, added, removed, self._draftsman.apart)
        return draft

    def _tags_of_latest(self, subject: Subject, draft: Draft) -> Sequence[EntityTags]:
        """Give the tags that the newest version hands on to a schema of the same type."""
        latest = self._store.find_version(subject, LATEST)
        if latest is None or {latest.schema.content.schema_type, draft.schema_type} != {PROTOBUF}:
            return ()
        return tags_to_propagate(latest.schema.content.descriptor, draft.descriptor)

    def _latest_again(self, subject: Subject, request: SchemaRequest) -> Draft:
        """Give the newest schema, with what else the request says."""
        latest = self._store.find_version(subject, LATEST)
        if latest is None:
            raise Problem.EMPTY_SCHEMA.error()
        return replace(Draft.of(latest.schema.content), metadata=request.metadata, rule_set=request.rule_set)

    def _judging(
        self, subject: Subject, terms: Terms, known: History, reading: Reading | None = None, *, force: bool
    ) -> Callable[[Draft], Verdict]:
        """Give what judges a draft by the subject's live versions; nothing is read before it is asked."""

        def judge(draft: Draft) -> Verdict:
            checks = terms.level != "NONE" or terms.flag("validateFields")
            if force or terms.mode.takes_ids or not checks:
                return Verdict()
            history = [] if known.latest is None else [known.latest]
            if history and terms.looks_beyond_latest:
                history = list((reading or self._store).versions(subject))
            return self._judge.judge(subject.context, draft, history, terms)

        return judge

    def _compared(self, subject: Subject, terms: Terms) -> Sequence[StoredVersion]:
        """Give the live versions that the level and the policy look at, newest first."""
        if terms.looks_beyond_latest:
            return self._store.versions(subject)
        latest = self._store.find_version(subject, LATEST)
        return [] if latest is None else [latest]

    def _judged(self, subject: Subject, request: SchemaRequest, version: int | None, *, normalize: bool) -> Verdict:
        terms = read_terms(self._store, subject)
        if version is None:
            history = self._compared(subject, terms)
        else:
            found = self._store.find_version(subject, version)
            if found is None and version != LATEST:
                raise Problem.VERSION_NOT_FOUND.error(version=version)
            history = [] if found is None else [found]
        draft = self._draft(subject, replace(request, id=None), terms, normalize=normalize)
        meant = meant_by(draft, self._store.find_version(subject, LATEST), terms)
        return self._judge.judge(subject.context, meant, history, terms)

    def _look_up(self, subject: Subject, request: SchemaRequest, *, normalize: bool, deleted: bool) -> StoredVersion:
        _check_type(request)
        homes = [home for home in self._homes(subject) if self._store.version_numbers(home, deleted=deleted)]
        if not homes:
            raise Problem.SUBJECT_NOT_FOUND.error(subject=subject)
        for draft in self._readings(homes[0], request, normalize=normalize):
            for home in homes:
                found = find_equal(draft, _history(home, draft, request, self._store, deleted=deleted))
                if found is not None:
                    return found
        raise Problem.SCHEMA_NOT_FOUND.error()

    def _homes(self, subject: Subject) -> list[Subject]:
        """Give where a subject may be meant: an unqualified one in every context, the default one first."""
        if subject.context != DEFAULT_CONTEXT:
            return [subject]
        return list(dict.fromkeys([subject, *(Subject(subject.name, name) for name in self._store.contexts())]))

    def _readings(self, subject: Subject, request: SchemaRequest, *, normalize: bool) -> Iterable[Draft]:
        """Give the drafts that a request may mean: one that names no references may mean those of a version."""
        terms = read_terms(self._store, subject)
        try:
            return [self._draft(subject, request, terms, normalize=normalize)]
        except InvalidSchemaError as error:
            if request.references or not isinstance(error.__cause__, SchemaLinkError):
                raise
            known = self._reference_sets(subject)
            if not known:
                raise
        drafts = (replace(request, references=references) for references in known)
        return self._readings_with(drafts, subject, terms, normalize=normalize)

    def _readings_with(
        self, requests: Iterable[SchemaRequest], subject: Subject, terms: Terms, *, normalize: bool
    ) -> Iterator[Draft]:
        """Give the drafts with those of the references that have what the schema imports."""
        for request in requests:
            try:
                yield replace(self._draft(subject, request, terms, normalize=normalize), references=())
            except InvalidSchemaError as error:
                if not isinstance(error.__cause__, SchemaLinkError):
                    raise

    def _reference_sets(self, subject: Subject) -> list[tuple[Reference, ...]]:
        """Give the different references that a subject's newest versions have."""
        sets: list[tuple[Reference, ...]] = []
        for number in reversed(self._store.version_numbers(subject)):
            version = self._store.find_version(subject, number)
            if version and version.schema.content.references not in ((), *sets):
                sets.append(version.schema.content.references)
            if len(sets) == _REFERENCE_SETS_TRIED_MAX:
                break
        return sets


def _history(
    subject: Subject, draft: Draft, request: SchemaRequest, source: Reading, *, deleted: bool = False
) -> History:
    return _history_of(source.standing(subject, draft.text), subject, request, source, deleted=deleted)


def _history_of(
    standing: Standing, subject: Subject, request: SchemaRequest, source: Reading, *, deleted: bool = False
) -> History:
    wanted_id, wanted = given(request.id), given(request.version)
    return History(
        latest=standing.latest,
        last_version=standing.last_version,
        same_text=tuple(version for version in standing.same_text if deleted or not version.deleted),
        faded=tuple(version for version in standing.same_text if version.deleted),
        id_guid=source.find_guid(subject.context, wanted_id) if wanted_id else None,
        occupant=source.find_version(subject, wanted, deleted=True) if wanted_id and wanted else None,
    )


def add(ledger: Ledger, subject: Subject, addition: Addition, history: History) -> StoredVersion:
    """Write a version. Deleted ones that the same schema had before it go, unless they are referred to."""
    added = ledger.append(
        subject, addition.version, addition.content, ts=time.time_ns() // 1_000_000, schema_id=addition.schema_id
    )
    faded = {version.version for version in history.faded if version.schema.id == added.schema.id}
    if faded:
        held = {link.version for link in ledger.links_to(subject, deleted=True)}
        ledger.remove(subject, sorted(number for number in faded - held if number < added.version))
    return added


def check_references(source: Reading, subject: Subject, draft: Draft, terms: Terms) -> None:
    """Refuse a draft whose references were deleted since it was made: InvalidSchemaError (42201)."""
    for reference in draft.references:
        target = Subject.parse(reference.subject, context=subject.context)
        if source.find_version(target, reference.version, deleted=terms.takes_deleted_references) is None:
            raise Problem.NO_REFERENCE.error(subject=reference.subject, version=reference.version)


def _telling_its_version(request: SchemaRequest) -> SchemaRequest:
    """Have the metadata of a schema whose tags are changed say its version, as Confluent's registry has it."""
    if request.version is None and (request.schema_tags_to_add or request.schema_tags_to_remove):
        return replace(request, version=LATEST)
    return request


def _check_type(request: SchemaRequest, also: frozenset[str] = frozenset()) -> None:
    if request.schema_type.upper() not in {PROTOBUF, *also}:
        raise Problem.INVALID_SCHEMA_TYPE.error(schema_type=request.schema_type)
