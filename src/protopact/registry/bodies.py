"""Requests and replies that carry a schema. Unknown JSON fields are ignored; empty ones are not written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.registry.contracts import EntityTags, Metadata, RuleSet
from protopact.registry.jsons import (
    INT64_MAX,
    as_bool,
    as_int,
    as_list,
    as_object,
    as_text,
    optional,
    read_object,
    without_empty,
    write_json,
)
from protopact.registry.references import Reference, read_references

if TYPE_CHECKING:
    from protopact.registry.jsons import JsonValue

PROTOBUF = "PROTOBUF"
"""The schema type of this house."""

_TYPE_WHERE_NONE_IS_SAID = "AVRO"


@dataclass(frozen=True, slots=True)
class SchemaRequest:
    """A schema to register, look up or check: text, or base64 of one FileDescriptorProto.

    `id` and `version` are for imports of existing data; a request for a new schema leaves them out.
    `propagate_schema_tags` gives it the tags of the newest version, where it has the same fields and messages.
    """

    schema: str
    schema_type: str = PROTOBUF
    references: tuple[Reference, ...] = ()
    id: int | None = None
    version: int | None = None
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    schema_tags_to_add: tuple[EntityTags, ...] = ()
    schema_tags_to_remove: tuple[EntityTags, ...] = ()
    propagate_schema_tags: bool = False

    @classmethod
    def from_json(cls, data: bytes) -> SchemaRequest:
        """Read a request's body; an absent `schemaType` is AVRO, as everywhere in this dialect.

        RegistryError 400 for what is no JSON or has wrong types, 422 for an absent or null body.
        """
        fields = read_object(data, "the request's body")
        return cls(
            schema=optional(fields.get("schema"), as_text, "schema") or "",
            schema_type=optional(fields.get("schemaType"), as_text, "schemaType") or _TYPE_WHERE_NONE_IS_SAID,
            references=read_references(fields.get("references")),
            id=optional(fields.get("id"), as_int, "id"),
            version=optional(fields.get("version"), as_int, "version"),
            metadata=optional(fields.get("metadata"), Metadata.from_json, "metadata"),
            rule_set=optional(fields.get("ruleSet"), RuleSet.from_json, "ruleSet"),
            schema_tags_to_add=_tags(fields.get("schemaTagsToAdd"), "schemaTagsToAdd"),
            schema_tags_to_remove=_tags(fields.get("schemaTagsToRemove"), "schemaTagsToRemove"),
            propagate_schema_tags=optional(fields.get("propagateSchemaTags"), as_bool, "propagateSchemaTags") or False,
        )

    def to_json(self) -> bytes:
        """Give the request's body; RegistryError 400 for texts that UTF-8 cannot carry."""
        return write_json(
            without_empty(
                {
                    "schema": self.schema,
                    "schemaType": self.schema_type,
                    "references": [reference.to_json() for reference in self.references],
                    "id": self.id,
                    "version": self.version,
                    "metadata": self.metadata.to_json() if self.metadata else None,
                    "ruleSet": self.rule_set.to_json() if self.rule_set else None,
                    "schemaTagsToAdd": [tags.to_json() for tags in self.schema_tags_to_add],
                    "schemaTagsToRemove": [tags.to_json() for tags in self.schema_tags_to_remove],
                    "propagateSchemaTags": self.propagate_schema_tags or None,
                }
            )
        )


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema as a registry gives it; what an answer does not say is None, or empty.

    It covers the answers to registering, looking up, and fetching by id, GUID or version. `ts` is in milliseconds
    since 1970.
    """

    subject: str | None = None
    version: int | None = None
    id: int | None = None
    guid: str | None = None
    schema_type: str = PROTOBUF
    schema: str = ""
    references: tuple[Reference, ...] = ()
    metadata: Metadata | None = None
    rule_set: RuleSet | None = None
    schema_tags: tuple[EntityTags, ...] = ()
    ts: int | None = None
    deleted: bool | None = None
    max_id: int | None = None

    @classmethod
    def from_json(cls, data: bytes) -> RegisteredSchema:
        """Read an answer's body; RegistryError 400 for what is no JSON or has wrong types."""
        return cls.from_object(read_object(data, "the answer"))

    @classmethod
    def from_object(cls, value: JsonValue) -> RegisteredSchema:
        """Read one item of an answer that lists schemas."""
        fields = as_object(value, "a schema")

        def text(name: str) -> str | None:
            return optional(fields.get(name), as_text, name)

        def number(name: str) -> int | None:
            return optional(fields.get(name), as_int, name)

        ts = fields.get("ts")
        return cls(
            subject=text("subject"),
            version=number("version"),
            id=number("id"),
            guid=text("guid"),
            schema_type=text("schemaType") or _TYPE_WHERE_NONE_IS_SAID,
            schema=text("schema") or "",
            references=read_references(fields.get("references")),
            metadata=optional(fields.get("metadata"), Metadata.from_json, "metadata"),
            rule_set=optional(fields.get("ruleSet"), RuleSet.from_json, "ruleSet"),
            schema_tags=_tags(fields.get("schemaTags"), "schemaTags"),
            ts=None if ts is None else as_int(ts, "ts", maximum=INT64_MAX),
            deleted=optional(fields.get("deleted"), as_bool, "deleted"),
            max_id=number("maxId"),
        )

    def to_object(self) -> dict[str, object]:
        """Give the JSON object, without what is empty."""
        return without_empty(
            {
                "subject": self.subject,
                "version": self.version or None,
                "id": self.id,
                "guid": self.guid,
                "schemaType": self.schema_type,
                "references": [reference.to_json() for reference in self.references],
                "metadata": self.metadata.to_json() if self.metadata else None,
                "ruleSet": self.rule_set.to_json() if self.rule_set else None,
                "schema": self.schema,
                "schemaTags": [tags.to_json() for tags in self.schema_tags],
                "ts": self.ts,
                "deleted": self.deleted,
                "maxId": self.max_id,
            }
        )

    def to_json(self) -> bytes:
        """Give the answer's body."""
        return write_json(self.to_object())


@dataclass(frozen=True, slots=True)
class SubjectVersion:
    """One place where a schema is kept."""

    subject: str
    version: int

    @classmethod
    def from_object(cls, value: JsonValue) -> SubjectVersion:
        """Read one item of an answer's list."""
        fields = as_object(value, "a subject version")
        return cls(as_text(fields.get("subject"), "subject"), as_int(fields.get("version"), "version"))

    def to_object(self) -> dict[str, object]:
        """Give the JSON object."""
        return {"subject": self.subject, "version": self.version}


def _tags(value: JsonValue, where: str) -> tuple[EntityTags, ...]:
    return tuple(EntityTags.from_json(item, where) for item in as_list(value, where))
