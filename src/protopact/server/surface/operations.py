"""What each route takes and gives: query, body, reply, and the error codes of its own. One table, for the description.

What follows from a path, a parameter or a body is said with that parameter or body, and not with every route.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from protopact.registry import VERSION_MAX
from protopact.server.surface.shapes import SCHEMA_EXAMPLE, flag, list_of, named, number, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.registry import JsonValue
    from protopact.server.surface.shapes import Shape

_NUMBER_MAX = 10**18 - 1


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a path or a query; a repeated one may come several times.

    `codes` are the error codes that its value can be answered with.
    """

    shape: Shape
    codes: tuple[int, ...] = ()
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One route's part: the shape of its reply, None for a reply without a body, PLAIN for one that is no JSON.

    `body` is the shape of what is sent, and `example` such a value. `codes` are the error codes of its own.
    `media_types` are the reply's, where they are not the dialect's.
    """

    reply: Shape | None
    query: tuple[str, ...] = ()
    body: Shape | None = None
    example: JsonValue = None
    codes: tuple[int, ...] = ()
    media_types: tuple[str, ...] = ()


PLAIN: Shape = {}
"""The shape of a reply that is a text and no JSON."""

PATH_PARAMETERS: Mapping[str, Parameter] = {
    "context": Parameter(text("A context's name, with its full stop or without", examples=[".eu"]), (42208,)),
    "guid": Parameter(text("The hash of a content", examples=["d41d8cd9-8f00-b204-e980-0998ecf8427e"])),
    "id": Parameter(number("A schema's id", examples=[1]), (404,)),
    "name": Parameter(text("An entity's qualified name")),
    "subject": Parameter(
        text("A subject's name; `:.ctx:name` in another context than the default one", examples=["orders-value"]),
        (42208,),
    ),
    "tag": Parameter(text("A tag's name", examples=["PII"])),
    "type": Parameter(text("An entity's type, such as `sr_field`", examples=["sr_field"])),
    "version": Parameter(
        {
            "description": "A version's number; `latest` and -1 mean the newest",
            "anyOf": [number(), {"type": "string", "enum": ["latest", "-1"]}],
            "examples": ["latest"],
        },
        (42202,),
    ),
}
"""The named parts of paths."""

QUERY_PARAMETERS: Mapping[str, Parameter] = {
    "aliases": Parameter(flag("Also which subjects stand for them")),
    "before": Parameter(number("Only entries of a lower number", minimum=0, maximum=_NUMBER_MAX)),
    "contextPrefix": Parameter(text("The start of the names")),
    "defaultToGlobal": Parameter(flag("What holds there, wherever it is set")),
    "deleted": Parameter(flag("Soft-deleted ones too")),
    "deletedAsNegative": Parameter(flag("Soft-deleted versions as negative numbers")),
    "deletedOnly": Parameter(flag("Soft-deleted ones only")),
    "fetchMaxId": Parameter(flag("Also the highest id of the context")),
    "findTags": Parameter(text("Also what has one of these tags in the schema; `*` means all"), repeated=True),
    "force": Parameter(flag("Whatever speaks against it")),
    "format": Parameter(
        text(
            "`serialized` for base64 of the FileDescriptorProto, `ignore_extensions` for a text without extensions;"
            " anything else means the canonical text",
            examples=["serialized", "ignore_extensions"],
        )
    ),
    "key": Parameter(
        text("The name of a metadata property; its value is the `value` of the same place"), repeated=True
    ),
    "latestOnly": Parameter(flag("Only the newest version of each subject")),
    "limit": Parameter(number("At most so many; 0 or less means all", minimum=-VERSION_MAX), (404,)),
    "normalize": Parameter(flag("Bring the schema into its normal form first")),
    "offset": Parameter(number("Leave out so many; less than 0 means none", minimum=-VERSION_MAX), (404,)),
    "permanent": Parameter(flag("For good; what was soft-deleted before")),
    "prefix": Parameter(text("The start of the names")),
    "recursive": Parameter(flag("Also those of the subjects in it")),
    "referenceFormat": Parameter(text("`qualified` for references with their context", examples=["qualified"])),
    "ruleType": Parameter(text("Only schemas that have a rule of this type")),
    "subject": Parameter(text("The subject that is to hold it; `:.ctx:` means a context"), (42208,)),
    "subjectPrefix": Parameter(
        text("The start of the names; `:.ctx:` asks for a context, `:*:` for all of them"), (42208,)
    ),
    "value": Parameter(text("A value"), repeated=True),
    "verbose": Parameter(flag("Also why not; a schema that is none is then incompatible, and no error")),
}
"""The parameters of queries."""

CODES: Mapping[int, str] = {
    400: "what was sent cannot be read: no JSON, no UTF-8, or of a wrong type",
    401: "nobody that is known",
    403: "not allowed to whoever asks",
    404: "no such path, or no number where one belongs",
    406: "none of the accepted media types can be given",
    408: "the request took too long to arrive",
    409: "the schema is incompatible with an earlier one",
    413: "the body is too long",
    415: "the body's media type is unknown, or the body is compressed",
    422: "the body is missing or null",
    431: "the request's head is too long",
    500: "an internal error",
    503: "too busy, or the store does not answer: try again",
    40401: "the subject is unknown",
    40402: "the subject has no such version",
    40403: "there is no such schema",
    40404: "the subject was soft-deleted before",
    40405: "the subject is not soft-deleted yet",
    40406: "the version was soft-deleted before",
    40407: "the version is not soft-deleted yet",
    40408: "the subject has no config of its own",
    40409: "the subject has no mode of its own",
    40901: "the schema is incompatible with an earlier one, where the registry is set to this code",
    42201: "the schema, its type or a reference is not valid",
    42202: "the version is no number from 1 to 2^31-1, and not `latest`",
    42203: "the compatibility level or policy is unknown",
    42204: "the mode is unknown",
    42205: "the mode does not permit it, or an id stands for something else",
    42206: "another schema refers to it",
    42208: "the name of the subject or the context is not valid",
    42210: "the rules make no sense",
    42211: "the context is not empty",
    50001: "the store failed",
}
"""Every error code, and what it says."""

CODES_OF_ALL = (400, 401, 403, 406, 408, 413, 415, 431, 500, 503, 50001)
"""What any call can be answered with."""

CODES_OF_GUARDS = frozenset({401, 403})
"""What a call is answered with for whoever sends it."""

CODES_OF_BODIES = (422,)
"""What a call with a body can be answered with."""

_PAGING = ("offset", "limit")
_VIEW = ("format", "referenceFormat", "findTags")
_TEXTS = list_of(text())
_NUMBERS = list_of({"type": "integer", "format": "int32"})
_SCHEMA: JsonValue = {"schemaType": "PROTOBUF", "schema": SCHEMA_EXAMPLE}
_PLACE = (40401, 40402)
_UNKNOWN_ID = (40403,)
_REGISTRATION = (409, 40901, 42201, 42205, 42210)
_DEFINITIONS = list_of(named("KnownTagDefinition"))
_ENTITY_TAGS = list_of(named("KnownEntityTag"))


def _reading(reply: Shape, *query: str, codes: tuple[int, ...] = ()) -> Operation:
    return Operation(reply, query, codes=codes)


_TAGGING = Operation(
    _ENTITY_TAGS,
    body=list_of(named("EntityTag")),
    example=[{"typeName": "PII", "entityType": "sr_field", "entityName": "lsrc:.:1:Order.id"}],
)


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("GET", "/"): _reading(named("Nothing")),
    ("POST", "/"): _reading(named("Nothing")),
    ("GET", "/health/live"): _reading(named("Live")),
    ("GET", "/health/ready"): _reading(named("Ready")),
    ("GET", "/metrics"): Operation(PLAIN, codes=(404,), media_types=("text/plain", "application/openmetrics-text")),
    ("GET", "/openapi.json"): Operation({"type": "object"}, media_types=("application/json",)),
    ("GET", "/audit"): _reading(list_of(named("AuditEntry")), "before", "limit"),
    ("GET", "/contexts"): _reading(_TEXTS, "contextPrefix", *_PAGING),
    ("DELETE", "/contexts/{context}"): Operation(None, codes=(40401, 42205, 42211)),
    ("GET", "/schemas"): _reading(
        list_of(named("ListedSchema")),
        *("subjectPrefix", "aliases", "deleted", "latestOnly", "ruleType"),
        *_PAGING,
        *_VIEW,
    ),
    ("GET", "/schemas/types"): _reading(_TEXTS),
    ("GET", "/schemas/ids/{id}"): _reading(named("SchemaOfId"), "subject", "fetchMaxId", *_VIEW, codes=_UNKNOWN_ID),
    ("GET", "/schemas/ids/{id}/schema"): _reading(PLAIN, "subject", "format", codes=_UNKNOWN_ID),
    ("GET", "/schemas/ids/{id}/subjects"): _reading(_TEXTS, "subject", "deleted", *_PAGING, codes=_UNKNOWN_ID),
    ("GET", "/schemas/ids/{id}/versions"): _reading(
        list_of(named("SubjectVersion")), "subject", "deleted", *_PAGING, codes=_UNKNOWN_ID
    ),
    ("GET", "/schemas/guids/{guid}"): _reading(named("SchemaOfId"), *_VIEW, codes=_UNKNOWN_ID),
    ("GET", "/schemas/guids/{guid}/ids"): _reading(list_of(named("ContextId"))),
    ("GET", "/subjects"): _reading(_TEXTS, "subjectPrefix", "deleted", "deletedOnly", *_PAGING),
    ("POST", "/subjects/{subject}"): Operation(
        named("Schema"),
        ("normalize", "deleted", *_VIEW),
        named("SchemaRequest"),
        _SCHEMA,
        (40401, 40403, 42201),
    ),
    ("DELETE", "/subjects/{subject}"): _reading(_NUMBERS, "permanent", codes=(40401, 40404, 40405, 42205, 42206)),
    ("GET", "/subjects/{subject}/metadata"): _reading(
        named("Schema"), "key", "value", "deleted", *_VIEW, codes=(40401, 40403)
    ),
    ("GET", "/subjects/{subject}/versions"): _reading(
        _NUMBERS, "deleted", "deletedOnly", "deletedAsNegative", *_PAGING, codes=(40401,)
    ),
    ("POST", "/subjects/{subject}/versions"): Operation(
        named("Registered"), ("normalize", "force", *_VIEW), named("SchemaRequest"), _SCHEMA, _REGISTRATION
    ),
    ("GET", "/subjects/{subject}/versions/{version}"): _reading(named("Schema"), "deleted", *_VIEW, codes=_PLACE),
    ("DELETE", "/subjects/{subject}/versions/{version}"): _reading(
        number(), "permanent", codes=(*_PLACE, 40406, 40407, 42205, 42206)
    ),
    ("GET", "/subjects/{subject}/versions/{version}/schema"): _reading(PLAIN, "deleted", "format", codes=_PLACE),
    ("GET", "/subjects/{subject}/versions/{version}/referencedby"): _reading(
        _NUMBERS, "deleted", *_PAGING, codes=_PLACE
    ),
    ("POST", "/subjects/{subject}/versions/{version}/tags"): Operation(
        named("Registered"),
        _VIEW,
        named("TagRequest"),
        {"tagsToAdd": [{"schemaEntity": {"entityPath": "Order.id", "entityType": "sr_field"}, "tags": ["PII"]}]},
        (*_PLACE, *_REGISTRATION),
    ),
    ("POST", "/compatibility/subjects/{subject}/versions"): Operation(
        named("Compatibility"), ("normalize", "verbose"), named("SchemaRequest"), _SCHEMA, (42201,)
    ),
    ("POST", "/compatibility/subjects/{subject}/versions/{version}"): Operation(
        named("Compatibility"), ("normalize", "verbose"), named("SchemaRequest"), _SCHEMA, (40402, 42201)
    ),
    ("GET", "/config"): _reading(named("Config"), "defaultToGlobal"),
    ("PUT", "/config"): Operation(
        named("ConfigUpdate"), (), named("ConfigRequest"), {"compatibility": "FULL"}, (42203, 42205, 42208, 42210)
    ),
    ("DELETE", "/config"): _reading(named("Config"), codes=(42205,)),
    ("GET", "/config/{subject}"): _reading(named("Config"), "defaultToGlobal", codes=(40408,)),
    ("PUT", "/config/{subject}"): Operation(
        named("ConfigUpdate"), (), named("ConfigRequest"), {"compatibility": "FULL"}, (42203, 42205, 42210)
    ),
    ("DELETE", "/config/{subject}"): _reading(named("Config"), codes=(40401, 42205)),
    ("GET", "/mode"): _reading(named("Mode"), "defaultToGlobal"),
    ("PUT", "/mode"): Operation(
        named("Mode"), ("force",), named("ModeRequest"), {"mode": "READWRITE"}, (42204, 42205, 42206)
    ),
    ("DELETE", "/mode"): _reading(named("Mode"), "recursive", codes=(40401, 42205)),
    ("GET", "/mode/{subject}"): _reading(named("Mode"), "defaultToGlobal", codes=(40409,)),
    ("PUT", "/mode/{subject}"): Operation(
        named("Mode"), ("force",), named("ModeRequest"), {"mode": "READWRITE"}, (42204, 42205, 42206)
    ),
    ("DELETE", "/mode/{subject}"): _reading(named("Mode"), "recursive", codes=(40401, 42205)),
    ("GET", "/v1/metadata/id"): _reading(named("ServerId")),
    ("GET", "/v1/metadata/version"): _reading(named("ServerVersion")),
    ("GET", "/v1/metadata/deployment"): _reading(named("Deployment")),
    ("GET", "/catalog/v1/types/tagdefs"): _reading(_DEFINITIONS, "prefix"),
    ("POST", "/catalog/v1/types/tagdefs"): Operation(
        _DEFINITIONS, (), list_of(named("TagDefinition")), [{"name": "PII", "entityTypes": ["sr_field"]}]
    ),
    ("PUT", "/catalog/v1/types/tagdefs"): Operation(
        _DEFINITIONS, (), list_of(named("TagDefinition")), [{"name": "PII", "description": "about a person"}]
    ),
    ("GET", "/catalog/v1/types/tagdefs/{tag}"): _reading(named("KnownTagDefinition"), codes=(404,)),
    ("DELETE", "/catalog/v1/types/tagdefs/{tag}"): Operation(None, codes=(404,)),
    ("POST", "/catalog/v1/entity/tags"): _TAGGING,
    ("PUT", "/catalog/v1/entity/tags"): _TAGGING,
    ("GET", "/catalog/v1/entity/type/{type}/name/{name}/tags"): _reading(_ENTITY_TAGS),
    ("DELETE", "/catalog/v1/entity/type/{type}/name/{name}/tags/{tag}"): Operation(None, codes=(404,)),
}
"""What each route of the table of routes takes and gives."""
