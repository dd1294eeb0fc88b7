"""The content hash: one GUID for one content, whoever registers it where.

It is MD5 over the schema's text and, in this order and without separators, its references, metadata and rules; the
digest is printed as a UUID. The schema type is not part of it. Sorting is by UTF-16 code units, as in Java.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING

from protopact.registry.jsons import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from protopact.registry.contracts import Metadata, Rule, RuleSet
    from protopact.registry.references import Reference

_MARK = b"\x01"


def content_guid(
    schema: str,
    references: Iterable[Reference] = (),
    metadata: Metadata | None = None,
    rule_set: RuleSet | None = None,
) -> str:
    """Give the GUID of a content; equal to Confluent's for the same text as stored.

    References must carry real version numbers. RegistryError 400 for texts that UTF-8 cannot carry.
    """
    digest = hashlib.md5(usedforsecurity=False)
    try:
        for part in _parts(schema, references, metadata, rule_set):
            digest.update(part)
    except UnicodeEncodeError as error:
        raise bad_request("a text holds a lone surrogate, which is no character") from error
    return str(uuid.UUID(bytes=digest.digest()))


def _parts(
    schema: str, references: Iterable[Reference], metadata: Metadata | None, rule_set: RuleSet | None
) -> Iterator[bytes]:
    yield schema.encode()
    for reference in references:
        yield reference.name.encode()
        yield reference.subject.encode()
        yield reference.version.to_bytes(4, "big", signed=True)
    if metadata is not None:
        yield _MARK
        yield from _metadata_parts(metadata)
    if rule_set is not None:
        yield _MARK
        yield from _rule_set_parts(rule_set)


def _metadata_parts(metadata: Metadata) -> Iterator[bytes]:
    for path, names in sorted(metadata.tags.items(), key=lambda item: _java_order(item[0])):
        yield path.encode()
        yield from _sorted_texts(names)
    yield from _sorted_pairs(metadata.properties)
    yield from _sorted_texts(metadata.sensitive)


def _rule_set_parts(rule_set: RuleSet) -> Iterator[bytes]:
    for rules in (rule_set.migration_rules, rule_set.domain_rules, rule_set.encoding_rules):
        for rule in rules:
            yield from _rule_parts(rule)
    yield (rule_set.enable_at or "").encode()


def _rule_parts(rule: Rule) -> Iterator[bytes]:
    for text in (rule.name, rule.doc, rule.kind, rule.mode, rule.type):
        yield (text or "").encode()
    yield from _sorted_texts(rule.tags)
    yield from _sorted_pairs(rule.params)
    for text in (rule.expr, rule.on_success, rule.on_failure):
        yield (text or "").encode()
    if rule.disabled:
        yield _MARK


def _sorted_texts(texts: Iterable[str]) -> Iterator[bytes]:
    for text in sorted(set(texts), key=_java_order):
        yield text.encode()


def _sorted_pairs(pairs: Mapping[str, str]) -> Iterator[bytes]:
    for name, value in sorted(pairs.items(), key=lambda item: _java_order(item[0])):
        yield name.encode()
        yield value.encode()


def _java_order(text: str) -> bytes:
    return text.encode("utf-16-be")
