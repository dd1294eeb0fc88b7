"""Between the columns of a stored schema and what they stand for: the same for every database."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeAlias

from protopact.errors import InvalidSubjectError
from protopact.registry import Metadata, Reference, RuleSet, Subject, is_too_long
from protopact.server.store.port import Content, StoredSchema, StoredVersion

if TYPE_CHECKING:
    from collections.abc import Sequence

Row: TypeAlias = "tuple[Any, ...]"

SELECT_SCHEMA = """SELECT s.context, s.id, s.guid, s.text, s.descriptor, s.refers, s.metadata, s.rule_set,
        s.schema_type, s.ts
    FROM schemas s"""
"""The start of a question whose rows `schema_of` reads."""

SELECT_VERSION = """SELECT s.context, s.id, s.guid, s.text, s.descriptor, s.refers, s.metadata, s.rule_set,
        s.schema_type, s.ts, v.subject, v.version, v.ts, v.deleted
    FROM versions v JOIN schemas s ON s.context = v.context AND s.id = v.schema_id"""
"""The start of a question whose rows `version_of` reads; they begin as those of a schema."""

_SCHEMA_WIDTH = 10


def check_name(subject: Subject) -> None:
    """Refuse a name that not every database has room for in its index: InvalidSubjectError (42208)."""
    if is_too_long(subject.name) or is_too_long(subject.context):
        raise InvalidSubjectError(f"The specified subject '{subject.qualified[:100]}…' is not a valid.")


def schema_of(row: Row | None) -> StoredSchema | None:
    """Give the schema that a row of SELECT_SCHEMA holds."""
    if row is None:
        return None
    context, schema_id, guid, text, descriptor, refers, metadata, rule_set, schema_type, ts = row[:_SCHEMA_WIDTH]
    content = Content(
        guid=guid,
        text=text,
        descriptor=descriptor,
        references=tuple(Reference.from_json(item) for item in json.loads(refers)) if refers else (),
        metadata=Metadata.from_json(json.loads(metadata)) if metadata is not None else None,
        rule_set=RuleSet.from_json(json.loads(rule_set)) if rule_set is not None else None,
        schema_type=schema_type,
    )
    return StoredSchema(context, schema_id, content, ts)


def version_of(row: Row | None) -> StoredVersion | None:
    """Give the version that a row of SELECT_VERSION holds."""
    schema = schema_of(row)
    if row is None or schema is None:
        return None
    name, version, ts, deleted = row[_SCHEMA_WIDTH:]
    return StoredVersion(Subject(name, schema.context), version, schema, ts, deleted=bool(deleted))


def versions_of(rows: Sequence[Row]) -> list[StoredVersion]:
    """Give the versions that rows of SELECT_VERSION hold."""
    return [version for row in rows if (version := version_of(row))]


def content_values(content: Content) -> tuple[object, ...]:
    """Give a content's columns: guid, text, digest, descriptor, refers, metadata, rule_set, schema_type."""
    return (
        content.guid,
        content.text,
        digest_of(content.text),
        content.descriptor,
        json.dumps([reference.to_json() for reference in content.references]) if content.references else "",
        json.dumps(content.metadata.to_json()) if content.metadata is not None else None,
        json.dumps(content.rule_set.to_json()) if content.rule_set is not None else None,
        content.schema_type,
    )


def targets_of(context: str, content: Content) -> list[tuple[Subject, int]]:
    """Give the subjects and versions that a content of this context refers to."""
    return [(Subject.parse(item.subject, context=context), item.version) for item in content.references]


def digest_of(text: str) -> bytes:
    """Give what a text is found by."""
    return hashlib.sha256(text.encode()).digest()
