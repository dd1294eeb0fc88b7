"""From classes to their shapes: every field of every model that is reached, and every mistake in them at once."""

from __future__ import annotations

import dataclasses
import typing
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.dataclasses import is_pydantic_dataclass, rebuild_dataclass
from pydantic.errors import PydanticUndefinedAnnotation
from pydantic.fields import FieldInfo

from protopact.errors import ConfigError, SchemaIssue, SchemaModelError
from protopact.schema.model.annotations import settings_of
from protopact.schema.model.kinds import EnumKind, FieldShape, Kind, ListKind, MapKind, ModelShape, PlainKind
from protopact.schema.model.types import NotMappedError, is_model, pascal_case, read_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ZEROS: dict[str, object] = {"bool": False, "int": 0, "float": 0.0, "str": "", "bytes": b""}


def read_models(root: type, *, within_file: bool = False) -> dict[type, ModelShape]:
    """Give the shape of a model and of all that it uses, the root first; SchemaModelError names every mistake.

    `within_file` leaves out the models that are files of their own.
    """
    if not is_model(root):
        raise ConfigError(
            f"{root!r} is no model",
            option="model",
            hint="give a pydantic model, a dataclass, or a generated message class",
        )
    shapes: dict[type, ModelShape] = {}
    issues: list[SchemaIssue] = []
    todo = [root]
    for model in todo:  # grows while it is walked
        if model in shapes or (within_file and model is not root and settings_of(model).own_file):
            continue
        shapes[model] = shape = _read_model(model, issues)
        todo.extend(shape.models())
    raise_issues(issues)
    return shapes


def raise_issues(issues: Iterable[SchemaIssue]) -> None:
    """Raise SchemaModelError for the issues, if any."""
    if found := tuple(issues):
        raise SchemaModelError.of(found)


def message_name(model: type) -> str:
    """Give the simple name of a model's message."""
    return settings_of(model).name or pascal_case(model.__name__)


def _read_model(model: type, issues: list[SchemaIssue]) -> ModelShape:
    name = message_name(model)
    try:
        infos = _fields_of(model)
    except (PydanticUndefinedAnnotation, NameError) as error:
        infos = {}
        issues.append(
            SchemaIssue(name, f"a type is not defined yet: {error}", "define it first, then call model_rebuild()")
        )
    fields = [_read_field(name, field_name, info, issues) for field_name, info in infos.items() if not info.exclude]
    config = getattr(model, "model_config", None) or getattr(model, "__pydantic_config__", {})
    return ModelShape(
        model,
        name,
        settings_of(model),
        tuple(field for field in fields if field is not None),
        has_aliases=any(info.alias or info.validation_alias for info in infos.values()),
        is_strict=bool(config.get("strict")) or any(_is_strict(info) for info in infos.values()),
    )


def _is_strict(info: FieldInfo) -> bool:
    return any(getattr(each, "strict", None) for each in info.metadata)


def _fields_of(model: type) -> Mapping[str, FieldInfo]:
    if issubclass(model, BaseModel):
        if not model.__pydantic_complete__:
            model.model_rebuild()
        return model.model_fields
    if is_pydantic_dataclass(model):
        rebuild_dataclass(model)
        return model.__pydantic_fields__
    hints = typing.get_type_hints(model, include_extras=True)
    infos = {}
    for field in dataclasses.fields(cast("Any", model)):
        if not field.init:
            continue
        info = FieldInfo.from_annotation(hints[field.name])
        if field.default is not dataclasses.MISSING:
            info.default = field.default
        elif field.default_factory is not dataclasses.MISSING:
            info.default_factory = field.default_factory
        infos[field.name] = info
    return infos


def validator_of(model: type) -> object:
    """Give pydantic's validator of a model or dataclass."""
    return model.__pydantic_validator__ if issubclass(model, BaseModel) else TypeAdapter(model).validator


def _read_field(message: str, name: str, info: FieldInfo, issues: list[SchemaIssue]) -> FieldShape | None:
    path = f"{message}.{name}"
    try:
        reading = read_type(info.annotation, info.metadata, field_name=name)
    except NotMappedError as error:
        issues.append(SchemaIssue(path, error.reason, error.hint))
        return None
    if reading.nullable and isinstance(reading.kind, ListKind | MapKind):
        hint = "drop `| None` and let it be empty, or put it into a model"
        issues.append(SchemaIssue(path, "None and empty are the same for a list or map in Protobuf", hint))
    required = info.is_required()
    default = ... if required or info.default_factory is not None else info.default
    return FieldShape(
        name,
        reading.said.name or name,
        reading.kind,
        reading.said,
        nullable=reading.nullable,
        required=required,
        default_is_zero=_is_zero(default, reading.kind),
        default_is_none=default is None,
        description=info.description or "",
    )


def _is_zero(default: object, kind: Kind) -> bool:
    if isinstance(kind, EnumKind):
        return type(default) is kind.enum and default.value == 0
    if isinstance(kind, PlainKind) and kind.python in _ZEROS:
        zero = _ZEROS[kind.python]
        return type(default) is type(zero) and repr(default) == repr(zero)  # -0.0 is another value than 0.0
    return False
