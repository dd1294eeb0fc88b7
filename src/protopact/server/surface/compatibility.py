"""The routes that ask whether a schema may follow others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.errors import InvalidSchemaError
from protopact.flow import Flow, Reply
from protopact.registry import write_json
from protopact.server.surface.commands import subject_of

if TYPE_CHECKING:
    from protopact.server.decisions.verdicts import Verdict
    from protopact.server.questions import Question
    from protopact.server.surface.commands import Desk


def check_against_version(desk: Desk, question: Question) -> Flow[Reply]:
    """POST /compatibility/subjects/{subject}/versions/{version}: against one version, whatever the level."""
    return (yield from _check(desk, question, question.version()))


def check_against_all(desk: Desk, question: Question) -> Flow[Reply]:
    """POST /compatibility/subjects/{subject}/versions: against the versions that the level names."""
    return (yield from _check(desk, question, None))


def _check(desk: Desk, question: Question, version: int | None) -> Flow[Reply]:
    """Answer `is_compatible`, and with `verbose` why not; a schema that is none is then incompatible too."""
    verbose, normalize = question.flag("verbose"), question.flag("normalize")
    request = question.request()
    try:
        verdict = yield from desk.service.judge(subject_of(desk, question), request, version, normalize=normalize)
    except InvalidSchemaError as error:
        if not verbose:
            raise
        return Reply(200, body=write_json({"is_compatible": False, "messages": [error.message]}))
    return Reply(200, body=write_json(_shown(verdict, verbose=verbose)))


def _shown(verdict: Verdict, *, verbose: bool) -> dict[str, object]:
    shown: dict[str, object] = {"is_compatible": verdict.compatible}
    if verbose:
        shown["messages"] = list(verdict.messages)
    return shown
