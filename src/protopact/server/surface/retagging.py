"""Changing the tags, metadata and rules of a schema: a version is taken, changed, and registered as the next one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from protopact.flow import Flow, Reply, blocking
from protopact.registry import LATEST, Problem, RuleSet, SchemaRequest, read_json, write_json
from protopact.server.decisions.contracts import merged_rule_set, without_rules
from protopact.server.surface.commands import registered, subject_of, view_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.registry import JsonValue
    from protopact.server.questions import Question
    from protopact.server.store import Content
    from protopact.server.surface.commands import Desk


def change_tags(desk: Desk, question: Question) -> Flow[Reply]:
    """POST /subjects/{subject}/versions/{version}/tags: register the version again, changed as the body says."""
    subject, number = subject_of(desk, question), question.version()
    asked = _as_registration(question.call.body)
    found = yield from blocking(lambda: desk.store.find_version(subject, number))
    if found is None:
        known = number != LATEST and desk.store.version_numbers(subject)
        raise (
            Problem.VERSION_NOT_FOUND.error(version=number)
            if known
            else Problem.SUBJECT_NOT_FOUND.error(subject=subject)
        )
    request = changed(found.schema.content, asked, _fields(question.call.body))
    version = yield from desk.service.register(subject, request)
    return registered(desk, version, view_of(question))


def changed(content: Content, asked: SchemaRequest, fields: Mapping[str, JsonValue]) -> SchemaRequest:
    """Give the registration that a change of a stored schema is.

    `asked` has what the body says in the words of a registration, `fields` the rest: rules to merge or remove.
    """
    rule_set = content.rule_set if asked.rule_set is None else asked.rule_set
    merge, remove = fields.get("rulesToMerge"), fields.get("rulesToRemove")
    if merge is not None:
        rule_set = merged_rule_set(rule_set, RuleSet.from_json(merge, "rulesToMerge"))
    names = remove if isinstance(remove, list) else []
    return replace(
        asked,
        schema=content.text,
        schema_type=content.schema_type,
        references=content.references,
        metadata=content.metadata if asked.metadata is None else asked.metadata,
        rule_set=without_rules(rule_set, [str(name) for name in names]),
    )


def _as_registration(body: bytes) -> SchemaRequest:
    """Read what a change has in common with a registration; RegistryError 400 or 422."""
    words = {"newVersion": "version", "tagsToAdd": "schemaTagsToAdd", "tagsToRemove": "schemaTagsToRemove"}
    fields = _fields(body)
    known = {words.get(name, name): fields[name] for name in (*words, "metadata", "ruleSet") if name in fields}
    return SchemaRequest.from_json(write_json(known) if fields else body)


def _fields(body: bytes) -> Mapping[str, JsonValue]:
    value = read_json(body) if body.strip() else None
    return value if isinstance(value, dict) else {}
