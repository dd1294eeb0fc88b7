"""★ `schema_of` a model: its schema, derived from it or checked against one that exists."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

from protopact.errors import SchemaModelError
from protopact.schema.described import DescribedSchema
from protopact.schema.model.comments import commented
from protopact.schema.model.derivation import derive, plans_by_file
from protopact.schema.model.values import check_mapping, code_of, model_encoder
from protopact.schema.saving import save_files

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

    from protopact.schema.model.planning import FilePlan
    from protopact.schema.protocol import ProtoSchema


class ModelSchema(DescribedSchema):
    """The schema of a pydantic model or a dataclass; `model` is the class.

    It is a `DescribedSchema` whose `serialize` also takes the model's instances.
    """

    def __init__(self, model: type, origin: ProtoSchema, plan: FilePlan | None = None) -> None:
        super().__init__(origin.file_set, origin.name)
        self.model = model
        self._plan = plan

    def to_commented_string(self) -> str:
        """Give the file as people read it: the canonical text, with docstrings and descriptions as comments.

        A model that stands for a schema that existed before it adds nothing to that.
        """
        text = self.to_schema_string()
        return text if self._plan is None else commented(text, self._plan)

    def save_schema(self, directory: str | os.PathLike[str]) -> Path:
        """Write the file and its imports below `directory`, with comments as in `to_commented_string`.

        All else is as in `DescribedSchema.save_schema`.
        """
        plans = {} if self._plan is None else plans_by_file(self._plan)

        def retouched(import_path: str, text: str) -> str:
            plan = plans.get(import_path)
            return text if plan is None else commented(text, plan)

        return save_files(self.file_set, directory, retouched)

    def serialize(self, data: Mapping[str, object] | Message | object, *, deterministic: bool = False) -> bytes:
        """Give the payload bytes of a model, mapping or message, without a frame; errors as in `DescribedSchema`."""
        if isinstance(data, self.model):
            return super().serialize(self._encode_model(data), deterministic=deterministic)
        return super().serialize(cast("Mapping[str, object]", data), deterministic=deterministic)

    @cached_property
    def _encode_model(self) -> Callable[[object], Message]:
        return model_encoder(self.model, self.message_class)

    def value_code(self) -> str:
        """Give the Python text of the functions that were written for this model's values."""
        return code_of(self.model, self.message_class)


def derive_schema(model: type, *, onto: ProtoSchema | None = None) -> ModelSchema:
    """Give the schema of a model, or `onto` as the model's schema when the two agree; see `schema_of`."""
    if onto is None:
        derived = derive(model)
        return ModelSchema(model, DescribedSchema(derived.file_set, derived.name), derived.plan)
    try:
        check_mapping(model, cast("Descriptor", onto.message_class.DESCRIPTOR))
    except SchemaModelError as error:
        error.hint = error.hint or f"change the model or {onto.file_name}"
        raise
    return ModelSchema(model, onto)
