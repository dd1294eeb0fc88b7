"""Small payloads that show what a change of type does to a value, worked out as a parser would (encoding spec).

A scalar is written as one type and read as another. If every sample of the first type reads as the same value, the
change is harmless; if one does not, the sample is the example.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeAlias

from google.protobuf import descriptor_pb2

from protopact.compat.difference import Example

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from protopact.compat.shapes import FieldShape

Value: TypeAlias = int | float | bytes | str

_F = descriptor_pb2.FieldDescriptorProto
_VARINT, _EIGHT, _BYTES, _GROUP, _FOUR = 0, 1, 2, 3, 5
_WIRE_TYPES = {
    **dict.fromkeys((_F.TYPE_FIXED64, _F.TYPE_SFIXED64, _F.TYPE_DOUBLE), _EIGHT),
    **dict.fromkeys((_F.TYPE_FIXED32, _F.TYPE_SFIXED32, _F.TYPE_FLOAT), _FOUR),
    **dict.fromkeys((_F.TYPE_STRING, _F.TYPE_BYTES, _F.TYPE_MESSAGE), _BYTES),
    _F.TYPE_GROUP: _GROUP,
}
_CONTINUES = 0x80  # seven bits to a byte; the eighth says that more follow
_BITS_32, _BITS_64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF
_SIGNED_32, _SIGNED_64 = (7, -1, 2**31 - 1, -(2**31)), (2**32 + 7, -1, 2**63 - 1, 7)
_SAMPLES: dict[int, tuple[Value, ...]] = {
    **dict.fromkeys((_F.TYPE_INT32, _F.TYPE_SINT32, _F.TYPE_SFIXED32), _SIGNED_32),
    **dict.fromkeys((_F.TYPE_INT64, _F.TYPE_SINT64, _F.TYPE_SFIXED64), _SIGNED_64),
    **dict.fromkeys((_F.TYPE_UINT32, _F.TYPE_FIXED32), (7, 2**32 - 1)),
    **dict.fromkeys((_F.TYPE_UINT64, _F.TYPE_FIXED64), (2**32 + 7, 2**64 - 1)),
    _F.TYPE_BOOL: (1,),
    _F.TYPE_ENUM: (2,),
    _F.TYPE_STRING: ("7",),
    _F.TYPE_BYTES: (b"\xff",),
    _F.TYPE_FLOAT: (1.5,),
    _F.TYPE_DOUBLE: (1.5,),
}
_PACKS: dict[int, str] = {
    _F.TYPE_FLOAT: "<f",
    _F.TYPE_DOUBLE: "<d",
    _F.TYPE_FIXED32: "<I",
    _F.TYPE_SFIXED32: "<i",
    _F.TYPE_FIXED64: "<Q",
    _F.TYPE_SFIXED64: "<q",
}


def misreading(writer: FieldShape, reader: FieldShape, values: Iterable[int] = ()) -> Example | None:
    """Give a payload of `writer` that `reader` reads as another value; None when every sample reads alike.

    `values` are further samples, such as the numbers of an enum.
    """
    for sample in (*values, *_SAMPLES.get(writer.type, ())):
        payload = _tag(writer) + _encoded(writer.type, sample)
        if _wire_type(writer) != _wire_type(reader):
            return _example(payload, writer, reader, sample, _UNSET)
        read = _decoded(reader.type, _encoded(writer.type, sample))
        if read != sample:
            return _example(payload, writer, reader, sample, _NOT_UTF8 if read == _NOT_UTF8 else f"{read!r}")
    return None


def many_for_one(many: FieldShape, one: FieldShape) -> Example:
    """Give a payload with two values, read by who expects one."""
    if many.is_message:
        payload = (_tag(many) + b"\x00") * 2
        return _example(payload, many, one, "two messages", "one message, merged of both")
    first, second = _two_samples(many)
    encoded = _encoded(many.type, first), _encoded(many.type, second)
    if _is_packed(many):
        body = b"".join(encoded)
        payload = _varint(many.number << 3 | _BYTES) + _varint(len(body)) + body
        return _example(payload, many, one, [first, second], _UNSET)
    payload = b"".join(_tag(many) + each for each in encoded)
    return _example(payload, many, one, [first, second], f"{second!r} alone")


_UNSET = "not set: the bytes end among the unknown fields"
_NOT_UTF8 = "no text: the record cannot be read at all"


def _example(payload: bytes, writer: FieldShape, reader: FieldShape, means: object, reads: str) -> Example:
    shown = means if isinstance(means, str) and means.startswith("two ") else repr(means)
    return Example(payload, writer.words, reader.words, shown, reads)


def _two_samples(field: FieldShape) -> tuple[Value, Value]:
    if field.type == _F.TYPE_STRING:
        return "a", "b"
    if field.type == _F.TYPE_BYTES:
        return b"a", b"b"
    return (1, 1) if field.type == _F.TYPE_BOOL else (1, 2)


def _is_packed(field: FieldShape) -> bool:
    if _wire_type(field) == _BYTES:
        return False
    options = field.proto.options
    return options.packed if options.HasField("packed") else not field.message.file.proto2


def _wire_type(field: FieldShape) -> int:
    return _WIRE_TYPES.get(field.type, _VARINT)


def _tag(field: FieldShape) -> bytes:
    return _varint(field.number << 3 | _wire_type(field))


def _varint(value: int) -> bytes:
    out = bytearray()
    value &= _BITS_64
    while value >= _CONTINUES:
        out.append(value & 0x7F | _CONTINUES)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(data: bytes) -> int:
    return sum((byte & 0x7F) << (7 * index) for index, byte in enumerate(data))


def _encoded(type_: int, value: Value) -> bytes:
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return _varint(len(value)) + value
    if type_ in _PACKS:
        return struct.pack(_PACKS[type_], value)
    number = int(value)
    return _varint(number << 1 ^ number >> 63 if type_ in {_F.TYPE_SINT32, _F.TYPE_SINT64} else number)


def _decoded(type_: int, data: bytes) -> Value:
    """Read what stands behind the tag, of the type's own wire type."""
    if type_ in _PACKS:
        value: float = struct.unpack(_PACKS[type_], data)[0]
        return value
    if type_ == _F.TYPE_STRING:
        try:
            return data[1:].decode()
        except UnicodeDecodeError:
            return _NOT_UTF8
    if type_ == _F.TYPE_BYTES:
        return data[1:] if not data[1:].isascii() else data[1:].decode()
    return _VARINT_READERS[type_](_number(data))


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


def _unzigzag(value: int) -> int:
    return value >> 1 ^ -(value & 1)


_VARINT_READERS: dict[int, Callable[[int], Value]] = {
    _F.TYPE_INT32: lambda value: _signed(value, 32),
    _F.TYPE_ENUM: lambda value: _signed(value, 32),
    _F.TYPE_INT64: lambda value: _signed(value, 64),
    _F.TYPE_UINT32: lambda value: value & _BITS_32,
    _F.TYPE_UINT64: lambda value: value & _BITS_64,
    _F.TYPE_SINT32: lambda value: _unzigzag(value & _BITS_32),
    _F.TYPE_SINT64: lambda value: _unzigzag(value & _BITS_64),
    _F.TYPE_BOOL: lambda value: value != 0,
}
