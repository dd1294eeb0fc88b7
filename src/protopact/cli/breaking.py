"""`protopact breaking`: what breaks between a directory of schemas and another state of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli.differences import finding_rows, print_verdict
from protopact.cli.options import add_registry_option, connect
from protopact.cli.output import EXIT_FINDINGS, add_format_option, counted
from protopact.cli.plan import add_directory_arguments, config_path
from protopact.cli.schema_check import add_level_options

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from protopact.compat import Level, Policy
    from protopact.rollout import Finding, Held, Project, Wanted

_GIT, _REGISTRY = "git#", "registry"


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command: exit code 100 when something breaks."""
    parser.set_defaults(run=_breaking)
    add_directory_arguments(parser)
    parser.add_argument(
        "--against",
        required=True,
        metavar="WHERE",
        help="another directory; git#REVISION, what git kept of DIR; or registry, what the registry holds of each file",
    )
    add_level_options(
        parser,
        level="protopact.toml's, else that of the registry, else BACKWARD",
        policy="protopact.toml's, else wire",
    )
    add_registry_option(parser)
    add_format_option(parser)


def _breaking(options: argparse.Namespace) -> int:
    project = _project(options)
    against_registry = options.against == _REGISTRY
    compared, findings = (_with_registry if against_registry else _with_tree)(options, project)
    rows = finding_rows(findings)
    said: dict[str, object] = {"against": options.against, "compared": compared}
    files = f"{compared} file{'s' * (compared != 1)}"
    print_verdict(said, rows, options.format, good=f"nothing breaks: {files} compared with {options.against}")
    return EXIT_FINDINGS if rows else 0


def _project(options: argparse.Namespace) -> Project:
    """Give what `protopact.toml` says; without one the options and defaults alone count."""
    from protopact.rollout import Project, load_project

    path = config_path(options)
    return load_project(path) if options.config or path.is_file() else Project(())


def _with_tree(options: argparse.Namespace, project: Project) -> tuple[int, Sequence[Finding]]:
    from protopact.compat import Level
    from protopact.rollout import compare_trees, read_revision, read_tree

    level, policy = _level(options, project.level) or Level.BACKWARD, _policy(options, project.policy)
    if options.against.startswith(_GIT):
        before = read_revision(options.directory, options.against.removeprefix(_GIT))
    else:
        before = read_tree(Path(options.against))
    new, old = read_tree(options.directory).compile(), before.compile()
    return len(old), list(compare_trees(new, old, options.against, level, policy))


def _with_registry(options: argparse.Namespace, project: Project) -> tuple[int, Sequence[Finding]]:
    from protopact.rollout import fetch_held

    wanted = _wanted(options, project)
    with connect(options) as registry:
        found = list(counted(fetch_held(registry, wanted), len(wanted), "asking the registry"))
    findings = [finding for each, held in found for finding in _findings(each, held, options)]
    return sum(1 for _, held in found if held.versions), findings


def _wanted(options: argparse.Namespace, project: Project) -> Sequence[Wanted]:
    """Give the files with the subjects that hold them: as `protopact.toml` says, else each under its own path."""
    from dataclasses import replace

    from protopact.rollout import read_tree, wanted_by_path, wanted_schemas

    if project.rules:
        wanted = wanted_schemas(options.directory, project)
    else:
        wanted = wanted_by_path(read_tree(options.directory).compile(), project)
    return [replace(each, level=_level(options, each.level), policy=_policy(options, each.policy)) for each in wanted]


def _findings(wanted: Wanted, held: Held, options: argparse.Namespace) -> Iterator[Finding]:
    from protopact.rollout import findings_of, verdict_on

    level, policy = wanted.level or held.level, _policy(options, wanted.policy)
    report = verdict_on(wanted, held.history, level, policy, {})
    against = [f"{wanted.subject} v{version.version}" for version in held.history if version.file_set is not None]
    return findings_of(wanted.file, against, report)


def _level(options: argparse.Namespace, said: Level | None) -> Level | None:
    from protopact.compat import Level

    return Level.parse(options.level) if options.level else said


def _policy(options: argparse.Namespace, said: Policy | None) -> Policy:
    from protopact.compat import Policy

    if options.policy:
        return Policy.parse(options.policy)
    return Policy.WIRE if said is None else said
