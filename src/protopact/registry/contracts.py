"""What a data contract adds to a schema: metadata, rules and tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from protopact.registry.jsons import (
    as_bool,
    as_list,
    as_object,
    as_text,
    as_text_map,
    as_texts,
    bad_request,
    optional,
    without_empty,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.registry.jsons import JsonValue

_KINDS = ("TRANSFORM", "CONDITION")
_MODES = ("UPGRADE", "DOWNGRADE", "UPDOWN", "WRITE", "READ", "WRITEREAD")
_WHEN_WRITING = frozenset({"WRITE", "WRITEREAD"})
_WHEN_READING = frozenset({"READ", "WRITEREAD"})


@dataclass(frozen=True, slots=True)
class Metadata:
    """Tags by entity path, properties, and the names of the properties that are sensitive."""

    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    sensitive: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, value: JsonValue, where: str = "metadata") -> Metadata:
        """Read the JSON object; RegistryError 400 for wrong types."""
        fields = as_object(value, where)
        tags = optional(fields.get("tags"), as_object, f"{where}.tags") or {}
        return cls(
            tags={path: as_texts(names, f"{where}.tags.{path}") for path, names in tags.items()},
            properties=as_text_map(fields.get("properties"), f"{where}.properties"),
            sensitive=as_texts(fields.get("sensitive"), f"{where}.sensitive"),
        )

    def to_json(self) -> dict[str, object]:
        """Give the JSON object, without what is empty."""
        return without_empty(
            {
                "tags": {path: list(names) for path, names in self.tags.items()},
                "properties": dict(self.properties),
                "sensitive": list(self.sensitive),
            }
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a rule set; the words are the dialect's own."""

    name: str
    doc: str | None = None
    kind: str = "TRANSFORM"
    mode: str = "WRITEREAD"
    type: str | None = None
    tags: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    expr: str | None = None
    on_success: str | None = None
    on_failure: str | None = None
    disabled: bool = False

    @property
    def label(self) -> str:
        """The rule's name and what it takes to run it, for errors."""
        return f"{self.name}: {self.type or self.kind}"

    @classmethod
    def from_json(cls, value: JsonValue, where: str = "rule") -> Rule:
        """Read the JSON object; RegistryError 400 for wrong types and unknown kinds or modes."""
        fields = as_object(value, where)

        def text(name: str) -> str | None:
            return optional(fields.get(name), as_text, f"{where}.{name}")

        return cls(
            name=text("name") or "",
            doc=text("doc"),
            kind=_one_of(text("kind") or "TRANSFORM", _KINDS, f"{where}.kind"),
            mode=_one_of(text("mode") or "WRITEREAD", _MODES, f"{where}.mode"),
            type=text("type"),
            tags=as_texts(fields.get("tags"), f"{where}.tags"),
            params=as_text_map(fields.get("params"), f"{where}.params"),
            expr=text("expr"),
            on_success=text("onSuccess"),
            on_failure=text("onFailure"),
            disabled=optional(fields.get("disabled"), as_bool, f"{where}.disabled") or False,
        )

    def to_json(self) -> dict[str, object]:
        """Give the JSON object, without what is empty."""
        return without_empty(
            {
                "name": self.name,
                "doc": self.doc,
                "kind": self.kind,
                "mode": self.mode,
                "type": self.type,
                "tags": list(self.tags),
                "params": dict(self.params),
                "expr": self.expr,
                "onSuccess": self.on_success,
                "onFailure": self.on_failure,
                "disabled": self.disabled,
            }
        )


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules for moving between versions, for the values, and for the payload's bytes."""

    migration_rules: tuple[Rule, ...] = ()
    domain_rules: tuple[Rule, ...] = ()
    encoding_rules: tuple[Rule, ...] = ()
    enable_at: str | None = None

    def for_writing(self) -> tuple[Rule, ...]:
        """Give the rules for values and payloads that are switched on, and count when a record is written."""
        return self._active(_WHEN_WRITING)

    def for_reading(self) -> tuple[Rule, ...]:
        """Give the rules for values and payloads that are switched on, and count when a record is read."""
        return self._active(_WHEN_READING)

    def _active(self, modes: frozenset[str]) -> tuple[Rule, ...]:
        rules = (*self.domain_rules, *self.encoding_rules)
        return tuple(rule for rule in rules if not rule.disabled and rule.mode in modes)

    @classmethod
    def from_json(cls, value: JsonValue, where: str = "ruleSet") -> RuleSet:
        """Read the JSON object; RegistryError 400 for wrong types."""
        fields = as_object(value, where)

        def rules(name: str) -> tuple[Rule, ...]:
            place = f"{where}.{name}"
            return tuple(Rule.from_json(item, place) for item in as_list(fields.get(name), place))

        return cls(
            migration_rules=rules("migrationRules"),
            domain_rules=rules("domainRules"),
            encoding_rules=rules("encodingRules"),
            enable_at=optional(fields.get("enableAt"), as_text, f"{where}.enableAt"),
        )

    def to_json(self) -> dict[str, object]:
        """Give the JSON object, without what is empty."""
        return without_empty(
            {
                "migrationRules": [rule.to_json() for rule in self.migration_rules],
                "domainRules": [rule.to_json() for rule in self.domain_rules],
                "encodingRules": [rule.to_json() for rule in self.encoding_rules],
                "enableAt": self.enable_at,
            }
        )


@dataclass(frozen=True, slots=True)
class EntityTags:
    """Tags on one message (`sr_record`) or field (`sr_field`), named by a path such as `Order.customer`."""

    entity_path: str
    entity_type: str
    tags: tuple[str, ...]

    @classmethod
    def from_json(cls, value: JsonValue, where: str = "schemaTags") -> EntityTags:
        """Read the JSON object; RegistryError 400 for wrong types."""
        fields = as_object(value, where)
        entity = as_object(fields.get("schemaEntity"), f"{where}.schemaEntity")
        return cls(
            entity_path=as_text(entity.get("entityPath"), f"{where}.entityPath"),
            entity_type=as_text(entity.get("entityType"), f"{where}.entityType"),
            tags=as_texts(fields.get("tags"), f"{where}.tags"),
        )

    def to_json(self) -> dict[str, object]:
        """Give the JSON object."""
        entity = {"entityPath": self.entity_path, "entityType": self.entity_type}
        return {"schemaEntity": entity, "tags": list(self.tags)}


def _one_of(word: str, words: tuple[str, ...], where: str) -> str:
    if word not in words:
        raise bad_request(f"{where} must be one of {', '.join(words)}, not {word!r}")
    return word
