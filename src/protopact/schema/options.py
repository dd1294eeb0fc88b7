"""Options of a field built in Python: protobuf's own by name, `default` and `json_name`, and tags."""

from __future__ import annotations

import difflib
import math
import struct
from functools import lru_cache
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldOptions

from protopact.convert import from_dict
from protopact.descriptor import FileSet, built_in_file, derived_json_name, message_class
from protopact.errors import ConversionError, SchemaModelError
from protopact.framing import encode_varint
from protopact.schema.syntax import PACKABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from google.protobuf.descriptor_pb2 import FieldDescriptorProto

    from protopact.schema.names import TypeSymbol
    from protopact.schema.parts import ProtoField
    from protopact.schema.syntax import Place

# confluent/meta.proto: `extend google.protobuf.FieldOptions { Meta field_meta = 1088; }`; as on the wire, key 1088
# with wire type 2. The known numbers of FieldOptions differ from it, so it stays what it is in every pool.
_FIELD_META_KEY = 1088 << 3 | 2
META_FILE = "confluent/meta.proto"
_NOT_FIELD_OPTIONS = {"default", "json_name"}
_UNSETTABLE = {"uninterpreted_option"}


def apply_options(field: ProtoField, proto: FieldDescriptorProto, place: Place, symbol: TypeSymbol | None) -> None:
    """Write a field's options and tags into its descriptor; `symbol` is its type when that is no scalar."""
    options = dict(field.options)
    json_name = options.pop("json_name", None)
    proto.json_name = derived_json_name(field.name) if json_name is None else _json_name(json_name, place)
    if "default" in options:
        proto.default_value = _default(field, options.pop("default"), place, symbol)
    if options.get("packed") is not None:
        _check_packed(field, place, symbol)
    if options:
        proto.options.CopyFrom(_known_options(options, place))
    if field.tags:
        proto.options.MergeFromString(_field_meta(tuple(field.tags)))


def _json_name(json_name: object, place: Place) -> str:
    if not isinstance(json_name, str) or not json_name or "\0" in json_name or json_name.startswith("["):
        raise SchemaModelError(
            f"{place.path}: {json_name!r} is no JSON name", path=place.path, hint="give a text without NUL or '[' first"
        )
    return json_name


def _check_packed(field: ProtoField, place: Place, symbol: TypeSymbol | None) -> None:
    if not place.syntax.has_packed:
        raise SchemaModelError(
            f"{place.path}: packed is no option in edition {place.syntax.name}",
            path=place.path,
            hint='write options={"features": {"repeated_field_encoding": "PACKED"}} (or "EXPANDED")',
        )
    is_packable = field.type in PACKABLE if symbol is None else symbol.values is not None
    if not field.repeated or not is_packable:
        raise SchemaModelError(
            f"{place.path}: only a repeated number, bool or enum can be packed", path=place.path, hint="drop packed"
        )


def _known_options(options: dict[str, object], place: Place) -> FieldOptions:
    known = [name for name in FieldOptions.DESCRIPTOR.fields_by_name if name not in _UNSETTABLE]
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(str(name), [*known, *_NOT_FIELD_OPTIONS], 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}"
            raise SchemaModelError(f"{place.path}: unknown option {name!r}", path=place.path, hint=hint)
    try:
        return from_dict(options, FieldOptions)
    except ConversionError as error:
        raise SchemaModelError(
            f"{place.path}: options do not fit: {error}", path=place.path, hint="give each option a value of its type"
        ) from error


@lru_cache(maxsize=256)
def _field_meta(tags: Sequence[str]) -> bytes:
    meta = message_class(FileSet.link(META_FILE, [built_in_file(META_FILE)]), "confluent.Meta")
    value = from_dict({"tags": list(tags)}, meta).SerializeToString()
    return encode_varint(_FIELD_META_KEY) + encode_varint(len(value)) + value


def _default(field: ProtoField, value: object, place: Place, symbol: TypeSymbol | None) -> str:
    if not place.syntax.has_defaults:
        raise SchemaModelError(
            f"{place.path}: {place.syntax.name} has no defaults of its own",
            path=place.path,
            hint='drop default, or build the message with syntax="proto2" or "2023"',
        )
    if field.repeated or field.map_key is not None or (symbol is not None and symbol.values is None):
        raise SchemaModelError(
            f"{place.path}: a list, map or message has no default", path=place.path, hint="drop default"
        )
    if symbol is not None:
        return _enum_default(value, symbol, place)
    text = _SCALAR_DEFAULTS[str(field.type)](value)
    if text is None:
        raise SchemaModelError(
            f"{place.path}: {value!r} is no default for {field.type}",
            path=place.path,
            hint=f"give a value of type {field.type}",
        )
    return text


def _enum_default(value: object, symbol: TypeSymbol, place: Place) -> str:
    names = [name for name, _ in symbol.values or ()]
    if not isinstance(value, str) or value not in names:
        raise SchemaModelError(
            f"{place.path}: {value!r} is no value of {symbol.full_name}",
            path=place.path,
            hint=f"name one of {', '.join(names)}",
        )
    return value


def _integer(low: int, high: int) -> Callable[[object], str | None]:
    def word(value: object) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value < high
        return str(value) if fits else None

    return word


def _floating(digits: int, digits_exact: int, packing: str) -> Callable[[object], str | None]:
    def word(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        try:
            number: float = struct.unpack(packing, struct.pack(packing, value))[0]
        except OverflowError:
            return None
        if math.isnan(number):
            return "nan"
        short = f"{number:.{digits}g}"
        is_exact = struct.pack(packing, float(short)) == struct.pack(packing, number)
        return short if is_exact else f"{number:.{digits_exact}g}"

    return word


def _bytes_default(value: object) -> str | None:
    return "".join(map(_escape, value)) if isinstance(value, bytes) else None


def _escape(byte: int) -> str:
    named = {0x0A: r"\n", 0x0D: r"\r", 0x09: r"\t", 0x22: r"\"", 0x27: r"\'", 0x5C: r"\\"}
    return named.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}")  # noqa: PLR2004  (printable)


# How `FieldDescriptorProto.default_value` words a default (descriptor.proto): numbers as protoc prints them, texts
# as they are, bytes with C escapes.
_SCALAR_DEFAULTS: dict[str, Callable[[object], str | None]] = {
    **dict.fromkeys(("int32", "sint32", "sfixed32"), _integer(-(2**31), 2**31)),
    **dict.fromkeys(("int64", "sint64", "sfixed64"), _integer(-(2**63), 2**63)),
    **dict.fromkeys(("uint32", "fixed32"), _integer(0, 2**32)),
    **dict.fromkeys(("uint64", "fixed64"), _integer(0, 2**64)),
    "float": _floating(6, 9, "<f"),
    "double": _floating(15, 17, "<d"),
    "bool": lambda value: str(value).lower() if isinstance(value, bool) else None,
    "string": lambda value: value if isinstance(value, str) else None,
    "bytes": _bytes_default,
}
