"""What the file of a model holds: the models and enums in it, what it imports, and every number."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from protopact.errors import ConfigError, SchemaIssue
from protopact.schema.model.annotations import settings_of
from protopact.schema.model.kinds import EnumKind, Kind, ListKind, MapKind, MessageKind, ModelShape, UnionKind
from protopact.schema.model.lock import Lock, find_lock
from protopact.schema.model.numbers import Numbering, Slot, compared, enum_slots, has_numbers, in_order
from protopact.schema.model.reading import message_name, raise_issues, read_models
from protopact.schema.names import qualified

if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import Enum

    from protopact.schema.parts import Reserved

Part: TypeAlias = type
"""A model or an enum."""


@dataclass(slots=True)
class FilePlan:
    """The file of one root model.

    `names` holds the full name of every model and enum that the file's fields use, `shapes` and `enums` those that it
    defines itself, `imports` the models whose files it imports. `is_fixed` tells of which models the numbers are said
    or locked, so that they mean the same in every version.
    """

    root: type
    package: str
    shapes: dict[type, ModelShape]
    enums: list[type[Enum]]
    imports: list[type]
    names: dict[Part, str]
    numberings: dict[Part, Numbering] = field(default_factory=dict)
    is_fixed: dict[type, bool] = field(default_factory=dict)

    def changes(self) -> list[SchemaIssue]:
        """Give what the lock file does not know yet."""
        return [change for numbering in self.numberings.values() for change in numbering.changes]

    def issues(self) -> list[SchemaIssue]:
        """Give what no lock file can mend."""
        return [issue for numbering in self.numberings.values() for issue in numbering.issues]


def plan_file(root: type, lock: Lock | None, *, locking: bool = False) -> FilePlan:
    """Plan the file of a model; SchemaModelError names everything in it that has no Protobuf form.

    What says all its numbers itself needs no place in the lock file; `locking` gives it one all the same.
    """
    shapes = read_models(root, within_file=True)
    reached = {model: None for shape in shapes.values() for model in shape.models()}
    imports = [model for model in reached if model not in shapes]
    names = _imported_names(root, imports)
    package = settings_of(root).package or ""
    defined = {model: shape for model, shape in shapes.items() if model not in names}
    enums = {enum: None for shape in defined.values() for enum in shape.enums() if enum not in names}
    for part in (*defined, *enums):
        names[part] = qualified(package, message_name(part))
    plan = FilePlan(root, package, defined, list(enums), imports, names)
    _check_names(plan)
    _number(plan, lock, locking=locking)
    return plan


def _imported_names(root: type, imports: Iterable[type], above: tuple[type, ...] = ()) -> dict[Part, str]:
    """Give the full names of what the files of some models define."""
    names: dict[Part, str] = {}
    for model in imports:
        if model is root or model in above:
            raise_issues(
                [
                    SchemaIssue(
                        message_name(root),
                        f"its file and that of {message_name(model)} would import each other",
                        "take package and file_name from one of them: it becomes a part of the other's file",
                    )
                ]
            )
        shapes = read_models(model, within_file=True)
        deeper = [each for shape in shapes.values() for each in shape.models() if each not in shapes]
        inherited = _imported_names(root, dict.fromkeys(deeper), (*above, model))
        package = settings_of(model).package or ""
        for part in (*shapes, *(enum for shape in shapes.values() for enum in shape.enums())):
            names[part] = inherited.get(part) or qualified(package, message_name(part))
    return names


def _check_names(plan: FilePlan) -> None:
    owners: dict[str, Part] = {}
    issues = []
    for part in (*plan.shapes, *plan.enums):
        name = plan.names[part]
        other = owners.setdefault(name, part)
        if other is not part:
            issues.append(
                SchemaIssue(
                    name,
                    f"{_place(other)} and {_place(part)} have the same name",
                    'name one of them: @proto_message("OtherName")',
                )
            )
    raise_issues(issues)


def _place(part: Part) -> str:
    return f"{part.__module__}.{part.__qualname__}"


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────


def _number(plan: FilePlan, lock: Lock | None, *, locking: bool) -> None:
    for model, shape in plan.shapes.items():
        slots, owner = _slots(shape, plan.names), shape.name
        kept = numbers_in(shape.settings.reserved)
        said = all(slot.number is not None for slot in slots)
        if lock is None or (said and not locking and plan.names[model] not in lock.messages):
            plan.numberings[model] = in_order(owner, slots, taken=kept)
        else:
            plan.numberings[model] = compared(owner, slots, lock.messages.get(plan.names[model], {}), kept=kept)
        plan.is_fixed[model] = lock is not None or said
    for enum in plan.enums:
        slots, name = enum_slots(enum), plan.names[enum]
        if lock is None or (has_numbers(enum) and not locking and name not in lock.enums):
            plan.numberings[enum] = in_order(enum.__name__, slots)
        else:
            plan.numberings[enum] = compared(enum.__name__, slots, lock.enums.get(name, {}), first=1)


def _slots(shape: ModelShape, names: dict[Part, str]) -> list[Slot]:
    slots = []
    for each in shape.fields:
        if isinstance(each.kind, UnionKind):
            slots += [
                Slot(member.name, type_text(member.kind, names), member.said.number, member.said.renamed_from)
                for member in each.kind.members
            ]
        else:
            slots.append(Slot(each.proto_name, type_text(each.kind, names), each.said.number, each.said.renamed_from))
    return slots


def type_text(kind: Kind, names: dict[Part, str]) -> str:
    """Give a field's type as a `.proto` says it."""
    if isinstance(kind, ListKind):
        return f"repeated {type_text(kind.item, names)}"
    if isinstance(kind, MapKind):
        return f"map<{kind.key.wire}, {type_text(kind.value, names)}>"
    if isinstance(kind, MessageKind):
        return names[kind.model]
    if isinstance(kind, EnumKind):
        return names[kind.enum]
    return "" if isinstance(kind, UnionKind) else kind.wire


