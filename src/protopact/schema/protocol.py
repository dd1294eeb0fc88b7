"""The one protocol behind which every schema stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from google.protobuf.message import Message

    from protopact.convert import PlainValue
    from protopact.descriptor import FileSet


@runtime_checkable
class ProtoSchema(Protocol):
    """A root message with its file and everything that the file imports.

    `serialize` and `deserialize` work on the bare payload; a `Serializer` adds the frame with the schema id.
    """

    @property
    def name(self) -> str:
        """The root message's full name, such as `shop.v1.Order`."""
        ...

    @property
    def file_name(self) -> str:
        """The import path of the schema's file, such as `shop/v1/order.proto`."""
        ...

    @property
    def file_set(self) -> FileSet:
        """The file's descriptor and those of all its imports."""
        ...

    @property
    def message_class(self) -> type[Message]:
        """The class of the root message."""
        ...

    @property
    def message_index(self) -> tuple[int, ...]:
        """The root message's place in its file: `(1,)` is the second top-level message, `(0, 2)` a nested one."""
        ...

    def to_schema_string(self) -> str:
        """Give the file as canonical `.proto` text."""
        ...

    def serialize(self, data: Mapping[str, object] | Message, *, deterministic: bool = False) -> bytes:
        """Give the payload bytes of a mapping or message, without a frame."""
        ...

    def deserialize(self, raw: bytes) -> dict[str, PlainValue]:
        """Read payload bytes, without a frame, as a dict."""
        ...

    def save_schema(self, directory: str | os.PathLike[str]) -> Path:
        """Write the schema and its imports below `directory`; give the path of the schema's own file."""
        ...
