"""The routes of the registry, each with its call and the reader of its reply. Nothing here sends anything.

A reader raises RegistryError for a body that is not what the route promises.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from protopact.client.asks import (
    RETRIED,
    Ask,
    delete,
    get,
    id_segment,
    page,
    post,
    prefix,
    put,
    read_list,
    read_mode,
    read_nothing,
    read_number,
    read_numbers,
    read_text,
    read_texts,
    subject_segment,
    version_segment,
)
from protopact.errors import RegistryError
from protopact.registry import (
    LATEST,
    AuditRecord,
    CompatibilityReport,
    Config,
    ContextId,
    Metadata,
    RegisteredSchema,
    RuleSet,
    ServerId,
    ServerVersion,
    SubjectVersion,
    content_guid,
    context_name,
    parse_version,
    read_attributes,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from protopact.client.asks import Query
    from protopact.flow import Reply
    from protopact.registry import EntityTags, SchemaRequest

_SERIALIZED = "serialized"


def ping() -> Ask[None]:
    """GET /."""
    return Ask(get(""), read_nothing)


def get_types() -> Ask[list[str]]:
    """GET /schemas/types."""
    return Ask(get("schemas", "types"), read_texts)


# ── schemas ──────────────────────────────────────────────────────────────────────────────────────


def get_schemas(
    subject_prefix: str | None = None,
    *,
    deleted: bool = False,
    latest_only: bool = False,
    aliases: bool = False,
    rule_type: str | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> Ask[list[RegisteredSchema]]:
    """GET /schemas."""
    query = {
        "subjectPrefix": None if subject_prefix is None else prefix(subject_prefix),
        "deleted": deleted,
        "latestOnly": latest_only,
        "aliases": aliases,
        "ruleType": rule_type,
        **page(offset, limit),
    }
    return Ask(get("schemas", query=query), lambda reply: [RegisteredSchema.from_object(o) for o in read_list(reply)])


def get_schema_by_id(
    schema_id: int,
    *,
    subject: str | None = None,
    serialized: bool = False,
    text_format: str | None = None,
    find_tags: Iterable[str] = (),
    fetch_max_id: bool = False,
) -> Ask[RegisteredSchema]:
    """GET /schemas/ids/{id}; the reply must not be of another id, nor its text of another GUID than it says."""
    query = {
        "subject": _optional_subject(subject),
        "format": _SERIALIZED if serialized else text_format,
        "findTags": tuple(find_tags),
        "fetchMaxId": fetch_max_id,
    }

    def read(reply: Reply) -> RegisteredSchema:
        found = _schema_with_text(reply)
        _check_text(found, query["format"])
        if found.id not in {None, schema_id}:
            raise RegistryError(f"id {schema_id} was asked for and the answer holds {found.id}")
        return replace(found, id=schema_id)

    return Ask(get("schemas", "ids", id_segment(schema_id), query=query), read, _retried(serialized=serialized))


def get_schema_text(schema_id: int, *, subject: str | None = None, text_format: str | None = None) -> Ask[str]:
    """GET /schemas/ids/{id}/schema."""
    query = {"subject": _optional_subject(subject), "format": text_format}
    return Ask(get("schemas", "ids", id_segment(schema_id), "schema", query=query), read_text)


def get_subjects_for_schema(
    schema_id: int, *, subject: str | None = None, deleted: bool = False, offset: int = 0, limit: int | None = None
) -> Ask[list[str]]:
    """GET /schemas/ids/{id}/subjects."""
    query = {"subject": _optional_subject(subject), "deleted": deleted, **page(offset, limit)}
    return Ask(get("schemas", "ids", id_segment(schema_id), "subjects", query=query), read_texts)


def get_versions_for_schema(
    schema_id: int, *, subject: str | None = None, deleted: bool = False, offset: int = 0, limit: int | None = None
) -> Ask[list[SubjectVersion]]:
    """GET /schemas/ids/{id}/versions."""
    query = {"subject": _optional_subject(subject), "deleted": deleted, **page(offset, limit)}

    def read(reply: Reply) -> list[SubjectVersion]:
        return [SubjectVersion.from_object(item) for item in read_list(reply)]

    return Ask(get("schemas", "ids", id_segment(schema_id), "versions", query=query), read)


def get_schema_by_guid(guid: str, *, text_format: str | None = None) -> Ask[RegisteredSchema]:
    """GET /schemas/guids/{guid}; the content of the reply must be the one whose hash the GUID is."""

    def read(reply: Reply) -> RegisteredSchema:
        found = _schema_with_text(reply)
        if (found.guid or guid).lower() != guid.lower() or not (text_format or _has_guid(found, guid)):
            raise RegistryError(f"GUID {guid} was asked for and the answer holds another content")
        return replace(found, guid=guid)

    return Ask(get("schemas", "guids", guid, query={"format": text_format}), read)


def get_ids_for_guid(guid: str) -> Ask[list[ContextId]]:
    """GET /schemas/guids/{guid}/ids."""
    return Ask(
        get("schemas", "guids", guid, "ids"),
        lambda reply: [ContextId.from_object(item) for item in read_list(reply)],
    )


# ── subjects and versions ────────────────────────────────────────────────────────────────────────


def get_subjects(
    subject_prefix: str | None = None,
    *,
    deleted: bool = False,
    deleted_only: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> Ask[list[str]]:
    """GET /subjects; without a prefix the subjects of every context."""
    query = {
        "subjectPrefix": None if subject_prefix is None else prefix(subject_prefix),
        "deleted": deleted,
        "deletedOnly": deleted_only,
        **page(offset, limit),
    }
    return Ask(get("subjects", query=query), read_texts)


def lookup(
    subject: str, request: SchemaRequest, *, normalize: bool = False, deleted: bool = False
) -> Ask[RegisteredSchema]:
    """POST /subjects/{subject}."""
    query = {"normalize": normalize, "deleted": deleted}
    call = post(request.to_json(), "subjects", subject_segment(subject), query=query)
    return Ask(call, lambda reply: _registered(reply, subject, request))


def delete_subject(subject: str, *, permanent: bool = False) -> Ask[list[int]]:
    """DELETE /subjects/{subject}."""
    call = delete("subjects", subject_segment(subject), query={"permanent": permanent})
    return Ask(call, read_numbers, done={40401 if permanent else 40404: []})


def get_versions(
    subject: str,
    *,
    deleted: bool = False,
    deleted_only: bool = False,
    deleted_as_negative: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> Ask[list[int]]:
    """GET /subjects/{subject}/versions."""
    query = {
        "deleted": deleted,
        "deletedOnly": deleted_only,
        "deletedAsNegative": deleted_as_negative,
        **page(offset, limit),
    }
    return Ask(get("subjects", subject_segment(subject), "versions", query=query), read_numbers)


def register(
    subject: str, request: SchemaRequest, *, normalize: bool = False, force: bool = False
) -> Ask[RegisteredSchema]:
    """POST /subjects/{subject}/versions. Registering twice gives one id, so it may be tried again."""
    query = {"normalize": normalize, "force": force}
    call = post(request.to_json(), "subjects", subject_segment(subject), "versions", query=query)
    return Ask(call, lambda reply: _registered(reply, subject, request))


def get_version(
    subject: str,
    version: int | str,
    *,
    deleted: bool = False,
    serialized: bool = False,
    text_format: str | None = None,
    find_tags: Iterable[str] = (),
) -> Ask[RegisteredSchema]:
    """GET /subjects/{subject}/versions/{version}; the reply must be of that version."""
    number = parse_version(str(version))
    query = {
        "deleted": deleted,
        "format": _SERIALIZED if serialized else text_format,
        "findTags": tuple(find_tags),
    }

    def read(reply: Reply) -> RegisteredSchema:
        found = _schema_with_text(reply)
        _check_text(found, query["format"])
        if number not in {LATEST, found.version or number}:
            raise RegistryError(f"version {number} was asked for and the answer holds {found.version}")
        return replace(found, subject=found.subject or subject)

    return Ask(get(*_version(subject, version), query=query), read, _retried(serialized=serialized))


def get_version_text(
    subject: str, version: int | str, *, deleted: bool = False, text_format: str | None = None
) -> Ask[str]:
    """GET /subjects/{subject}/versions/{version}/schema."""
    query = {"deleted": deleted, "format": text_format}
    return Ask(get(*_version(subject, version), "schema", query=query), read_text)


def referenced_by(
    subject: str, version: int | str, *, deleted: bool = False, offset: int = 0, limit: int | None = None
) -> Ask[list[int]]:
    """GET /subjects/{subject}/versions/{version}/referencedby."""
    query = {"deleted": deleted, **page(offset, limit)}
    return Ask(get(*_version(subject, version), "referencedby", query=query), read_numbers)


def delete_version(subject: str, version: int, *, permanent: bool = False) -> Ask[int]:
    """DELETE /subjects/{subject}/versions/{version}; never of the newest, which after a lost answer is another one."""
    call = delete(*_version(subject, version), query={"permanent": permanent})
    gone = {40401: version, 40402: version} if permanent else {40406: version}
    return Ask(call, read_number, done=gone)


def tag_schema(
    subject: str,
    version: int | str,
    *,
    new_version: int | None = None,
    add: Iterable[EntityTags] = (),
    remove: Iterable[EntityTags] = (),
    metadata: Metadata | None = None,
    rule_set: RuleSet | None = None,
    rules_to_merge: RuleSet | None = None,
    rules_to_remove: Iterable[str] = (),
) -> Ask[RegisteredSchema]:
    """POST /subjects/{subject}/versions/{version}/tags."""
    body = {
        "newVersion": new_version,
        "tagsToAdd": [tags.to_json() for tags in add],
        "tagsToRemove": [tags.to_json() for tags in remove],
        "metadata": metadata.to_json() if metadata else None,
        "ruleSet": rule_set.to_json() if rule_set else None,
        "rulesToMerge": rules_to_merge.to_json() if rules_to_merge else None,
        "rulesToRemove": list(rules_to_remove),
    }
    data = write_json({name: value for name, value in body.items() if value})

    def read(reply: Reply) -> RegisteredSchema:
        found = RegisteredSchema.from_json(reply.body)
        return replace(found, subject=found.subject or subject)

    return Ask(post(data, *_version(subject, version), "tags"), read)


def get_latest_with_metadata(
    subject: str, properties: Mapping[str, str], *, deleted: bool = False, text_format: str | None = None
) -> Ask[RegisteredSchema]:
    """GET /subjects/{subject}/metadata."""
    query: Query = {
        "key": tuple(properties),
        "value": tuple(properties.values()),
        "deleted": deleted,
        "format": text_format,
    }

    def read(reply: Reply) -> RegisteredSchema:
        found = _schema_with_text(reply)
        return replace(found, subject=found.subject or subject)

    return Ask(get("subjects", subject_segment(subject), "metadata", query=query), read)


# ── compatibility, config, mode ──────────────────────────────────────────────────────────────────


def check_compatibility(
    subject: str,
    request: SchemaRequest,
    *,
    version: int | str | None = "latest",
    normalize: bool = False,
    verbose: bool = True,
) -> Ask[CompatibilityReport]:
    """POST /compatibility/subjects/{subject}/versions/{version}, or without a version against all that count."""
    segments = ["compatibility", "subjects", subject_segment(subject), "versions"]
    if version is not None:
        segments.append(version_segment(version))
    call = post(request.to_json(), *segments, query={"normalize": normalize, "verbose": verbose})
    return Ask(call, lambda reply: CompatibilityReport.from_json(reply.body))


def get_config(subject: str | None = None, *, default_to_global: bool = False) -> Ask[Config]:
    """GET /config, GET /config/{subject}."""
    return Ask(get(*_scope("config", subject), query={"defaultToGlobal": default_to_global}), _config)


def set_config(config: Config, subject: str | None = None, *, clear: Iterable[str] = ()) -> Ask[Config]:
    """PUT /config, PUT /config/{subject}."""
    return Ask(put(config.update_json(clear), *_scope("config", subject)), _config)


def delete_config(subject: str | None = None) -> Ask[Config]:
    """DELETE /config, DELETE /config/{subject}."""
    return Ask(delete(*_scope("config", subject)), _config, done={40401: Config()})


def get_mode(subject: str | None = None, *, default_to_global: bool = False) -> Ask[str | None]:
    """GET /mode, GET /mode/{subject}."""
    return Ask(get(*_scope("mode", subject), query={"defaultToGlobal": default_to_global}), read_mode)


def set_mode(mode: str, subject: str | None = None, *, force: bool = False) -> Ask[str | None]:
    """PUT /mode, PUT /mode/{subject}."""
    return Ask(put(write_json({"mode": mode}), *_scope("mode", subject), query={"force": force}), read_mode)


def delete_mode(subject: str | None = None, *, recursive: bool = False) -> Ask[str | None]:
    """DELETE /mode, DELETE /mode/{subject}."""
    return Ask(delete(*_scope("mode", subject), query={"recursive": recursive}), read_mode, done={40401: None})


# ── contexts, the server itself ──────────────────────────────────────────────────────────────────


def get_contexts(context_prefix: str | None = None, *, offset: int = 0, limit: int | None = None) -> Ask[list[str]]:
    """GET /contexts."""
    return Ask(get("contexts", query={"contextPrefix": context_prefix, **page(offset, limit)}), read_texts)


def delete_context(context: str) -> Ask[None]:
    """DELETE /contexts/{context}."""
    return Ask(delete("contexts", context_name(context)), read_nothing, done={40401: None})


def get_server_id() -> Ask[ServerId]:
    """GET /v1/metadata/id."""
    return Ask(get("v1", "metadata", "id"), lambda reply: ServerId.from_json(reply.body))


def get_server_version() -> Ask[ServerVersion]:
    """GET /v1/metadata/version."""
    return Ask(get("v1", "metadata", "version"), lambda reply: ServerVersion.from_json(reply.body))


def get_audit(*, before: int | None = None, limit: int | None = None) -> Ask[list[AuditRecord]]:
    """GET /audit, which is protopact's own."""
    query = {"before": before, "limit": limit}
    return Ask(get("audit", query=query), lambda reply: [AuditRecord.from_object(item) for item in read_list(reply)])


