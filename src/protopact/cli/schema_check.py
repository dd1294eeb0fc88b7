"""`protopact schema check`: whether a file may become the next version of a subject, with each reason why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.cli.differences import finding_rows, print_verdict
from protopact.cli.options import add_file_arguments, add_registry_option, connect, load_file
from protopact.cli.output import EXIT_FINDINGS, add_format_option, is_json, print_json, print_line
from protopact.errors import SubjectNotFoundError

if TYPE_CHECKING:
    import argparse

    from protopact.client import SchemaRegistryClient
    from protopact.compat import Level, Policy
    from protopact.schema import DescribedSchema


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.set_defaults(run=_check)
    parser.add_argument("subject", metavar="SUBJECT", help="the subject whose versions it would follow")
    add_file_arguments(parser)
    parser.add_argument("--version", metavar="N", help="compare with this version alone: a number or latest")
    add_level_options(parser, level="the subject's", policy="the subject's")
    parser.add_argument(
        "--ask-registry", action="store_true", help="let the registry judge, by its own level and in its own words"
    )
    add_registry_option(parser)
    add_format_option(parser)


def add_level_options(parser: argparse.ArgumentParser, *, level: str, policy: str) -> None:
    """Offer `--level` and `--policy`, and say what counts without them."""
    parser.add_argument(
        "--level",
        metavar="LEVEL",
        help=f"BACKWARD, FORWARD, FULL, each also with _TRANSITIVE, or NONE (default: {level})",
    )
    parser.add_argument(
        "--policy",
        choices=("confluent", "wire", "wire_json", "source"),
        help="what counts as harm: what Confluent's registry refuses; also what binary readers misread; also what"
        f" breaks readers of JSON; also what breaks users of generated code (default: {policy})",
    )


def _check(options: argparse.Namespace) -> int:
    schema = load_file(options)
    with connect(options) as registry:
        if options.ask_registry:
            return _ask(registry, schema, options)
        return _judge(registry, schema, options)


def _judge(registry: SchemaRegistryClient, schema: DescribedSchema, options: argparse.Namespace) -> int:
    from protopact.rollout import Wanted, fetch_versions, findings_of, verdict_on

    level, policy = _terms(registry, options)
    numbers = _numbers(registry, options, all_count=level.transitive or policy > policy.CONFLUENT)
    versions = fetch_versions(registry, options.subject, numbers)
    report = verdict_on(Wanted(options.subject, schema.file_set), versions, level, policy, {})
    against = [f"{options.subject} v{version.version}" for version in versions if version.file_set is not None]
    rows = finding_rows(findings_of(schema.file_name, against, report))
    said: dict[str, object] = {
        "subject": options.subject,
        "compatible": report.compatible,
        "level": str(level),
        "policy": policy.text,
        "versions": [version.version for version in versions],
    }
    seen = f"{len(against)} version{'s' * (len(against) != 1)}" if against else "no version yet"
    print_verdict(said, rows, options.format, good=f"compatible with {options.subject} at {level}: {seen}")
    return 0 if report.compatible else EXIT_FINDINGS


def _terms(registry: SchemaRegistryClient, options: argparse.Namespace) -> tuple[Level, Policy]:
    from protopact.compat import Level, Policy

    config = registry.get_config(options.subject, default_to_global=True)
    level = Level.parse(options.level or config.compatibility_level or "BACKWARD")
    return level, Policy.parse(options.policy or config.breaking_policy or "confluent")


def _numbers(registry: SchemaRegistryClient, options: argparse.Namespace, *, all_count: bool) -> list[int]:
    """Give the versions to compare with, newest first; none for a subject that does not exist yet."""
    if options.version is not None:
        return [registry.get_version(options.subject, options.version).version or 0]
    try:
        numbers = registry.get_versions(options.subject)
    except SubjectNotFoundError:
        return []
    return numbers[::-1] if all_count else numbers[-1:]


def _ask(registry: SchemaRegistryClient, schema: DescribedSchema, options: argparse.Namespace) -> int:
    report = registry.test_compatibility(options.subject, schema, version=options.version)
    if is_json(options.format):
        print_json({"subject": options.subject, "compatible": report.is_compatible, "messages": list(report.messages)})
    else:
        print_line(f"{'compatible' if report.is_compatible else 'incompatible'} with {options.subject}")
        for message in report.messages:
            print_line(f"  {message}")
    return 0 if report.is_compatible else EXIT_FINDINGS
