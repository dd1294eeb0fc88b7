"""The shapes of bodies: what is sent and answered, as JSON Schema, under the names that the description gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from protopact.registry import VERSION_MAX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.registry import JsonValue

Shape: TypeAlias = "dict[str, JsonValue]"
"""A JSON Schema."""

SCHEMA_EXAMPLE = 'syntax = "proto3";\n\nmessage Order {\n  int64 id = 1;\n}\n'


def named(name: str) -> Shape:
    """Give a reference to one of SHAPES."""
    return {"$ref": f"#/components/schemas/{name}"}


def list_of(item: Shape) -> Shape:
    """Give the shape of a list."""
    return {"type": "array", "items": item}


def text(description: str = "", **more: JsonValue) -> Shape:
    """Give the shape of a text."""
    return _told({"type": "string", **more}, description)


def flag(description: str = "", **more: JsonValue) -> Shape:
    """Give the shape of a boolean."""
    return _told({"type": "boolean", **more}, description)


def number(description: str = "", *, minimum: int = 1, maximum: int = VERSION_MAX, **more: JsonValue) -> Shape:
    """Give the shape of a whole number of 32 bits, or up to `maximum`."""
    size = "int32" if maximum <= VERSION_MAX else "int64"
    return _told({"type": "integer", "format": size, "minimum": minimum, "maximum": maximum, **more}, description)


def one_of(*words: str, description: str = "") -> Shape:
    """Give the shape of a text that is one of a few words."""
    return _told({"type": "string", "enum": list(words)}, description)


def or_null(shape: Shape) -> Shape:
    """Give the shape of a value that may be null."""
    return {**shape, "type": [shape["type"], "null"]} if "type" in shape else {"anyOf": [shape, {"type": "null"}]}


def fields(required: tuple[str, ...] = (), /, **properties: Shape) -> Shape:
    """Give the shape of an object; unknown fields of a request are ignored."""
    shape: Shape = {"type": "object", "properties": dict(properties)}
    return {**shape, "required": list(required)} if required else shape


def _map_of(value: Shape) -> Shape:
    return {"type": "object", "additionalProperties": value}


def _told(shape: Shape, description: str) -> Shape:
    return {**shape, "description": description} if description else shape


INSTANT = number("milliseconds since 1970", minimum=0, maximum=2**63 - 1)
LEVEL = one_of("NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE")
MODE = one_of("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", "FORWARD")
_SCHEMA_TYPE = one_of(
    "PROTOBUF",
    "AVRO",
    "JSON",
    description="AVRO where none is said. Schemas of other types than PROTOBUF are only taken in, with their id, where"
    " the mode is IMPORT",
)
_TEXT = text("the `.proto` text, or base64 of a FileDescriptorProto", examples=[SCHEMA_EXAMPLE])
_CONTRACT = {"metadata": named("Metadata"), "ruleSet": named("RuleSet")}
_KEPT = {
    "guid": text("the hash of the content", format="uuid"),
    "schemaType": _SCHEMA_TYPE,
    "references": list_of(named("Reference")),
    **_CONTRACT,
    "schema": text("the canonical text, or what `format` asks for"),
    "schemaTags": list_of(named("EntityTags")),
    "ts": INSTANT,
    "deleted": flag("true for a soft-deleted version"),
}
_CONFIG = {
    "alias": text("the subject that stands for this one"),
    "aliasForDeks": text("the same for data encryption keys: kept, and not acted on"),
    "normalize": flag("whether schemas are normalized"),
    "validateFields": flag("whether fields that `confluent:reserved` names are refused"),
    "validateNewSchemas": flag("whether references must be to live versions; true where nothing is said"),
    "validateRules": flag("whether rules that could do nothing are refused"),
    "compatibilityPolicy": one_of(
        "STRICT", "LENIENT", "LOGICAL", description="kept; it is about other types of schema than Protobuf"
    ),
    "compatibilityGroup": text("the metadata property whose value parts the versions that are compared"),
    "breakingPolicy": one_of(
        "confluent", "wire", "wire_json", "source", description="protopact's own: what counts as incompatible"
    ),
    "defaultMetadata": named("Metadata"),
    "overrideMetadata": named("Metadata"),
    "defaultRuleSet": named("RuleSet"),
    "overrideRuleSet": named("RuleSet"),
}

_NAME = text(minLength=1, maxLength=256)
_TAG_DEFINITION: dict[str, Shape] = {
    "name": _NAME,
    "description": text(),
    "entityTypes": list_of({}),
    "attributeDefs": list_of({}),
    "superTypes": list_of({}),
}
_ENTITY_TAG: dict[str, Shape] = {
    "typeName": {**_NAME, "description": "the tag"},
    "entityType": {**_NAME, "description": "such as `sr_field`"},
    "entityName": {**_NAME, "description": "the qualified name"},
    "attributes": {"type": "object"},
    "propagate": flag(),
    "validityPeriods": list_of({}),
}

SHAPES: Mapping[str, Shape] = {
    "Error": fields(
        ("error_code", "message"),
        error_code={"type": "integer", "description": "the status, or the status and two digits"},
        message=text("what is wrong, on one line"),
    ),
    "Nothing": {"type": "object", "maxProperties": 0},
    "Live": fields(("status",), status=one_of("live")),
    "Ready": fields(
        ("status", "writes"),
        status=one_of("ready"),
        writes=one_of("accepted", "failing", description="what became of the last write: a store may be full"),
    ),
    "Reference": fields(
        ("name", "subject", "version"),
        name=text("the path by which the schema imports it"),
        subject=text("where it is kept"),
        version={"type": "integer", "format": "int32", "description": "-1 means the newest"},
    ),
    "Metadata": fields(
        tags=_map_of(list_of(text())),
        properties=_map_of(text()),
        sensitive=list_of(text()),
    ),
    "Rule": fields(
        name=text("unique in its rule set", pattern="^[A-Za-z_][A-Za-z0-9_-]*$", maxLength=256),
        doc=text(),
        kind=one_of("TRANSFORM", "CONDITION", description="TRANSFORM where none is said"),
        mode=one_of(
            "UPGRADE", "DOWNGRADE", "UPDOWN", "WRITE", "READ", "WRITEREAD", description="WRITEREAD where none is said"
        ),
        type=text("who runs it, such as CEL"),
        tags=list_of(text()),
        params=_map_of(text()),
        expr=text(),
        onSuccess=text(),
        onFailure=text(),
        disabled=flag(),
    ),
    "RuleSet": fields(
        migrationRules=list_of(named("Rule")),
        domainRules=list_of(named("Rule")),
        encodingRules=list_of(named("Rule")),
        enableAt=text(),
    ),
    "EntityTags": fields(
        ("schemaEntity", "tags"),
        schemaEntity=fields(
            ("entityPath", "entityType"),
            entityPath=text("such as `Order.customer`, without the package"),
            entityType=one_of("sr_record", "sr_field"),
        ),
        tags=list_of(text()),
    ),
    "SchemaRequest": fields(
        schema=_TEXT,
        schemaType=_SCHEMA_TYPE,
        references=list_of(named("Reference")),
        **_CONTRACT,
        version=number("must be the next version; 0 and -1 say nothing", minimum=-1),
        id=number("the id that the schema has, where the mode is IMPORT", minimum=-1),
        schemaTagsToAdd=list_of(named("EntityTags")),
        schemaTagsToRemove=list_of(named("EntityTags")),
        propagateSchemaTags=flag("whether it gets the tags of the newest version, where it has the same entities"),
    ),
    "TagRequest": fields(
        newVersion=number("must be the next version; 0 and -1 say nothing", minimum=-1),
        tagsToAdd=list_of(named("EntityTags")),
        tagsToRemove=list_of(named("EntityTags")),
        **_CONTRACT,
        rulesToMerge=named("RuleSet"),
        rulesToRemove=list_of(text()),
    ),
    "Registered": fields(("id", "guid"), id=number(), version=number(), **_KEPT),
    "Schema": fields(("subject", "version", "id", "guid"), subject=text(), version=number(), id=number(), **_KEPT),
    "SchemaOfId": fields(
        ("guid",),
        subject=text("where `subject` asks for it"),
        version=number("with the subject"),
        maxId=number("the highest id of the context, where `fetchMaxId` asks for it"),
        **_KEPT,
    ),
    "ListedSchema": fields(
        ("subject", "version", "id", "guid"),
        subject=text(),
        version=number(),
        id=number(),
        aliases=list_of(text("a subject that stands for this one, where `aliases` asks for it")),
        **_KEPT,
    ),
    "SubjectVersion": fields(("subject", "version"), subject=text(), version=number()),
    "ContextId": fields(("context", "id"), context=text(), id=number()),
    "Compatibility": fields(
        ("is_compatible",), is_compatible=flag(), messages=list_of(text("why not, where `verbose` asks for it"))
    ),
    "Config": fields(compatibilityLevel=LEVEL, **_CONFIG),
    "ConfigUpdate": fields(compatibility=LEVEL, **_CONFIG),
    "ConfigRequest": {
        "description": "Fields that are absent stay as they are, null clears one",
        **fields(
            compatibility=or_null(text("a level, in small or capital letters", examples=["BACKWARD", "full"])),
            **{name: or_null(shape) for name, shape in _CONFIG.items()},
        ),
    },
    "ModeRequest": fields(("mode",), mode=MODE),
    "Mode": fields(mode=MODE),
    "TagDefinition": fields(("name",), **_TAG_DEFINITION),
    "KnownTagDefinition": fields(
        **(_TAG_DEFINITION | {"name": text()}),
        category=text(),
        guid=text(format="uuid"),
        createTime=INSTANT,
        updateTime=INSTANT,
        version=number(),
        typeVersion=text(),
        error=named("Error"),
    ),
    "EntityTag": fields(("typeName", "entityType", "entityName"), **_ENTITY_TAG),
    "KnownEntityTag": fields(
        **(_ENTITY_TAG | {"typeName": text(), "entityType": text(), "entityName": text()}),
        entityStatus=text(),
        error=named("Error"),
    ),
    "AuditEntry": fields(
        ("number", "ts", "who", "what", "subject", "detail"),
        number=number(maximum=2**63 - 1),
        ts=INSTANT,
        who=text(),
        what=text(),
        subject=text("a subject, or a whole context such as `:.eu:`; empty for the default one"),
        detail={"type": "object"},
    ),
    "ServerId": fields(
        ("scope", "id"),
        scope=fields(
            ("path", "clusters"),
            path=list_of(text()),
            clusters=_map_of(text()),
        ),
        id=text(),
    ),
    "ServerVersion": fields(version=text(), commitId=text()),
    "Deployment": fields(("attributes",), attributes=list_of(text())),
}
"""Every body, by name."""
