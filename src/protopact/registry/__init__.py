"""The language that registry clients and servers share: subjects, references, bodies, content hash, error table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.registry.answers import (
        AuditRecord,
        CompatibilityFinding,
        CompatibilityReport,
        ContextId,
        ServerId,
        ServerVersion,
        read_attributes,
    )
    from protopact.registry.bodies import PROTOBUF, RegisteredSchema, SchemaRequest, SubjectVersion
    from protopact.registry.catalog import CatalogTag, TagDefinition, item_problem
    from protopact.registry.config import Config
    from protopact.registry.content import content_guid
    from protopact.registry.content_types import CONTENT_TYPE, REQUEST_TYPES, RESPONSE_TYPES
    from protopact.registry.contracts import EntityTags, Metadata, Rule, RuleSet
    from protopact.registry.digests import REPR_DIGEST, is_whole, repr_digest
    from protopact.registry.jsons import JsonValue, read_json, write_json
    from protopact.registry.problems import Problem, error_body, error_from_reply, problem_of
    from protopact.registry.references import Reference, normal_references
    from protopact.registry.subject import DEFAULT_CONTEXT, NAME_BYTES_MAX, Subject, context_name, is_too_long
    from protopact.registry.versions import LATEST, VERSION_MAX, parse_version

__all__ = [
    "CONTENT_TYPE",
    "DEFAULT_CONTEXT",
    "LATEST",
    "NAME_BYTES_MAX",
    "PROTOBUF",
    "REPR_DIGEST",
    "REQUEST_TYPES",
    "RESPONSE_TYPES",
    "VERSION_MAX",
    "AuditRecord",
    "CatalogTag",
    "CompatibilityFinding",
    "CompatibilityReport",
    "Config",
    "ContextId",
    "EntityTags",
    "JsonValue",
    "Metadata",
    "Problem",
    "Reference",
    "RegisteredSchema",
    "Rule",
    "RuleSet",
    "SchemaRequest",
    "ServerId",
    "ServerVersion",
    "Subject",
    "SubjectVersion",
    "TagDefinition",
    "content_guid",
    "context_name",
    "error_body",
    "error_from_reply",
    "is_too_long",
    "is_whole",
    "item_problem",
    "normal_references",
    "parse_version",
    "problem_of",
    "read_attributes",
    "read_json",
    "repr_digest",
    "write_json",
]

__getattr__ = door(
    __name__,
    {
        "AuditRecord": "answers",
        "CONTENT_TYPE": "content_types",
        "CatalogTag": "catalog",
        "CompatibilityFinding": "answers",
        "CompatibilityReport": "answers",
        "Config": "config",
        "ContextId": "answers",
        "DEFAULT_CONTEXT": "subject",
        "EntityTags": "contracts",
        "JsonValue": "jsons",
        "LATEST": "versions",
        "Metadata": "contracts",
        "NAME_BYTES_MAX": "subject",
        "PROTOBUF": "bodies",
        "Problem": "problems",
        "REPR_DIGEST": "digests",
        "REQUEST_TYPES": "content_types",
        "RESPONSE_TYPES": "content_types",
        "Reference": "references",
        "RegisteredSchema": "bodies",
        "Rule": "contracts",
        "RuleSet": "contracts",
        "SchemaRequest": "bodies",
        "ServerId": "answers",
        "ServerVersion": "answers",
        "Subject": "subject",
        "SubjectVersion": "bodies",
        "TagDefinition": "catalog",
        "VERSION_MAX": "versions",
        "content_guid": "content",
        "context_name": "subject",
        "error_body": "problems",
        "error_from_reply": "problems",
        "is_too_long": "subject",
        "is_whole": "digests",
        "item_problem": "catalog",
        "normal_references": "references",
        "parse_version": "versions",
        "problem_of": "problems",
        "read_attributes": "answers",
        "read_json": "jsons",
        "repr_digest": "digests",
        "write_json": "jsons",
    },
)
