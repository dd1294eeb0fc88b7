"""What a model says about its Protobuf form: numbers, names, widths and tags of fields, and the name of the message."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

from annotated_types import Ge, Le

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from protopact.schema.parts import Reserved

C = TypeVar("C", bound=type)

_ATTRIBUTE = "__protopact_message__"


@dataclass(frozen=True, slots=True)
class ProtoAnnotation:
    """What `proto` was told of one field; None and empty where nothing was said."""

    number: int | None = None
    name: str | None = None
    type: str | None = None
    renamed_from: str | None = None
    tags: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict, hash=False)

    def over(self, other: ProtoAnnotation) -> ProtoAnnotation:
        """Give both in one: what this one leaves open is taken from `other`."""
        said = {each.name: getattr(self, each.name) or getattr(other, each.name) for each in fields(self)}
        return ProtoAnnotation(**said)


def proto(
    *,
    number: int | None = None,
    name: str | None = None,
    type: str | None = None,  # noqa: A002  (the word of .proto files)
    renamed_from: str | None = None,
    tags: Sequence[str] = (),
    options: Mapping[str, object] | None = None,
) -> ProtoAnnotation:
    """Say in an `Annotated` how a field stands in the schema.

        note: Annotated[str, proto(number=3, tags=("PII",))]

    `number` fixes the field's number, `name` its name there (the model's by default), `type` another type than the
    usual one, such as `"fixed64"`, or `"bytes"` for a UUID. `renamed_from` is the name that the lock file still
    holds. `tags` and `options` are those of `ProtoField`. On a member of a union, number, name and type are the
    member's.
    """
    return ProtoAnnotation(number, name, type, renamed_from, tuple(tags), options or {})


@dataclass(frozen=True, slots=True)
class MessageSettings:
    """What `proto_message` was told of one model; `own_file` when it is to be a file of its own."""

    name: str | None = None
    package: str | None = None
    file_name: str | None = None
    reserved: tuple[Reserved, ...] = ()
    lock: str | None = None

    @property
    def own_file(self) -> bool:
        """Whether other schemas import this message instead of holding it."""
        return self.package is not None or self.file_name is not None


def proto_message(
    name: str | None = None,
    *,
    package: str | None = None,
    file_name: str | None = None,
    reserved: Sequence[Reserved] = (),
    lock: str | None = None,
) -> Callable[[C], C]:
    """Decorate a model with what its schema cannot know: `@proto_message("Order", package="shop.v1")`.

    `name` is the message's (the class's by default), `package` and `file_name` those of its file. A model that says
    one of these two is a file of its own, which the schemas of other models import; every other model is a part of
    the file of the one that uses it. `reserved` lists numbers, ranges and names not to be used again. `lock` is the
    path of the lock file from the model's own file: then a lock file that is not there is an error.
    """

    def mark(model: C) -> C:
        setattr(model, _ATTRIBUTE, MessageSettings(name, package, file_name, tuple(reserved), lock))
        return model

    return mark


def settings_of(model: type) -> MessageSettings:
    """Give what `proto_message` was told of a class itself; a subclass does not inherit it, a `Page[Item]` its file."""
    own = vars(model).get(_ATTRIBUTE)
    if isinstance(own, MessageSettings):
        return own
    origin = getattr(model, "__pydantic_generic_metadata__", {}).get("origin")
    above = vars(origin).get(_ATTRIBUTE) if origin is not None else None
    if isinstance(above, MessageSettings):  # each Page[…] is a message of its own: name and file are not taken over
        return MessageSettings(package=above.package, reserved=above.reserved, lock=above.lock)
    return MessageSettings()


Int32: TypeAlias = Annotated[int, Ge(-(2**31)), Le(2**31 - 1), proto(type="int32")]
"""A signed 32-bit integer, `int32`."""
Int64: TypeAlias = Annotated[int, Ge(-(2**63)), Le(2**63 - 1), proto(type="int64")]
"""A signed 64-bit integer, `int64`: what a plain int is, with its range checked."""
UInt32: TypeAlias = Annotated[int, Ge(0), Le(2**32 - 1), proto(type="uint32")]
"""An unsigned 32-bit integer, `uint32`."""
UInt64: TypeAlias = Annotated[int, Ge(0), Le(2**64 - 1), proto(type="uint64")]
"""An unsigned 64-bit integer, `uint64`."""
SInt32: TypeAlias = Annotated[int, Ge(-(2**31)), Le(2**31 - 1), proto(type="sint32")]
"""A signed 32-bit integer, `sint32`: shorter on the wire where it is often negative."""
SInt64: TypeAlias = Annotated[int, Ge(-(2**63)), Le(2**63 - 1), proto(type="sint64")]
"""A signed 64-bit integer, `sint64`: shorter on the wire where it is often negative."""
Fixed32: TypeAlias = Annotated[int, Ge(0), Le(2**32 - 1), proto(type="fixed32")]
"""An unsigned 32-bit integer, `fixed32`: always four bytes."""
Fixed64: TypeAlias = Annotated[int, Ge(0), Le(2**64 - 1), proto(type="fixed64")]
"""An unsigned 64-bit integer, `fixed64`: always eight bytes."""
SFixed32: TypeAlias = Annotated[int, Ge(-(2**31)), Le(2**31 - 1), proto(type="sfixed32")]
"""A signed 32-bit integer, `sfixed32`: always four bytes."""
SFixed64: TypeAlias = Annotated[int, Ge(-(2**63)), Le(2**63 - 1), proto(type="sfixed64")]
"""A signed 64-bit integer, `sfixed64`: always eight bytes."""
Float32: TypeAlias = Annotated[float, proto(type="float")]
"""A 32-bit floating point number, `float`: rounded to it when written."""
