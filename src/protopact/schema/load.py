"""★ A schema from a text, a file or a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from google.protobuf.message import Message

from protopact.errors import MessageNotFoundError
from protopact.schema.compiled import CompiledProtoMessage
from protopact.schema.described import DescribedSchema
from protopact.schema.gather import compile_source

if TYPE_CHECKING:
    import os

    from protopact.compiler import Workers
    from protopact.descriptor import FileSet
    from protopact.schema.gather import Imports
    from protopact.schema.model import ModelSchema
    from protopact.schema.protocol import ProtoSchema


def load_schema(
    source: str | os.PathLike[str],
    *,
    message: str | None = None,
    imports: Imports = None,
    file_name: str | None = None,
    workers: Workers | None = None,
) -> DescribedSchema:
    """Give the schema of a `.proto` text (a `str`) or file (a `PathLike`); nothing is generated.

    `message` names the root message, in full (`shop.v1.Order`) or by the end of it (`Order`). Without it the file's
    first message is the root: the one at index `[0]`, which clients of registries take by default too.

    `imports` says where imports are found: a mapping of import paths to texts, a directory, or a sequence of
    directories and schemas, searched in order. A file's own directory is searched as well. Well-known types need
    none. A file's import path is the one in the first of these directories that holds it, else its bare name; a
    text is called `schema.proto`. `file_name` sets another.

    Raises SchemaSyntaxError and SchemaLinkError with diagnostics, MessageNotFoundError with the messages that there
    are, ConfigError for a file or directory that is not there, MissingExtraError when the compiler is not installed.
    """
    file_set = compile_source(source, imports, file_name=file_name, workers=workers)
    return DescribedSchema(file_set, message or _first_message(file_set))


@overload
def schema_of(source: type[Message]) -> CompiledProtoMessage: ...
@overload
def schema_of(source: type, *, onto: ProtoSchema | None = None) -> ModelSchema: ...
def schema_of(source: type, *, onto: ProtoSchema | None = None) -> CompiledProtoMessage | ModelSchema:
    """Give the schema of a generated message class, which keeps its own descriptor pool, or of a model.

    A model is a pydantic model or a dataclass; its schema is derived from its fields, whose numbers are what
    `proto(number=…)` says, what the lock file holds, or else their places in order. With `onto`, a schema that exists,
    nothing is derived: that is the model's schema, once all of the model's fields were found in it.

    SchemaModelError names everything that has no Protobuf form or does not fit, each with path and remedy, and what
    the lock file does not know yet. ConfigError for anything that is no such class. MissingExtraError without pydantic.
    """
    if not isinstance(source, type) or issubclass(source, Message):
        return CompiledProtoMessage(source)
    from protopact.schema.model import derive_schema

    return derive_schema(source, onto=onto)


def _first_message(file_set: FileSet) -> str:
    file = file_set.root_file
    if not file.message_type:
        raise MessageNotFoundError(
            f"{file.name} defines no message", hint="a schema needs a message: load the file that defines it"
        )
    name = file.message_type[0].name
    return f"{file.package}.{name}" if file.package else name
