"""The tag part of Confluent's stream catalog: definitions of tags, and tags on entities.

Calls are in bulk: each item is answered for itself, with an `error` where it failed. The surface is that of Confluent
Cloud's catalog API, version 1.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from protopact.errors import RegistryError
from protopact.flow import Flow, Reply, blocking
from protopact.registry import Subject, read_json, write_json
from protopact.server.decisions.terms import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from protopact.registry import JsonValue
    from protopact.server.questions import Question
    from protopact.server.store import Document, Reading
    from protopact.server.surface.commands import Desk

DEFINITIONS, TAGS = "tagdefs", "tags"
"""The kinds of document of this part: all definitions in one, the tags of one entity in one."""

_NO_CONTENT = 204
_DEFINITIONS_MAX = 1000
_NAME_LENGTH_MAX = 256
_OF_DEFINITIONS = {"name": str, "description": str, "entityTypes": list, "attributeDefs": list, "superTypes": list}
_OF_TAGS = {
    "typeName": str,
    "entityType": str,
    "entityName": str,
    "attributes": dict,
    "propagate": bool,
    "validityPeriods": list,
}


def list_definitions(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /catalog/v1/types/tagdefs: all definitions, or those whose names start with `prefix`."""
    prefix = question.query.get("prefix", "")
    known = yield from blocking(lambda: _definitions(desk.store))
    return _reply([definition for name, definition in sorted(known.items()) if name.startswith(prefix)])


