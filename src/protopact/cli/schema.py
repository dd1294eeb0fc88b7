"""`protopact schema`: the schemas of a registry."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from protopact.cli import schema_check, schema_delete, schema_diff, schema_imports
from protopact.cli.options import add_file_arguments, add_registry_option, connect, load_file
from protopact.cli.output import add_format_option, print_json, print_rows

if TYPE_CHECKING:
    import argparse

    from protopact.registry import RegisteredSchema


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command's parts."""
    parts = parser.add_subparsers(metavar="PART", required=True)
    _configure_list(parts.add_parser("list", help="list subjects, or the versions of one subject"))
    _configure_get(parts.add_parser("get", help="print a schema's text"))
    _configure_register(parts.add_parser("register", help="register a .proto file, its imports first"))
    schema_check.configure(
        parts.add_parser("check", help="check whether a file may follow a subject's versions; exit code 100 if not")
    )
    schema_diff.configure(
        parts.add_parser("diff", help="show the differences of two versions, or of a version and a file")
    )
    schema_delete.configure(parts.add_parser("delete", help="delete a subject or one of its versions"))
    schema_imports.configure_references(
        parts.add_parser("references", help="list what a version imports, and what imports it")
    )
    schema_imports.configure_download(
        parts.add_parser("download", help="write a version and all its imports into a directory")
    )


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
    add_file_arguments(parser)
    parser.add_argument("--normalize", action="store_true", help="let the registry bring the text into its normal form")
    add_registry_option(parser)
    add_format_option(parser)


def _list(options: argparse.Namespace) -> int:
    with connect(options) as registry:
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
    with connect(options) as registry:
        if options.id is not None:
            schema = registry.get_schema_by_id(options.id)
        else:
            schema = registry.get_version(options.subject, options.version)
    if options.json:
        rest = {name: value for name, value in schema.to_object().items() if name not in {"schemaType", "references"}}
        print_json({**_row(schema), **rest})
    else:
        sys.stdout.write(schema.schema)
    return 0


def _register(options: argparse.Namespace) -> int:
    schema = load_file(options)
    with connect(options) as registry:
        registered = registry.register(options.subject, schema, normalize=options.normalize)
    print_rows(("subject", "version", "id", "type", "references"), [_row(registered)], options.format)
    return 0


def _row(schema: RegisteredSchema) -> dict[str, object]:
    return {
        "subject": schema.subject,
        "version": schema.version,
        "id": schema.id,
        "guid": schema.guid,
        "type": schema.schema_type,
        "references": [
            f"{reference.name} = {reference.subject} v{reference.version}" for reference in schema.references
        ],
    }
