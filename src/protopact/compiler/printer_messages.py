"""Messages, fields, oneofs, groups, enums and extend blocks as text."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from google.protobuf import text_encoding
from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from protopact.compiler.printer_layout import Block, braced, in_message_order, in_sections, section
from protopact.compiler.printer_literals import quoted, quoted_bytes
from protopact.descriptor import derived_json_name
from protopact.errors import SchemaLinkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        EnumDescriptorProto,
        FileDescriptorProto,
        OneofDescriptorProto,
    )

    from protopact.compiler.printer_names import Names
    from protopact.compiler.printer_options import OptionPrinter
    from protopact.compiler.printer_style import Style

    _Range: TypeAlias = DescriptorProto.ReservedRange | EnumDescriptorProto.EnumReservedRange

_SCALARS = {
    FieldDescriptorProto.TYPE_BOOL: "bool",
    FieldDescriptorProto.TYPE_BYTES: "bytes",
    FieldDescriptorProto.TYPE_DOUBLE: "double",
    FieldDescriptorProto.TYPE_FIXED32: "fixed32",
    FieldDescriptorProto.TYPE_FIXED64: "fixed64",
    FieldDescriptorProto.TYPE_FLOAT: "float",
    FieldDescriptorProto.TYPE_INT32: "int32",
    FieldDescriptorProto.TYPE_INT64: "int64",
    FieldDescriptorProto.TYPE_SFIXED32: "sfixed32",
    FieldDescriptorProto.TYPE_SFIXED64: "sfixed64",
    FieldDescriptorProto.TYPE_SINT32: "sint32",
    FieldDescriptorProto.TYPE_SINT64: "sint64",
    FieldDescriptorProto.TYPE_STRING: "string",
    FieldDescriptorProto.TYPE_UINT32: "uint32",
    FieldDescriptorProto.TYPE_UINT64: "uint64",
}
_LABELS = {
    FieldDescriptorProto.LABEL_OPTIONAL: "optional ",
    FieldDescriptorProto.LABEL_REPEATED: "repeated ",
    FieldDescriptorProto.LABEL_REQUIRED: "required ",
}
_VISIBILITY = ("", "local ", "export ")
# Exclusive ends of a range that reaches `max`: of field numbers, and of the extensions of a message set.
_FIELD_RANGE_END = 1 << 29
_MESSAGE_SET_RANGE_END = (1 << 31) - 1
_ENUM_NUMBER_MAX = (1 << 31) - 1


class TypePrinter:
    """Prints the types and extensions of one file. `scope` is the full name of what stands around, or the package."""

    def __init__(self, file: FileDescriptorProto, names: Names, options: OptionPrinter, style: Style) -> None:
        """Take the file for its syntax, and the spellings and options that are right in it."""
        self._proto2 = file.syntax in {"", "proto2"}
        self._editions = file.syntax == "editions"
        self._names = names
        self._options = options
        self._parts_reserved = style.parts_reserved

    def definitions(
        self, messages: Iterable[DescriptorProto], enums: Iterable[EnumDescriptorProto], scope: str, folded: set[str]
    ) -> Iterator[Block]:
        """Give messages, then enums; `folded` are messages that stand elsewhere as groups and maps."""
        for message in messages:
            if message.name not in folded:
                yield Block("types", self._message(message, scope), (message.name,))
        for enum in enums:
            yield Block("types", self._enum(enum, scope))

    def extends(
        self, extensions: Iterable[FieldDescriptorProto], messages: Sequence[DescriptorProto], scope: str
    ) -> Iterator[Block]:
        """Give one `extend` block for each run of extensions of one message that may stand together."""
        places = {message.name: place for place, message in enumerate(messages)}
        for extendee, run in groupby(extensions, key=lambda extension: extension.extendee):
            for fields in _parted(run, lambda field: places.get(_local_name(field, scope), 0)):
                body = [line for field in fields for line in self._field(field, messages, scope)]
                groups = tuple(_local_name(field, scope) for field in fields if _is_group(field))
                yield Block("extends", braced(f"extend {self._names.of_any(extendee, scope)}", body), groups)

    # ── messages ─────────────────────────────────────────────────────────────────────────────────

    def _message(self, message: DescriptorProto, scope: str) -> list[str]:
        head = f"{_VISIBILITY[message.visibility]}message {message.name}"
        return braced(head, self._body(message, _inside(scope, message.name)))

    def _body(self, message: DescriptorProto, full_name: str) -> list[str]:
        members, groups, plain = _by_place(message.field)
        blocks = [
            *section("reserved", self._reserved_fields(message)),
            *section("options", self._options.statements(message.options, _around(full_name), full_name)),
            *self._fields(plain, message, full_name),
            *self._oneofs(members, message, full_name),
            *self._groups(groups, message, full_name),
            *self._extension_ranges(message, full_name),
            *self.extends(message.extension, message.nested_type, full_name),
        ]
        folded = {name for block in blocks for name in block.defines}
        blocks += self.definitions(message.nested_type, message.enum_type, full_name, folded)
        return in_sections(in_message_order(blocks, [nested.name for nested in message.nested_type]))

    def _reserved_fields(self, message: DescriptorProto) -> list[str]:
        return self._reserved(message.reserved_range, message.reserved_name, _range_of_fields)

    def _fields(
        self, fields: Iterable[FieldDescriptorProto], message: DescriptorProto, full_name: str
    ) -> Iterator[Block]:
        entries = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
        for field in fields:
            entry = _map_entry(field, entries, full_name) if entries else None
            lines = self._field(field, message.nested_type, full_name, entry)
            yield Block("fields", lines, (entry.name,) if entry else ())

    def _oneofs(
        self, fields: Iterable[FieldDescriptorProto], message: DescriptorProto, full_name: str
    ) -> Iterator[Block]:
        found: dict[int, list[FieldDescriptorProto]] = {}
        for field in fields:
            found.setdefault(field.oneof_index, []).append(field)
        for index, members in sorted(found.items()):
            groups = tuple(_local_name(field, full_name) for field in members if _is_group(field))
            lines = self._oneof(message.oneof_decl[index], members, message.nested_type, full_name)
            yield Block("oneofs", lines, groups)

    def _oneof(
        self,
        oneof: OneofDescriptorProto,
        members: Sequence[FieldDescriptorProto],
        messages: Sequence[DescriptorProto],
        scope: str,
    ) -> list[str]:
        options = self._options.statements(oneof.options, scope, _inside(scope, oneof.name))
        blocks = [*section("options", options)]
        blocks += (
            Block("groups" if _is_group(field) else "fields", self._field(field, messages, scope))
            for field in sorted(members, key=_is_group)
        )
        return braced(f"oneof {oneof.name}", in_sections(blocks))

    def _groups(
        self, fields: Iterable[FieldDescriptorProto], message: DescriptorProto, full_name: str
    ) -> Iterator[Block]:
        for field in fields:
            lines = self._field(field, message.nested_type, full_name)
            yield Block("groups", lines, (_local_name(field, full_name),))

    def _extension_ranges(self, message: DescriptorProto, full_name: str) -> Iterator[Block]:
        for extensions in message.extension_range:
            options = self._options.inline(extensions.options, _around(full_name), f"extensions of {full_name}")
            numbers = _range_of_fields(extensions.start, extensions.end)
            yield Block("extensions", f"extensions {numbers}{options};".split("\n"))

    # ── fields ───────────────────────────────────────────────────────────────────────────────────

    def _field(
        self,
        field: FieldDescriptorProto,
        messages: Sequence[DescriptorProto],
        scope: str,
        entry: DescriptorProto | None = None,
    ) -> list[str]:
        """Give the lines of a field; `messages` are those of its scope, `entry` the one that makes it a map."""
        extra = [*self._default(field), *_json_name(field)]
        options = self._options.inline(field.options, scope, _inside(scope, field.name), extra)
        if _is_group(field):
            group = _group_type(field, messages, scope)
            head = f"{self._label(field)}group {group.name} = {field.number}{options}"
            *first, last = head.split("\n")
            return [*first, *braced(last, self._body(group, _inside(scope, group.name)))]
        kind = self._map_type(entry, scope) if entry else self._label(field) + self._type(field, scope)
        return f"{kind} {field.name} = {field.number}{options};".split("\n")

    def _label(self, field: FieldDescriptorProto) -> str:
        if _in_written_oneof(field):
            return ""
        if self._proto2 or field.label == FieldDescriptorProto.LABEL_REPEATED or field.proto3_optional:
            return _LABELS[field.label]
        return ""

    def _type(self, field: FieldDescriptorProto, scope: str) -> str:
        return self._names.of_type(field.type_name, scope) if field.type_name else _SCALARS[field.type]

    def _map_type(self, entry: DescriptorProto, scope: str) -> str:
        key, value = sorted(entry.field, key=lambda field: field.number)
        return f"map<{self._type(key, scope)}, {self._type(value, scope)}>"

    def _default(self, field: FieldDescriptorProto) -> Iterator[tuple[str, str]]:
        if not field.HasField("default_value"):
            return
        text = field.default_value
        if field.type == FieldDescriptorProto.TYPE_STRING:
            text = quoted(text)
        elif field.type == FieldDescriptorProto.TYPE_BYTES:
            text = quoted_bytes(text_encoding.CUnescape(text))
        yield "default", text

    # ── enums and reserved ───────────────────────────────────────────────────────────────────────

    def _enum(self, enum: EnumDescriptorProto, scope: str) -> list[str]:
        full_name = _inside(scope, enum.name)
        reserved = self._reserved(enum.reserved_range, enum.reserved_name, _range_of_enum)
        body = [*reserved, *self._options.statements(enum.options, scope, full_name)]
        for value in enum.value:
            options = self._options.inline(value.options, scope, _inside(full_name, value.name))
            body += f"{value.name} = {value.number}{options};".split("\n")
        return braced(f"{_VISIBILITY[enum.visibility]}enum {enum.name}", body)

    def _reserved(
        self, ranges: Iterable[_Range], names: Iterable[str], in_words: Callable[[int, int], str]
    ) -> list[str]:
        """Give one statement for the numbers and one for the names, which are identifiers since editions."""
        numbers = [in_words(span.start, span.end) for span in ranges]
        words = [name if self._editions else quoted(name) for name in names]
        if self._parts_reserved:
            return [f"reserved {one};" for one in (*numbers, *words)]
        return [f"reserved {', '.join(listed)};" for listed in (numbers, words) if listed]


def _range_of_fields(start: int, end: int) -> str:
    """Word a range whose end is exclusive."""
    if end in {_FIELD_RANGE_END, _MESSAGE_SET_RANGE_END}:
        return f"{start} to max"
    return str(start) if end == start + 1 else f"{start} to {end - 1}"


def _range_of_enum(start: int, end: int) -> str:
    """Word a range whose end is inclusive."""
    if end == _ENUM_NUMBER_MAX:
        return f"{start} to max"
    return str(start) if end == start else f"{start} to {end}"


def _json_name(field: FieldDescriptorProto) -> Iterator[tuple[str, str]]:
    # An extension's JSON name is always derived: protoc refuses the option.
    if field.HasField("json_name") and not field.extendee and field.json_name != derived_json_name(field.name):
        yield "json_name", quoted(field.json_name)


def _map_entry(
    field: FieldDescriptorProto, entries: Mapping[str, DescriptorProto], full_name: str
) -> DescriptorProto | None:
    """Give the one of a message's map entries, by name, that makes the field a map, if one does."""
    if field.label != FieldDescriptorProto.LABEL_REPEATED or not field.type_name:
        return None
    return entries.get(_local_name(field, full_name))


