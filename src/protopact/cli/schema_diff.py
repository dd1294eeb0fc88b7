"""`protopact schema diff`: what differs between two versions of a subject, or between a version and a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.cli.differences import DIFFERENCE_COLUMNS, difference_row
from protopact.cli.options import add_file_arguments, add_registry_option, connect, load_file
from protopact.cli.output import add_format_option, print_rows
from protopact.errors import ConfigError, SchemaError

if TYPE_CHECKING:
    import argparse

    from protopact.client import SchemaRegistryClient
    from protopact.compat import Difference
    from protopact.rollout import HeldVersion

_COLUMNS = (*DIFFERENCE_COLUMNS, "backward")


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.set_defaults(run=_diff)
    parser.add_argument("subject", metavar="SUBJECT", help="the subject that holds the versions")
    add_file_arguments(parser, optional=True)
    parser.add_argument(
        "--from",
        dest="older",
        metavar="N",
        help="the version before (default: the one before the newest; with FILE the newest)",
    )
    parser.add_argument(
        "--to", dest="newer", metavar="N", help="the version after (default: the newest; not with FILE)"
    )
    add_registry_option(parser)
    add_format_option(parser)


def _diff(options: argparse.Namespace) -> int:
    if options.file is not None and options.newer is not None:
        raise ConfigError("a version is compared with FILE or with --to, not with both", option="--to")
    with connect(options) as registry:
        differences = _with_file(registry, options) if options.file is not None else _of_versions(registry, options)
    rows = [
        {**difference_row(one), "backward": "incompatible" if one.incompatible else "compatible"} for one in differences
    ]
    print_rows(_COLUMNS, rows, options.format)
    return 0


def _with_file(registry: SchemaRegistryClient, options: argparse.Namespace) -> tuple[Difference, ...]:
    from protopact.compat import compare

    schema = load_file(options)
    before = _version(registry, options.subject, options.older or "latest")
    assert before.file_set is not None
    return compare(before.file_set, schema.file_set, original_references=before.references)


def _of_versions(registry: SchemaRegistryClient, options: argparse.Namespace) -> tuple[Difference, ...]:
    from protopact.compat import compare

    after = _version(registry, options.subject, options.newer or "latest")
    before = _version(registry, options.subject, options.older or _before(registry, options.subject, after.version))
    assert before.file_set is not None
    assert after.file_set is not None
    return compare(
        before.file_set,
        after.file_set,
        original_references=before.references,
        update_references=after.references,
    )


def _before(registry: SchemaRegistryClient, subject: str, version: int) -> int:
    earlier = [number for number in registry.get_versions(subject) if number < version]
    if not earlier:
        raise ConfigError(f"{subject} has no version before {version}", option="--from")
    return earlier[-1]


def _version(registry: SchemaRegistryClient, subject: str, version: int | str) -> HeldVersion:
    from protopact.rollout import fetch_versions

    number = registry.get_version(subject, version).version or 0
    (found,) = fetch_versions(registry, subject, [number])
    if found.file_set is None:
        raise SchemaError(f"version {number} of {subject!r} is no Protobuf schema")
    return found
