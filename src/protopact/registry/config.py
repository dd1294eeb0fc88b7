"""The config of a scope: what a registry demands of the schemas in a subject, a context or all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.errors import ConfigError
from protopact.registry.contracts import Metadata, RuleSet
from protopact.registry.jsons import as_bool, as_text, optional, read_object, write_json

if TYPE_CHECKING:
    from collections.abc import Iterable

# The dialect's word for each field. An update, and its echo, say `compatibility` for the level.
_LEVEL, _LEVEL_IN_UPDATES = "compatibilityLevel", "compatibility"
_WORDS = {
    "compatibility_level": _LEVEL,
    "alias": "alias",
    "alias_for_deks": "aliasForDeks",
    "normalize": "normalize",
    "validate_fields": "validateFields",
    "validate_new_schemas": "validateNewSchemas",
    "validate_rules": "validateRules",
    "compatibility_policy": "compatibilityPolicy",
    "compatibility_group": "compatibilityGroup",
    "breaking_policy": "breakingPolicy",
    "default_metadata": "defaultMetadata",
    "override_metadata": "overrideMetadata",
    "default_rule_set": "defaultRuleSet",
    "override_rule_set": "overrideRuleSet",
}


@dataclass(frozen=True, slots=True)
class Config:
    """A config; None is what it does not say.

    `compatibility_level` is one of the seven levels; `alias` a subject that stands for this one; `compatibility_group`
    the metadata property whose value parts the versions that are compared; `breaking_policy`, which is protopact's
    own, what counts as harm: `confluent`, `wire`, `wire_json` or `source`.
    """

    compatibility_level: str | None = None
    alias: str | None = None
    alias_for_deks: str | None = None
    normalize: bool | None = None
    validate_fields: bool | None = None
    validate_new_schemas: bool | None = None
    validate_rules: bool | None = None
    compatibility_policy: str | None = None
    compatibility_group: str | None = None
    breaking_policy: str | None = None
    default_metadata: Metadata | None = None
    override_metadata: Metadata | None = None
    default_rule_set: RuleSet | None = None
    override_rule_set: RuleSet | None = None

    @classmethod
    def from_json(cls, data: bytes) -> Config:
        """Read a config or the echo of an update; RegistryError 400 for what is no JSON or has wrong types."""
        said = read_object(data, "the config")
        level = said.get(_LEVEL)
        said[_LEVEL] = said.get(_LEVEL_IN_UPDATES) if level is None else level

        def text(name: str) -> str | None:
            return optional(said.get(_WORDS[name]), as_text, _WORDS[name])

        def flag(name: str) -> bool | None:
            return optional(said.get(_WORDS[name]), as_bool, _WORDS[name])

        def metadata(name: str) -> Metadata | None:
            return optional(said.get(_WORDS[name]), Metadata.from_json, _WORDS[name])

        def rule_set(name: str) -> RuleSet | None:
            return optional(said.get(_WORDS[name]), RuleSet.from_json, _WORDS[name])

        return cls(
            compatibility_level=text("compatibility_level"),
            alias=text("alias"),
            alias_for_deks=text("alias_for_deks"),
            normalize=flag("normalize"),
            validate_fields=flag("validate_fields"),
            validate_new_schemas=flag("validate_new_schemas"),
            validate_rules=flag("validate_rules"),
            compatibility_policy=text("compatibility_policy"),
            compatibility_group=text("compatibility_group"),
            breaking_policy=text("breaking_policy"),
            default_metadata=metadata("default_metadata"),
            override_metadata=metadata("override_metadata"),
            default_rule_set=rule_set("default_rule_set"),
            override_rule_set=rule_set("override_rule_set"),
        )

    def update_json(self, clear: Iterable[str] = ()) -> bytes:
        """Give the body that makes a scope say this: what is None stays as it is there, but `clear` is taken away.

        `clear` holds names of fields, such as `alias`; ConfigError for any other.
        """
        body: dict[str, object] = {}
        for name in clear:
            if name not in _WORDS:
                raise ConfigError(
                    f"a registry config has no field {name!r}", option="clear", hint=f"one of {', '.join(_WORDS)}"
                )
            body[_WORDS[name]] = None
        for name, word in _WORDS.items():
            value = getattr(self, name)
            if isinstance(value, Metadata | RuleSet):
                value = value.to_json()
            if value is not None:
                body[word] = value
        if _LEVEL in body:
            body[_LEVEL_IN_UPDATES] = body.pop(_LEVEL)
        return write_json(body)
