"""Messages → Arrow columns, a whole column at a time.

Each field of a message type has a `Column`: it takes the messages and gives the field's array. Beneath it stands a
`Fill`, which makes an array of single values of the field's type; a list flattens its items for it, a struct hands its
messages to the columns of its own fields. Nothing runs per record but list comprehensions and C functions.

pyarrow is an extra, and imported when columns are first asked for.
"""

from __future__ import annotations

import json
from importlib import import_module
from itertools import accumulate, chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from protopact.convert import shapes
from protopact.convert.code import kept
from protopact.convert.columns.fill import Fill, Values
from protopact.convert.columns.times import PER_SECOND, TimeUnit, duration_fill, timestamp_fill
from protopact.convert.dicts import read_list_value, read_struct, read_value
from protopact.convert.values import MisfitError, enum_names, field_step, misfit
from protopact.errors import ConfigError, MissingExtraError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa
    from google.protobuf.descriptor import Descriptor, EnumDescriptor
    from google.protobuf.message import Message

    from protopact.convert.values import Enums

FIELDS_MAX = 10_000
"""Fields, nested ones counted at each of their places, that a message may have to be given as columns."""


class Column(NamedTuple):
    """How one field of many messages becomes an array."""

    field: pa.Field
    array: Callable[[Sequence[Message]], pa.Array]


class ColumnWriter:
    """Turns messages of one class into record batches of one Arrow schema."""

    def __init__(self, message_class: type[Message], columns: Sequence[Column]) -> None:
        """Keep the columns, in the order of the fields' numbers."""
        import pyarrow as pa

        self.schema: pa.Schema = pa.schema([column.field for column in columns])
        self._name = shapes.descriptor_of(message_class).full_name
        self._columns = columns

    def batch(self, messages: Sequence[Message]) -> pa.RecordBatch:
        """Give the messages as rows; ConversionError when a value of one of them has no place in its column."""
        import pyarrow as pa

        try:
            arrays = [column.array(messages) for column in self._columns]
        except MisfitError as error:
            refused = error
        else:
            return pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        raise refused.outward(self._name)


def column_writer(message_class: type[Message], *, enums: Enums = "name", time_unit: TimeUnit = "us") -> ColumnWriter:
    """Give the writer of columns for messages of one class.

    Fields with presence are null where they are not set; all others are never null. A message is a struct, `repeated`
    a list, a map a map, a wrapper its nullable value. `enums` gives an enum's value by its name (a number without a
    name as its digits) or by its number. A Timestamp is a `timestamp` in UTC and a Duration a `duration` in
    `time_unit`; what is finer is cut off. A Struct, Value or ListValue is its JSON text. A message within a message of
    its own type is its bytes, since Arrow's types have an end. Unknown fields and extensions are left out.

    SchemaError for a type of more than 10,000 fields; else as `check_columns`.
    """
    check_columns(enums, time_unit)
    planning = _Planning(by_name=enums == "name", unit=time_unit)
    descriptor = shapes.descriptor_of(message_class)
    return kept(
        message_class,
        ("columns", enums, time_unit),
        lambda: ColumnWriter(message_class, planning.columns(descriptor)),
    )


def check_columns(enums: Enums, time_unit: TimeUnit) -> None:
    """Raise ConfigError for options that do not exist, MissingExtraError where pyarrow is not installed."""
    if enums not in ("name", "number"):
        raise ConfigError(f"enums is {enums!r}", option="enums", hint="use 'name' or 'number'")
    if time_unit not in PER_SECOND:
        raise ConfigError(f"time_unit is {time_unit!r}", option="time_unit", hint="use 'us' or 'ns'")
    try:
        import_module("pyarrow")
    except ImportError as error:
        raise MissingExtraError(
            "columns need pyarrow, which is not installed", option="extra", hint="install 'protopact[arrow]'"
        ) from error


