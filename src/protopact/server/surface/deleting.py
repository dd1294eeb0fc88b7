"""Deleting: softly, when a version is only hidden, then for good. What is referred to stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.errors import RegistryError
from protopact.flow import Flow, Reply, blocking
from protopact.registry import DEFAULT_CONTEXT, LATEST, Problem, Subject, context_name, write_json
from protopact.server.decisions.deciding import read_only
from protopact.server.decisions.terms import CONFIG, MODE, read_terms
from protopact.server.surface.commands import subject_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from protopact.server.questions import Question
    from protopact.server.store import Ledger, Link
    from protopact.server.surface.commands import Desk

_NO_CONTENT = 204
_CONTEXT_NOT_EMPTY = 42211


def delete_subject(desk: Desk, question: Question) -> Flow[Reply]:
    """DELETE /subjects/{subject}: all its live versions, or with `permanent` what is left of it."""
    subject, permanent = subject_of(desk, question), question.flag("permanent")
    run = remove_subject if permanent else hide_subject
    return _reply((yield from blocking(lambda: run(desk, subject))))


def delete_version(desk: Desk, question: Question) -> Flow[Reply]:
    """DELETE /subjects/{subject}/versions/{version}: one version; it gives its number."""
    subject, version, permanent = subject_of(desk, question), question.version(), question.flag("permanent")
    run = remove_version if permanent else hide_version
    return _reply((yield from blocking(lambda: run(desk, subject, version))))


def delete_context(desk: Desk, question: Question) -> Flow[Reply]:
    """DELETE /contexts/{context}: an empty one."""
    name = context_name(question.parts["context"])
    yield from blocking(lambda: drop_context(desk, name))
    return Reply(_NO_CONTENT)


def hide_subject(desk: Desk, subject: Subject) -> Sequence[int]:
    """Soft-delete a subject's versions and give their numbers.

    SubjectNotFoundError (40401), RegistryError 40404 when none is live, 42206 when one is referred to.
    """
    with desk.store.writing() as ledger:
        _check_writable(ledger, subject)
        live = ledger.version_numbers(subject)
        if not live:
            known = ledger.version_numbers(subject, deleted=True)
            raise (Problem.SUBJECT_SOFT_DELETED if known else Problem.SUBJECT_NOT_FOUND).error(subject=subject)
        link = link_from_outside(ledger.links_to(subject), [subject])
        if link is not None:
            raise reference_exists(subject, link.version)
        ledger.soft_delete(subject, live)
    return live


def remove_subject(desk: Desk, subject: Subject) -> Sequence[int]:
    """Remove a soft-deleted subject for good and give its versions' numbers.

    SubjectNotFoundError (40401), RegistryError 40405 when a version is live, 42206 when one is referred to.
    """
    with desk.store.writing() as ledger:
        _check_writable(ledger, subject)
        numbers = ledger.version_numbers(subject, deleted=True)
        if not numbers:
            raise Problem.SUBJECT_NOT_FOUND.error(subject=subject)
        if ledger.version_numbers(subject):
            raise Problem.SUBJECT_NOT_SOFT_DELETED.error(subject=subject)
        link = link_from_outside(ledger.links_to(subject, deleted=True), [subject])
        if link is not None:
            raise reference_exists(subject, link.version)
        _remove(ledger, subject, reversed(numbers))
    desk.bodies.clear()
    return numbers


def hide_version(desk: Desk, subject: Subject, version: int) -> int:
    """Soft-delete a version and give its number.

    SubjectNotFoundError (40401), VersionNotFoundError (40402), RegistryError 40406 when it was deleted before, 42206
    when it is referred to.
    """
    with desk.store.writing() as ledger:
        _check_writable(ledger, subject)
        found = _number(ledger, subject, version)
        if found not in ledger.version_numbers(subject):
            raise Problem.VERSION_SOFT_DELETED.error(subject=subject, version=found)
        if any(link.version == found for link in ledger.links_to(subject)):
            raise reference_exists(subject, found)
        ledger.soft_delete(subject, [found])
    return found


def remove_version(desk: Desk, subject: Subject, version: int) -> int:
    """Remove a soft-deleted version for good and give its number.

    SubjectNotFoundError (40401), VersionNotFoundError (40402), RegistryError 40407 when it is live, 42206 when it is
    referred to.
    """
    with desk.store.writing() as ledger:
        _check_writable(ledger, subject)
        found = _number(ledger, subject, version)
        if found in ledger.version_numbers(subject):
            raise Problem.VERSION_NOT_SOFT_DELETED.error(subject=subject, version=found)
        if any(link.version == found for link in ledger.links_to(subject, deleted=True)):
            raise reference_exists(subject, found)
        _remove(ledger, subject, [found])
    desk.bodies.clear()
    return found


def drop_context(desk: Desk, context: str) -> None:
    """Forget an empty context with its config and mode; SubjectNotFoundError (40401), RegistryError 42211."""
    scope = Subject("", context)
    with desk.store.writing() as ledger:
        _check_writable(ledger, scope)
        if context != DEFAULT_CONTEXT and context not in ledger.contexts():
            raise Problem.SUBJECT_NOT_FOUND.error(subject=scope)
        if context == DEFAULT_CONTEXT or ledger.subjects(context, deleted=True):
            raise RegistryError(f"The specified context '{context}' is not empty.", error_code=_CONTEXT_NOT_EMPTY)
        ledger.drop_context(context)
        ledger.drop_document(CONFIG, scope)
        ledger.drop_document(MODE, scope)


def link_from_outside(links: Iterable[Link], inside: Container[Subject]) -> Link | None:
    """Find a reference that comes from another subject than these."""
    return next((link for link in links if link.referrer not in inside), None)


def reference_exists(subject: Subject, version: int) -> RegistryError:
    """Give the refusal to delete what is referred to."""
    return Problem.REFERENCE_EXISTS.error(subject=subject, version=version)


def _remove(ledger: Ledger, subject: Subject, numbers: Iterable[int]) -> None:
    """Remove versions; with the last one go the subject's config and mode."""
    ledger.remove(subject, numbers)
    if subject.name and not ledger.version_numbers(subject, deleted=True):
        ledger.drop_document(CONFIG, subject)
        ledger.drop_document(MODE, subject)


def _number(ledger: Ledger, subject: Subject, version: int) -> int:
    """Give the number of a version, live or deleted; that of the newest live one for LATEST."""
    if version == LATEST:
        live = ledger.version_numbers(subject)
        if live:
            return live[-1]
    known = ledger.version_numbers(subject, deleted=True)
    if version in known:
        return version
    if known:
        raise Problem.VERSION_NOT_FOUND.error(version=version)
    raise Problem.SUBJECT_NOT_FOUND.error(subject=subject)


def _check_writable(ledger: Ledger, scope: Subject) -> None:
    if read_terms(ledger, scope).mode.is_read_only:
        raise read_only(scope)


def _reply(numbers: object) -> Reply:
    return Reply(200, body=write_json(numbers))
