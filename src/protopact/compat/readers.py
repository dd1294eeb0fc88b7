"""What harms readers beyond Confluent's verdict: values misread or lost on the wire, names and forms of JSON.

The original wrote the records, the update reads them; a level decides which schema is which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2

from protopact.compat.difference import Difference, DifferenceType
from protopact.compat.matching import changed_messages, fields_in_both
from protopact.compat.payloads import many_for_one, misreading
from protopact.descriptor import derived_json_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protopact.compat.difference import Example
    from protopact.compat.matching import Fields
    from protopact.compat.shapes import FieldShape, SchemaShape

_T = DifferenceType
_F = descriptor_pb2.FieldDescriptorProto
_WHOLE = (_F.TYPE_INT32, _F.TYPE_UINT32, _F.TYPE_SINT32, _F.TYPE_FIXED32, _F.TYPE_SFIXED32)
_WHOLE_64 = (_F.TYPE_INT64, _F.TYPE_UINT64, _F.TYPE_SINT64, _F.TYPE_FIXED64, _F.TYPE_SFIXED64)
_JSON_FORMS = {  # ProtoJSON's table of types, protobuf.dev/programming-guides/json
    **dict.fromkeys(_WHOLE, "a number"),
    **dict.fromkeys(_WHOLE_64, "a number in quotes"),
    **dict.fromkeys((_F.TYPE_FLOAT, _F.TYPE_DOUBLE), "a number or the name of a special one"),
    _F.TYPE_BOOL: "true or false",
    _F.TYPE_STRING: "a text",
    _F.TYPE_BYTES: "base64",
    _F.TYPE_ENUM: "a name",
}


def harms(original: SchemaShape, update: SchemaShape) -> Iterator[Difference]:
    """Give what may harm who reads with `update` what `original` wrote, besides Confluent's differences."""
    for fields in fields_in_both(original, update):
        yield from _field_harms(fields)
    yield from _parted_oneofs(original, update)


def type_harm(writer: FieldShape, reader: FieldShape) -> tuple[DifferenceType, Example | None] | None:
    """Give what is lost on the wire when a field of one type and cardinality is read as another; None for nothing."""
    if writer.is_message != reader.is_message or writer.is_message:
        changed = writer.is_message != reader.is_message or _is_delimited(writer) != _is_delimited(reader)
        return (_T.FIELD_ENCODING_CHANGED, None) if changed else _cardinality_harm(writer, reader)
    example = misreading(writer, reader, _enum_numbers(writer))
    if example is not None:
        to_text = writer.type == _F.TYPE_BYTES and reader.type == _F.TYPE_STRING
        return _T.FIELD_BYTES_TO_STRING if to_text else _T.FIELD_RANGE_CHANGED, example
    return _cardinality_harm(writer, reader)


def _field_harms(fields: Fields) -> Iterator[Difference]:
    writer, reader = fields.writer, fields.reader
    pairs = [(writer, reader)]
    entry, other_entry = writer.map_entry, reader.map_entry
    if entry is not None and other_entry is not None:
        pairs = [(entry.fields[number], other_entry.fields[number]) for number in (1, 2)]
    elif entry is None and other_entry is None:
        yield from _default_harm(fields)
    for held, other in pairs:
        harm = type_harm(held, other)
        if harm is not None:
            yield _difference(fields, harm[0], example=harm[1])
        yield from _json_form_harms(fields, held, other)
    if writer.required != reader.required:
        yield _difference(fields, _T.FIELD_REQUIRED_CHANGED)
    if json_name(writer.proto) != json_name(reader.proto):
        yield _difference(fields, _T.FIELD_JSON_NAME_CHANGED, words=(json_name(writer.proto), json_name(reader.proto)))


def _cardinality_harm(writer: FieldShape, reader: FieldShape) -> tuple[DifferenceType, Example | None] | None:
    if writer.repeated == reader.repeated:
        return None
    many, one = (writer, reader) if writer.repeated else (reader, writer)
    return _T.FIELD_CARDINALITY_CHANGED, many_for_one(many, one)


def _json_form_harms(fields: Fields, writer: FieldShape, reader: FieldShape) -> Iterator[Difference]:
    if writer.is_message or reader.is_message:
        return
    form, other_form = _JSON_FORMS[writer.type], _JSON_FORMS[reader.type]
    if form != other_form:
        yield _difference(fields, _T.FIELD_JSON_FORM_CHANGED, words=(form, other_form))
    elif writer.type == _F.TYPE_ENUM and writer.type_name != reader.type_name:
        before, after = _enum_values(writer), _enum_values(reader)
        if not before.items() <= after.items():
            yield _difference(fields, _T.FIELD_ENUM_CHANGED)


def _default_harm(fields: Fields) -> Iterator[Difference]:
    before, after = default_of(fields.writer), default_of(fields.reader)
    if before != after and not fields.writer.repeated and not fields.reader.repeated:
        words = before or "no default", after or "no default"
        yield _difference(fields, _T.FIELD_DEFAULT_CHANGED, words=words)


def _parted_oneofs(original: SchemaShape, update: SchemaShape) -> Iterator[Difference]:
    for key, before, after in changed_messages(original, update):
        for name, members in before.oneofs.items():
            kept = [after.fields[member.number] for member in members if member.number in after.fields]
            if len({field.oneof or field.number for field in kept}) > 1:
                words = ", ".join(f"{field.name} in {field.oneof}" if field.oneof else field.name for field in kept)
                yield Difference(_T.ONEOF_PARTED, key.path(name), f"oneof {name}", words)


def _difference(
    fields: Fields, type_: DifferenceType, *, words: tuple[str, str] | None = None, example: Example | None = None
) -> Difference:
    before, after = words or (fields.writer.words, fields.reader.words)
    return Difference(type_, fields.path, before, after, example=example)


def json_name(field: descriptor_pb2.FieldDescriptorProto) -> str:
    """Give the name of a field in JSON."""
    return field.json_name or derived_json_name(field.name)


def default_of(field: FieldShape) -> str:
    """Give the default value that is written in the schema, as text; an empty one when it is the type's own."""
    written = field.proto.default_value
    return "" if written in _OWN_DEFAULTS.get(field.type, _ZEROS) else written


_ZEROS = {"", "0", "-0"}
_OWN_DEFAULTS = {_F.TYPE_BOOL: {"", "false"}, _F.TYPE_STRING: {""}, _F.TYPE_BYTES: {""}, _F.TYPE_ENUM: {""}}


def _is_delimited(field: FieldShape) -> bool:
    if field.type == _F.TYPE_GROUP:
        return True
    if not field.message.file.editions or field.map_entry is not None:
        return False
    features = descriptor_pb2.FeatureSet
    for options in (field.proto.options, field.message.file.proto.options):
        if options.features.message_encoding != features.MESSAGE_ENCODING_UNKNOWN:
            return options.features.message_encoding == features.DELIMITED
    return False


def _enum_values(field: FieldShape) -> dict[int, str]:
    enum = field.message.schema.find_enum(field.type_name) if field.type == _F.TYPE_ENUM else None
    return {} if enum is None else {value.number: value.name for value in enum.value}


def _enum_numbers(field: FieldShape) -> list[int]:
    return [number for number in _enum_values(field) if number < 0]
