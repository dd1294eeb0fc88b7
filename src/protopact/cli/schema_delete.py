"""`protopact schema delete`: a subject, or one of its versions; first softly, then for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.cli.options import add_registry_option, connect
from protopact.cli.output import add_format_option, confirm, is_json, print_json, print_line
from protopact.errors import RegistryError

if TYPE_CHECKING:
    import argparse

    from protopact.client import SchemaRegistryClient

_VERSION_DELETED_SOFTLY = 40406


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.set_defaults(run=_delete)
    parser.add_argument("subject", metavar="SUBJECT", help="the subject to delete")
    parser.add_argument("--version", metavar="N", help="delete this version alone: a number or latest")
    parser.add_argument(
        "--permanent",
        action="store_true",
        help="delete for good: its records can be read no more (default: softly, so that ids can still be resolved)",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask; needed where there is no terminal")
    add_registry_option(parser)
    add_format_option(parser)


def _delete(options: argparse.Namespace) -> int:
    with connect(options) as registry:
        version = _number(registry, options)
        what = options.subject if version is None else f"version {version} of {options.subject}"
        how = "Delete for good" if options.permanent else "Delete"
        confirm(f"{how} {what}?", yes=options.yes)
        deleted = _done(registry, options, version)
    if is_json(options.format):
        print_json({"subject": options.subject, "versions": deleted, "permanent": options.permanent})
    else:
        numbers = ", ".join(map(str, deleted)) or "none"
        print_line(f"deleted{' for good' if options.permanent else ''}: {options.subject}, versions {numbers}")
    return 0


def _number(registry: SchemaRegistryClient, options: argparse.Namespace) -> int | None:
    """Give the number of the version that is meant, also of one that is deleted softly."""
    if options.version is None:
        return None
    return registry.get_version(options.subject, options.version, deleted=True).version


def _done(registry: SchemaRegistryClient, options: argparse.Namespace, version: int | None) -> list[int]:
    if version is None:
        delete = registry.delete_subject_permanent if options.permanent else registry.delete_subject
        return delete(options.subject)
    if not options.permanent:
        return [registry.delete_version(options.subject, version)]
    try:
        registry.delete_version(options.subject, version)
    except RegistryError as error:
        if error.error_code != _VERSION_DELETED_SOFTLY:
            raise
    return [registry.delete_version(options.subject, version, permanent=True)]
