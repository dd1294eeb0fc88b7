"""What a registry answers about itself, about where schemas are kept, and about compatibility."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.registry.jsons import (
    INT64_MAX,
    as_bool,
    as_int,
    as_list,
    as_object,
    as_text,
    as_texts,
    optional,
    read_object,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.registry.jsons import JsonValue

# The entries of a verbose answer look like JSON and are none: their names are bare and their quotes not escaped.
_FINDING = re.compile(r'\{errorType:"(?P<type>[A-Z_]+)", description:"(?P<description>.*)"\}', re.DOTALL)
_OLD_VERSION = re.compile(r"\{oldSchemaVersion: (?P<version>\d{1,10})\}")
_OLD_SCHEMA = re.compile(r"\{oldSchema: '(?P<text>.*)'\}", re.DOTALL)
_TERMS = re.compile(r"\{validateFields: '(?:true|false)', compatibility: '(?P<level>[A-Z_]+)'\}")
_EXTRA = re.compile(r'", additionalInfo:"[^"]*$')


@dataclass(frozen=True, slots=True)
class CompatibilityFinding:
    """One difference that speaks against a schema: its type, such as `FIELD_SCALAR_KIND_CHANGED`, and the reason."""

    type: str
    description: str

    def __str__(self) -> str:
        """Give `TYPE: reason`."""
        return f"{self.type}: {self.description}"


@dataclass(frozen=True, slots=True)
class CompatibilityReport:
    """Whether a schema may be registered, and why not.

    `messages` are the registry's own words. What they say of differences stands in `findings`, and what they tell of
    the earlier version that speaks against the schema in `old_version`, `old_schema` (which may be cut short) and
    `level`; None where they do not tell. An entry of another kind stands in `messages` alone.
    """

    is_compatible: bool
    messages: tuple[str, ...] = ()
    findings: tuple[CompatibilityFinding, ...] = ()
    old_version: int | None = None
    old_schema: str | None = None
    level: str | None = None

    @classmethod
    def from_json(cls, data: bytes) -> CompatibilityReport:
        """Read the answer to a compatibility check; RegistryError 400 for what is no JSON or has wrong types."""
        fields = read_object(data, "the compatibility report")
        messages = as_texts(fields.get("messages"), "messages")
        version = _first(_OLD_VERSION, messages, "version")
        return cls(
            is_compatible=as_bool(fields.get("is_compatible"), "is_compatible"),
            messages=messages,
            findings=tuple(_finding(found) for message in messages if (found := _FINDING.fullmatch(message))),
            old_version=None if version is None else int(version),
            old_schema=_first(_OLD_SCHEMA, messages, "text"),
            level=_first(_TERMS, messages, "level"),
        )


def _finding(found: re.Match[str]) -> CompatibilityFinding:
    return CompatibilityFinding(found["type"], _EXTRA.sub("", found["description"]))


def _first(pattern: re.Pattern[str], messages: tuple[str, ...], group: str) -> str | None:
    return next((found[group] for message in messages if (found := pattern.fullmatch(message))), None)


@dataclass(frozen=True, slots=True)
class ContextId:
    """An id under which a content is kept in a registry context."""

    context: str
    id: int

    @classmethod
    def from_object(cls, value: JsonValue) -> ContextId:
        """Read one item of an answer's list."""
        fields = as_object(value, "an id in a context")
        return cls(as_text(fields.get("context"), "context"), as_int(fields.get("id"), "id"))


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One change that was made to a registry: who did what to which subject, and when, in milliseconds since 1970.

    A context stands for all its subjects: `:.ctx:`. `detail` tells the rest, such as versions. Numbers count up.
    """

    number: int
    ts: int
    who: str
    what: str
    subject: str
    detail: Mapping[str, JsonValue]

    @classmethod
    def from_object(cls, value: JsonValue) -> AuditRecord:
        """Read one item of an answer's list."""
        fields = as_object(value, "an audit record")
        return cls(
            number=as_int(fields.get("number"), "number", maximum=INT64_MAX),
            ts=as_int(fields.get("ts"), "ts", maximum=INT64_MAX),
            who=as_text(fields.get("who"), "who"),
            what=as_text(fields.get("what"), "what"),
            subject=as_text(fields.get("subject"), "subject"),
            detail=optional(fields.get("detail"), as_object, "detail") or {},
        )


@dataclass(frozen=True, slots=True)
class ServerId:
    """Which registry a server belongs to: the names of its clusters, empty where it does not tell."""

    kafka_cluster: str = ""
    registry_cluster: str = ""

    @classmethod
    def from_json(cls, data: bytes) -> ServerId:
        """Read the answer; RegistryError 400 for what is no JSON or has wrong types."""
        fields = read_object(data, "the registry's id")
        scope = optional(fields.get("scope"), as_object, "scope") or {}
        clusters = optional(scope.get("clusters"), as_object, "clusters") or {}

        def name(of: str) -> str:
            return optional(clusters.get(of), as_text, of) or ""

        return cls(name("kafka-cluster"), name("schema-registry-cluster"))


@dataclass(frozen=True, slots=True)
class ServerVersion:
    """The version of a server, and the commit it was made from; empty where it does not tell."""

    version: str = ""
    commit: str = ""

    @classmethod
    def from_json(cls, data: bytes) -> ServerVersion:
        """Read the answer; RegistryError 400 for what is no JSON or has wrong types."""
        fields = read_object(data, "the registry's version")

        def text(name: str) -> str:
            return optional(fields.get(name), as_text, name) or ""

        return cls(text("version"), text("commitId"))


def read_attributes(data: bytes) -> tuple[str, ...]:
    """Read what a server says of its deployment; RegistryError 400 for what is no JSON or has wrong types."""
    attributes = as_list(read_object(data, "the deployment").get("attributes"), "attributes")
    return tuple(as_text(attribute, "attributes") for attribute in attributes)
