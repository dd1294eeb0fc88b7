"""From parts to descriptors: the names are declared first, then everything is built, each mistake with its path.

A file holds the root message first, then its siblings, then every other part that a field uses and nobody else
declared. What is checked here is what protoc checks, so that the printed text compiles wherever it is taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from protopact.compiler import check_import_path
from protopact.descriptor import FileSet, derived_json_name, is_built_in, message_descriptor
from protopact.errors import SchemaError, SchemaModelError
from protopact.schema.enums import ENUM_NUMBERS, build_enum, build_reserved, check_enum_values, check_reserved
from protopact.schema.names import Names, TypeSymbol, qualified
from protopact.schema.options import META_FILE, apply_options
from protopact.schema.parts import MessageDefinition, ProtoEnum, ProtoField
from protopact.schema.protocol import ProtoSchema
from protopact.schema.syntax import (
    NUMBER_MAX,
    SCALARS,
    SYNTAXES,
    Place,
    check_field,
    check_identifier,
    map_entry_name,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from protopact.schema.syntax import Syntax

Part = MessageDefinition | ProtoEnum


@dataclass(frozen=True, slots=True)
class Assembly:
    """A built file: the root's full name, the file set, and the full name of every part in it.

    `unresolved` is the path and the type of the first field that waits for the enclosing file; then there is no
    file set yet.
    """

    name: str
    file_set: FileSet | None
    type_names: Mapping[Part, str]
    unresolved: tuple[str, str] | None


def assemble(root: MessageDefinition) -> Assembly:
    """Build the file of a root message; SchemaModelError names the first part that makes no sense."""
    return _Assembler(root).run()


class _Assembler:
    """The making of one file."""

    def __init__(self, root: MessageDefinition) -> None:
        self.root = root
        self.syntax = _syntax(root)
        self.package = root.package_given or ""
        self.file_name = _file_name(root)
        self.names = Names()
        self.imports: dict[str, FileSet] = {}
        self.imported: dict[Part, str] = {}
        self.dependencies: dict[str, None] = {}
        self.built_ins: set[str] = set()
        self.homes: dict[Part, str] = {}
        self.top: list[Part] = []
        self.unresolved: tuple[str, str] | None = None

    def run(self) -> Assembly:
        self._import_all()
        self._place(self.root)
        self._adopt_used_parts()
        file = self._file()
        return Assembly(self.homes[self.root], self._link(file), self.homes, self.unresolved)

    # ── names ────────────────────────────────────────────────────────────────────────────────────

    def _import_all(self) -> None:
        for definition in _definitions(self.root):
            for schema in definition.imports:
                self._import(schema, definition)

    def _import(self, schema: ProtoSchema, definition: MessageDefinition) -> None:
        path = definition.simple_name
        if not isinstance(schema, ProtoSchema):
            raise SchemaModelError(
                f"{path}: import {schema!r} is no schema", path=path, hint="give a ProtoMessage or load_schema(…)"
            )
        name = schema.file_name
        if name == self.file_name:
            raise SchemaModelError(
                f"{path}: {name} would import itself", path=path, hint="give the import or this one another file_name"
            )
        known = self.imports.setdefault(name, schema.file_set)
        if known.fingerprint != schema.file_set.fingerprint:
            raise SchemaModelError(
                f"{path}: two different imports are called {name}", path=path, hint="give one of them another file_name"
            )
        self.dependencies[name] = None
        self.names.see(schema.file_set)
        if isinstance(schema, MessageDefinition):
            self.imported.update(schema.type_names)

    def _place(self, part: Part) -> None:
        """Give a part its place at the top of the file."""
        self.top.append(part)
        self._declare(part, self.package, "")

    def _declare(self, part: Part, scope: str, path_above: str) -> None:
        name = part.name if isinstance(part, ProtoEnum) else part.simple_name
        path = qualified(path_above, str(name))
        check_identifier(name, path, "an enum" if isinstance(part, ProtoEnum) else "a message")
        if part in self.homes:
            raise SchemaModelError(
                f"{path}: this part already stands as {self.homes[part]}",
                path=path,
                hint="declare it once; every field of the file can use it",
            )
        full_name = self.homes[part] = qualified(scope, name)
        if isinstance(part, ProtoEnum):
            self._declare_enum(part, full_name, scope, path)
        else:
            self._declare_message(part, full_name, path)

    def _declare_enum(self, enum: ProtoEnum, full_name: str, scope: str, path: str) -> None:
        if isinstance(enum.values, str):
            raise SchemaModelError(f"{path}: values {enum.values!r} are one text", path=path, hint='write ["A", "B"]')
        values = enum.numbered()
        check_enum_values(values, path, self.syntax, allow_alias=enum.allow_alias)
        check_reserved(enum.reserved, values, path, ENUM_NUMBERS)
        self.names.declare(full_name, path, TypeSymbol(full_name, self.file_name, tuple(values)))
        for name, _ in values:  # an enum's values are names of the scope around it, as in C++
            self.names.declare(qualified(scope, name), f"{path}.{name}")

    def _declare_message(self, definition: MessageDefinition, full_name: str, path: str) -> None:
        self._check_belongs(definition, path)
        _check_kinds(definition, path)
        self.names.declare(full_name, path, TypeSymbol(full_name, self.file_name))
        nested: list[Part] = [*definition.messages, *definition.enums]
        for part in nested:
            self._declare(part, full_name, path)
        for sibling in definition.siblings:
            if sibling not in self.homes:
                self._place(sibling)

    def _check_belongs(self, part: MessageDefinition, path: str) -> None:
        """Refuse a part that says it is of another file: where it belongs would be a guess."""
        differing = [
            f"{what} {given!r}"
            for what, given, own in (
                ("package", part.package_given, self.package),
                ("file_name", part.file_name_given, self.file_name),
                ("syntax", part.syntax_given, self.syntax.name),
            )
            if given is not None and given != own
        ]
        if differing:
            raise SchemaModelError(
                f"{path}: this part says {' and '.join(differing)} and is used in {self.file_name} "
                f"(package {self.package!r}, syntax {self.syntax.name!r})",
                path=path,
                hint="add it to imports=[…] if it is a file of its own, else leave these out",
            )

    def _adopt_used_parts(self) -> None:
        """Place the parts that fields use and nobody declares, in order of use."""
        for part in self.top:  # grows while it is walked
            for definition, field in _fields_below(part):
                if isinstance(field.type, Part):
                    if field.type not in self.homes and field.type not in self.imported:
                        self._adopt(field.type)
                elif isinstance(field.type, ProtoSchema):
                    self._import(field.type, definition)

    def _adopt(self, part: Part) -> None:
        for definition in _definitions(part):
            for schema in definition.imports:
                self._import(schema, definition)
        self._place(part)

    # ── descriptors ──────────────────────────────────────────────────────────────────────────────

    def _file(self) -> FileDescriptorProto:
        file = FileDescriptorProto(name=self.file_name, package=self.package or None)
        if self.syntax.edition:
            file.syntax = "editions"
            file.edition = self.syntax.edition
        elif self.syntax.name != "proto2":  # protoc leaves proto2 unsaid
            file.syntax = self.syntax.name
        for part in self.top:
            if isinstance(part, ProtoEnum):
                build_enum(part, file.enum_type.add())
            else:
                self._message(part, file.message_type.add(), part.simple_name)
        file.dependency.extend([*self.dependencies, *sorted(self.built_ins - set(self.dependencies))])
        return file

    def _message(self, definition: MessageDefinition, proto: DescriptorProto, path: str) -> None:
        proto.name = definition.simple_name
        full_name = self.homes[definition]
        for field, oneof in _with_oneofs(definition):
            self._field(field, oneof, proto, full_name, path)
        _check_numbers(proto, path)
        self._oneofs(definition, proto, full_name, path)
        _check_json_names(proto, path, self.syntax)
        for nested in definition.messages:
            self._message(nested, proto.nested_type.add(), qualified(path, nested.simple_name))
        for enum in definition.enums:
            build_enum(enum, proto.enum_type.add())
        fields = [(field.name, field.number) for field in definition.all_fields()]
        check_reserved(definition.reserved, fields, path, range(1, NUMBER_MAX + 1))
        build_reserved(definition.reserved, proto)

    def _field(self, field: ProtoField, oneof: int | None, proto: DescriptorProto, scope: str, path: str) -> None:
        place = Place(qualified(path, str(field.name)), self.syntax, in_oneof=oneof is not None)
        check_field(field, place)
        self.names.declare(f"{scope}.{field.name}", place.path)
        built = proto.field.add(name=field.name, number=field.number, label=_label(field))
        if oneof is not None:
            built.oneof_index = oneof
        symbol = self._type(field, built, scope, place)
        if not built.HasField("type"):
            return  # it waits for the enclosing file; this one is not built
        apply_options(field, built, place, symbol)
        if field.tags:
            self.built_ins.add(META_FILE)
        if field.map_key is not None:
            _check_map_values(symbol, place.path)
            self._map_entry(field, built, proto, scope, place)
        if field.optional and self.syntax.marks_optional:
            built.proto3_optional = True

    def _type(self, field: ProtoField, built: FieldDescriptorProto, scope: str, place: Place) -> TypeSymbol | None:
        if isinstance(field.type, str) and field.type in SCALARS:
            built.type = SCALARS[field.type]
            return None
        symbol = self._symbol(field, scope, place.path)
        if symbol is None:
            return None
        built.type = FieldDescriptorProto.TYPE_MESSAGE if symbol.values is None else FieldDescriptorProto.TYPE_ENUM
        built.type_name = f".{symbol.full_name}"
        if symbol.file_name != self.file_name and is_built_in(symbol.file_name):
            self.built_ins.add(symbol.file_name)
        return symbol

    def _symbol(self, field: ProtoField, scope: str, path: str) -> TypeSymbol | None:
        wanted = field.type
        if isinstance(wanted, Part):
            name = f".{self.homes.get(wanted) or self.imported[wanted]}"
        elif isinstance(wanted, str):
            name = wanted
        elif isinstance(wanted, ProtoSchema):
            name = f".{wanted.name}"
        else:
            raise SchemaModelError(
                f"{path}: {wanted!r} is no type",
                path=path,
                hint='give a name such as "int64", or a ProtoEnum, ProtoMessage or other schema',
            )
        symbol = self.names.find(name, scope)
        if symbol is None and not name.startswith("."):
            raise SchemaModelError(f"{path}: unknown type {name!r}", path=path, hint=self.names.remedy(name))
        if symbol is None:
            self.unresolved = self.unresolved or (path, name)
        return symbol

    def _map_entry(
        self, field: ProtoField, built: FieldDescriptorProto, proto: DescriptorProto, scope: str, place: Place
    ) -> None:
        """Turn a built field into a map: its type moves into an entry message, as protoc does it."""
        name = map_entry_name(field.name)
        self.names.declare(f"{scope}.{name}", place.path)
        entry = proto.nested_type.add(name=name)
        entry.options.map_entry = True
        entry.field.add(
            name="key", json_name="key", number=1, label=FieldDescriptorProto.LABEL_OPTIONAL,
            type=SCALARS[str(field.map_key)],
        )  # fmt: skip
        value = entry.field.add(name="value", json_name="value", number=2, label=FieldDescriptorProto.LABEL_OPTIONAL)
        value.type = built.type
        if built.type_name:
            value.type_name = built.type_name
        built.type = FieldDescriptorProto.TYPE_MESSAGE
        built.type_name = f".{scope}.{name}"

    def _oneofs(self, definition: MessageDefinition, proto: DescriptorProto, scope: str, path: str) -> None:
        for name, members in definition.oneofs.items():
            place = qualified(path, str(name))
            check_identifier(name, place, "a oneof")
            if not members:
                raise SchemaModelError(
                    f"{place}: a oneof needs a member", path=place, hint="add one, or drop the oneof"
                )
            self.names.declare(f"{scope}.{name}", place)
            proto.oneof_decl.add(name=name)
        # proto3's optional is a oneof with one member, behind the real ones (protoc: "synthetic oneof").
        taken = {field.name for field in proto.field} | set(definition.oneofs)
        for field in proto.field:
            if field.proto3_optional:
                name = field.name if field.name.startswith("_") else f"_{field.name}"
                while name in taken:
                    name = f"X{name}"
                taken.add(name)
                field.oneof_index = len(proto.oneof_decl)
                proto.oneof_decl.add(name=name)

    def _link(self, file: FileDescriptorProto) -> FileSet | None:
        if self.unresolved:
            return None
        imported = {needed.name: needed for file_set in self.imports.values() for needed in file_set.files}
        path = self.root.simple_name
        try:
            file_set = FileSet.link(self.file_name, [*imported.values(), file])
            message_descriptor(file_set, self.homes[self.root])
        except SchemaError as error:
            raise SchemaModelError(f"{path}: {error}", path=path, hint=error.hint) from error
        self.names.check_packages(each.package for each in file_set.files)
        return file_set


# ── one part alone ───────────────────────────────────────────────────────────────────────────────


def _syntax(root: MessageDefinition) -> Syntax:
    given = "proto3" if root.syntax_given is None else root.syntax_given
    if given not in SYNTAXES:
        raise SchemaModelError(
            f"{root.simple_name}: unknown syntax {given!r}",
            path=str(root.simple_name),
            hint=f"one of {', '.join(SYNTAXES)}; the year is an edition",
        )
    return SYNTAXES[given]


def _check_kinds(definition: MessageDefinition, path: str) -> None:
    fields: list[object] = [*definition.all_fields()]
    parts: list[object] = [*definition.messages, *definition.enums, *definition.siblings]
    wrong = [each for each in fields if not isinstance(each, ProtoField)]
    wrong += [each for each in parts if not isinstance(each, Part)]
    if wrong:
        raise SchemaModelError(
            f"{path}: {wrong[0]!r} is no part of a schema",
            path=path,
            hint="give ProtoField, ProtoMessage and ProtoEnum objects",
        )


def _file_name(root: MessageDefinition) -> str:
    path = str(root.simple_name)
    for part in (root.package_given or "").split(".") if root.package_given else ():
        check_identifier(part, path, f"a part of package {root.package_given!r}")
    if root.file_name_given is None:
        file = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", path).lower()
        return "/".join([*(root.package_given or "").split("."), f"{file}.proto"]).lstrip("/")
    try:
        check_import_path(root.file_name_given)
    except SchemaError as error:
        hint = "give a relative path with '/' between its parts, such as shop/v1/order.proto"
        raise SchemaModelError(f"{path}: file_name: {error}", path=path, hint=hint) from error
    return root.file_name_given


def _definitions(part: Part) -> Iterator[MessageDefinition]:
    """Give a message and all that it declares, siblings included."""
    if isinstance(part, MessageDefinition):
        yield part
        for other in (*part.messages, *part.siblings):
            yield from _definitions(other)


def _fields_below(part: Part) -> Iterator[tuple[MessageDefinition, ProtoField]]:
    if isinstance(part, MessageDefinition):
        for field in part.all_fields():
            yield part, field
        for nested in part.messages:
            yield from _fields_below(nested)


def _with_oneofs(definition: MessageDefinition) -> Iterator[tuple[ProtoField, int | None]]:
    for field in definition.fields:
        yield field, None
    for index, members in enumerate(definition.oneofs.values()):
        for member in members:
            yield member, index


def _label(field: ProtoField) -> FieldDescriptorProto.Label.ValueType:
    if field.repeated or field.map_key is not None:
        return FieldDescriptorProto.LABEL_REPEATED
    return FieldDescriptorProto.LABEL_REQUIRED if field.required else FieldDescriptorProto.LABEL_OPTIONAL


def _check_map_values(symbol: TypeSymbol | None, path: str) -> None:
    if symbol is not None and symbol.values and symbol.values[0][1] != 0:
        raise SchemaModelError(
            f"{path}: the first value of {symbol.full_name} is not 0",
            path=path,
            hint="put a value 0 first: a map's missing values stand for it",
        )


def _check_numbers(proto: DescriptorProto, path: str) -> None:
    names: dict[int, str] = {}
    for field in proto.field:
        other = names.setdefault(field.number, field.name)
        if other != field.name:
            place = qualified(path, field.name)
            taken = {each.number for each in proto.field}
            raise SchemaModelError(
                f"{place}: the number {field.number} is {other}'s",
                path=place,
                hint=f"a free number is {next(number for number in count(1) if number not in taken)}",
            )


def _check_json_names(proto: DescriptorProto, path: str, syntax: Syntax) -> None:
    # protoc compares the derived names first, whatever json_name says, and then the names in use; in proto2 it only
    # warns. protobuf's runtime compares the names in use, also with the names as written, for JSON may use both.
    derived = [(field.name, derived_json_name(field.name)) for field in proto.field]
    written = [(field.name, field.name) for field in proto.field]
    in_use = [*written, *((field.name, field.json_name) for field in proto.field)]
    for pairs in (in_use,) if syntax.name == "proto2" else (derived, in_use):
        names: dict[str, str] = {}
        for name, json_name in pairs:
            other = names.setdefault(json_name, name)
            if other != name:
                place = qualified(path, name)
                raise SchemaModelError(
                    f"{place}: the JSON name {json_name!r} is {other}'s too",
                    path=place,
                    hint="rename one of the fields",
                )
