"""The tag catalogue: tags that are defined, and the entities that carry them.

Source: the catalogue's OpenAPI in Confluent's ccloud-sdk-go-v2. Entities of a schema are `sr_schema`, `sr_record` and
`sr_field`; their qualified names are the registry's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from protopact.registry.jsons import as_int, as_object, as_text, as_texts, optional, without_empty

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.registry.jsons import JsonValue


@dataclass(frozen=True, slots=True)
class TagDefinition:
    """A tag that entities of the given types may carry."""

    name: str
    description: str = ""
    entity_types: tuple[str, ...] = ()

    @classmethod
    def from_object(cls, value: JsonValue) -> TagDefinition:
        """Read one definition; RegistryError 400 for wrong types."""
        fields = as_object(value, "a tag definition")
        return cls(
            name=as_text(fields.get("name"), "name"),
            description=optional(fields.get("description"), as_text, "description") or "",
            entity_types=as_texts(fields.get("entityTypes"), "entityTypes"),
        )

    def to_object(self) -> dict[str, object]:
        """Give the JSON object, without what is empty."""
        return without_empty(
            {"name": self.name, "description": self.description, "entityTypes": list(self.entity_types)}
        )


@dataclass(frozen=True, slots=True)
class CatalogTag:
    """A tag on one entity, which is named by its type and its qualified name."""

    tag: str
    entity_type: str
    entity_name: str
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)

    @classmethod
    def from_object(cls, value: JsonValue) -> CatalogTag:
        """Read one tag; RegistryError 400 for wrong types."""
        fields = as_object(value, "a tag")
        return cls(
            tag=as_text(fields.get("typeName"), "typeName"),
            entity_type=optional(fields.get("entityType"), as_text, "entityType") or "",
            entity_name=optional(fields.get("entityName"), as_text, "entityName") or "",
            attributes=optional(fields.get("attributes"), as_object, "attributes") or {},
        )

    def to_object(self) -> dict[str, object]:
        """Give the JSON object, without what is empty."""
        return without_empty(
            {
                "typeName": self.tag,
                "entityType": self.entity_type,
                "entityName": self.entity_name,
                "attributes": dict(self.attributes),
            }
        )


def item_problem(value: JsonValue) -> tuple[int, str] | None:
    """Give code and text of the error that an item of a bulk answer carries, or None where it carries none.

    A bulk answer has status 200 whatever became of its items.
    """
    error = as_object(value, "an item").get("error")
    if error is None:
        return None
    fields = as_object(error, "error")
    code = optional(fields.get("error_code"), as_int, "error_code")
    return code or 500, optional(fields.get("message"), as_text, "message") or "the item was refused"