def get_definition(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /catalog/v1/types/tagdefs/{tag}: the definition of a tag."""
    known = yield from blocking(lambda: _definitions(desk.store))
    return _reply(_existing(known, question.parts["tag"]))


def create_definitions(desk: Desk, question: Question) -> Flow[Reply]:
    """POST /catalog/v1/types/tagdefs: define tags that are not defined yet."""
    return (yield from _define(desk, question, _created))


def change_definitions(desk: Desk, question: Question) -> Flow[Reply]:
    """PUT /catalog/v1/types/tagdefs: change tags that are defined."""
    return (yield from _define(desk, question, _changed))


def delete_definition(desk: Desk, question: Question) -> Flow[Reply]:
    """DELETE /catalog/v1/types/tagdefs/{tag}: forget the definition of a tag."""
    name = question.parts["tag"]

    def delete() -> None:
        with desk.store.writing() as ledger:
            known = dict(_definitions(ledger))
            _existing(known, name)
            del known[name]
            ledger.put_document(DEFINITIONS, EVERYWHERE, known)

    yield from blocking(delete)
    return Reply(_NO_CONTENT)


def add_tags(desk: Desk, question: Question) -> Flow[Reply]:
    """POST and PUT /catalog/v1/entity/tags: put defined tags on entities."""
    items = _items(question.call.body)

    def add() -> list[Document]:
        with desk.store.writing() as ledger:
            known = _definitions(ledger)
            answers: list[Document] = []
            for item in items:
                try:
                    tag = _tag(item, known)
                    scope = _entity(str(tag["entityType"]), str(tag["entityName"]))
                    others = [one for one in _tags(ledger, scope) if one["typeName"] != tag["typeName"]]
                    ledger.put_document(TAGS, scope, _with_tags([*others, tag]))
                    answers.append(tag)
                except RegistryError as error:
                    answers.append(_failed(item, _OF_TAGS, error))
            return answers

    return _reply((yield from blocking(add)))


def list_tags(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /catalog/v1/entity/type/{type}/name/{name}/tags: the tags of an entity."""
    scope = _entity(question.parts["type"], question.parts["name"])
    return _reply((yield from blocking(lambda: _tags(desk.store, scope))))


def delete_tag(desk: Desk, question: Question) -> Flow[Reply]:
    """DELETE /catalog/v1/entity/type/{type}/name/{name}/tags/{tag}: take a tag off an entity."""
    scope, name = _entity(question.parts["type"], question.parts["name"]), question.parts["tag"]

    def delete() -> None:
        with desk.store.writing() as ledger:
            tags = _tags(ledger, scope)
            kept = [tag for tag in tags if tag["typeName"] != name]
            if len(kept) == len(tags):
                raise RegistryError(f"The entity has no tag {name}", error_code=404)
            if kept:
                ledger.put_document(TAGS, scope, _with_tags(kept))
            else:
                ledger.drop_document(TAGS, scope)

    yield from blocking(delete)
    return Reply(_NO_CONTENT)


def _define(
    desk: Desk, question: Question, make: Callable[[Mapping[str, JsonValue], Document], Document]
) -> Flow[Reply]:
    items = _items(question.call.body)

    def define() -> list[Document]:
        with desk.store.writing() as ledger:
            before = _definitions(ledger)
            known, answers = dict(before), []
            for item in items:
                try:
                    definition = make(known, _known_fields(item, _OF_DEFINITIONS))
                    known[str(definition["name"])] = dict(definition)
                    answers.append(definition)
                except RegistryError as error:
                    answers.append(_failed(item, _OF_DEFINITIONS, error))
            if known != before:
                ledger.put_document(DEFINITIONS, EVERYWHERE, known)
            return answers

    return _reply((yield from blocking(define)))


def _created(known: Mapping[str, JsonValue], item: Document) -> Document:
    name = _name(item, "name")
    if name in known:
        raise RegistryError(f"Tag definition {name} exists already", error_code=409)
    if len(known) >= _DEFINITIONS_MAX:
        raise RegistryError(f"There are {_DEFINITIONS_MAX} tag definitions, which is the most", error_code=409)
    now = _now_ms()
    return {
        "category": "CLASSIFICATION",
        "guid": str(uuid.uuid4()),
        "createTime": now,
        "updateTime": now,
        "version": 1,
        "typeVersion": "1.0",
        **item,
    }


def _changed(known: Mapping[str, JsonValue], item: Document) -> Document:
    """Give a definition as it is to be; what changes nothing, such as a call sent twice, makes no version of it."""
    before = _existing(known, _name(item, "name"))
    if {**before, **item} == before:
        return before
    version = before["version"]
    return {**before, **item, "updateTime": _now_ms(), "version": version + 1 if isinstance(version, int) else 1}


def _tag(item: JsonValue, known: Mapping[str, JsonValue]) -> Document:
    tag = _known_fields(item, _OF_TAGS)
    _existing(known, _name(tag, "typeName"))
    _name(tag, "entityType")
    _name(tag, "entityName")
    return {"entityStatus": "ACTIVE", **tag}


def _existing(known: Mapping[str, JsonValue], name: str) -> Document:
    definition = known.get(name)
    if not isinstance(definition, dict):
        raise RegistryError(f"Tag definition {name} not found", error_code=404)
    return definition


def _definitions(source: Reading) -> Document:
    return source.documents_at([EVERYWHERE]).get((DEFINITIONS, EVERYWHERE), {})


def _tags(source: Reading, scope: Subject) -> list[Document]:
    tags = source.documents_at([scope]).get((TAGS, scope), {}).get(TAGS)
    return [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []


def _with_tags(tags: Iterable[Document]) -> Document:
    return {TAGS: [dict(tag) for tag in tags]}


def _entity(kind: str, name: str) -> Subject:
    """Give the scope under which an entity's tags are kept."""
    return Subject(f"{kind}:{name}")


def _items(body: bytes) -> list[JsonValue]:
    value = read_json(body) if body.strip() else None
    if not isinstance(value, list):
        raise RegistryError("the body must be a list", error_code=400)
    write_json(value)  # refuses what cannot be sent back
    return value


def _known_fields(item: JsonValue, kinds: Mapping[str, type]) -> Document:
    if not isinstance(item, dict):
        raise RegistryError("an item must be an object", error_code=400)
    fields = {name: item[name] for name in kinds if item.get(name) is not None}
    for name, value in fields.items():
        if not isinstance(value, kinds[name]):
            raise RegistryError(f"{name} is of a wrong type", error_code=400)
    return fields


def _name(item: Document, field: str) -> str:
    name = item.get(field)
    if not isinstance(name, str) or not 0 < len(name) <= _NAME_LENGTH_MAX:
        raise RegistryError(f"{field} must be a text of 1 to {_NAME_LENGTH_MAX} characters", error_code=400)
    return name


def _failed(item: JsonValue, kinds: Mapping[str, type], error: RegistryError) -> Document:
    """Give the answer to an item that failed: its texts, by which it is known, and why."""
    sent = item if isinstance(item, dict) else {}
    texts = {name: sent[name] for name, kind in kinds.items() if kind is str and isinstance(sent.get(name), str)}
    return {**texts, "error": {"error_code": error.error_code, "message": error.message}}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _reply(value: object) -> Reply:
    return Reply(200, body=write_json(value))
