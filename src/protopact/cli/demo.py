"""`protopact demo`: the main job on embedded parts; `protopact demo verify`: its reading side alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.cli.options import add_registry_option
from protopact.cli.output import print_line

if TYPE_CHECKING:
    import argparse

_FAULTS_SHOWN = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command and its part `verify`."""
    parser.set_defaults(run=_run)
    parts = parser.add_subparsers(metavar="PART")
    verify = parts.add_parser("verify", help="read the demo's topic by registry alone and compare it with the data")
    verify.set_defaults(run=_verify)
    add_registry_option(verify)
    verify.add_argument("--bootstrap-servers", "-b", metavar="HOST:PORT", required=True, help="address of the broker")
    verify.add_argument("--topic", "-t", required=True, help="the topic that the demo published to")
    verify.add_argument(
        "--idle-timeout", type=float, default=15.0, metavar="SECONDS", help="give up when nothing comes (default 15)"
    )


def _run(_: argparse.Namespace) -> int:
    from protopact.demo import run_demo

    return run_demo(print_line)


def _verify(options: argparse.Namespace) -> int:
    from protopact.demo import verify_topic

    result = verify_topic(
        registry_url=options.registry,
        bootstrap_servers=options.bootstrap_servers,
        topic=options.topic,
        idle_timeout_s=options.idle_timeout,
    )
    for fault in result.faults[:_FAULTS_SHOWN]:
        print_line(f"FAULT     {fault}")
    if len(result.faults) > _FAULTS_SHOWN:
        print_line(f"          and {len(result.faults) - _FAULTS_SHOWN} more faults")
    rate = result.equal / result.seconds if result.seconds else 0
    print_line(
        f"verified  {result.equal} records equal to their rows, {len(result.faults)} faults,"
        f" in {result.seconds:.2f} s ({rate:,.0f}/s)"
    )
    return 1 if result.faults else 0
