"""From a plan to a file: every model a message, every union a oneof, every enum an enum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from protopact.errors import SchemaIssue, SchemaModelError
from protopact.schema.assembly import assemble
from protopact.schema.described import DescribedSchema
from protopact.schema.model.kinds import FieldShape, Kind, ListKind, MapKind, ModelShape, UnionKind
from protopact.schema.model.planning import FilePlan, load_lock, lock_command, numbers_in, plan_file, type_text
from protopact.schema.model.reading import message_name
from protopact.schema.parts import MessageDefinition, ProtoEnum, ProtoField
from protopact.schema.syntax import SCALARS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import Enum
    from pathlib import Path

    from protopact.descriptor import FileSet
    from protopact.schema.model.annotations import ProtoAnnotation


@dataclass(frozen=True, slots=True)
class Derivation:
    """The file that a model became: its file set, the message's full name, and the plan behind it."""

    name: str
    file_set: FileSet
    plan: FilePlan


@lru_cache(maxsize=512)
def derive(model: type) -> Derivation:
    """Derive the file of a model, once; SchemaModelError names every mistake, also what the lock file lacks."""
    path, lock = load_lock(model)
    plan = plan_file(model, lock)
    _raise_mistakes(plan, path)
    return _build(plan)


def plans_by_file(plan: FilePlan) -> dict[str, FilePlan]:
    """Give the plan of each file that a model's file consists of, by its import path."""
    plans: dict[str, FilePlan] = {}
    todo = [plan]
    while todo:
        each = todo.pop()
        name = derive(each.root).file_set.root
        if name not in plans:
            plans[name] = each
            todo.extend(derive(model).plan for model in each.imports)
    return plans


def _raise_mistakes(plan: FilePlan, path: Path | None) -> None:
    command = f"run `{lock_command(plan.root)}` and commit the file"
    changed = [
        SchemaIssue(
            issue.path, f"{path.name if path else 'the lock file'} does not know of it yet: {issue.reason}", command
        )
        for issue in plan.changes()
    ]
    if mistakes := [*plan.issues(), *changed]:
        raise SchemaModelError.of(mistakes)


def _build(plan: FilePlan) -> Derivation:
    settings = plan.shapes[plan.root].settings
    imports = [DescribedSchema(derived.file_set, derived.name) for derived in map(derive, plan.imports)]
    siblings: list[MessageDefinition | ProtoEnum] = [
        _message(plan, shape) for model, shape in plan.shapes.items() if model is not plan.root
    ]
    siblings += [_enum(plan, enum) for enum in plan.enums]
    root = _message(
        plan,
        plan.shapes[plan.root],
        siblings=siblings,
        imports=imports,
        package=settings.package,
        file_name=settings.file_name,
    )
    assembly = assemble(root)
    if assembly.file_set is None:  # every type is in the plan
        path, type_name = assembly.unresolved or ("", "")
        raise SchemaModelError(f"{path}: {type_name} is not in the file", path=path)
    return Derivation(assembly.name, assembly.file_set, plan)


def _message(
    plan: FilePlan,
    shape: ModelShape,
    *,
    siblings: list[MessageDefinition | ProtoEnum] | None = None,
    imports: list[DescribedSchema] | None = None,
    package: str | None = None,
    file_name: str | None = None,
) -> MessageDefinition:
    numbering = plan.numberings[shape.model]
    oneofs = {
        field.proto_name: [
            _field(plan, member.name, member.kind, member.said, numbering.numbers) for member in field.kind.members
        ]
        for field in shape.fields
        if isinstance(field.kind, UnionKind)
    }
    said = list(shape.settings.reserved)
    covered = {*numbers_in(said), *said}
    return MessageDefinition(
        shape.name,
        package=package,
        fields=[
            _field(plan, field.proto_name, field.kind, field.said, numbering.numbers, shape=field)
            for field in shape.fields
            if not isinstance(field.kind, UnionKind)
        ],
        oneofs=oneofs,
        enums=(),
        messages=(),
        siblings=siblings or (),
        imports=imports or (),
        reserved=[*said, *(entry for entry in numbering.removed() if entry not in covered)],
        syntax=None,
        file_name=file_name,
    )


def _field(
    plan: FilePlan,
    name: str,
    kind: Kind,
    said: ProtoAnnotation,
    numbers: Mapping[str, int],
    *,
    shape: FieldShape | None = None,
) -> ProtoField:
    single = kind.item if isinstance(kind, ListKind) else kind.value if isinstance(kind, MapKind) else kind
    wire = type_text(single, plan.names)
    return ProtoField(
        name,
        wire if wire in SCALARS else f".{wire}",
        numbers[name],
        optional=shape is not None and shape.is_optional,
        repeated=isinstance(kind, ListKind),
        map_key=kind.key.wire if isinstance(kind, MapKind) else None,
        tags=said.tags,
        options=said.options,
    )


def _enum(plan: FilePlan, enum: type[Enum]) -> ProtoEnum:
    numbering = plan.numberings[enum]
    values = sorted(numbering.numbers.items(), key=lambda item: (item[1] != 0, item[1]))
    return ProtoEnum(message_name(enum), dict(values), reserved=numbering.removed())
