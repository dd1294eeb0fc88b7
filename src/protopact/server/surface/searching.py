"""The list of schemas, whole or filtered."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from protopact.flow import Flow, Reply, blocking
from protopact.registry import Subject, write_json
from protopact.server.decisions.contracts import has_rule_type
from protopact.server.decisions.terms import CONFIG
from protopact.server.surface.commands import placed, view_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from protopact.server.questions import Question
    from protopact.server.store import StoredVersion
    from protopact.server.surface.commands import Desk

_SCHEMAS_MAX = 1000


def list_schemas(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /schemas: schemas with their places, by subject and version; with `aliases`, also who else means them."""
    return (yield from blocking(lambda: _list(desk, question)))


def _list(desk: Desk, question: Question) -> Reply:
    aliases = _aliases(desk) if question.flag("aliases") else {}
    start, end = question.window(_SCHEMAS_MAX)
    shown = []
    for version in islice(_found(desk, question), start, end):
        item = placed(desk, version, view_of(question)).to_object()
        if version.subject.qualified in aliases:
            item["aliases"] = aliases[version.subject.qualified]
        shown.append(item)
    return Reply(200, body=write_json(shown))


def _found(desk: Desk, question: Question) -> Iterator[StoredVersion]:
    """Give the versions that match, subject by subject: only those up to the end of the page are read."""
    context, prefix = question.subject_prefix(default="")
    deleted, latest_only, rule_type = (
        question.flag("deleted"),
        question.flag("latestOnly"),
        question.query.get("ruleType"),
    )
    subjects = set(desk.store.subjects(context, prefix, deleted=deleted))
    if question.flag("aliases"):
        subjects.update(_meant_by_aliases(desk, context, prefix))
    for subject in sorted(subjects, key=lambda subject: subject.qualified):
        versions = desk.store.versions(subject, deleted=deleted)
        for version in versions[:1] if latest_only else reversed(versions):
            if rule_type is None or has_rule_type(version.schema.content.rule_set, rule_type):
                yield version


def _meant_by_aliases(desk: Desk, context: str | None, prefix: str) -> Iterator[Subject]:
    """Give the subjects that those of a context, or of all, with a prefix are aliases of."""
    for scope, config in desk.store.documents(CONFIG):
        if config.get("alias") and context in {None, scope.context} and scope.name.startswith(prefix):
            yield Subject.parse(str(config["alias"]), context=scope.context)


def _aliases(desk: Desk) -> Mapping[str, list[str]]:
    """Give the subjects that stand for others, by the name of those."""
    found: dict[str, list[str]] = {}
    for scope, config in desk.store.documents(CONFIG):
        if config.get("alias"):
            target = Subject.parse(str(config["alias"]), context=scope.context)
            found.setdefault(target.qualified, []).append(scope.qualified)
    return found
