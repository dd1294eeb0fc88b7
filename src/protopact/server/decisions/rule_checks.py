"""What `validateRules` asks of rules beyond being well formed: that they have something to do, and to do it with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.registry import Problem
from protopact.server.decisions.contracts import rules_of
from protopact.server.decisions.tagging import find_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from protopact.registry import Metadata, Rule
    from protopact.server.store import Content

_WITH_EXPRESSION = frozenset({"CEL", "CEL_FIELD", "JSONATA"})
_OF_TAGGED_FIELDS = "ENCRYPT"
_ENCRYPTING = frozenset({_OF_TAGGED_FIELDS, "ENCRYPT_PAYLOAD"})
_KEK_NAME = "encrypt.kek.name"


def check_rules_apply(content: Content, imported: Callable[[], Iterable[FileDescriptorProto]]) -> None:
    """Refuse enabled rules that could do nothing: RegistryError 42210.

    Such is a rule of expressions that has none, an encryption that names no key or no tags, and a rule for tags that
    neither the schema's fields and messages, nor those of `imported`, nor its metadata carry: its author believes
    that something is checked or encrypted, and nothing is.
    """
    if content.rule_set is None:
        return
    rules = [rule for rule in rules_of(content.rule_set) if not rule.disabled]
    for rule in rules:
        _check_means(rule, content.metadata)
    wanted = {tag for rule in rules for tag in rule.tags}
    carried = _tags_of(content, imported, wanted) if wanted else set()
    for rule in rules:
        if rule.tags and carried.isdisjoint(rule.tags):
            raise _invalid(f"Nothing in the schema has a tag of rule '{rule.name}': {', '.join(sorted(rule.tags))}")


def _check_means(rule: Rule, metadata: Metadata | None) -> None:
    if rule.type in _WITH_EXPRESSION and not rule.expr:
        raise _invalid(f"Missing expression in rule '{rule.name}'")
    if rule.type == _OF_TAGGED_FIELDS and not rule.tags:
        raise _invalid(f"Missing tags in rule '{rule.name}'")
    # The clients look for a parameter in the rule, then among the properties of the metadata.
    places = (rule.params, metadata.properties if metadata is not None else {})
    if rule.type in _ENCRYPTING and not any(place.get(_KEK_NAME) for place in places):
        raise _invalid(f"Missing parameter {_KEK_NAME} in rule '{rule.name}'")


def _tags_of(
    content: Content, imported: Callable[[], Iterable[FileDescriptorProto]], wanted: Iterable[str]
) -> set[str]:
    metadata_tags = content.metadata.tags.values() if content.metadata is not None else ()
    found = {tag for tags in metadata_tags for tag in tags}
    descriptors = [content.descriptor, *(file.SerializeToString() for file in imported())]
    return found.union(*(one.tags for descriptor in descriptors for one in find_tags(descriptor, wanted)))


def _invalid(reason: str) -> Exception:
    return Problem.INVALID_RULE_SET.error(reason=f"Invalid rule set: {reason}")
