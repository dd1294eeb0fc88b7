"""`protopact inspect`: the bytes of a record or a message, each explained; what is wrong in broken ones is named."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli.options import add_registry_option, connect
from protopact.cli.output import EXIT_FINDINGS, add_format_option, print_line, print_rows
from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from google.protobuf.descriptor import Descriptor

    from protopact.descriptor import FileSet
    from protopact.wire import Part

_COLUMNS = ("offset", "bytes", "field", "type", "value", "remark")
_SHOWN_BYTES = 8
_FORMS: dict[str, Callable[[bytes], bytes]] = {
    "bytes": bytes,
    "hex": lambda text: bytes.fromhex(text.decode("ascii")),
    "base64": lambda text: base64.b64decode(b"".join(text.split()), validate=True),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.set_defaults(run=_inspect)
    parser.add_argument("file", metavar="FILE", nargs="?", default="-", help="default: -, the standard input")
    parser.add_argument("--as", dest="form", choices=tuple(_FORMS), default="bytes", help="how FILE holds the bytes")
    parser.add_argument(
        "--framing",
        choices=("auto", "confluent", "raw"),
        default="auto",
        help="auto: a first byte 0 begins a prefix, since it can begin no message",
    )
    schema = parser.add_argument_group("schema", "Without one, fields have numbers for names, and values are guessed.")
    schema.add_argument("--schema", metavar="PROTO", dest="schema_file", type=Path, help="the message's .proto file")
    schema.add_argument(
        "-I", "--import-dir", action="append", type=Path, default=[], metavar="DIR", help="where imports are found"
    )
    schema.add_argument("--message", metavar="NAME", help="default: the one that the prefix names, else the first")
    schema.add_argument("--id", type=int, metavar="ID", help="take the schema of this id from the registry")
    schema.add_argument(
        "--code", action="store_true", help="show the code that converts such messages to dicts, and no bytes"
    )
    add_registry_option(parser)
    add_format_option(parser)


def _inspect(options: argparse.Namespace) -> int:
    from protopact.wire import annotate, annotate_prefix

    if options.code:
        return _show_code(options)
    data = _read(options)
    framed = options.framing == "confluent" or (options.framing == "auto" and data[:1] == b"\0")
    parts, size = annotate_prefix(data) if framed else ([], 0)
    if size or not framed:
        parts += annotate(data, _descriptor(options, data[:size]), start=size)
    print_rows(_COLUMNS, [_row(part, data) for part in parts], options.format)
    return EXIT_FINDINGS if any(part.wrong for part in parts) else 0


def _show_code(options: argparse.Namespace) -> int:
    from protopact.convert import converter_source
    from protopact.descriptor import message_class

    found = _find_message(options, b"")
    if found is None:
        raise ConfigError("code is made for a message", option="--code", hint="--schema or --id says which")
    print_line(converter_source(message_class(*found)))
    return 0


def _descriptor(options: argparse.Namespace, prefix: bytes) -> Descriptor | None:
    from protopact.descriptor import message_descriptor

    found = _find_message(options, prefix)
    return message_descriptor(*found) if found else None


def _find_message(options: argparse.Namespace, prefix: bytes) -> tuple[FileSet, str] | None:
    """Find the files of the message's schema and its name: as the options say, else as the prefix does."""
    from protopact.descriptor import message_at
    from protopact.framing import decode_prefix
    from protopact.schema import DescribedSchema

    read = decode_prefix(prefix) if prefix else None
    if options.schema_file is not None:
        file_set = _load(options)
    elif options.id is not None or (read is not None and options.registry is not None):
        with connect(options) as registry:
            file_set = registry.fetch_file_set(options.id if read is None or options.id is not None else read.schema_id)
    else:
        return None
    if options.message is not None:
        return file_set, DescribedSchema(file_set, options.message).name
    return file_set, message_at(file_set.root_file, read.indexes if read is not None else (0,))


def _load(options: argparse.Namespace) -> FileSet:
    from protopact.schema import load_schema

    if not options.schema_file.is_file():
        raise ConfigError(f"there is no file {options.schema_file}", option="--schema")
    return load_schema(options.schema_file, imports=options.import_dir or None).file_set


def _read(options: argparse.Namespace) -> bytes:
    if options.file == "-":
        data = sys.stdin.buffer.read()
    elif not Path(options.file).is_file():
        raise ConfigError(f"there is no file {options.file}", option="FILE")
    else:
        data = Path(options.file).read_bytes()
    try:
        return _FORMS[options.form](data)
    except ValueError as error:
        raise ConfigError(f"the input is no {options.form}: {error}", option="--as") from error


def _row(part: Part, data: bytes) -> dict[str, object]:
    shown = data[part.offset : part.offset + min(part.size, _SHOWN_BYTES)].hex(" ")
    return {
        "offset": part.offset,
        "bytes": shown + (" …" if part.size > _SHOWN_BYTES else ""),
        "field": "  " * part.depth + part.name,
        "type": part.kind,
        "value": part.value,
        "remark": f"WRONG: {part.wrong}" if part.wrong else part.note,
    }
