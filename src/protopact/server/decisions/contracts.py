"""Rules and metadata of schemas: what is refused, and how defaults, a schema's own and overrides become one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from protopact.registry import Metadata, Problem, Rule, RuleSet

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_NAME_LENGTH_MAX = 256
_MIGRATION_MODES = frozenset({"UPGRADE", "DOWNGRADE", "UPDOWN"})
_VALUE_MODES = frozenset({"WRITE", "READ", "WRITEREAD"})
_TWO_WAY_MODES = frozenset({"WRITEREAD", "UPDOWN"})


def check_rule_set(rule_set: RuleSet | None) -> None:
    """Refuse rules that make no sense, by RegistryError 42210."""
    if rule_set is None:
        return
    _check_names(rules_of(rule_set))
    for rules, modes in (
        (rule_set.migration_rules, _MIGRATION_MODES),
        (rule_set.domain_rules, _VALUE_MODES),
        (rule_set.encoding_rules, _VALUE_MODES),
    ):
        for rule in rules:
            _check_rule(rule, modes)


def _check_names(rules: Iterable[Rule]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.name in seen:
            raise _invalid(f"Found rule with duplicate name '{rule.name}'")
        seen.add(rule.name)


def _check_rule(rule: Rule, modes: frozenset[str]) -> None:
    if not rule.name:
        raise _invalid("Empty rule name")
    if len(rule.name) > _NAME_LENGTH_MAX:
        raise _invalid("Rule name is too long")
    if not _NAME.fullmatch(rule.name):
        raise _invalid(f"Illegal initial or inner character in rule name '{rule.name}'")
    if not rule.type:
        raise _invalid(f"Missing rule type in rule '{rule.name}'")
    if rule.mode not in modes:
        raise _invalid(f"Rule '{rule.name}' cannot have the mode {rule.mode} here")
    for action in (rule.on_success, rule.on_failure):
        if action and "," in action and rule.mode not in _TWO_WAY_MODES:
            raise _invalid(f"Rule '{rule.name}' has the mode {rule.mode}, which cannot have two actions: '{action}'")


def merged_metadata(*layers: Metadata | None) -> Metadata | None:
    """Give the metadata of all layers; what a later one says counts."""
    present = [layer for layer in layers if layer is not None]
    if len(present) <= 1:
        return present[0] if present else None
    tags: dict[str, tuple[str, ...]] = {}
    properties: dict[str, str] = {}
    sensitive: dict[str, None] = {}
    for layer in present:
        for path, names in layer.tags.items():
            tags[path] = tuple(dict.fromkeys((*tags.get(path, ()), *names)))
        properties.update(layer.properties)
        sensitive.update(dict.fromkeys(layer.sensitive))
    return Metadata(tags, properties, tuple(sensitive))


def merged_rule_set(*layers: RuleSet | None) -> RuleSet | None:
    """Give the rules of all layers: of two of one name, the later one counts, in the later one's place."""
    present = [layer for layer in layers if layer is not None]
    if len(present) <= 1:
        return present[0] if present else None
    return RuleSet(
        migration_rules=_merged(layer.migration_rules for layer in present),
        domain_rules=_merged(layer.domain_rules for layer in present),
        encoding_rules=_merged(layer.encoding_rules for layer in present),
        enable_at=next((layer.enable_at for layer in reversed(present) if layer.enable_at), None),
    )


def without_rules(rule_set: RuleSet | None, names: Iterable[str]) -> RuleSet | None:
    """Give the rules but those of these names."""
    gone = set(names)
    if rule_set is None or not gone:
        return rule_set

    def kept(rules: Iterable[Rule]) -> tuple[Rule, ...]:
        return tuple(rule for rule in rules if rule.name not in gone)

    return RuleSet(
        kept(rule_set.migration_rules), kept(rule_set.domain_rules), kept(rule_set.encoding_rules), rule_set.enable_at
    )


def has_rule_type(rule_set: RuleSet | None, rule_type: str) -> bool:
    """Whether some rule is of a type."""
    return rule_set is not None and any(rule.type == rule_type for rule in rules_of(rule_set))


def rules_of(rule_set: RuleSet) -> tuple[Rule, ...]:
    """Give all rules of a rule set."""
    return (*rule_set.migration_rules, *rule_set.domain_rules, *rule_set.encoding_rules)


def _merged(layers: Iterable[tuple[Rule, ...]]) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for layer in layers:
        for rule in layer:
            rules.pop(rule.name, None)
            rules[rule.name] = rule
    return tuple(rules.values())


def _invalid(reason: str) -> Exception:
    return Problem.INVALID_RULE_SET.error(reason=f"Invalid rule set: {reason}")
