"""Records → values, each by the schema that its writer used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast, overload

from google.protobuf.message import DecodeError as WireDecodeError, Message

from protopact.errors import ConfigError, ConversionError, DecodeError, FramingError
from protopact.framing import decode_prefix
from protopact.serdes.plan import fetch_parse
from protopact.serdes.table import keep

if TYPE_CHECKING:
    from protopact.client import SchemaRegistryClient
    from protopact.convert import PlainValue
    from protopact.serdes.plan import Parse, Read

T = TypeVar("T")
M = TypeVar("M", bound=Message)

_SHORT = 6  # the size of a prefix whose message indexes are the one byte 00


class Deserializer(Generic[T]):
    """Reads records in the Confluent wire format, several types in one topic if need be.

    `into=None` gives the writer's message, of a class made from the writer's schema; `into=dict` a dict (see
    `protopact.to_dict`); `into=` a message class gives that class and refuses records of any other message. A schema is
    fetched when its id is first seen. May be shared by threads.
    """

    @overload
    def __init__(self: Deserializer[Message], client: SchemaRegistryClient, *, into: None = None) -> None: ...
    @overload
    def __init__(self: Deserializer[M], client: SchemaRegistryClient, *, into: type[M]) -> None: ...
    @overload
    def __init__(
        self: Deserializer[dict[str, PlainValue]], client: SchemaRegistryClient, *, into: type[dict[object, object]]
    ) -> None: ...
    def __init__(self, client: SchemaRegistryClient, *, into: object = None) -> None:
        is_message_class = isinstance(into, type) and issubclass(into, Message) and into is not Message
        if not (into is None or into is dict or is_message_class):
            raise ConfigError(
                f"into is {into!r}", option="into", hint="use None (the writer's message), dict, or a message class"
            )
        self._client = client
        self._into = cast("type[T] | None", into)
        self._reads: dict[str | None, Read[T]] = {}
        # By the prefix as it stands in records. No prefix is the start of another, so what is found is what is meant.
        self._parses: dict[bytes, Parse[T]] = {}

    @overload
    def deserialize(self, raw: bytes, *, topic: str | None = None, headers: object = None) -> T: ...
    @overload
    def deserialize(self, raw: None, *, topic: str | None = None, headers: object = None) -> None: ...
    def deserialize(
        self,
        raw: bytes | None,
        *,
        topic: str | None = None,
        headers: object = None,
    ) -> T | None:
        """Give the value of a record's bytes; None, a tombstone, gives None. `topic` is named in errors.

        FramingError when the bytes carry no valid prefix or it leads to no message, DecodeError when the payload is not
        the writer's message or the registry does not know its schema, WrongTypeError when it is not the message class
        wanted: the record is bad. TransportError or RegistryError: the registry could not be asked, try again.
        """
        del headers  # taken for the framing by header that is to come
        try:
            read = self._reads[topic]
        except KeyError:
            read = self.bind(topic)
        return read(raw)

    def bind(self, topic: str | None = None) -> Read[T]:
        """Give the function from a record's bytes to its value for one topic: the fastest way to read."""
        known = self._reads.get(topic)
        return known or keep(self._reads, topic, self._build(topic))

    def _build(self, topic: str | None) -> Read[T]:
        place = "record" if topic is None else f"record of topic {topic!r}"
        find, read_other = self._parses.get, self._read_other

        def read(raw: bytes) -> T | None:
            size = _SHORT
            try:
                parse = find(raw[:size])
                if parse is None:
                    size += raw[size - 1] // 2  # the prefix's size when each of the indexes takes one byte
                    parse = find(raw[:size])
            except (TypeError, IndexError, ValueError):  # None, a frame cut off, or bytes that cannot be hashed
                parse = None
            if parse is None:
                return read_other(raw, place)
            try:
                return parse(raw[size:])
            except (WireDecodeError, DecodeError, ConversionError) as error:
                raise _unreadable(place, error) from error

        return cast("Read[T]", read)

    def _read_other(self, raw: object, place: str) -> T | None:
        """Read a record whose prefix is new, or refuse it."""
        if raw is None:
            return None
        if not isinstance(raw, bytes | bytearray | memoryview):
            raise FramingError(f"{place}: a record is bytes or None, not {type(raw).__name__}", offset=0)
        record = bytes(raw)
        size, parse = self._find_parse(record, place)
        try:
            return parse(record[size:])
        except (WireDecodeError, DecodeError, ConversionError) as error:
            raise _unreadable(place, error) from error

    def _find_parse(self, raw: bytes, place: str) -> tuple[int, Parse[T]]:
        try:
            prefix = decode_prefix(raw)
        except FramingError as error:
            raise FramingError(f"{place}: {error}", offset=error.offset, hint=error.hint) from None
        head = raw[: prefix.size]
        known = self._parses.get(head)
        if known is None:
            session = self._client.session
            known = self._client.run(fetch_parse(session, prefix.schema_id, prefix.indexes, self._into, place))
            keep(self._parses, head, known)
        return prefix.size, known


def _unreadable(place: str, error: Exception) -> DecodeError:
    if isinstance(error, DecodeError):
        return DecodeError(f"{place}: {error}", hint=error.hint)
    return DecodeError(f"{place}: the payload is not the writer's message: {error}")
