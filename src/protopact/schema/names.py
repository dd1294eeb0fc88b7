"""The names of a file in the making: what it declares, and the types of its imports that it can see."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from protopact.descriptor import BUILT_IN_FILES, built_in_file
from protopact.errors import SchemaModelError
from protopact.schema.syntax import SCALARS, WORDS_OF_OTHERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto

    from protopact.descriptor import FileSet


@dataclass(frozen=True, slots=True)
class TypeSymbol:
    """A message or enum: its full name, the import path of its file, and an enum's values in order (else None)."""

    full_name: str
    file_name: str
    values: tuple[tuple[str, int], ...] | None = None


class Names:
    """Every name that a file declares and every type that it can see."""

    def __init__(self) -> None:
        self.types: dict[str, TypeSymbol] = {}
        self._declared: dict[str, str] = {}  # full name → path

    def see(self, file_set: FileSet) -> None:
        """Take in the types of an import: those of its file and of what that file imports publicly."""
        for file in _visible_files(file_set, file_set.root):
            for symbol in types_of(file):
                self.types.setdefault(symbol.full_name, symbol)

    def declare(self, full_name: str, path: str, symbol: TypeSymbol | None = None) -> None:
        """Take a name of this file, a type's when `symbol` is given; SchemaModelError when it is taken."""
        taken = self._declared.get(full_name)
        if taken is None and symbol is not None and full_name in self.types:
            taken = f"a type of {self.types[full_name].file_name}"
        if taken is not None:
            raise SchemaModelError(
                f"{path}: the name {full_name} is taken by {taken}",
                path=path,
                hint="rename one; if both are one type, give the same object to every field that uses it",
            )
        self._declared[full_name] = path
        if symbol is not None:
            self.types[full_name] = symbol

    def check_packages(self, packages: Iterable[str]) -> None:
        """Refuse a declared name that a package of an import, or a part of one, has already."""
        for package in packages:
            parts = package.split(".")
            for name in (".".join(parts[:length]) for length in range(1, len(parts) + 1)):
                if name in self._declared:
                    path = self._declared[name]
                    raise SchemaModelError(
                        f"{path}: the name {name} is a part of the imported package {package}",
                        path=path,
                        hint="rename it, or give the message a package",
                    )

    def find(self, name: str, scope: str) -> TypeSymbol | None:
        """Find a type by its name as seen from a scope, innermost first, or in full with a leading dot."""
        if name.startswith("."):
            return self._at(name[1:])
        while scope:
            if found := self.types.get(f"{scope}.{name}"):
                return found
            scope = scope.rpartition(".")[0]
        return self._at(name)

    def _at(self, full_name: str) -> TypeSymbol | None:
        return self.types.get(full_name) or built_in_types().get(full_name)

    def remedy(self, name: str) -> str:
        """Word what to do about a type name that is not known."""
        if name.lower() in WORDS_OF_OTHERS:
            return f"did you mean {WORDS_OF_OTHERS[name.lower()]!r}?"
        known = {full_name.rpartition(".")[2]: full_name for full_name in [*built_in_types(), *self.types]}
        near = difflib.get_close_matches(name.rpartition(".")[2], [*SCALARS, *known], 1, cutoff=0.7)
        if near:
            return f"did you mean {known.get(near[0], near[0])!r}?"
        return "give the type as a ProtoEnum or ProtoMessage, or add the schema that defines it to imports=[…]"


def types_of(file: FileDescriptorProto) -> Iterator[TypeSymbol]:
    """Give every message and enum of a file, nested ones included."""
    for enum in file.enum_type:
        yield _enum_symbol(enum, file.package, file.name)
    for message in file.message_type:
        yield from _message_symbols(message, file.package, file.name)


def _message_symbols(message: DescriptorProto, scope: str, file_name: str) -> Iterator[TypeSymbol]:
    full_name = qualified(scope, message.name)
    if message.options.map_entry:
        return
    yield TypeSymbol(full_name, file_name)
    for enum in message.enum_type:
        yield _enum_symbol(enum, full_name, file_name)
    for nested in message.nested_type:
        yield from _message_symbols(nested, full_name, file_name)


def _enum_symbol(enum: EnumDescriptorProto, scope: str, file_name: str) -> TypeSymbol:
    values = tuple((value.name, value.number) for value in enum.value)
    return TypeSymbol(qualified(scope, enum.name), file_name, values)


def qualified(scope: str, name: str) -> str:
    """Give the full name of `name` in a scope, which may be empty."""
    return f"{scope}.{name}" if scope else name


@lru_cache(maxsize=1)
def built_in_types() -> Mapping[str, TypeSymbol]:
    """Give the types of the built-in files, which need no import to be said, by full name."""
    return {symbol.full_name: symbol for name in BUILT_IN_FILES for symbol in types_of(built_in_file(name))}


def _visible_files(file_set: FileSet, name: str) -> Iterator[FileDescriptorProto]:
    file = file_set.file(name)
    yield file
    for index in file.public_dependency:
        yield from _visible_files(file_set, file.dependency[index])