def get_deployment() -> Ask[tuple[str, ...]]:
    """GET /v1/metadata/deployment."""
    return Ask(get("v1", "metadata", "deployment"), lambda reply: read_attributes(reply.body))


# ── parts of routes ──────────────────────────────────────────────────────────────────────────────


def _version(subject: str, version: int | str) -> tuple[str, ...]:
    return "subjects", subject_segment(subject), "versions", version_segment(version)


def _scope(kind: str, subject: str | None) -> tuple[str, ...]:
    return (kind,) if subject is None else (kind, subject_segment(subject))


def _optional_subject(subject: str | None) -> str | None:
    return None if subject is None else subject_segment(subject)


def _retried(*, serialized: bool) -> frozenset[int]:
    # Karapace answers 500 to `format=serialized` and always will: the text is asked for instead.
    return RETRIED - {500, 501} if serialized else RETRIED


def _config(reply: Reply) -> Config:
    return Config.from_json(reply.body)


def _registered(reply: Reply, subject: str, request: SchemaRequest) -> RegisteredSchema:
    found = RegisteredSchema.from_json(reply.body)
    if found.id is None:
        raise RegistryError("the answer holds no id")
    return replace(
        found,
        subject=found.subject or subject,
        schema_type=request.schema_type,
        schema=found.schema or request.schema,
        references=found.references or request.references,
    )


def _check_text(found: RegisteredSchema, text_format: object) -> None:
    """Refuse a text that is not the one whose hash the answer tells.

    References, metadata and rules are part of the hash, and registries show them in other words than they keep them:
    an answer with any of them is not judged.
    """
    if found.guid is None or text_format or found.references or found.metadata or found.rule_set:
        return
    if not _has_guid(found, found.guid):
        raise RegistryError(f"the answer's text is not the one whose GUID it tells, {found.guid}")


def _has_guid(found: RegisteredSchema, guid: str) -> bool:
    """Tell whether the content of an answer has this hash; it does not tell apart what is empty and what is absent."""
    return guid.lower() in {
        content_guid(found.schema, found.references, metadata, rule_set)
        for metadata in ([found.metadata] if found.metadata else [None, Metadata()])
        for rule_set in ([found.rule_set] if found.rule_set else [None, RuleSet()])
    }


def _schema_with_text(reply: Reply) -> RegisteredSchema:
    found = RegisteredSchema.from_json(reply.body)
    if not found.schema:
        raise RegistryError("the answer holds no schema")
    return found