def numbers_in(reserved: Iterable[Reserved]) -> set[int]:
    """Give the numbers among what a message reserves."""
    found: set[int] = set()
    for entry in reserved:
        if isinstance(entry, int):
            found.add(entry)
        elif isinstance(entry, range):
            found.update(entry)
    return found


# ── the lock file ────────────────────────────────────────────────────────────────────────────────


def lock_path(model: type) -> Path | None:
    """Give the path of the lock file that a model's numbers are kept in, None when there is none.

    It is the one that `proto_message(lock=…)` names, else the nearest one beside the model's module or around it.
    """
    settings, module_file = settings_of(model), module_file_of(model)
    if settings.lock is not None:
        return (module_file.parent if module_file else Path()) / settings.lock
    return find_lock(module_file) if module_file is not None else None


def module_file_of(model: type) -> Path | None:
    """Give the file of the module that defines a model, None where there is none, as in an interactive session."""
    file = getattr(sys.modules.get(model.__module__), "__file__", None)
    return Path(file) if file else None


def lock_command(model: type) -> str:
    """Give the command that writes a model's lock file."""
    module, file = model.__module__, module_file_of(model)
    if module == "__main__" and file is not None:
        module = file.stem
    return f"protopact models lock {module}:{model.__qualname__}"


def load_lock(model: type) -> tuple[Path | None, Lock | None]:
    """Give a model's lock file with its content; ConfigError for one that is named and not there."""
    path = lock_path(model)
    if path is None:
        return None, None
    if not path.is_file():
        raise ConfigError(
            f"{message_name(model)} says lock={settings_of(model).lock!r}, and there is no file {path}",
            option="lock",
            hint=f"write it: {lock_command(model)}; and have it packed beside the module",
        )
    return path, Lock.load(path)
