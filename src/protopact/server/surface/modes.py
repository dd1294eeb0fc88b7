"""Modes: whether a subject, a context or all of them may be changed, and whether schemas bring their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.errors import RegistryError
from protopact.flow import Flow, Reply, blocking
from protopact.registry import Problem, Subject, read_json, write_json
from protopact.server.decisions.terms import EVERYWHERE, MODE, Mode, read_terms
from protopact.server.surface.config import scope_of
from protopact.server.surface.deleting import link_from_outside, reference_exists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protopact.server.questions import Question
    from protopact.server.store import Ledger, Reading
    from protopact.server.surface.commands import Desk


def get_mode(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /mode[/{subject}]: the mode that is set there; with `defaultToGlobal`, the one that holds there."""
    scope, inherits = scope_of(question), question.flag("defaultToGlobal")
    return _reply((yield from blocking(lambda: find_mode(desk, scope, inherits=inherits))))


def put_mode(desk: Desk, question: Question) -> Flow[Reply]:
    """PUT /mode[/{subject}]: set it; `force` allows IMPORT where schemas are."""
    scope, mode, force = scope_of(question), read_mode(question.call.body), question.flag("force")
    yield from blocking(lambda: change_mode(desk, scope, mode, force=force))
    return _reply(mode)


def delete_mode(desk: Desk, question: Question) -> Flow[Reply]:
    """DELETE /mode[/{subject}]: forget it and give it; `recursive` also forgets those of the scope's subjects."""
    scope, recursive = scope_of(question), question.flag("recursive")
    return _reply((yield from blocking(lambda: forget_mode(desk, scope, recursive=recursive))))


def find_mode(desk: Desk, scope: Subject, *, inherits: bool) -> Mode:
    """Find the mode of a scope; RegistryError 40409 where a subject has none of its own."""
    if inherits or not scope.name:
        return read_terms(desk.store, scope).mode
    found = _own(desk.store, scope)
    if found is None:
        raise Problem.NO_SUBJECT_MODE.error(subject=scope)
    return found


def change_mode(desk: Desk, scope: Subject, mode: Mode, *, force: bool) -> None:
    """Set the mode of a scope; OperationNotPermittedError (42205), RegistryError 42206."""
    _check_mutable(desk)
    if mode is Mode.FORWARD and scope.name:
        raise Problem.NOT_PERMITTED.error(reason="Forward mode only supported on global level")
    with desk.store.writing() as ledger:
        if mode is Mode.IMPORT and not force and read_terms(ledger, scope).mode is not Mode.IMPORT:
            _make_room(ledger, scope)
        ledger.put_document(MODE, scope, {"mode": mode})
    desk.bodies.clear()


def forget_mode(desk: Desk, scope: Subject, *, recursive: bool) -> Mode | None:
    """Forget the mode of a scope and give it; SubjectNotFoundError (40401) where there is none."""
    _check_mutable(desk)
    with desk.store.writing() as ledger:
        before = _own(ledger, scope)
        if before is None and not recursive:
            raise Problem.SUBJECT_NOT_FOUND.error(subject=scope)
        ledger.drop_document(MODE, scope)
        for inner, _ in ledger.documents(MODE) if recursive else ():
            if _holds(scope, inner):
                ledger.drop_document(MODE, inner)
    return before


def read_mode(body: bytes) -> Mode:
    """Read a mode's body; RegistryError 42204 for an unknown one, 400 or 422 for what is no such object."""
    value = read_json(body) if body.strip() else None
    if value is None:
        raise RegistryError("the mode must not be null", error_code=422)
    if not isinstance(value, dict):
        raise RegistryError("the mode must be an object", error_code=400)
    try:
        return Mode(str(value.get("mode")).upper())
    except ValueError as error:
        raise Problem.INVALID_MODE.error() from error


def _check_mutable(desk: Desk) -> None:
    if not desk.settings.mode_mutable:
        raise Problem.NOT_PERMITTED.error(reason="Mode changes are not allowed")


def _make_room(ledger: Ledger, scope: Subject) -> None:
    """See that nothing lives where schemas with ids of their own are to come, and clear away what was deleted."""
    if _subjects(ledger, scope, deleted=False):
        raise Problem.NOT_PERMITTED.error(reason="Cannot import since found existing subjects")
    remains = _subjects(ledger, scope, deleted=True)
    for subject in remains:
        link = link_from_outside(ledger.links_to(subject, deleted=True), remains)
        if link is not None:
            raise reference_exists(subject, link.version)
    for subject in remains:
        ledger.remove(subject, ledger.version_numbers(subject, deleted=True))


def _subjects(source: Reading, scope: Subject, *, deleted: bool) -> Sequence[Subject]:
    if scope.name:
        return [scope] if source.version_numbers(scope, deleted=deleted) else []
    return source.subjects(None if scope == EVERYWHERE else scope.context, deleted=deleted)


def _holds(scope: Subject, inner: Subject) -> bool:
    """Whether a scope is another one's context, or everything."""
    return not scope.name and (scope == EVERYWHERE or inner.context == scope.context)


def _own(source: Reading, scope: Subject) -> Mode | None:
    found = source.documents_at([scope]).get((MODE, scope))
    return None if found is None else Mode(str(found["mode"]))


def _reply(mode: Mode | None) -> Reply:
    return Reply(200, body=write_json({"mode": mode} if mode else {}))
