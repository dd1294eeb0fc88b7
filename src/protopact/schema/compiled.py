"""Schemas of generated classes, and compiled messages that live in a pool of their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.message import Message

from protopact.errors import ConfigError
from protopact.schema.described import DescribedSchema, file_set_of
from protopact.schema.gather import compile_source

if TYPE_CHECKING:
    import os

    from protopact.compiler import Workers
    from protopact.schema.gather import Imports


class CompiledProtoMessage(DescribedSchema):
    """The schema of a message class, such as `order_pb2.Order` or the nested `order_pb2.Order.Item`.

    The class is used as it is, in the pool that it belongs to: `message_class` is the very class that was given.
    ConfigError when it is no message class.
    """

    def __init__(self, message_class: type[Message]) -> None:
        if not isinstance(message_class, type) or not issubclass(message_class, Message) or message_class is Message:
            raise ConfigError(
                f"{message_class!r} is no message class",
                option="message_class",
                hint="give the generated class itself, such as order_pb2.Order",
            )
        super().__init__(file_set_of(message_class), message_class.DESCRIPTOR.full_name)
        self.message_class = message_class


def load_compiled_message(
    proto_file: str | os.PathLike[str],
    message_name: str,
    *,
    imports: Imports = None,
    workers: Workers | None = None,
) -> CompiledProtoMessage:
    """Compile a `.proto` file and give the schema of one of its messages, nested ones included.

    The class lives in a pool of its own: two versions of one message, or of one file, do not disturb each other or
    generated code that the program imports. `imports` and the errors are those of `load_schema`.
    """
    # A generated module does two things: it adds its descriptor to protobuf's default pool and asks that pool for
    # classes. Doing the same with a private pool gives the same classes. Running the module's text instead would
    # mean to execute code derived from a file from outside, with the pool and every import swapped beneath it.
    file_set = compile_source(Path(proto_file), imports, file_name=None, workers=workers)
    return CompiledProtoMessage(DescribedSchema(file_set, message_name).message_class)
