"""`protopact models`: the schemas of pydantic models, and the lock file that keeps their numbers."""

from __future__ import annotations

import pkgutil
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from protopact.cli.output import EXIT_FINDINGS, print_line
from protopact.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from protopact.schema import ProtoSchema

_MODULES_HELP = "a module (shop.models), or a model in it (shop.models:Order); found from the current directory too"


def configure(parser: argparse.ArgumentParser) -> None:
    """Describe the command's parts."""
    parts = parser.add_subparsers(metavar="PART", required=True)
    lock = parts.add_parser("lock", help="write down the numbers of fields; exit code 100 when --check finds changes")
    lock.set_defaults(run=_lock)
    lock.add_argument("modules", nargs="+", metavar="MODULE", help=_MODULES_HELP)
    lock.add_argument(
        "--file", type=Path, metavar="FILE", help="default: protopact.lock beside the module or around it"
    )
    lock.add_argument("--check", action="store_true", help="write nothing; exit code 100 when something would change")
    shown = parts.add_parser("show", help="print the schema of a model, or of every model in a module, with comments")
    shown.set_defaults(run=_show)
    shown.add_argument("modules", nargs="+", metavar="MODULE", help=_MODULES_HELP)


def _lock(options: argparse.Namespace) -> int:
    from protopact.schema import lock_models

    models = [model for given in options.modules for model in _models(given)]
    changed = False
    for locked in lock_models(models, file=options.file, check=options.check):
        changed = changed or bool(locked.changes)
        for change in locked.changes:
            print_line(f"{locked.path}: {change}")
        if not locked.changes:
            print_line(f"{locked.path}: nothing new")
    return EXIT_FINDINGS if changed and options.check else 0


def _show(options: argparse.Namespace) -> int:
    from protopact.schema import schema_of

    for given in options.modules:
        for model in _models(given):
            sys.stdout.write(_text(schema_of(model)))
    return 0


def _text(schema: ProtoSchema) -> str:
    from protopact.schema import ModelSchema

    return schema.to_commented_string() if isinstance(schema, ModelSchema) else schema.to_schema_string()


def _models(given: str) -> list[type]:
    """Give the models that an argument names; ConfigError where there are none."""
    from protopact.schema import models_in

    found = _import(given)
    if isinstance(found, ModuleType):
        models = models_in(found)
        if not models:
            raise ConfigError(f"the module {given} defines no model", option="MODULE", hint="name the one that does")
        return models
    if not isinstance(found, type):
        raise ConfigError(f"{given} is no model", option="MODULE", hint="write MODULE or MODULE:MODEL")
    return [found]


def _import(given: str) -> object:
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return pkgutil.resolve_name(given)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"{given} cannot be imported: {error}",
            option="MODULE",
            hint="write MODULE or MODULE:MODEL, and run this where Python finds the module",
        ) from error
