"""Writing lock files: the one place that does, and only when it is asked to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from protopact.errors import ConfigError
from protopact.schema.model.annotations import settings_of
from protopact.schema.model.lock import LOCK_NAME, Lock
from protopact.schema.model.planning import FilePlan, load_lock, lock_path, module_file_of, plan_file
from protopact.schema.model.reading import message_name, raise_issues, read_models
from protopact.schema.model.types import is_model
from protopact.schema.model.values import forget

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping
    from types import ModuleType

    from protopact.errors import SchemaIssue


@dataclass(frozen=True, slots=True)
class LockChanges:
    """What one lock file did not know: its path, and each change with the path of its field."""

    path: Path
    changes: tuple[SchemaIssue, ...]


def lock_models(
    models: Iterable[type], *, file: str | os.PathLike[str] | None = None, check: bool = False
) -> tuple[LockChanges, ...]:
    """Write down the numbers of some models and of all that they use; give what changed, file by file.

    The file is the one that each model's numbers are kept in (`protopact.lock` beside its module or around it), or
    `file` for all. New fields get the next number never used, the numbers and names of fields that are gone stay
    taken. With `check` nothing is written. SchemaModelError names every change that would give old records another
    meaning, with the remedy; then nothing is written either.
    """
    locks: dict[Path, Lock] = {}
    changes: dict[Path, dict[SchemaIssue, None]] = {}
    issues: dict[SchemaIssue, None] = {}
    todo = list(models)
    seen: set[type] = set()
    for model in todo:  # grows while it is walked
        if model in seen:
            continue
        seen.add(model)
        path = Path(file) if file is not None else _path_for(model)
        lock = locks.setdefault(path, Lock.load(path) if path.is_file() else Lock())
        plan = plan_file(model, lock, locking=True)
        todo.extend(plan.imports)
        issues |= dict.fromkeys(plan.issues())
        changes.setdefault(path, {}).update(dict.fromkeys(plan.changes()))
        _take(lock, plan)
    raise_issues(issues)
    if not check:
        for path, lock in locks.items():
            if changes[path]:
                lock.save(path)
        forget()
    return tuple(LockChanges(path, tuple(found)) for path, found in changes.items())


def _path_for(model: type) -> Path:
    path, module_file = lock_path(model), module_file_of(model)
    if path is not None:
        return path
    if module_file is None:
        raise ConfigError(
            f"{model.__qualname__} is in no file beside which its lock file could be",
            option="file",
            hint=f"say file=, such as {LOCK_NAME}",
        )
    return module_file.parent / LOCK_NAME


def _take(lock: Lock, plan: FilePlan) -> None:
    for model in plan.shapes:
        if entries := plan.numberings[model].entries:
            lock.messages[plan.names[model]] = entries
    for enum in plan.enums:
        if entries := plan.numberings[enum].entries:
            lock.enums[plan.names[enum]] = entries


def models_in(module: ModuleType) -> list[type]:
    """Give the models that a module defines and that are to have a schema of their own.

    These are the ones that no other model there uses, that say a package or file, or that the lock file knows as such.
    Left out are generic models without their types.
    """
    found = [
        each
        for each in vars(module).values()
        if is_model(each)
        and each.__module__ == module.__name__
        and not getattr(each, "__pydantic_generic_metadata__", {}).get("parameters")
        and not getattr(each, "__parameters__", ())
    ]
    used = {model: set(read_models(model, within_file=True)) for model in dict.fromkeys(found)}
    return [model for model in used if not _is_part(model, used) or _stands_alone(model)]


def _is_part(model: type, used: Mapping[type, set[type]]) -> bool:
    """Tell whether another model uses this one, and not the other way round as well."""
    return any(model in used[other] and other not in used[model] for other in used)


def _stands_alone(model: type) -> bool:
    settings = settings_of(model)
    if settings.own_file:
        return True
    _, lock = load_lock(model)
    return lock is not None and message_name(model) in lock.messages
