"""How a type or an option is spelled at a place: short within its package, in full elsewhere.

A spelling is good only if protoc's rule of scopes leads it back to the same definition: the innermost scope that
defines the first component decides, and the search does not go on outside of it when that is a message, an enum, a
service or a package (protobuf's language guide, "Name resolution"; `LookupSymbol` in descriptor.cc). A leading dot is
the last resort.
"""

from __future__ import annotations

from enum import Flag
from functools import cached_property
from typing import TYPE_CHECKING

from protopact.errors import SchemaLinkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        EnumDescriptorProto,
        FileDescriptorProto,
    )

    from protopact.compiler.printer_style import Style
    from protopact.descriptor import FileSet


class Symbol(Flag):
    """What a full name stands for, as far as the search for names minds."""

    MEMBER = 0
    AGGREGATE = 1
    TYPE = 3


# Words that the grammar takes for something else where a type's name may stand.
_TAKEN = frozenset(
    {
        "bool",
        "bytes",
        "double",
        "enum",
        "export",
        "extend",
        "extensions",
        "fixed32",
        "fixed64",
        "float",
        "group",
        "int32",
        "int64",
        "local",
        "map",
        "message",
        "oneof",
        "option",
        "optional",
        "repeated",
        "required",
        "reserved",
        "rpc",
        "sfixed32",
        "sfixed64",
        "sint32",
        "sint64",
        "stream",
        "string",
        "uint32",
        "uint64",
    }
)


class Names:
    """The spellings that are right in one file."""

    def __init__(self, file_set: FileSet, file: FileDescriptorProto, style: Style) -> None:
        """Spell names as this file of the set may, in this style."""
        self._file_set = file_set
        self._file = file
        self._package = file.package
        self._full = style.full_names
        self._known: dict[tuple[str, str, bool], str] = {}

    @cached_property
    def _views(self) -> tuple[Mapping[str, Symbol], Mapping[str, Symbol]]:
        """The symbols that the file may meet: those of its imports, and those of the whole set.

        protoc may or may not see what an import imports: a spelling has to be right either way.
        """
        visible = _visible_files(self._file_set, self._file)
        every = _symbols(self._file_set.files)
        return (every if len(visible) == len(self._file_set.files) else _symbols(visible)), every

    def of_type(self, reference: str, scope: str) -> str:
        """Spell the type of a field. `reference` is the descriptor's (with a leading dot, or relative to `scope`)."""
        return self._spelled(reference, scope, types_only=True)

    def of_any(self, reference: str, scope: str) -> str:
        """Spell an extended message or an rpc's type, where protoc looks among all kinds of names."""
        return self._spelled(reference, scope, types_only=False)

    def of_option(self, full_name: str, scope: str) -> str:
        """Spell a custom option; where full names are wanted, without a leading dot unless it needs one."""
        if self._full:
            return self._first_right([full_name], full_name, scope, types_only=False)
        return self._spelled(f".{full_name}", scope, types_only=False)

    def _spelled(self, reference: str, scope: str, *, types_only: bool) -> str:
        key = (reference, scope, types_only)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._spell(self._full_name(reference, scope), scope, types_only=types_only)
        return known

    def _full_name(self, reference: str, scope: str) -> str:
        if reference.startswith("."):
            return reference[1:]
        found = _resolve(self._views[-1], reference, scope, types_only=True)
        if found is None:
            raise SchemaLinkError(f"type {reference} is not defined in {scope or 'the file'} or around it")
        return found

    def _spell(self, full_name: str, scope: str, *, types_only: bool) -> str:
        if self._full:
            return f".{full_name}"
        return self._first_right(self._spellings(full_name, scope), full_name, scope, types_only=types_only)

    def _first_right(self, spellings: Iterable[str], full_name: str, scope: str, *, types_only: bool) -> str:
        for spelling in spellings:
            found = (_resolve(view, spelling, scope, types_only=types_only) for view in self._views)
            if spelling.partition(".")[0] not in _TAKEN and all(name == full_name for name in found):
                return spelling
        return f".{full_name}"

    def _spellings(self, full_name: str, scope: str) -> Iterator[str]:
        """Give the possible spellings without a leading dot: short ones only for what stands in the same package."""
        for outer in _scopes(scope):
            if len(outer) < len(self._package):
                break
            if outer and full_name.startswith(f"{outer}."):
                yield full_name[len(outer) + 1 :]
        yield full_name


def _resolve(symbols: Mapping[str, Symbol], spelling: str, scope: str, *, types_only: bool) -> str | None:
    """Give the full name that protoc would find, or None."""
    first, _, rest = spelling.partition(".")
    for outer in _scopes(scope):
        inside = f"{outer}." if outer else ""
        symbol = symbols.get(inside + first)
        if symbol is None:
            continue
        if not rest:
            if symbol is Symbol.TYPE or not types_only:
                return inside + first
        elif symbol:
            return inside + spelling if inside + spelling in symbols else None
    return None


def _scopes(scope: str) -> Iterator[str]:
    """Give the scope and all around it, down to the empty one."""
    while scope:
        yield scope
        scope = scope.rpartition(".")[0]
    yield ""


def _visible_files(file_set: FileSet, file: FileDescriptorProto) -> list[FileDescriptorProto]:
    """Give the file, its imports, and what those import publicly."""
    by_name = {known.name: known for known in file_set.files}
    visible = {file.name: file}
    waiting = [*file.dependency, *file.option_dependency]
    while waiting:
        name = waiting.pop()
        imported = by_name.get(name)
        if imported is not None and name not in visible:
            visible[name] = imported
            waiting += (imported.dependency[index] for index in imported.public_dependency)
    return list(visible.values())


def _symbols(files: Iterable[FileDescriptorProto]) -> dict[str, Symbol]:
    symbols: dict[str, Symbol] = {}
    for file in files:
        symbols.update(dict.fromkeys(filter(None, _scopes(file.package)), Symbol.AGGREGATE))
        symbols.update(_symbols_in(file, file.package))
    return symbols


def _symbols_in(file: FileDescriptorProto, package: str) -> Iterator[tuple[str, Symbol]]:
    inside = f"{package}." if package else ""
    for message in file.message_type:
        yield from _message_symbols(message, inside)
    for enum in file.enum_type:
        yield from _enum_symbols(enum, inside)
    for extension in file.extension:
        yield inside + extension.name, Symbol.MEMBER
    for service in file.service:
        yield inside + service.name, Symbol.AGGREGATE
        for method in service.method:
            yield f"{inside}{service.name}.{method.name}", Symbol.MEMBER


def _message_symbols(message: DescriptorProto, outside: str) -> Iterator[tuple[str, Symbol]]:
    yield outside + message.name, Symbol.TYPE
    inside = f"{outside}{message.name}."
    for field in (*message.field, *message.extension):
        yield inside + field.name, Symbol.MEMBER
    for oneof in message.oneof_decl:
        yield inside + oneof.name, Symbol.MEMBER
    for nested in message.nested_type:
        yield from _message_symbols(nested, inside)
    for enum in message.enum_type:
        yield from _enum_symbols(enum, inside)


def _enum_symbols(enum: EnumDescriptorProto, outside: str) -> Iterator[tuple[str, Symbol]]:
    """Give the enum and its values, which are its siblings."""
    yield outside + enum.name, Symbol.TYPE
    for value in enum.value:
        yield outside + value.name, Symbol.MEMBER
