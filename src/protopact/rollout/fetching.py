"""A schema of a registry as files: its text and those of all its imports, as the registry keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.compiler import check_import_path
from protopact.descriptor import is_built_in
from protopact.errors import ConfigError, SchemaError, SchemaLinkError
from protopact.registry import PROTOBUF, Subject

if TYPE_CHECKING:
    from protopact.client import SchemaRegistryClient
    from protopact.registry import RegisteredSchema

_FILES_MAX = 1000
_SUFFIX = ".proto"


def fetch_texts(
    client: SchemaRegistryClient, subject: str, version: int | str = "latest", *, name: str | None = None
) -> dict[str, str]:
    """Fetch a version with everything that it refers to: texts by import path, the schema itself first.

    It is called `name`, else as its subject where that ends in `.proto`, else as subject and `.proto`. Built-in
    imports are left out. SchemaLinkError for names that no file can have, for two contents of one name and for more
    than 1,000 files; SchemaError for a schema of another type; RegistryError.
    """
    root = client.get_version(subject, version)
    plain = Subject.parse(root.subject or subject).name
    name = name or (plain if plain.endswith(_SUFFIX) else f"{plain.replace('/', '_')}{_SUFFIX}")
    check_import_path(name)
    found: dict[str, tuple[str, RegisteredSchema]] = {}
    waiting = [(name, subject, root)]
    while waiting:
        path, home, schema = waiting.pop()
        _check(path, schema, found)
        if path in found:
            continue
        found[path] = (home, schema)
        for reference in schema.references:
            if not is_built_in(reference.name):
                check_import_path(reference.name)
                place = Subject.parse(reference.subject, context=Subject.parse(home).context).qualified
                part = client.get_version(place, reference.version, deleted=True)
                waiting.append((reference.name, place, part))
    return {path: schema.schema for path, (_, schema) in found.items()}


def _check(path: str, schema: RegisteredSchema, found: dict[str, tuple[str, RegisteredSchema]]) -> None:
    if schema.schema_type != PROTOBUF:
        raise SchemaError(f"the schema of {schema.subject!r} is {schema.schema_type}, not {PROTOBUF}")
    if path in found and found[path][1].schema != schema.schema:
        raise ConfigError(
            f"two schemas would both be {path}", option="--as", hint="another name for the schema itself may help"
        )
    if len(found) >= _FILES_MAX:
        raise SchemaLinkError(f"the schema refers to more than {_FILES_MAX} files")
