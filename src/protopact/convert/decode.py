"""Messages → dicts: one closure per message type, built once from its descriptor."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from protopact.convert import shapes, times
from protopact.convert.misfit import MisfitError, too_deep
from protopact.convert.values import DEPTH_MAX, PlainValue, enum_names
from protopact.errors import WrongTypeError

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

DictDecoder: TypeAlias = Callable[[Message], dict[str, PlainValue]]
Enums: TypeAlias = Literal["name", "number"]
Timestamps: TypeAlias = Literal["datetime", "rfc3339"]

# Inside, a reader also takes the room: how many levels of messages may still follow below the one it reads.
_Reader: TypeAlias = Callable[..., PlainValue]
_DictReader: TypeAlias = Callable[[Message, int], dict[str, PlainValue]]
_Put: TypeAlias = Callable[[Message, dict[str, PlainValue], int], None]


def to_dict(message: Message, *, enums: Enums = "name", timestamps: Timestamps = "datetime") -> dict[str, PlainValue]:
    """Give a message as a dict, keyed by the fields' names in the `.proto`, in the order of their numbers.

    `enums` gives an enum's value by its name (a number without a name stays an int) or by its number. `timestamps`
    gives a Timestamp as an aware UTC datetime and a Duration as a timedelta wherever these hold it exactly, else as
    text with nanoseconds; `rfc3339` gives text always. One that is out of its type's range is a dict of `seconds` and
    `nanos`. Unknown fields and extensions are left out. ConversionError when messages are nested more than 100 deep.
    """
    return dict_decoder(type(message), enums=enums, timestamps=timestamps)(message)


def dict_decoder(
    message_class: type[Message], *, enums: Enums = "name", timestamps: Timestamps = "datetime"
) -> DictDecoder:
    """Give the function that turns messages of one class into dicts, as `to_dict` does."""
    return _decoder(shapes.descriptor_of(message_class), enums, timestamps)


@lru_cache(maxsize=512)
def _decoder(descriptor: Descriptor, enums: Enums, timestamps: Timestamps) -> DictDecoder:
    message_class, full_name = GetMessageClass(descriptor), descriptor.full_name
    builder = _Builder(by_name=enums == "name", text_only=timestamps == "rfc3339")
    read = _read_struct if shapes.well_known_name(descriptor) == shapes.STRUCT else builder.plain(descriptor)
    builder.build()

    def decode(message: Message) -> dict[str, PlainValue]:
        if type(message) is not message_class:
            raise WrongTypeError(f"needs a {full_name} message of this decoder's class, not {type(message).__name__}")
        try:
            return read(message, DEPTH_MAX)
        except MisfitError as error:
            raise error.outward(full_name) from None
        except RecursionError:
            raise too_deep().outward(full_name) from None

    return decode


class _Builder:
    """Builds the readers of a message type and of all types that it reaches, each once."""

    def __init__(self, *, by_name: bool, text_only: bool) -> None:
        self._by_name = by_name
        self._readers: dict[str, _DictReader] = {}
        self._todo: list[tuple[Descriptor, list[_Put]]] = []
        self._special: dict[str, _Reader] = {
            shapes.TIMESTAMP: _time_reader(times.timestamp_value, times.timestamp_text, text_only=text_only),
            shapes.DURATION: _time_reader(times.duration_value, times.duration_text, text_only=text_only),
            shapes.STRUCT: _read_struct,
            shapes.VALUE: _read_value,
            shapes.LIST_VALUE: _read_list_value,
            **dict.fromkeys(shapes.WRAPPERS, _read_wrapper),
        }

    def build(self) -> None:
        """Fill what has been asked for; a list instead of recursion, since chains of types may be long."""
        while self._todo:
            descriptor, puts = self._todo.pop()
            puts.extend(self._put(descriptor, field) for field in sorted(descriptor.fields, key=_number))

    def plain(self, descriptor: Descriptor) -> _DictReader:
        """Give the reader of a message by its fields."""
        known = self._readers.get(descriptor.full_name)
        if known is not None:
            return known
        puts: list[_Put] = []

        def read(message: Message, room: int) -> dict[str, PlainValue]:
            if room < 0:
                raise too_deep()
            values: dict[str, PlainValue] = {}
            for put in puts:
                put(message, values, room)
            return values

        self._readers[descriptor.full_name] = read
        self._todo.append((descriptor, puts))
        return read

    def _put(self, descriptor: Descriptor, field: FieldDescriptor) -> _Put:
        if shapes.is_map(field):
            return _put_map(field.name, self._reader(shapes.message_type(field).fields_by_name["value"]))
        reader = self._reader(field)
        if field.is_repeated:
            return _put_list(field.name, reader)
        if field.has_presence:
            return _put_if_set(field.name, reader, GetMessageClass(descriptor))
        return _put_always(field.name, reader)

    def _reader(self, field: FieldDescriptor) -> _Reader | None:
        """Give the reader of one value, None for scalars, which need none."""
        if shapes.is_message(field):
            descriptor = shapes.message_type(field)
            return self._special.get(shapes.well_known_name(descriptor) or "") or self.plain(descriptor)
        if self._by_name and field.type == FieldDescriptor.TYPE_ENUM:
            names = enum_names(shapes.enum_type(field))
            return lambda number, _room: names.get(number, number)
        return None


def _number(field: FieldDescriptor) -> int:
    return field.number


def _put_always(name: str, read: _Reader | None) -> _Put:
    if read is None:

        def put_scalar(message: Message, values: dict[str, PlainValue], _room: int) -> None:
            values[name] = getattr(message, name)

        return put_scalar

    def put(message: Message, values: dict[str, PlainValue], room: int) -> None:
        values[name] = read(getattr(message, name), room)

    return put


def _put_if_set(name: str, read: _Reader | None, message_class: type[Message]) -> _Put:
    has_field = message_class.HasField  # unbound: a field may be called HasField

    if read is None:

        def put_scalar(message: Message, values: dict[str, PlainValue], _room: int) -> None:
            if has_field(message, name):
                values[name] = getattr(message, name)

        return put_scalar

    def put(message: Message, values: dict[str, PlainValue], room: int) -> None:
        if has_field(message, name):
            values[name] = read(getattr(message, name), room - 1)

    return put


def _put_list(name: str, read: _Reader | None) -> _Put:
    if read is None:

        def put_scalar(message: Message, values: dict[str, PlainValue], _room: int) -> None:
            values[name] = list(getattr(message, name))

        return put_scalar

    def put(message: Message, values: dict[str, PlainValue], room: int) -> None:
        below = room - 1
        values[name] = [read(item, below) for item in getattr(message, name)]

    return put


def _put_map(name: str, read: _Reader | None) -> _Put:
    if read is None:

        def put_scalar(message: Message, values: dict[str, PlainValue], _room: int) -> None:
            entries = getattr(message, name)
            values[name] = {key: entries[key] for key in entries}

        return put_scalar

    def put(message: Message, values: dict[str, PlainValue], room: int) -> None:
        entries, below = getattr(message, name), room - 2
        values[name] = {key: read(entries[key], below) for key in entries}

    return put


def _time_reader(
    value_of: Callable[[int, int], PlainValue], text_of: Callable[[int, int], str | None], *, text_only: bool
) -> _Reader:
    def read(message: Any, _room: int) -> PlainValue:
        seconds, nanos = message.seconds, message.nanos
        value = None if text_only else value_of(seconds, nanos)
        if value is None:
            value = text_of(seconds, nanos)
        return {"seconds": seconds, "nanos": nanos} if value is None else value

    return read


def _read_wrapper(message: Any, _room: int) -> PlainValue:
    value: PlainValue = message.value
    return value


def _read_struct(message: Any, room: int) -> dict[str, PlainValue]:
    if room < 0:
        raise too_deep()
    fields, below = message.fields, room - 2
    return {key: _read_value(fields[key], below) for key in fields}


def _read_list_value(message: Any, room: int) -> list[PlainValue]:
    if room < 0:
        raise too_deep()
    return [_read_value(value, room - 1) for value in message.values]


def _read_value(message: Message, room: int) -> PlainValue:
    kind = message.WhichOneof("kind")
    if kind is None or kind == "null_value":
        return None
    value = getattr(message, kind)
    read = _VALUE_READERS.get(kind)
    return value if read is None else read(value, room - 1)


_VALUE_READERS: dict[str, Callable[[Message, int], PlainValue]] = {
    "struct_value": _read_struct,
    "list_value": _read_list_value,
}
