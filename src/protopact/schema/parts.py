"""The parts that a schema is built from in Python: fields, enums, and what a message says about itself.

Parts only hold what they were told. The message that uses them checks them, so that an error can name its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from protopact.schema.protocol import ProtoSchema

    FieldType: TypeAlias = "str | ProtoEnum | ProtoSchema"
    Reserved: TypeAlias = "int | range | str"


@dataclass(frozen=True, slots=True, eq=False)
class ProtoField:
    """One field of a message.

    `type` is a scalar's name (`"int64"`), a `ProtoEnum`, a `ProtoMessage` or another schema, or the name of a type:
    of this message or its file (`"Item"`), of an import, or a well-known one by its full name
    (`"google.protobuf.Timestamp"`; its import is added). A name with a leading dot (`".shop.Order"`) may also mean
    a type of the file that this message becomes a part of: such a name is looked up when that file is built.

    `optional` keeps apart "not set" and the default value, `required` is of proto2, `repeated` makes a list, and
    `map_key="string"` makes a map whose values are of `type`. `tags` mark the field (`("PII",)`): they become
    `confluent.field_meta`, which the encryption rules of a registry read. `options` are protobuf's own by name:
    `deprecated`, `packed`, `json_name`, `default` (proto2 and editions), `features` and the rest of `FieldOptions`.
    """

    name: str
    type: FieldType
    number: int
    _: KW_ONLY
    optional: bool = False
    required: bool = False
    repeated: bool = False
    map_key: str | None = None
    tags: Sequence[str] = ()
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ProtoEnum:
    """One enum: `values` maps each name to its number, or lists names that are numbered from 0.

    `allow_alias` permits several names for a number; `reserved` lists numbers, ranges and names not to be used again.
    Enums are told apart by identity: give the same object to every field that uses it.
    """

    name: str
    values: Mapping[str, int] | Sequence[str]
    _: KW_ONLY
    allow_alias: bool = False
    reserved: Sequence[Reserved] = ()

    def numbered(self) -> list[tuple[str, int]]:
        """Give the names with their numbers, in order."""
        if isinstance(self.values, Mapping):
            return list(self.values.items())
        return [(name, number) for number, name in enumerate(self.values)]


class MessageDefinition:
    """What a message built in Python says about itself, as it was given."""

    def __init__(
        self,
        simple_name: str,
        *,
        package: str | None,
        fields: Iterable[ProtoField],
        oneofs: Mapping[str, Iterable[ProtoField]] | None,
        enums: Iterable[ProtoEnum],
        messages: Iterable[MessageDefinition],
        siblings: Iterable[MessageDefinition | ProtoEnum],
        imports: Iterable[ProtoSchema],
        reserved: Iterable[Reserved],
        syntax: str | None,
        file_name: str | None,
    ) -> None:
        self.simple_name = simple_name
        self.package_given = package
        self.fields = tuple(fields)
        self.oneofs = {name: tuple(members) for name, members in (oneofs or {}).items()}
        self.enums = tuple(enums)
        self.messages = tuple(messages)
        self.siblings = tuple(siblings)
        self.imports = tuple(imports)
        self.reserved = tuple(reserved)
        self.syntax_given = syntax
        self.file_name_given = file_name
        self.type_names: Mapping[MessageDefinition | ProtoEnum, str] = {}

    def all_fields(self) -> list[ProtoField]:
        """Give the fields and then the members of each oneof: the order of the descriptor and of the printed text."""
        return [*self.fields, *(member for members in self.oneofs.values() for member in members)]
