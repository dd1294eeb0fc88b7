"""`protopact apply`: bring a directory of schemas into a registry; doing it again changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.cli.options import connect
from protopact.cli.output import EXIT_FINDINGS, counted, is_json, print_json, print_line, print_rows
from protopact.cli.plan import add_plan_arguments, print_plan, read_plan, step_row
from protopact.errors import IncompatibleSchemaError, ProtopactError

if TYPE_CHECKING:
    import argparse

    from protopact.client import SchemaRegistryClient
    from protopact.rollout import Done, Plan

_COLUMNS = ("done", "subject", "file", "version", "id")


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command: exit code 100 when schemas are refused, then nothing or only what is told was done."""
    parser.set_defaults(run=_apply)
    add_plan_arguments(parser)


def _apply(options: argparse.Namespace) -> int:
    with connect(options) as registry:
        plan = read_plan(registry, options)
        if plan.findings:
            print_plan(plan, options.format)
            return EXIT_FINDINGS
        done, error = _do(registry, plan)
    _print(plan, done, error, options.format)
    if error is None:
        return 0
    if isinstance(error, IncompatibleSchemaError):
        return EXIT_FINDINGS
    raise error


def _do(registry: SchemaRegistryClient, plan: Plan) -> tuple[list[Done], ProtopactError | None]:
    """Do the steps until one fails; give those that were done, and the failure."""
    from protopact.rollout import apply_steps

    done: dict[str, Done] = {}
    failure = None
    try:
        for each in counted(apply_steps(registry, plan), len(plan.steps), "applying"):
            done[each.step.wanted.subject] = each
    except ProtopactError as error:
        failure = error
    return list(done.values()), failure


def _print(plan: Plan, done: list[Done], error: ProtopactError | None, style: str | None) -> None:
    rows = [_row(each) for each in done]
    failed = plan.steps[len(done)].wanted.subject if error is not None else None
    if is_json(style):
        print_json({"done": rows, "failed": failed, "error": None if error is None else str(error)})
        return
    print_rows(_COLUMNS, [{name: row[name] for name in _COLUMNS} for row in rows], "table")
    if error is not None:
        left = len(plan.steps) - len(done)
        print_line(f"failed at {failed}: {error}")
        print_line(f"{len(done)} steps were done and stay, {left} were not; apply again when the reason is gone")


def _row(done: Done) -> dict[str, object]:
    row = step_row(done.step)
    return {"done": row["action"], **row, "version": done.version, "id": done.id}
