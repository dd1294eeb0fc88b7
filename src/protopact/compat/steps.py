"""What a schema must not do from one version to the next, whoever reads: free numbers and names, take used ones.

These depend on time and not on the level: the original is always the earlier version.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2

from protopact.compat.difference import Difference, DifferenceType
from protopact.compat.matching import changed_enums, changed_messages, enums_of, fields_in_both, messages_of
from protopact.compat.readers import type_harm

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from protopact.compat.difference import Example
    from protopact.compat.matching import Fields, Key
    from protopact.compat.shapes import FieldShape, MessageShape, SchemaShape

_T = DifferenceType
_Enum = descriptor_pb2.EnumDescriptorProto
_Presence = descriptor_pb2.FeatureSet
_NOT_IMPLICIT = (_Presence.EXPLICIT, _Presence.LEGACY_REQUIRED)


class Ranges:
    """Whole numbers as merged ranges, both ends included."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Merge the ranges."""
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(ranges):
            if self._ends and start <= self._ends[-1] + 1:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    @classmethod
    def reserved_by_message(cls, message: MessageShape) -> Ranges:
        """Give the numbers that a message reserves."""
        return cls((each.start, each.end - 1) for each in message.proto.reserved_range)

    @classmethod
    def reserved_by_enum(cls, enum: descriptor_pb2.EnumDescriptorProto) -> Ranges:
        """Give the numbers that an enum reserves."""
        return cls((each.start, each.end) for each in enum.reserved_range)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Give first and last number of each range."""
        return zip(self._starts, self._ends, strict=True)

    def covers(self, start: int, end: int) -> bool:
        """Tell whether all numbers from `start` to `end` are inside."""
        at = bisect_right(self._starts, start) - 1
        return at >= 0 and end <= self._ends[at]


def steps(original: SchemaShape, update: SchemaShape) -> Iterator[Difference]:
    """Give the steps from one version to a later one that some policy refuses, besides Confluent's differences."""
    for key, before, after in changed_messages(original, update):
        yield from _message_steps(key, before, after)
    for key, enum, changed in changed_enums(original, update):
        yield from _enum_steps(key, enum, changed)
    for fields in fields_in_both(original, update):
        yield from _source_steps(fields)


def reuses(history: Sequence[SchemaShape], candidate: SchemaShape) -> Iterator[tuple[int, Difference]]:
    """Give the numbers that the candidate takes anew although an earlier version used or reserved them otherwise.

    `history` is newest first; each difference comes with the index of the version that speaks against it. A number
    that the newest version uses is compared with that version alone, by the other rules.
    """
    if not history:
        return
    new_fields = dict(_new_fields(history[0], candidate))
    new_values = dict(_new_values(history[0], candidate))
    for index, version in enumerate(history if new_fields or new_values else ()):
        messages, enums = messages_of(version), enums_of(version) if new_values else {}
        for key, fields in new_fields.items():
            if key in messages:
                for one in _field_reuses(key, messages[key], fields):
                    yield index, one
        for key, values in new_values.items():
            if key in enums:
                for one in _value_reuses(key, enums[key], values):
                    yield index, one


def _message_steps(key: Key, original: MessageShape, update: MessageShape) -> Iterator[Difference]:
    reserved, names = Ranges.reserved_by_message(update), set(update.proto.reserved_name)
    for number, field in original.fields.items():
        if number in update.fields:
            continue
        if not reserved.covers(number, number):
            yield Difference(_T.FIELD_NUMBER_FREED, key.path(*field.path), field.words)
        if field.name not in names:
            yield Difference(_T.FIELD_NAME_FREED, key.path(*field.path), field.words)
    yield from _freed_ranges(key, Ranges.reserved_by_message(original), reserved)
    yield from _freed_names(key, original.proto.reserved_name, names)


def _enum_steps(
    key: Key, original: descriptor_pb2.EnumDescriptorProto, update: descriptor_pb2.EnumDescriptorProto
) -> Iterator[Difference]:
    reserved, names = Ranges.reserved_by_enum(update), set(update.reserved_name)
    numbers = {value.number for value in update.value}
    for value in original.value:
        if value.number in numbers:
            continue
        words = f"{value.name} = {value.number}"
        if not reserved.covers(value.number, value.number):
            yield Difference(_T.ENUM_NUMBER_FREED, key.path(str(value.number)), words)
        if value.name not in names:
            yield Difference(_T.ENUM_NAME_FREED, key.path(str(value.number)), words)
    yield from _freed_ranges(key, Ranges.reserved_by_enum(original), reserved)
    yield from _freed_names(key, original.reserved_name, names)


