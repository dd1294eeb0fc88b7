"""★ What the registry decides about a schema that comes.

Registering: `.proto` text → descriptors → canonical text + content hash → look-up → mode → compatibility → store → id.
`Service._register` tells it. What is decided is decided by functions over what was read; reading and writing stand
apart, and what was read is read again when the write begins.
"""

from __future__ import annotations

import time
from dataclasses import replace
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
from protopact.server.decisions.tagging import with_tags
from protopact.server.decisions.terms import read_terms
from protopact.server.decisions.verdicts import Judge, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from protopact.flow import Flow
    from protopact.registry import Reference, SchemaRequest
    from protopact.server.decisions.draft import Draftsman
    from protopact.server.decisions.terms import Mode, Terms
    from protopact.server.store import Ledger, Reading, Store, StoredVersion

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
        self, subject: Subject, request: SchemaRequest, *, normalize: bool = False, force: bool = False
    ) -> Flow[StoredVersion]:
        """Have a schema kept under a subject and give its version; the same schema gives the same version again.

        InvalidSchemaError (42201) for a schema that cannot be kept, OperationNotPermittedError (42205) where the mode
        forbids it, IncompatibleSchemaError (409), RegistryError 42210 for rules; `force` skips compatibility.
        """
        try:
            return (yield from blocking(lambda: self._register(subject, request, normalize=normalize, force=force)))
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

    def _register(self, subject: Subject, request: SchemaRequest, *, normalize: bool, force: bool) -> StoredVersion:
        """Tell the way of a schema: ★."""
        check_rule_set(request.rule_set)
        terms = read_terms(self._store, subject)
        draft = self._draft(subject, request, terms, normalize=normalize)
        history = self._history(subject, draft, request)
        known = find_known(draft, history, request, terms)
        if known is not None:
            return known
        check_mode(subject, request, terms.mode)
        decision = decide(draft, history, request, terms, judge=self._judging(subject, terms, force=force))
        if not isinstance(decision, Addition):
            return decision
        with self._store.writing() as ledger:
            check_references(ledger, subject, draft, terms.mode)
            now, terms_now = self._history(subject, draft, request, ledger), read_terms(ledger, subject)
            if (now, terms_now) != (history, terms):
                check_mode(subject, request, terms_now.mode)
                judge = self._judging(subject, terms_now, ledger, force=force)
                decision = decide(draft, now, request, terms_now, judge=judge)
            return add(ledger, subject, decision, now) if isinstance(decision, Addition) else decision

    def _draft(self, subject: Subject, request: SchemaRequest, terms: Terms, *, normalize: bool = False) -> Draft:
        """Understand a schema, in the form in which it is to be kept."""
        imports = terms.mode.takes_ids and request.id is not None
        _check_type(request, also=_OPAQUE_TYPES if imports else frozenset())
        if not request.schema.strip():
            draft = self._latest_again(subject, request)
        elif request.schema_type.upper() == PROTOBUF:
            normalize = normalize or terms.flag("normalize")
            draft = self._draftsman.draft(subject.context, request, normalize=normalize, deleted=imports)
        else:
            draft = self._draftsman.opaque(subject.context, request)
        if request.schema_tags_to_add or request.schema_tags_to_remove:
            files = self._draftsman.files(subject.context, draft.references)
            return with_tags(draft, files, request.schema_tags_to_add, request.schema_tags_to_remove)
        return draft

    def _latest_again(self, subject: Subject, request: SchemaRequest) -> Draft:
        """Give the newest schema, with what else the request says."""
        latest = self._store.find_version(subject, LATEST)
        if latest is None:
            raise Problem.EMPTY_SCHEMA.error()
        return replace(Draft.of(latest.schema.content), metadata=request.metadata, rule_set=request.rule_set)

    def _judging(
        self, subject: Subject, terms: Terms, reading: Reading | None = None, *, force: bool
    ) -> Callable[[Draft], Verdict]:
        """Give what judges a draft by the subject's live versions; nothing is read before it is asked."""

        def judge(draft: Draft) -> Verdict:
            if force or terms.mode.takes_ids or terms.level == "NONE":
                return Verdict()
            return self._judge.judge(subject.context, draft, self._compared(subject, terms, reading), terms)

        return judge

    def _compared(self, subject: Subject, terms: Terms, reading: Reading | None = None) -> Sequence[StoredVersion]:
        """Give the live versions that the level names, newest first."""
        source = reading or self._store
        if terms.group or terms.level.endswith("_TRANSITIVE"):
            return source.versions(subject)
        latest = source.find_version(subject, LATEST)
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
                found = find_equal(draft, self._history(home, draft, request, deleted=deleted))
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
        self,
        subject: Subject,
        draft: Draft,
        request: SchemaRequest,
        reading: Reading | None = None,
        *,
        deleted: bool = False,
    ) -> History:
        source = reading or self._store
        same_text = source.versions_with_text(subject, draft.text, deleted=True)
        wanted_id, wanted = given(request.id), given(request.version)
        return History(
            latest=source.find_version(subject, LATEST),
            last_version=source.last_version(subject),
            same_text=tuple(version for version in same_text if deleted or not version.deleted),
            faded=tuple(version for version in same_text if version.deleted),
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


def check_references(source: Reading, subject: Subject, draft: Draft, mode: Mode) -> None:
    """Refuse a draft whose references were deleted since it was made: InvalidSchemaError (42201)."""
    for reference in draft.references:
        target = Subject.parse(reference.subject, context=subject.context)
        if source.find_version(target, reference.version, deleted=mode.takes_ids) is None:
            raise Problem.NO_REFERENCE.error(subject=reference.subject, version=reference.version)


def _check_type(request: SchemaRequest, also: frozenset[str] = frozenset()) -> None:
    if request.schema_type.upper() not in {PROTOBUF, *also}:
        raise Problem.INVALID_SCHEMA_TYPE.error(schema_type=request.schema_type)