class _Planning:
    """From descriptors to columns; made for one message type, with all that it holds."""

    def __init__(self, *, by_name: bool, unit: TimeUnit) -> None:
        self._by_name, self._unit = by_name, unit
        self._open: list[str] = []
        self._fields = 0

    def columns(self, descriptor: Descriptor) -> list[Column]:
        """Give the columns of a message type's fields."""
        self._open.append(descriptor.full_name)
        fields = sorted(descriptor.fields, key=lambda field: field.number)
        self._fields += len(fields)
        if self._fields > FIELDS_MAX:
            raise SchemaError(
                f"{self._open[0]} has more than {FIELDS_MAX} fields when those of its messages are counted",
                hint="read it into messages or dicts",
            )
        columns = [_with_path(field, self._column(field)) for field in fields]
        self._open.pop()
        return columns

    def _column(self, field: FieldDescriptor) -> Column:
        if shapes.is_map(field):
            entry = shapes.message_type(field).fields_by_name
            return _map_column(field, self._fill(entry["key"]), self._fill(entry["value"]))
        fill = self._fill(field)
        if field.is_repeated:
            return _list_column(field, fill)
        return _optional_column(field, fill) if field.has_presence else _plain_column(field, fill)

    def _fill(self, field: FieldDescriptor) -> Fill:
        if shapes.is_message(field):
            return self._message_fill(shapes.message_type(field))
        if field.type == FieldDescriptor.TYPE_ENUM and self._by_name:
            return _enum_fill(shapes.enum_type(field))
        return _scalar_fill(field)

    def _message_fill(self, descriptor: Descriptor) -> Fill:
        known = shapes.well_known_name(descriptor)
        if known == shapes.TIMESTAMP:
            return timestamp_fill(self._unit)
        if known == shapes.DURATION:
            return duration_fill(self._unit)
        if known in shapes.WRAPPERS:
            return _wrapper_fill(self._fill(descriptor.fields_by_name["value"]))
        if known in _READERS:
            return _json_fill(_READERS[known])
        if descriptor.full_name in self._open:
            return _bytes_fill(descriptor)
        return _struct_fill(descriptor, self.columns(descriptor))


# ── fields ───────────────────────────────────────────────────────────────────────────────────────


def _with_path(field: FieldDescriptor, column: Column) -> Column:
    """Have errors name the field."""

    def array(messages: Sequence[Message]) -> pa.Array:
        try:
            return column.array(messages)
        except MisfitError as error:
            refused = error
        except UnicodeDecodeError:  # a string of a syntax that does not check them
            refused = misfit("the string is not UTF-8")
        raise MisfitError(*refused.below(field_step(field.name)))

    return Column(column.field, array)


def _plain_column(field: FieldDescriptor, fill: Fill) -> Column:
    import pyarrow as pa

    get = attrgetter(field.name)
    return Column(
        pa.field(field.name, fill.type, nullable=False), lambda messages: fill.array(list(map(get, messages)))
    )


def _optional_column(field: FieldDescriptor, fill: Fill) -> Column:
    import pyarrow as pa

    get, has, name = attrgetter(field.name), _class_of(field).HasField, field.name

    def array(messages: Sequence[Message]) -> pa.Array:
        return fill.array([get(message) if has(message, name) else None for message in messages])

    return Column(pa.field(name, fill.type), array)


def _list_column(field: FieldDescriptor, fill: Fill) -> Column:
    import pyarrow as pa

    get = attrgetter(field.name)
    kind = pa.list_(pa.field("item", fill.type, nullable=False))

    def array(messages: Sequence[Message]) -> pa.Array:
        lists = list(map(get, messages))
        items = fill.array(list(chain.from_iterable(lists)))
        return pa.ListArray.from_arrays(_offsets(lists), items, type=kind)

    return Column(pa.field(field.name, kind, nullable=False), array)


