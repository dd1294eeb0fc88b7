"""`protopact plan`: what `apply` would do with a directory of schemas, step by step; nothing is changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from protopact.cli.options import add_registry_option, connect
from protopact.cli.output import (
    EXIT_FINDINGS,
    add_format_option,
    counted,
    is_json,
    print_json,
    print_line,
    print_note,
    print_rows,
)

if TYPE_CHECKING:
    import argparse

    from protopact.client import SchemaRegistryClient
    from protopact.rollout import Plan, Project, Step

STEP_COLUMNS = ("action", "subject", "file", "version", "level", "policy")


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command: exit code 0 for a plan that can be done, 100 for one that cannot."""
    parser.set_defaults(run=_plan)
    add_plan_arguments(parser)


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """Offer the directory, its `protopact.toml` and the registry."""
    add_directory_arguments(parser)
    add_registry_option(parser)
    add_format_option(parser)


def add_directory_arguments(parser: argparse.ArgumentParser) -> None:
    """Offer the directory and its `protopact.toml`."""
    parser.add_argument(
        "directory",
        type=Path,
        nargs="?",
        default=Path(),
        metavar="DIR",
        help="the .proto files, each under its import path (default: this directory)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="says which subject holds which file, and how strictly (default: protopact.toml in DIR)",
    )


def config_path(options: argparse.Namespace) -> Path:
    """Give the place of the directory's `protopact.toml`."""
    given: Path | None = options.config
    directory: Path = options.directory
    return given or directory / "protopact.toml"


def read_plan(registry: SchemaRegistryClient, options: argparse.Namespace) -> Plan:
    """Read the directory, ask the registry, and decide."""
    from protopact.rollout import fetch_held, keeps_policies, load_project, make_plan, wanted_schemas

    project = load_project(config_path(options))
    wanted = wanted_schemas(options.directory, project)
    found = list(counted(fetch_held(registry, wanted), len(wanted), "asking the registry"))
    return make_plan(found, sets_policies=_says_policies(project) and keeps_policies(registry))


def step_row(step: Step) -> dict[str, object]:
    """Give a step as a row."""
    return {
        "action": str(step.action),
        "subject": step.wanted.subject,
        "file": step.wanted.file,
        "version": step.version,
        "level": str(step.level),
        "policy": step.policy.text,
        "reasons": list(step.reasons),
    }


def print_plan(plan: Plan, style: str | None) -> None:
    """Print the steps with their reasons, and the advice."""
    rows = [step_row(step) for step in plan.steps]
    if is_json(style):
        print_json({"doable": not plan.findings, "steps": rows, "advice": list(plan.advice)})
        return
    print_rows(STEP_COLUMNS, [{name: row[name] for name in STEP_COLUMNS} for row in rows], "table")
    for step in plan.steps:
        for reason in step.reasons:
            print_line(f"{step.action} {step.wanted.subject}: {reason}")
    print_line(_summary(plan))
    for sentence in plan.advice:
        print_note(f"advice: {sentence}")


def _plan(options: argparse.Namespace) -> int:
    with connect(options) as registry:
        plan = read_plan(registry, options)
    print_plan(plan, options.format)
    return EXIT_FINDINGS if plan.findings else 0


def _summary(plan: Plan) -> str:
    if plan.findings:
        return f"cannot be applied: {len(plan.findings)} of {len(plan.steps)} subjects are refused"
    if not plan.changes:
        return "nothing to do"
    return f"can be applied: {len(plan.changes)} of {len(plan.steps)} subjects change"


def _says_policies(project: Project) -> bool:
    return project.policy is not None or any(rule.policy is not None for rule in project.rules)
