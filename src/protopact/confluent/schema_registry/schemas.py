"""Schemas as confluent_kafka's client gives and takes them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class SchemaReference:
    """An import: its path, and the subject and version that hold it."""

    name: str | None
    subject: str | None
    version: int | None


@dataclass(frozen=True)
class Schema:
    """A schema that may not be registered: its text, its type, and its imports."""

    schema_str: str | None
    schema_type: str | None = "AVRO"
    references: list[SchemaReference] = field(default_factory=list)


@dataclass(frozen=True)
class RegisteredSchema:
    """A schema of a registry, with its place there."""

    subject: str | None
    version: int | None
    schema_id: int | None
    guid: str | None
    schema: Schema
