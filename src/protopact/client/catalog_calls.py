"""The routes of the tag catalogue: tags that are defined, and the entities that carry them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from protopact.client.asks import (
    Ask,
    RefusedError,
    as_plain_json,
    delete,
    get,
    post,
    put,
    read_items,
    read_list,
    read_nothing,
)
from protopact.registry import CatalogTag, TagDefinition, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protopact.flow import Reply

_ROOT = ("catalog", "v1")
_DEFINITIONS = (*_ROOT, "types", "tagdefs")
_NOT_FOUND, _EXISTS = 404, 409


def create_tag(tag: TagDefinition) -> Ask[TagDefinition]:
    """POST /catalog/v1/types/tagdefs.

    A definition that is there already is refused, but not one that is there, as it was sent, after a lost answer.
    """

    def read(reply: Reply) -> TagDefinition:
        found = TagDefinition.from_object(read_json(reply.body))
        if (found.description, set(found.entity_types)) != (tag.description, set(tag.entity_types)):
            raise RefusedError(_EXISTS, f"Tag definition {tag.name} exists already, and is another one")
        return found

    made = Ask(get_tag(tag.name).call, read)
    return Ask(as_plain_json(post(_written([tag]), *_DEFINITIONS)), partial(_definition, tag), done={_EXISTS: made})


def update_tag(tag: TagDefinition) -> Ask[TagDefinition]:
    """PUT /catalog/v1/types/tagdefs."""
    return Ask(as_plain_json(put(_written([tag]), *_DEFINITIONS)), partial(_definition, tag))


def get_tags(name_prefix: str | None = None) -> Ask[list[TagDefinition]]:
    """GET /catalog/v1/types/tagdefs."""
    return Ask(as_plain_json(get(*_DEFINITIONS, query={"prefix": name_prefix})), _definitions)


def get_tag(name: str) -> Ask[TagDefinition]:
    """GET /catalog/v1/types/tagdefs/{name}."""
    return Ask(as_plain_json(get(*_DEFINITIONS, name)), lambda reply: TagDefinition.from_object(read_json(reply.body)))


def delete_tag(name: str) -> Ask[None]:
    """DELETE /catalog/v1/types/tagdefs/{name}."""
    return Ask(as_plain_json(delete(*_DEFINITIONS, name)), read_nothing, done={_NOT_FOUND: None})


def tag_entities(tags: Iterable[CatalogTag]) -> Ask[list[CatalogTag]]:
    """POST /catalog/v1/entity/tags."""
    return Ask(as_plain_json(post(_written(tags), *_ROOT, "entity", "tags")), _tags)


def update_entity_tags(tags: Iterable[CatalogTag]) -> Ask[list[CatalogTag]]:
    """PUT /catalog/v1/entity/tags."""
    return Ask(as_plain_json(put(_written(tags), *_ROOT, "entity", "tags")), _tags)


def get_entity_tags(entity_type: str, entity_name: str) -> Ask[list[CatalogTag]]:
    """GET /catalog/v1/entity/type/{type}/name/{name}/tags."""

    def read(reply: Reply) -> list[CatalogTag]:
        return [CatalogTag.from_object(item) for item in read_list(reply)]

    return Ask(as_plain_json(get(*_entity(entity_type, entity_name), "tags")), read)


def untag_entity(entity_type: str, entity_name: str, tag: str) -> Ask[None]:
    """DELETE /catalog/v1/entity/type/{type}/name/{name}/tags/{tag}."""
    call = as_plain_json(delete(*_entity(entity_type, entity_name), "tags", tag))
    return Ask(call, read_nothing, done={_NOT_FOUND: None})


def _entity(entity_type: str, entity_name: str) -> tuple[str, ...]:
    return (*_ROOT, "entity", "type", entity_type, "name", entity_name)


def _written(items: Iterable[TagDefinition] | Iterable[CatalogTag]) -> bytes:
    return write_json([item.to_object() for item in items])


def _definitions(reply: Reply) -> list[TagDefinition]:
    return read_items(reply, TagDefinition.from_object)


def _definition(tag: TagDefinition, reply: Reply) -> TagDefinition:
    """Give the one definition of an answer, or what was sent where the answer holds none."""
    return next(iter(_definitions(reply)), tag)


def _tags(reply: Reply) -> list[CatalogTag]:
    return read_items(reply, CatalogTag.from_object)
