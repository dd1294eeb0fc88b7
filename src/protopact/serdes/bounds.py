"""What settings say about the content of messages: how large fields may be, and what becomes of unknown ones.

Each is a walk over the message, so a class gets it only where a setting asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from protopact.errors import DecodeError, EncodeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from google.protobuf.descriptor import Descriptor

    from protopact.settings import SerdeSettings

Keep: TypeAlias = Callable[[Message], Message]
"""Gives the message as settings want it, which may be the same; raises for what they refuse."""

Refusal: TypeAlias = type[EncodeError] | type[DecodeError]

_DISCARD_LEVELS: Final = 60  # upb's DiscardUnknownFields leaves what is nested deeper than 64 levels as it is
_LEVEL_BYTES: Final = 2  # a message within another takes a key and a length
_UTF8_BYTES_MAX: Final = 4
_SIZED: Final = frozenset({FieldDescriptor.CPPTYPE_STRING, FieldDescriptor.CPPTYPE_MESSAGE})


def bounds_of(message_class: type[Message], settings: SerdeSettings, refusal: Refusal) -> Keep | None:
    """Give what holds a class's messages to the settings; None where these say nothing of their content.

    What they refuse is a `refusal`. Messages that are to be encoded are their owner's, and never changed.
    """
    steps: list[Keep] = []
    if settings.unknown_fields == "drop":
        steps.append(_dropping(message_class, is_copied=refusal is EncodeError))
    if settings.unknown_fields == "refuse":
        steps.append(_refusing(message_class, refusal))
    if settings.field_bytes_max is not None or settings.repeated_items_max is not None:
        steps.append(_limiting(settings, refusal))
    if not steps:
        return None

    def keep(message: Message) -> Message:
        for step in steps:
            message = step(message)
        return message

    return keep


# ── unknown fields ───────────────────────────────────────────────────────────────────────────────


def _dropping(cls: type[Message], *, is_copied: bool) -> Keep:
    discard = _discard_deep if _is_deep(cast("Descriptor", cls.DESCRIPTOR)) else cls.DiscardUnknownFields

    def drop(message: Message) -> Message:
        if is_copied:
            copied = cls()
            cls.CopyFrom(copied, message)
            message = copied
        discard(message)
        return message

    return drop


def _refusing(cls: type[Message], refusal: Refusal) -> Keep:
    size, name, drop = cls.ByteSize, cast("Descriptor", cls.DESCRIPTOR).full_name, _dropping(cls, is_copied=True)

    def refuse(message: Message) -> Message:
        unknown = size(message) - size(drop(message))
        if unknown:
            raise refusal(
                f"the {name} has {unknown} bytes of fields that its class does not know",
                hint="unknown_fields of SerdeSettings says that such messages are refused",
            )
        return message

    return refuse


def _discard_deep(message: Message) -> None:
    """Drop the unknown fields of a message and of all in it, however deep: some levels at a time."""
    todo = [message]
    while todo:
        each = todo.pop()
        type(each).DiscardUnknownFields(each)
        if type(each).ByteSize(each) >= _LEVEL_BYTES * _DISCARD_LEVELS:
            todo.extend(_messages_below(each, _DISCARD_LEVELS))


def _messages_below(message: Message, levels: int) -> Iterator[Message]:
    """Give the messages so many levels below a message."""
    if levels == 0:
        yield message
        return
    for field, value in _fields(message):
        if field.message_type is not None:
            for _place, item in _items(field, value):
                if isinstance(item, Message):
                    yield from _messages_below(item, levels - 1)


def _is_deep(root: Descriptor) -> bool:
    """Tell whether messages may be nested deeper than one call drops unknown fields."""
    level = {root.full_name: root}
    for _ in range(_DISCARD_LEVELS):
        if any(descriptor.is_extendable for descriptor in level.values()):
            return True
        below = [field.message_type for descriptor in level.values() for field in descriptor.fields]
        level = {descriptor.full_name: descriptor for descriptor in below if descriptor is not None}
    return bool(level)


# ── sizes ────────────────────────────────────────────────────────────────────────────────────────


def _limiting(settings: SerdeSettings, refusal: Refusal) -> Keep:
    limits = _Limits(settings.field_bytes_max, settings.repeated_items_max, refusal)

    def keep(message: Message) -> Message:
        try:
            limits.check(message, "$")
        except RecursionError:
            raise refusal("messages are nested deeper than can be looked at") from None
        return message

    return keep


@dataclass(frozen=True, slots=True)
class _Limits:
    bytes_max: int | None
    items_max: int | None
    refusal: Refusal

    def check(self, message: Message, path: str) -> None:
        """Check all fields of a message, and the messages in it."""
        for field, value in _fields(message):
            place = f"{path}.{field.name}"
            if field.is_repeated and self.items_max is not None and len(value) > self.items_max:
                raise self._refused(place, f"{len(value)} items", self.items_max, "repeated_items_max")
            for where, item in _items(field, value):
                self._check_value(where, f"{place} (a key)")
                self._check_value(item, f"{place}[{where!r}]" if field.is_repeated else place)

    def _check_value(self, value: object, place: str) -> None:
        if isinstance(value, Message):
            self.check(value, place)
        elif self.bytes_max is not None and isinstance(value, str | bytes):
            size = _size(value, self.bytes_max)
            if size > self.bytes_max:
                raise self._refused(place, f"{size} bytes", self.bytes_max, "field_bytes_max")

    def _refused(self, place: str, found: str, allowed: int, setting: str) -> EncodeError | DecodeError:
        return self.refusal(
            f"{place} has {found}, more than the {allowed} allowed", hint=f"raise {setting} of SerdeSettings"
        )


def _size(value: str | bytes, bytes_max: int) -> int:
    if isinstance(value, bytes) or len(value) * _UTF8_BYTES_MAX <= bytes_max:
        return len(value)
    return len(value.encode("utf-8", "surrogatepass"))


def _fields(message: Message) -> Sequence[tuple[FieldDescriptor, Any]]:
    """Give the fields that are set, extensions too; by the class, since a field may be called ListFields."""
    return type(message).ListFields(message)


def _items(field: FieldDescriptor, value: Any) -> Iterator[tuple[object, object]]:
    """Give the values of a field with their places: keys, indexes, or None. Of numbers none, which have no size."""
    if not field.is_repeated:
        yield None, value
    elif isinstance(value, Mapping):
        yield from value.items()
    elif field.cpp_type in _SIZED:
        yield from enumerate(value)