def _group_type(field: FieldDescriptorProto, messages: Sequence[DescriptorProto], scope: str) -> DescriptorProto:
    name = _local_name(field, scope)
    found = next((message for message in messages if message.name == name), None)
    if found is None or name.lower() != field.name:
        raise SchemaLinkError(
            f"field {_inside(scope, field.name)} is a group, but {field.type_name} cannot be its body"
        )
    return found


def _local_name(field: FieldDescriptorProto, scope: str) -> str:
    """Give the name that the field's type has inside `scope`, or a name with dots that no message has."""
    return field.type_name.removeprefix(f".{scope}." if scope else ".")


def _parted(
    fields: Iterable[FieldDescriptorProto], place: Callable[[FieldDescriptorProto], int]
) -> list[list[FieldDescriptorProto]]:
    """Part fields before each group that does not follow the one before it at once in the order of messages."""
    parts: list[list[FieldDescriptorProto]] = [[]]
    following: int | None = None
    for field in fields:
        if _is_group(field):
            if following not in {None, place(field)}:
                parts.append([])
            following = place(field) + 1
        parts[-1].append(field)
    return parts


def _by_place(
    fields: Iterable[FieldDescriptorProto],
) -> tuple[list[FieldDescriptorProto], list[FieldDescriptorProto], list[FieldDescriptorProto]]:
    """Part a message's fields into those that stand in oneofs, groups, and all others."""
    members: list[FieldDescriptorProto] = []
    groups: list[FieldDescriptorProto] = []
    plain: list[FieldDescriptorProto] = []
    for field in fields:
        place = members if _in_written_oneof(field) else groups if _is_group(field) else plain
        place.append(field)
    return members, groups, plain


def _is_group(field: FieldDescriptorProto) -> bool:
    return field.type == FieldDescriptorProto.TYPE_GROUP


def _in_written_oneof(field: FieldDescriptorProto) -> bool:
    return field.HasField("oneof_index") and not field.proto3_optional


def _inside(scope: str, name: str) -> str:
    return f"{scope}.{name}" if scope else name


def _around(full_name: str) -> str:
    return full_name.rpartition(".")[0]
