"""★ `schema_of` a model: its schema, derived from it or checked against one that exists."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, cast

from protopact.errors import SchemaModelError
from protopact.schema.described import DescribedSchema
from protopact.schema.model.derivation import derive
from protopact.schema.model.values import check_mapping, code_of, model_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.message import Message

    from protopact.schema.protocol import ProtoSchema


class ModelSchema(DescribedSchema):
    """The schema of a pydantic model or a dataclass; `model` is the class.

    It is a `DescribedSchema` whose `serialize` also takes the model's instances.
    """

    def __init__(self, model: type, origin: ProtoSchema) -> None:
        super().__init__(origin.file_set, origin.name)
        self.model = model

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
        return ModelSchema(model, DescribedSchema(derived.file_set, derived.name))
    try:
        check_mapping(model, cast("Descriptor", onto.message_class.DESCRIPTOR))
    except SchemaModelError as error:
        error.hint = error.hint or f"change the model or {onto.file_name}"
        raise
    return ModelSchema(model, onto)
