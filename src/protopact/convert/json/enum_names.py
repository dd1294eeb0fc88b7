"""The names of enum values in JSON: those of the `.proto`, and those that the option `pb.enumvalue.json` sets.

The option came with protobuf 7.36 (`google/protobuf/json_enumvalue_options.proto`): it holds the text under which a
value is written. What is read may have either name. Protobuf refuses schemas in which two values have the same name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from protopact.convert.values import enum_names

if TYPE_CHECKING:
    from google.protobuf.descriptor import EnumDescriptor

_OPTION, _OPTIONS = "pb.enumvalue.json", "google.protobuf.EnumValueOptions"


def enum_numbers(enum: EnumDescriptor) -> dict[str, int]:
    """Give the number of each name that JSON may have for an enum's value; a name of the `.proto` goes before."""
    own = {value.name: value.number for value in enum.values}
    return {name: enum.values_by_name[value].number for value, name in _set_names(enum).items()} | own


def enum_json_names(enum: EnumDescriptor) -> dict[int, str]:
    """Give the name of each number in JSON; the first value's, where several share a number."""
    names = _set_names(enum)
    return {number: names.get(own, own) for number, own in enum_names(enum).items()}


def _set_names(enum: EnumDescriptor) -> dict[str, str]:
    """Give the names that the option sets, by the values' own names."""
    option = _option(enum)
    if option is None:
        return {}
    # Options come as a class of the default pool, which need not know the option; the schema's own pool does.
    parse = GetMessageClass(enum.file.pool.FindMessageTypeByName(_OPTIONS)).FromString
    names: dict[str, str] = {}
    for value in enum.values:
        options: Any = parse(value.GetOptions().SerializeToString())
        if options.HasExtension(option) and options.Extensions[option].HasField("string"):
            names[value.name] = options.Extensions[option].string
    return names


def _option(enum: EnumDescriptor) -> FieldDescriptor | None:
    """Give the option if the enum's schema knows it, and means by it what protobuf does."""
    try:
        option = enum.file.pool.FindExtensionByName(_OPTION)
    except KeyError:
        return None
    holder, held = option.containing_type, option.message_type
    if option.is_repeated or holder is None or held is None or holder.full_name != _OPTIONS:
        return None
    text = held.fields_by_name.get("string")
    return option if text is not None and text.type == FieldDescriptor.TYPE_STRING and text.has_presence else None