def _map_column(field: FieldDescriptor, keys: Fill, values: Fill) -> Column:
    import pyarrow as pa

    get = attrgetter(field.name)
    kind = pa.map_(keys.type, pa.field("value", values.type, nullable=False))

    def array(messages: Sequence[Message]) -> pa.Array:
        maps = list(map(get, messages))
        all_keys = keys.array(list(chain.from_iterable(maps)))
        all_values = values.array([held[key] for held in maps for key in held])
        return pa.MapArray.from_arrays(_offsets(maps), all_keys, all_values, type=kind)

    return Column(pa.field(field.name, kind, nullable=False), array)


def _offsets(held: list[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.array([0, *accumulate(map(len, held))], pa.int32())


def _class_of(field: FieldDescriptor) -> type[Message]:
    assert field.containing_type is not None
    made: type[Message] = GetMessageClass(field.containing_type)
    return made


# ── single values ────────────────────────────────────────────────────────────────────────────────


def _scalar_fill(field: FieldDescriptor) -> Fill:
    import pyarrow as pa

    kind = getattr(pa, _ARROW_NAMES[field.cpp_type])()
    if field.type == FieldDescriptor.TYPE_BYTES:
        kind = pa.binary()
    return Fill(kind, lambda values: pa.array(values, kind))


_ARROW_NAMES = {
    FieldDescriptor.CPPTYPE_INT32: "int32",
    FieldDescriptor.CPPTYPE_INT64: "int64",
    FieldDescriptor.CPPTYPE_UINT32: "uint32",
    FieldDescriptor.CPPTYPE_UINT64: "uint64",
    FieldDescriptor.CPPTYPE_FLOAT: "float32",
    FieldDescriptor.CPPTYPE_DOUBLE: "float64",
    FieldDescriptor.CPPTYPE_BOOL: "bool_",
    FieldDescriptor.CPPTYPE_ENUM: "int32",
    FieldDescriptor.CPPTYPE_STRING: "string",
}


def _enum_fill(enum: EnumDescriptor) -> Fill:
    import pyarrow as pa

    kind, names = pa.string(), enum_names(enum)

    def array(values: Values) -> pa.Array:
        return pa.array([None if value is None else names.get(value) or str(value) for value in values], kind)

    return Fill(kind, array)


def _wrapper_fill(value: Fill) -> Fill:
    return Fill(value.type, lambda values: value.array([None if each is None else each.value for each in values]))


def _bytes_fill(descriptor: Descriptor) -> Fill:
    import pyarrow as pa

    kind, payload = pa.binary(), GetMessageClass(descriptor).SerializePartialToString
    return Fill(kind, lambda values: pa.array([None if each is None else payload(each) for each in values], kind))


def _json_fill(read: Callable[[Any], object]) -> Fill:
    import pyarrow as pa

    kind = pa.string()

    def text(value: Any) -> str | None:
        return None if value is None else json.dumps(read(value), ensure_ascii=False, allow_nan=False)

    def array(values: Values) -> pa.Array:
        try:
            return pa.array([text(value) for value in values], kind)
        except ValueError:
            raise misfit("a Value holds infinity or NaN, which JSON cannot say") from None

    return Fill(kind, array)


_READERS: dict[str | None, Callable[[Any], object]] = {
    shapes.STRUCT: read_struct,
    shapes.VALUE: read_value,
    shapes.LIST_VALUE: read_list_value,
}


def _struct_fill(descriptor: Descriptor, columns: list[Column]) -> Fill:
    import pyarrow as pa

    fields = [column.field for column in columns]
    kind, unset = pa.struct(fields), GetMessageClass(descriptor)()

    def array(values: Values) -> pa.Array:
        nulls = [value is None for value in values]
        if not columns:
            return pa.array([None if null else {} for null in nulls], kind)
        if True not in nulls:
            return pa.StructArray.from_arrays([column.array(values) for column in columns], fields=fields)
        # What stands below a null is nobody's: an empty message, so that fields without presence have something.
        messages = [unset if value is None else value for value in values]
        arrays = [column.array(messages) for column in columns]
        return pa.StructArray.from_arrays(arrays, fields=fields, mask=pa.array(nulls))

    return Fill(kind, array)
