"""`protopact schema references|download`: what a version is connected with, and all of it as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli.options import add_registry_option, connect
from protopact.cli.output import add_format_option, print_line, print_rows

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from protopact.client import SchemaRegistryClient
    from protopact.registry import RegisteredSchema

_COLUMNS = ("direction", "subject", "version", "id", "path")


def configure_references(parser: argparse.ArgumentParser) -> None:
    """Describe `schema references`."""
    parser.set_defaults(run=_references)
    _add_version(parser)
    add_registry_option(parser)
    add_format_option(parser)


def configure_download(parser: argparse.ArgumentParser) -> None:
    """Describe `schema download`."""
    parser.set_defaults(run=_download)
    _add_version(parser)
    parser.add_argument("directory", type=Path, metavar="DIR", help="where the files go, each under its import path")
    parser.add_argument(
        "--as", dest="name", metavar="PATH", help="import path of the schema itself (default: from the subject)"
    )
    add_registry_option(parser)


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", metavar="SUBJECT", help="the subject that holds the version")
    parser.add_argument("--version", default="latest", metavar="N", help="a number or latest (the default)")


def _references(options: argparse.Namespace) -> int:
    with connect(options) as registry:
        schema = registry.get_version(options.subject, options.version)
        rows = [*_imports(registry, schema), *_importers(registry, options.subject, schema)]
    print_rows(_COLUMNS, rows, options.format)
    return 0


def _imports(registry: SchemaRegistryClient, schema: RegisteredSchema) -> Iterator[dict[str, object]]:
    from protopact.registry import Subject

    context = Subject.parse(schema.subject or "").context
    for reference in schema.references:
        home = Subject.parse(reference.subject, context=context).qualified
        held = registry.get_version(home, reference.version, deleted=True)
        yield _row("imports", home, reference.version, held.id, reference.name)


def _importers(registry: SchemaRegistryClient, subject: str, schema: RegisteredSchema) -> Iterator[dict[str, object]]:
    from protopact.registry import Subject

    own = Subject.parse(subject)
    for schema_id in registry.referenced_by(subject, schema.version or "latest"):
        for place in registry.get_versions_for_schema(schema_id, subject=f":{own.context}:"):
            yield _row("imported by", place.subject, place.version, schema_id, None)


def _row(direction: str, subject: str, version: int, schema_id: int | None, path: str | None) -> dict[str, object]:
    return {"direction": direction, "subject": subject, "version": version, "id": schema_id, "path": path}


def _download(options: argparse.Namespace) -> int:
    from protopact.rollout import fetch_texts
    from protopact.schema import save_texts

    with connect(options) as registry:
        texts = fetch_texts(registry, options.subject, options.version, name=options.name)
    for path in save_texts(texts, options.directory):
        print_line(str(path))
    return 0
