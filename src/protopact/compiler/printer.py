"""★ From descriptors to canonical `.proto` text.

The layout is that of Confluent's canonical text, so that equal spellings have equal content hashes.
What a descriptor does not remember is printed one way: names short within their package, options as aggregates, one
`reserved` statement for numbers and one for names. Compiled again, the text gives the same descriptor but for the
order of fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import Edition

from protopact.compiler.printer_layout import Block, braced, in_message_order, in_sections, indented, section
from protopact.compiler.printer_literals import quoted
from protopact.compiler.printer_messages import TypePrinter
from protopact.compiler.printer_names import Names
from protopact.compiler.printer_options import OptionPrinter
from protopact.compiler.printer_style import CANONICAL
from protopact.descriptor import pool_of
from protopact.errors import SchemaLinkError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodDescriptorProto

    from protopact.compiler.printer_style import Style
    from protopact.descriptor import FileSet


def print_file(file_set: FileSet, file_name: str | None = None) -> str:
    """Give the canonical `.proto` text of the root, or of the named file of the set.

    Raises SchemaLinkError when the set has no such file, when protobuf refuses the set, and when an option cannot be
    written because no file of the set defines it.
    """
    file = file_set.root_file if file_name is None else file_set.file(file_name)
    pool_of(file_set)  # protobuf vets the descriptors before anything is read from them
    return printed(file_set, file, CANONICAL)


def print_compiled(file_set: FileSet) -> str:
    """Give the canonical text of the root of what `compile_text` gave: protoc has vetted it.

    Raises SchemaLinkError when an option cannot be written because no file of the set defines it.
    """
    return printed(file_set, file_set.root_file, CANONICAL)


def printed(file_set: FileSet, file: FileDescriptorProto, style: Style) -> str:
    """Give the text of a file of the set, or of another form of it, in the given style.

    Raises as `print_file`; protobuf must have vetted the descriptors.
    """
    names = Names(file_set, file, style)
    options = OptionPrinter(file_set, file.name, names, style)
    types = TypePrinter(file, names, options, style)
    blocks = [
        *section("options", options.statements(file.options, file.package, "the file")),
        *_definitions(file, types),
        *_services(file, names, options),
    ]
    blocks = in_message_order(blocks, [message.name for message in file.message_type])
    lines = in_sections([*section("head", _head(file, style)), *section("imports", _imports(file)), *blocks])
    return "".join(f"{line}\n" for line in lines)


def _head(file: FileDescriptorProto, style: Style) -> list[str]:
    is_proto2 = file.syntax in {"", "proto2"}
    lines = [] if is_proto2 and not style.says_proto2 else [_syntax(file)]
    if file.package:
        lines.append(f"package {file.package};")
    return lines


def _syntax(file: FileDescriptorProto) -> str:
    if file.syntax != "editions":
        return f"syntax = {quoted(file.syntax or 'proto2')};"
    try:
        edition = Edition.Name(file.edition).removeprefix("EDITION_")
    except ValueError as error:
        raise SchemaLinkError(
            f"{file.name} has edition {file.edition}, which this protobuf does not know",
            hint="install a newer protobuf",
        ) from error
    return f"edition = {quoted(edition)};"


def _imports(file: FileDescriptorProto) -> list[str]:
    """Give the plain imports, then the public ones, then those for options alone."""
    public, weak = set(file.public_dependency), set(file.weak_dependency)
    plain = [
        f"import {'weak ' if index in weak else ''}{quoted(name)};"
        for index, name in enumerate(file.dependency)
        if index not in public
    ]
    shared = [f"import public {quoted(file.dependency[index])};" for index in sorted(public)]
    return [*plain, *shared, *(f"import option {quoted(name)};" for name in file.option_dependency)]


def _definitions(file: FileDescriptorProto, types: TypePrinter) -> Iterator[Block]:
    extends = list(types.extends(file.extension, file.message_type, file.package))
    groups = {name for block in extends for name in block.defines}
    yield from types.definitions(file.message_type, file.enum_type, file.package, groups)
    yield from extends


def _services(file: FileDescriptorProto, names: Names, options: OptionPrinter) -> Iterator[Block]:
    for service in file.service:
        full_name = f"{file.package}.{service.name}" if file.package else service.name
        methods = [line for method in service.method for line in _method(method, full_name, names, options)]
        body = in_sections(
            [
                *section("options", options.statements(service.options, file.package, full_name)),
                *section("rpcs", methods),
            ]
        )
        yield Block("services", braced(f"service {service.name}", body))


def _method(method: MethodDescriptorProto, service: str, names: Names, options: OptionPrinter) -> list[str]:
    asked = ("stream " if method.client_streaming else "") + names.of_any(method.input_type, service)
    given = ("stream " if method.server_streaming else "") + names.of_any(method.output_type, service)
    head = f"rpc {method.name} ({asked}) returns ({given})"
    body = options.statements(method.options, service, f"{service}.{method.name}")
    return [f"{head} {{", *indented(body), "};"] if body else [f"{head};"]
