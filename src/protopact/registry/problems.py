"""The error table: what the server raises for a rule, how it travels, and what the client raises for it.

Texts are the dialect's own, odd spacing included: client suites compare them.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING

from protopact.errors import (
    ConfigError,
    InvalidSchemaError,
    ProtopactError,
    RegistryError,
    SchemaError,
    StoreError,
    StoreUnavailableError,
    TransportError,
    registry_error,
)
from protopact.registry.jsons import read_json

if TYPE_CHECKING:
    from protopact.flow import Reply

_MESSAGE_LENGTH_MAX = 16 * 1024
_PLAIN_LENGTH_MAX = 200


class Problem(Enum):
    """A rule that a request broke: its code and its text. `Problem.X.error(...)` gives the exception."""

    SUBJECT_NOT_FOUND = (40401, "Subject '{subject}' not found.")
    VERSION_NOT_FOUND = (40402, "Version {version} not found.")
    SCHEMA_NOT_FOUND = (40403, "Schema not found")
    SCHEMA_ID_NOT_FOUND = (40403, "Schema {id} not found")
    SUBJECT_SOFT_DELETED = (
        40404,
        "Subject '{subject}' was soft deleted.Set permanent=true to delete permanently",
    )
    SUBJECT_NOT_SOFT_DELETED = (
        40405,
        "Subject '{subject}' was not deleted first before being permanently deleted",
    )
    VERSION_SOFT_DELETED = (
        40406,
        "Subject '{subject}' Version {version} was soft deleted.Set permanent=true to delete permanently",
    )
    VERSION_NOT_SOFT_DELETED = (
        40407,
        "Subject '{subject}' Version {version} was not deleted first before being permanently deleted",
    )
    NO_SUBJECT_COMPATIBILITY = (
        40408,
        "Subject '{subject}' does not have subject-level compatibility configured",
    )
    NO_SUBJECT_MODE = (40409, "Subject '{subject}' does not have subject-level mode configured")
    INCOMPATIBLE = (
        409,
        'Schema being registered is incompatible with an earlier schema for subject "{subject}", details: [{details}]',
    )
    INVALID_SCHEMA = (42201, "Invalid schema: {reason}")
    INVALID_SCHEMA_TYPE = (42201, "Invalid schema type {schema_type}: this registry keeps PROTOBUF schemas")
    EMPTY_SCHEMA = (42201, "Invalid schema: Empty schema")
    NO_REFERENCE = (42201, 'Invalid schema: No schema reference found for subject "{subject}" and version {version}')
    INVALID_COMPATIBILITY = (
        42203,
        (
            "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, "
            "forward_transitive, and full_transitive"
        ),
    )
    INVALID_MODE = (42204, "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.")
    NOT_PERMITTED = (42205, "{reason}")
    REFERENCE_EXISTS = (
        42206,
        "One or more references exist to the schema {{magic=1,keytype=SCHEMA,subject={subject},version={version}}}.",
    )
    ID_DOES_NOT_MATCH = (42207, "{reason}")
    SCHEMA_TOO_LARGE = (42209, "{reason}")
    INVALID_RULE_SET = (42210, "{reason}")
    STORE = (50001, "{reason}")

    def error(self, **values: object) -> RegistryError:
        """Give the exception of the code's class, its text filled in."""
        error_code, text = self.value
        return registry_error(error_code, text.format(**values))


def error_body(error: RegistryError) -> bytes:
    """Give the body of an error's answer: `{"error_code": …, "message": …}`."""
    # ASCII escapes carry whatever an error quotes, lone surrogates included.
    return json.dumps({"error_code": error.error_code, "message": error.message}, separators=(",", ":")).encode()


def error_from_reply(reply: Reply) -> RegistryError:
    """Give the exception that an answer of status 400 and above stands for.

    A body that is not the dialect's gives the status itself as code, and the start of the body as text.
    """
    try:
        body = read_json(reply.body)
    except RegistryError:
        body = None
    if isinstance(body, dict):
        error_code, message = body.get("error_code"), body.get("message")
        if isinstance(error_code, int) and not isinstance(error_code, bool):
            text = message[:_MESSAGE_LENGTH_MAX] if isinstance(message, str) else f"error {error_code}"
            return registry_error(error_code, text, status=reply.status)
    return registry_error(reply.status, _plain_text(reply), status=reply.status)


def problem_of(error: ProtopactError) -> RegistryError:
    """Give the answer to an exception of any other family, chained to it; a RegistryError is itself."""
    if isinstance(error, RegistryError):
        return error
    for family, error_code in _CODES_OF_FAMILIES:
        if isinstance(error, family):
            found = registry_error(error_code, _worded(error, error_code))
            found.__cause__ = error
            return found
    found = RegistryError("an internal error occurred", error_code=500)
    found.__cause__ = error
    return found


_CODES_OF_FAMILIES: tuple[tuple[type[ProtopactError], int], ...] = (
    (SchemaError, InvalidSchemaError.error_code_default),
    (StoreUnavailableError, 503),
    (StoreError, 50001),
    (TransportError, 50003),
    (ConfigError, 500),
)


def _worded(error: ProtopactError, error_code: int) -> str:
    return f"Invalid schema: {error}" if error_code == InvalidSchemaError.error_code_default else str(error)


def _plain_text(reply: Reply) -> str:
    text = " ".join(reply.body[: 4 * _PLAIN_LENGTH_MAX].decode("utf-8", "replace").split())[:_PLAIN_LENGTH_MAX]
    return f"HTTP status {reply.status}: {text}" if text else f"HTTP status {reply.status}"