def _freed_ranges(key: Key, before: Ranges, after: Ranges) -> Iterator[Difference]:
    for start, end in before:
        if not after.covers(start, end):
            words = f"reserved {start}" if start == end else f"reserved {start} to {end}"
            yield Difference(_T.RESERVED_NUMBER_FREED, key.path(), words)


def _freed_names(key: Key, before: Iterable[str], after: set[str]) -> Iterator[Difference]:
    for name in before:
        if name not in after:
            yield Difference(_T.RESERVED_NAME_FREED, key.path(), f"reserved {name}")


def _source_steps(fields: Fields) -> Iterator[Difference]:
    before, after = fields.writer, fields.reader
    words = before.words, after.words
    if _types(before) != _types(after):
        yield Difference(_T.FIELD_TYPE_CHANGED, fields.path, *words)
    if (before.repeated, before.required, _has_presence(before)) != (
        after.repeated,
        after.required,
        _has_presence(after),
    ):
        yield Difference(_T.FIELD_PRESENCE_CHANGED, fields.path, *words)
    if before.oneof != after.oneof:
        words = before.oneof or "no oneof", after.oneof or "no oneof"
        yield Difference(_T.FIELD_ONEOF_CHANGED, fields.path, *words)


def _types(field: FieldShape) -> list[tuple[int, tuple[str, ...] | str]]:
    """Give the types that generated code has for a field: of keys and values for a map; names without the package."""
    entry = field.map_entry
    if entry is not None:
        return [each for part in entry.fields.values() for each in _types(part)]
    message = field.message.schema.find_message(field.type_name) if field.is_message else None
    name = field.type_name.removeprefix(f"{field.message.file.package}.") if message is None else message.names
    return [(field.type, name)]


def _has_presence(field: FieldShape) -> bool:
    if field.repeated:
        return False
    if field.oneof or field.is_message or field.proto.proto3_optional or field.message.file.proto2:
        return True
    if not field.message.file.editions:
        return False
    own, whole = field.proto.options.features, field.message.file.proto.options.features
    return (own.field_presence or whole.field_presence or _Presence.EXPLICIT) in _NOT_IMPLICIT


def _new_fields(latest: SchemaShape, candidate: SchemaShape) -> Iterator[tuple[Key, list[FieldShape]]]:
    before = messages_of(latest)
    for key, message in messages_of(candidate).items():
        known = before[key].fields if key in before else {}
        fields = [field for number, field in message.fields.items() if number not in known]
        if fields:
            yield key, fields


def _new_values(
    latest: SchemaShape, candidate: SchemaShape
) -> Iterator[tuple[Key, list[descriptor_pb2.EnumValueDescriptorProto]]]:
    before = enums_of(latest)
    for key, enum in enums_of(candidate).items():
        known = {value.number for value in before.get(key, _Enum()).value}
        values = [value for value in enum.value if value.number not in known]
        if values:
            yield key, values


def _field_reuses(key: Key, earlier: MessageShape, fields: Iterable[FieldShape]) -> Iterator[Difference]:
    reserved = Ranges.reserved_by_message(earlier)
    for field in fields:
        path = key.path(*field.path)
        used = earlier.fields.get(field.number)
        if used is not None and _means_another(used, field):
            yield Difference(_T.FIELD_NUMBER_REUSED, path, used.words, field.words, example=_example(used, field))
        if reserved.covers(field.number, field.number):
            yield Difference(_T.RESERVED_NUMBER_USED, path, f"reserved {field.number}", field.words)


def _means_another(used: FieldShape, field: FieldShape) -> bool:
    if used.is_message or field.is_message:
        return _types(used) != _types(field) or used.repeated != field.repeated
    return type_harm(used, field) is not None


def _example(used: FieldShape, field: FieldShape) -> Example | None:
    harm = type_harm(used, field)
    return harm[1] if harm is not None else None


def _value_reuses(
    key: Key,
    earlier: descriptor_pb2.EnumDescriptorProto,
    values: Iterable[descriptor_pb2.EnumValueDescriptorProto],
) -> Iterator[Difference]:
    used = {value.number: value.name for value in earlier.value}
    reserved = Ranges.reserved_by_enum(earlier)
    for value in values:
        path, words = key.path(str(value.number)), f"{value.name} = {value.number}"
        name = used.get(value.number, value.name)
        if name != value.name:
            yield Difference(_T.ENUM_NUMBER_REUSED, path, f"{name} = {value.number}", words)
        if reserved.covers(value.number, value.number):
            yield Difference(_T.RESERVED_NUMBER_USED, path, f"reserved {value.number}", words)
