"""Options as text: built-in and custom ones, message values as aggregates, features with dots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.unknown_fields import UnknownFieldSet

from protopact.compiler.printer_layout import indented
from protopact.compiler.printer_literals import double_literal, float_literal, quoted, quoted_bytes
from protopact.descriptor import options_in_pool, pool_of
from protopact.errors import SchemaLinkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

    from protopact.compiler.printer_names import Names
    from protopact.compiler.printer_style import Style
    from protopact.descriptor import FileSet

_FEATURES = "google.protobuf.FeatureSet"
_UNINTERPRETED = "google.protobuf.UninterpretedOption"

_LITERALS: dict[int, Callable[..., str]] = {
    FieldDescriptor.TYPE_BOOL: lambda value: "true" if value else "false",
    FieldDescriptor.TYPE_BYTES: quoted_bytes,
    FieldDescriptor.TYPE_DOUBLE: double_literal,
    FieldDescriptor.TYPE_FLOAT: float_literal,
    FieldDescriptor.TYPE_STRING: quoted,
}


class OptionPrinter:
    """Prints the options of one file's elements.

    `scope` is where the name of a custom option is looked up; `owner` names the element in errors.
    """

    def __init__(self, file_set: FileSet, file_name: str, names: Names, style: Style) -> None:
        """Take the file set, whose own pool knows the custom options; a file without options needs none."""
        self._file_set = file_set
        self._file_name = file_name
        self._names = names
        self._style = style

    def statements(self, options: Message, scope: str, owner: str) -> list[str]:
        """Give the lines of one `option name = value;` for each option."""
        return [
            line
            for name, value in self._ordered(self._items(options, scope, owner))
            for line in f"option {name} = {value};".split("\n")
        ]

    def inline(self, options: Message, scope: str, owner: str, extra: Iterable[tuple[str, str]] = ()) -> str:
        """Give ` [name = value]`, over several lines when there are several, or nothing.

        `extra` ones stand last, unless options are sorted.
        """
        pairs = self._ordered([*self._items(options, scope, owner), *extra])
        items = [f"{name} = {value}" for name, value in pairs]
        if not items:
            return ""
        if len(items) == 1:
            return f" [{items[0]}]"
        return f" [\n{_comma_lines(items)}\n]"

    def _ordered(self, items: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
        return sorted(items, key=lambda item: item[0].lstrip("(.")) if self._style.sorts_options else items

    def _items(self, options: Message, scope: str, owner: str) -> Iterator[tuple[str, str]]:
        if not options.ByteSize():
            return
        known = options_in_pool(options, pool_of(self._file_set))
        self._refuse_unknown(known, owner)
        for field, value in known.ListFields():
            name = self._name(field, scope)
            if _type_name(field) == _FEATURES:
                yield from self._features(name, value, scope)
            else:
                for one in value if field.is_repeated else (value,):
                    yield name, self._value(field, one, owner)

    def _name(self, field: FieldDescriptor, scope: str) -> str:
        return f"({self._names.of_option(field.full_name, scope)})" if field.is_extension else field.name

    def _features(self, name: str, features: Message, scope: str) -> Iterator[tuple[str, str]]:
        """Give features one by one, `features.field_presence = …`, as everyone writes them."""
        fields = features.ListFields()
        if not fields:
            yield name, "{\n}"
        for field, value in fields:
            inner = f"{name}.{self._name(field, scope)}"
            if field.message_type is not None:
                yield from self._features(inner, value, scope)
            else:
                yield inner, self._value(field, value, name)

    def _value(self, field: FieldDescriptor, value: Any, owner: str) -> str:
        enum = field.enum_type
        if enum is not None and value not in enum.values_by_number:
            raise SchemaLinkError(
                f"{self._file_name}: option {field.full_name} of {owner} has the value {value}, "
                f"which {enum.full_name} does not define",
                hint="give the version of the enum that defines it",
            )
        return self._literal(field, value)

    def _literal(self, field: FieldDescriptor, value: Any) -> str:
        if field.message_type is not None:
            return self._aggregate(value)
        if field.enum_type is not None:
            known = field.enum_type.values_by_number.get(value)
            return known.name if known else str(value)
        text = _LITERALS.get(field.type, str)(value)
        return text.removesuffix(".0") if self._style.short_numbers and isinstance(value, float) else text

    def _aggregate(self, message: Message) -> str:
        """Give `{ key: value, … }`, one key a line."""
        items = []
        for field, value in message.ListFields():
            literals = list(self._literals(field, value))
            items.append((_key(field), literals[0] if len(literals) == 1 else _list(literals)))
        if self._style.sorts_options:
            items.sort(key=lambda item: item[0])
        lines = [f"{key}: {value}" for key, value in items]
        return f"{{\n{_comma_lines(lines)}\n}}" if lines else "{\n}"

    def _literals(self, field: FieldDescriptor, value: Any) -> Iterator[str]:
        entry = _map_entry(field)
        if entry:
            of_key, of_value = (entry.fields_by_name[name] for name in ("key", "value"))
            for key in sorted(value):
                pair = [f"key: {self._literal(of_key, key)}", f"value: {self._literal(of_value, value[key])}"]
                yield f"{{\n{_comma_lines(pair)}\n}}"
        else:
            for one in value if field.is_repeated else (value,):
                yield self._literal(field, one)

    def _refuse_unknown(self, message: Message, owner: str) -> None:
        """Refuse what would be lost: options that no file of the set defines, and options that protoc never read."""
        unknown = UnknownFieldSet(message)
        if len(unknown):
            raise SchemaLinkError(
                f"{self._file_name}: {owner} has option {unknown[0].field_number} of {message.DESCRIPTOR.full_name}, "
                "which no file of the set defines",
                hint="add the import that defines the option",
            )
        for field, value in message.ListFields():
            if _type_name(field) == _UNINTERPRETED:
                name = ".".join(part.name_part for part in value[0].name)
                raise SchemaLinkError(f"{self._file_name}: option {name} of {owner} was never interpreted")
            for inner in _messages_of(field, value):
                self._refuse_unknown(inner, owner)


def _key(field: FieldDescriptor) -> str:
    """Name a field as the text format does: an extension in brackets, a group by its type."""
    if field.is_extension:
        return f"[{field.full_name}]"
    body = field.message_type
    if field.type == FieldDescriptor.TYPE_GROUP and body is not None and _looks_like_group(field, body):
        return body.name
    return field.name


def _looks_like_group(field: FieldDescriptor, body: Descriptor) -> bool:
    return body.name.lower() == field.name and body.containing_type is field.containing_type


def _list(literals: Sequence[str]) -> str:
    return f"[\n{_comma_lines(literals)}\n]"


def _comma_lines(items: Sequence[str]) -> str:
    return "\n".join(indented(",\n".join(items).split("\n")))


def _type_name(field: FieldDescriptor) -> str:
    return field.message_type.full_name if field.message_type is not None else ""


def _map_entry(field: FieldDescriptor) -> Descriptor | None:
    entry = field.message_type
    return entry if entry is not None and entry.GetOptions().map_entry else None


def _messages_of(field: FieldDescriptor, value: Any) -> Iterable[Message]:
    entry = _map_entry(field)
    if entry:
        return value.values() if entry.fields_by_name["value"].message_type else ()
    if field.message_type is None:
        return ()
    return value if field.is_repeated else (value,)
