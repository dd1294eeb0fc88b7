"""Configs: what a subject, a context or all of them are set to, field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.compat import Level, Policy
from protopact.errors import ConfigError, RegistryError
from protopact.flow import Flow, Reply, blocking
from protopact.registry import Metadata, Problem, RuleSet, Subject, read_json, write_json
from protopact.server.decisions.contracts import check_rule_set
from protopact.server.decisions.deciding import read_only
from protopact.server.decisions.terms import CONFIG, LEVEL_DEFAULT, read_terms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from protopact.registry import JsonValue
    from protopact.server.questions import Question
    from protopact.server.store import Document
    from protopact.server.surface.commands import Desk

_LEVEL = "compatibilityLevel"
_LEVEL_IN_UPDATES = "compatibility"
_POLICIES = ("STRICT", "LENIENT", "LOGICAL")
_SAID_AS_TEXT = {"true": True, "false": False}


def get_config(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /config[/{subject}]: what is set there; with `defaultToGlobal`, what holds there."""
    scope, inherits = scope_of(question), question.flag("defaultToGlobal")
    return write_reply((yield from blocking(lambda: find_config(desk, scope, inherits=inherits))))


def put_config(desk: Desk, question: Question) -> Flow[Reply]:
    """PUT /config[/{subject}]: change the fields that are sent; null clears one."""
    scope, update = scope_of(question), read_update(question.call.body)
    after = yield from blocking(lambda: change_config(desk, scope, update))
    return write_reply(in_words_of_updates(after))


def delete_config(desk: Desk, question: Question) -> Flow[Reply]:
    """DELETE /config[/{subject}]: forget what is set there, and give it."""
    scope = scope_of(question)
    return write_reply((yield from blocking(lambda: forget_config(desk, scope))))


def find_config(desk: Desk, scope: Subject, *, inherits: bool) -> Document:
    """Find what is set for a scope; RegistryError 40408 where a subject has nothing set."""
    if inherits or not scope.name:
        return read_terms(desk.store, scope).config
    found = desk.store.documents_at([scope]).get((CONFIG, scope))
    if found is None:
        raise Problem.NO_SUBJECT_COMPATIBILITY.error(subject=scope)
    return found


def change_config(desk: Desk, scope: Subject, update: Document) -> Document:
    """Merge an update into what is set for a scope, and give the result."""
    with desk.store.writing() as ledger:
        if read_terms(ledger, scope).mode.is_read_only:
            raise read_only(scope)
        after = merged(ledger.documents_at([scope]).get((CONFIG, scope), {}), update)
        ledger.put_document(CONFIG, scope, after)
    return after


def forget_config(desk: Desk, scope: Subject) -> Document:
    """Forget what is set for a scope and give it; SubjectNotFoundError (40401) where a subject has nothing set."""
    with desk.store.writing() as ledger:
        if read_terms(ledger, scope).mode.is_read_only:
            raise read_only(scope)
        before = ledger.documents_at([scope]).get((CONFIG, scope))
        if before is None and scope.name:
            raise Problem.SUBJECT_NOT_FOUND.error(subject=scope)
        ledger.drop_document(CONFIG, scope)
    return {**(before or {}), _LEVEL: (before or {}).get(_LEVEL, LEVEL_DEFAULT)} if not scope.name else before or {}


def read_update(body: bytes) -> Document:
    """Read a config's update: known fields, checked, null where one is to be cleared.

    RegistryError 400 or 422 for what is no such object, 42203 for an unknown level or policy, 42210 for rules.
    """
    value = read_json(body) if body.strip() else None
    if value is None:
        raise RegistryError("the config must not be null", error_code=422)
    if not isinstance(value, dict):
        raise RegistryError("the config must be an object", error_code=400)
    sent = {(_LEVEL if name == _LEVEL_IN_UPDATES else name): field for name, field in value.items()}
    return {
        name: None if sent[name] is None else read(sent[name], name) for name, read in _FIELDS.items() if name in sent
    }


def merged(before: Document, update: Document) -> Document:
    """Give a config after an update: absent fields stay, null clears."""
    after = {**before, **update}
    return {name: value for name, value in after.items() if value is not None}


def in_words_of_updates(config: Document) -> Document:
    """Give a config as it is sent to change it."""
    return {(_LEVEL_IN_UPDATES if name == _LEVEL else name): value for name, value in config.items()}


def scope_of(question: Question) -> Subject:
    """Give the scope that a path names: a subject, or by an empty name a context."""
    return question.subject if "subject" in question.parts else Subject("", question.context)


def write_reply(document: Document) -> Reply:
    """Give a document as a reply."""
    return Reply(200, body=write_json(dict(document)))


def _level(value: JsonValue, name: str) -> JsonValue:
    try:
        return str(Level.parse(_text(value, name)))
    except ConfigError as error:
        raise Problem.INVALID_COMPATIBILITY.error() from error


def _policy(value: JsonValue, name: str) -> JsonValue:
    text = _text(value, name).upper()
    if text not in _POLICIES:
        raise RegistryError(f"Invalid compatibility policy. Valid values are {', '.join(_POLICIES)}", error_code=42203)
    return text


def _breaking_policy(value: JsonValue, name: str) -> JsonValue:
    try:
        return Policy.parse(_text(value, name)).text
    except ConfigError as error:
        raise RegistryError(f"Invalid breaking policy: {error}", error_code=42203) from error


def _alias(value: JsonValue, name: str) -> JsonValue:
    text = _text(value, name)
    return Subject.parse(text).qualified if text else text


def _text(value: JsonValue, name: str) -> str:
    if not isinstance(value, str):
        raise RegistryError(f"{name} must be a text", error_code=400)
    write_json(value)  # refuses what cannot be sent back
    return value


def _flag(value: JsonValue, name: str) -> JsonValue:
    if isinstance(value, str) and value.lower() in _SAID_AS_TEXT:
        return _SAID_AS_TEXT[value.lower()]
    if not isinstance(value, bool):
        raise RegistryError(f"{name} must be a boolean", error_code=400)
    return value


def _metadata(value: JsonValue, name: str) -> JsonValue:
    return _plain(Metadata.from_json(value, name).to_json())


def _plain(fields: Mapping[str, object]) -> JsonValue:
    """Give what was read of an object, without what it has of nulls and unknown fields."""
    return read_json(write_json(fields))


def _rule_set(value: JsonValue, name: str) -> JsonValue:
    rule_set = RuleSet.from_json(value, name)
    check_rule_set(rule_set)
    return _plain(rule_set.to_json())


_FIELDS: Mapping[str, Callable[[JsonValue, str], JsonValue]] = {
    "alias": _alias,
    "aliasForDeks": _alias,
    "normalize": _flag,
    "validateFields": _flag,
    "validateNewSchemas": _flag,
    "validateRules": _flag,
    _LEVEL: _level,
    "compatibilityPolicy": _policy,
    "compatibilityGroup": _text,
    "defaultMetadata": _metadata,
    "overrideMetadata": _metadata,
    "defaultRuleSet": _rule_set,
    "overrideRuleSet": _rule_set,
    "breakingPolicy": _breaking_policy,
}
