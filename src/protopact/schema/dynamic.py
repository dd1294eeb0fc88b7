"""`ProtoMessage`: a schema built in Python, without protoc."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.errors import SchemaModelError
from protopact.schema.assembly import assemble
from protopact.schema.described import DescribedSchema
from protopact.schema.parts import MessageDefinition, ProtoEnum, ProtoField

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from protopact.descriptor import FileSet
    from protopact.schema.parts import Reserved
    from protopact.schema.protocol import ProtoSchema

__all__ = ["ProtoEnum", "ProtoField", "ProtoMessage"]


class ProtoMessage(DescribedSchema, MessageDefinition):
    """A message and its file, built in Python.

        status = ProtoEnum("Status", ["STATUS_UNSPECIFIED", "STATUS_PAID"])
        item = ProtoMessage("Item", fields=[ProtoField("sku", "string", 1), ProtoField("count", "int32", 2)])
        order = ProtoMessage(
            "Order",
            package="shop.v1",
            fields=[
                ProtoField("id", "int64", 1),
                ProtoField("status", status, 2),
                ProtoField("items", item, 3, repeated=True),
                ProtoField("labels", "string", 4, map_key="string"),
                ProtoField("placed_at", "google.protobuf.Timestamp", 5),
            ],
            oneofs={"payment": [ProtoField("card", "string", 6, tags=("PII",)), ProtoField("cash", "bool", 7)]},
        )

    `enums` and `messages` are nested in this message; `siblings` are further messages and enums of the file, and a
    part that a field uses without being declared anywhere becomes one too. The root comes first in its file, so its
    message index is `(0,)`; `order.for_message("Item")` is the schema of another one. `imports` are schemas whose
    files are imported; well-known types need none. `reserved` lists numbers, ranges and names not to be used again.

    `syntax` is "proto3" (the default), "proto2", or "2023", the edition. A part takes package, syntax and
    file from the message that uses it and leaves them out itself. `file_name` is the import path; by default it is
    made of package and name: `shop/v1/order.proto`.

    Everything is checked here: SchemaModelError has the `path` of the mistake, such as `Order.items`.
    """

    def __init__(
        self,
        name: str,
        *,
        package: str | None = None,
        fields: Iterable[ProtoField] = (),
        oneofs: Mapping[str, Iterable[ProtoField]] | None = None,
        enums: Iterable[ProtoEnum] = (),
        messages: Iterable[ProtoMessage] = (),
        siblings: Iterable[ProtoMessage | ProtoEnum] = (),
        imports: Iterable[ProtoSchema] = (),
        reserved: Iterable[Reserved] = (),
        syntax: str | None = None,
        file_name: str | None = None,
    ) -> None:
        MessageDefinition.__init__(
            self,
            name,
            package=package,
            fields=fields,
            oneofs=oneofs,
            enums=enums,
            messages=messages,
            siblings=siblings,
            imports=imports,
            reserved=reserved,
            syntax=syntax,
            file_name=file_name,
        )
        assembly = assemble(self)
        self.type_names = assembly.type_names
        self._unresolved = assembly.unresolved
        if assembly.file_set is not None:
            DescribedSchema.__init__(self, assembly.file_set, assembly.name)

    @property
    def file_set(self) -> FileSet:
        """The file's descriptor and those of all its imports.

        SchemaModelError for a part that names a type of the file it will be in (`".shop.Order"`).
        """
        if self._unresolved is not None:
            path, type_name = self._unresolved
            raise SchemaModelError(
                f"{path}: {type_name!r} is not in this file",
                path=path,
                hint="use this message as a part of the one that defines the type, or import the type's schema",
            )
        return self._file_set

    @property
    def name(self) -> str:
        """The message's full name, as the root of its own file."""
        return self.type_names[self]
