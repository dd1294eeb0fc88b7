"""`protopact schema list|get|register`: the schemas of a registry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli.options import add_registry_option
from protopact.cli.output import add_format_option, print_json, print_rows
from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from protopact.client import SchemaRegistryClient
    from protopact.registry import RegisteredSchema
    from protopact.schema import ProtoSchema


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command's parts."""
    parts = parser.add_subparsers(metavar="PART", required=True)
    _configure_list(parts.add_parser("list", help="list subjects, or the versions of one subject"))
    _configure_get(parts.add_parser("get", help="print a schema's text"))
    _configure_register(parts.add_parser("register", help="register a .proto file, its imports first"))


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_list)
    parser.add_argument("subject", nargs="?", metavar="SUBJECT", help="default: all subjects, their latest versions")
    add_registry_option(parser)
    add_format_option(parser)


def _configure_get(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_get)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("subject", nargs="?", metavar="SUBJECT", help="the subject that holds it")
    which.add_argument("--id", type=int, metavar="ID", help="by schema id instead of subject and version")
    parser.add_argument("--version", default="latest", metavar="N", help="a number or latest (the default)")
    parser.add_argument("--json", action="store_true", help="print everything the registry says of it, as JSON")
    add_registry_option(parser)


def _configure_register(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_register)
    parser.add_argument("subject", metavar="SUBJECT", help="the subject to register under")
    parser.add_argument("file", metavar="FILE", help="a .proto file; - reads standard input")
    parser.add_argument(
        "-I", "--import-dir", action="append", type=Path, default=[], metavar="DIR", help="where imports are found"
    )
    parser.add_argument("--normalize", action="store_true", help="let the registry bring the text into its normal form")
    add_registry_option(parser)
    add_format_option(parser)


def _list(options: argparse.Namespace) -> int:
    with _connect(options) as registry:
        subjects = [options.subject] if options.subject else registry.get_subjects()
        if options.subject:
            found = [
                registry.get_version(options.subject, version) for version in registry.get_versions(options.subject)
            ]
        else:
            found = [registry.get_version(subject) for subject in subjects]
    rows = [_row(schema) for schema in found]
    print_rows(("subject", "version", "id", "type", "references"), rows, options.format)
    return 0


def _get(options: argparse.Namespace) -> int:
    with _connect(options) as registry:
        if options.id is not None:
            schema = registry.get_schema_by_id(options.id)
        else:
            schema = registry.get_version(options.subject, options.version)
    if options.json:
        print_json({**_row(schema), "schema": schema.schema})
    else:
        sys.stdout.write(schema.schema)
    return 0


def _register(options: argparse.Namespace) -> int:
    schema = _load(options)
    with _connect(options) as registry:
        registered = registry.register(options.subject, schema, normalize=options.normalize)
    print_rows(("subject", "version", "id", "type", "references"), [_row(registered)], options.format)
    return 0


def _load(options: argparse.Namespace) -> ProtoSchema:
    from protopact.schema import load_schema

    if options.file == "-":
        return load_schema(sys.stdin.read(), imports=options.import_dir)
    path = Path(options.file)
    if not path.is_file():
        raise ConfigError(f"there is no file {path}", option="FILE")
    return load_schema(path, imports=options.import_dir)


def _connect(options: argparse.Namespace) -> SchemaRegistryClient:
    from protopact.connect import connect_registry

    return connect_registry(options.registry)


def _row(schema: RegisteredSchema) -> dict[str, object]:
    return {
        "subject": schema.subject,
        "version": schema.version,
        "id": schema.id,
        "type": schema.schema_type,
        "references": [
            f"{reference.name} = {reference.subject} v{reference.version}" for reference in schema.references
        ],
    }
