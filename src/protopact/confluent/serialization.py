"""The names of `confluent_kafka.serialization`: contexts, errors, and serializers of plain values.

Numbers are big-endian, as Kafka's own serializers write them; None stays None.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from protopact.errors import ConfigError, SerdeError, WrongTypeError

if TYPE_CHECKING:
    from protopact.serdes import Headers

T = TypeVar("T")


class MessageField(StrEnum):
    """Which part of a record is meant; equal to the text."""

    NONE = "none"
    KEY = "key"
    VALUE = "value"


class SerializationContext:
    """Where a value goes to or comes from: the topic, the part of the record, and the record's headers."""

    def __init__(self, topic: str, field: str, headers: Headers | None = None) -> None:
        self.topic, self.field, self.headers = topic, field, headers


class SerializationError(SerdeError):
    """A record that cannot be written or read; `__cause__` says more."""


class WrongMessageError(SerializationError, WrongTypeError, ValueError):
    """A message of another type than the one that was configured."""


class ConfigurationError(ConfigError, ValueError):
    """A configuration key that is unknown, or a value that cannot be; `option` is the key."""


class Serializer(Generic[T]):
    """What makes bytes of a value: called with the value and a context."""

    def __call__(self, obj: T | None, ctx: SerializationContext | None = None) -> bytes | None:
        """Give the bytes; None gives None."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what it opened: nothing."""


class Deserializer(Generic[T]):
    """What makes a value of bytes: called with the bytes and a context."""

    def __call__(self, value: bytes | None, ctx: SerializationContext | None = None) -> T | None:
        """Give the value; None gives None."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what it opened: nothing."""


class StringSerializer(Serializer[str]):
    """Writes text in an encoding."""

    def __init__(self, codec: str = "utf_8") -> None:
        self.codec = codec

    def __call__(self, obj: str | None, ctx: SerializationContext | None = None) -> bytes | None:
        """Give the encoded text; SerializationError for what the encoding does not have."""
        del ctx
        try:
            return None if obj is None else obj.encode(self.codec)
        except UnicodeError as error:
            raise SerializationError(str(error)) from error


class StringDeserializer(Deserializer[str]):
    """Reads text in an encoding."""

    def __init__(self, codec: str = "utf_8") -> None:
        self.codec = codec

    def __call__(self, value: bytes | None, ctx: SerializationContext | None = None) -> str | None:
        """Give the text; SerializationError for bytes that are none in the encoding."""
        del ctx
        try:
            return None if value is None else value.decode(self.codec)
        except UnicodeError as error:
            raise SerializationError(str(error)) from error


class _Packed(Serializer[T]):
    _format = ""

    def __call__(self, obj: T | None, ctx: SerializationContext | None = None) -> bytes | None:
        """Give the bytes; SerializationError for what does not fit."""
        del ctx
        try:
            return None if obj is None else struct.pack(self._format, obj)
        except struct.error as error:
            raise SerializationError(f"{obj!r}: {error}") from error


class _Unpacked(Deserializer[T]):
    _format = ""

    def __call__(self, value: bytes | None, ctx: SerializationContext | None = None) -> T | None:
        """Give the number; SerializationError for another number of bytes."""
        del ctx
        try:
            return None if value is None else struct.unpack(self._format, value)[0]
        except struct.error as error:
            raise SerializationError(str(error)) from error


class IntegerSerializer(_Packed[int]):
    """Writes a signed integer of 32 bits."""

    _format = ">i"


class IntegerDeserializer(_Unpacked[int]):
    """Reads a signed integer of 32 bits."""

    _format = ">i"


class DoubleSerializer(_Packed[float]):
    """Writes a float of 64 bits."""

    _format = ">d"


class DoubleDeserializer(_Unpacked[float]):
    """Reads a float of 64 bits."""

    _format = ">d"
