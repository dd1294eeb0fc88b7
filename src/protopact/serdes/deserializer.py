"""Records → values, each by the schema that its writer used."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar, cast, overload

from google.protobuf.message import DecodeError as WireDecodeError, Message

from protopact.descriptor import message_at
from protopact.errors import (
    ConfigError,
    ConversionError,
    DecodeError,
    FramingError,
    MessageNotFoundError,
    RuleError,
    RuleViolationError,
    WrongTypeError,
)
from protopact.flow import blocking, perform_async
from protopact.framing import KEY_SCHEMA_HEADER, VALUE_SCHEMA_HEADER, Prefix, decode_guid, decode_prefix
from protopact.serdes.batch import (
    BATCH_ROWS,
    Columns,
    ManyKeywords,
    many_options,
    read_batches,
    read_table,
    read_table_async,
)
from protopact.serdes.headers import find_header
from protopact.serdes.options import check_framing, check_settings, refuse_unknown, validation_of
from protopact.serdes.plan import UnplannedError, fetch_parse, fetch_parse_by_guid
from protopact.serdes.reading import target_of
from protopact.serdes.table import keep
from protopact.serdes.topics import TopicMessages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Unpack

    import pyarrow as pa

    from protopact.client import AsyncSchemaRegistryClient, SchemaRegistryClient
    from protopact.convert import PlainValue
    from protopact.flow import Flow
    from protopact.framing import GuidPrefix
    from protopact.rules import Validation
    from protopact.schema import ProtoSchema
    from protopact.serdes.batch import ManyOptions
    from protopact.serdes.headers import AnyHeaders
    from protopact.serdes.options import Framing
    from protopact.serdes.reading import Parse, Read, Target
    from protopact.settings import SerdeSettings

T = TypeVar("T")
M = TypeVar("M", bound=Message)
C = TypeVar("C", "SchemaRegistryClient", "AsyncSchemaRegistryClient")

_SHORT = 6  # the size of a prefix whose message indexes are the one byte 00
_REFUSALS = (WireDecodeError, DecodeError, ConversionError, RuleError)


class ReadKeywords(TypedDict, total=False):
    """The further options of a deserializer."""

    framing: Framing
    topics: Mapping[str, type | ProtoSchema]
    compatible_types: Iterable[str | type[Message]]
    validate: bool | Validation
    settings: SerdeSettings


class _Reading(Generic[C, T]):
    """What both deserializers share: options, tables of closures, and the flows that make these."""

    def __init__(self, client: C | None, *, into: object = None, **options: Unpack[ReadKeywords]) -> None:
        refuse_unknown(options, ("into", *ReadKeywords.__annotations__))
        self._framing: Framing = options.get("framing", "confluent")
        check_framing(self._framing)
        topics = options.get("topics")
        if topics is not None and self._framing != "raw":
            raise ConfigError("topics= is for framing 'raw': other records say what they hold", option="topics")
        self._topics = None if topics is None else TopicMessages(topics)
        target = cast("Target[T]", target_of(into, options.get("compatible_types", ())))
        self._settings = check_settings(options.get("settings"))
        validation = validation_of(options.get("validate", False))
        self._target = replace(target, validation=validation, settings=self._settings)
        if client is None and self._target.wanted is None and self._topics is None:
            raise ConfigError(
                "without a registry client nothing says what records hold",
                option="client",
                hint="give a client, into= a message class, or framing='raw' with topics=",
            )
        if not self._settings.reflection and self._target.wanted is None and self._topics is None:
            raise ConfigError(
                "without reflection no class is made from what a registry says, and none is given",
                option="reflection",
                hint="give into= a message class or a model",
            )
        self._client: C | None = client
        self._reads: dict[str | None, Read[T]] = {}
        # By the prefix as it stands in records. No prefix is the start of another, so what is found is what is meant.
        self._parses: dict[bytes, Parse[T]] = {}
        self._by_header: dict[bytes, Parse[T]] = {}

    def _later(self, flow: Flow[Parse[T]], place: str) -> Parse[T]:
        """Have a closure made that was found missing in the midst of a record."""
        raise NotImplementedError

    def _columns(self, topic: str | None, options: ManyOptions) -> Columns:
        """Give what reads a topic's records into columns: by a reader like this one that stops at the messages."""
        refuse_bind(self._framing)
        reader = copy(self)
        vars(reader).update(_target=replace(self._target, finish=None), _reads={}, _parses={})
        read = reader._read_for(topic)  # noqa: SLF001  (its own kind)
        wanted = self._target.wanted if self._topics is None else self._topics.message_of(topic)
        return Columns(cast("Read[Message]", read), wanted, options)

    def _kept(self, table: dict[bytes, Parse[T]]) -> dict[bytes, Parse[T]]:
        """Give a table; where nothing is to be kept from one record to the next, an empty one in its place."""
        return table if self._settings.caching else {}

    # ── closures ─────────────────────────────────────────────────────────────────────────────────

    def _read_for(self, topic: str | None) -> Read[T]:
        """Give the closure that reads a topic's records by what they carry themselves."""
        known = self._reads.get(topic)
        if known is not None:
            return known
        read = self._bare(topic) if self._framing == "raw" else self._framed(topic)
        return keep(self._reads, topic, read) if self._settings.caching else read

    def _framed(self, topic: str | None) -> Read[T]:
        place = _place(topic)
        parses, bytes_max = self._kept(self._parses), self._settings.message_bytes_max + _SHORT
        find, read_other = parses.get, self._read_other

        def read(raw: bytes) -> T | None:
            size = _SHORT
            try:
                parse = find(raw[:size])
                if parse is None:
                    size += raw[size - 1] // 2  # the prefix's size when each of the indexes takes one byte
                    parse = find(raw[:size])
            except (TypeError, IndexError, ValueError):  # None, a frame cut off, or bytes that cannot be hashed
                parse = None
            if parse is None or len(raw) > bytes_max:
                return read_other(raw, place, parses)
            try:
                return parse(raw[size:])
            except _REFUSALS as error:
                raise _unreadable(place, error) from error

        return cast("Read[T]", read)

    def _read_other(self, raw: object, place: str, parses: dict[bytes, Parse[T]]) -> T | None:
        """Read a record whose prefix is new, or refuse it."""
        if raw is None:
            return None
        record = _record(raw, place)
        if self._framing == "guid":
            raise FramingError(
                f"{place}: no header names its schema", offset=0, hint="give headers=, or use framing='confluent'"
            )
        try:
            prefix = decode_prefix(record)
        except FramingError as error:
            raise FramingError(f"{place}: {error}", offset=error.offset, hint=error.hint) from None
        head, payload = record[: prefix.size], record[prefix.size :]
        self._check_size(payload, place)
        parse = parses.get(head) or self._plan(parses, head, prefix.schema_id, prefix.indexes, place)
        return _parsed(parse, payload, place)

    def _read_by_header(self, header: bytes, raw: object, place: str, parses: dict[bytes, Parse[T]]) -> T | None:
        """Read a bare payload by the schema that a header names."""
        if raw is None:
            return None
        payload = _record(raw, place)
        self._check_size(payload, place)
        parse = parses.get(header)
        if parse is None:
            named = _header(header, place)
            who = named.schema_id if isinstance(named, Prefix) else named.guid
            parse = self._plan(parses, header, who, named.indexes, place)
        return _parsed(parse, payload, place)

    def _plan(
        self, table: dict[bytes, Parse[T]], key: bytes, schema: int | str, indexes: Sequence[int], place: str
    ) -> Parse[T]:
        client = self._client
        if client is None:
            return keep(table, key, self._unasked(indexes, place))
        fetch = (
            fetch_parse(client.session, schema, indexes, self._target, place)
            if isinstance(schema, int)
            else fetch_parse_by_guid(client.session, schema, indexes, self._target, place)
        )

        def flow() -> Flow[Parse[T]]:
            return keep(table, key, (yield from fetch))

        return self._later(flow(), place)

    def _unasked(self, indexes: Sequence[int], place: str) -> Parse[T]:
        """Give the closure for a record whose schema cannot be asked for: its place in the wanted class's own file."""
        file, cls = self._target.own_file(), cast("type[Message]", self._target.wanted)
        try:
            name = message_at(file, indexes)
        except MessageNotFoundError as error:
            raise WrongTypeError(
                f"{place}: {error}", hint="with a registry client the writer's schema decides"
            ) from error
        return self._target.parse(name, lambda: cls, place)

    def _bare(self, topic: str | None) -> Read[T]:
        """Give the closure that reads records without a frame."""
        place, target = _place(topic), self._target
        cls = cast("type[Message]", target.wanted) if self._topics is None else self._topics.message_of(topic)
        parse = target.parse(cls.DESCRIPTOR.full_name, lambda: cls, place)

        def read(raw: object) -> T | None:
            if raw is None:
                return None
            payload = raw if type(raw) is bytes else _record(raw, place)
            self._check_size(payload, place)
            return _parsed(parse, payload, place)

        return cast("Read[T]", read)

    def _header_of(self, headers: AnyHeaders | None, *, is_key: bool) -> bytes | None:
        if not headers or self._framing == "raw":
            return None
        return find_header(headers, KEY_SCHEMA_HEADER if is_key else VALUE_SCHEMA_HEADER)

    def _check_size(self, payload: bytes, place: str) -> None:
        bytes_max = self._settings.message_bytes_max
        if len(payload) > bytes_max:
            raise DecodeError(
                f"{place}: the payload has {len(payload)} bytes, more than the {bytes_max} allowed",
                hint="raise message_bytes_max of SerdeSettings",
            )


class Deserializer(_Reading["SchemaRegistryClient", T]):
    """Reads records, several types in one topic if need be.

    `into=None` gives the writer's message, of a class made from the writer's schema; `into=dict` a dict (see
    `protopact.to_dict`), `into="json"` proto JSON. `into=` a message class or a model gives that, and refuses records
    of any other message than the one of the same full name or those in `compatible_types`; older and newer versions are
    read by field numbers. A schema is fetched when its id, or GUID, is first seen. May be shared by threads.

    `framing` "confluent" finds the schema's id before the payload, or its GUID in the record's headers where these are
    given; "guid" takes the headers alone. "raw" reads bare payloads: `topics` maps patterns of topics (`orders-*`) to
    the message that they hold, unless `into` says it for all; `client` may be None. Without a client a framed record is
    read into a message class too, when it stands at the same place in its file as the record's message in its own.

    `validate` refuses messages that break the rules of their schema (RuleViolationError), of the wanted class where
    there is one, else of the writer's: True asks protovalidate, or give a `protopact.rules.Validation`.
    """

    @overload
    def __init__(
        self: Deserializer[Message],
        client: SchemaRegistryClient | None,
        *,
        into: None = None,
        **options: Unpack[ReadKeywords],
    ) -> None: ...
    @overload
    def __init__(
        self: Deserializer[dict[str, PlainValue]],
        client: SchemaRegistryClient | None,
        *,
        into: type[dict[object, object]],
        **options: Unpack[ReadKeywords],
    ) -> None: ...
    @overload
    def __init__(
        self: Deserializer[str],
        client: SchemaRegistryClient | None,
        *,
        into: Literal["json"],
        **options: Unpack[ReadKeywords],
    ) -> None: ...
    @overload
    def __init__(
        self: Deserializer[T], client: SchemaRegistryClient | None, *, into: type[T], **options: Unpack[ReadKeywords]
    ) -> None: ...
    def __init__(
        self, client: SchemaRegistryClient | None, *, into: object = None, **options: Unpack[ReadKeywords]
    ) -> None:
        super().__init__(client, into=into, **options)

    @overload
    def deserialize(
        self, raw: bytes, *, topic: str | None = None, is_key: bool = False, headers: AnyHeaders | None = None
    ) -> T: ...
    @overload
    def deserialize(
        self, raw: None, *, topic: str | None = None, is_key: bool = False, headers: AnyHeaders | None = None
    ) -> None: ...
    def deserialize(
        self, raw: bytes | None, *, topic: str | None = None, is_key: bool = False, headers: AnyHeaders | None = None
    ) -> T | None:
        """Give the value of a record's bytes; None, a tombstone, gives None. `topic` is named in errors.

        `headers` are the record's, as pairs or a mapping; `is_key` says which of them counts. FramingError when the
        bytes carry no valid prefix or it leads to no message, DecodeError when the payload is not the writer's message
        or the registry does not know its schema, WrongTypeError when it is not the message wanted: the record is bad.
        TransportError or RegistryError: the registry could not be asked, try again.
        """
        if headers is not None:
            header = self._header_of(headers, is_key=is_key)
            if header is not None:
                return self._read_by_header(header, raw, _place(topic), self._kept(self._by_header))
        try:
            read = self._reads[topic]
        except KeyError:
            read = self._read_for(topic)
        return read(raw)

    def bind(self, topic: str | None = None) -> Read[T]:
        """Give the function from a record's bytes to its value for one topic: the fastest way to read.

        It knows no headers: ConfigError for framing "guid".
        """
        refuse_bind(self._framing)
        return self._read_for(topic)

    def deserialize_many(
        self, raws: Iterable[bytes | None], *, topic: str | None = None, **options: Unpack[ManyKeywords]
    ) -> pa.Table:
        """Give the values of many records as one Arrow table, a column for each field; tombstones give no row.

        The columns are those of the wanted class (`into=`), else of the newest writer's schema, which is the one with
        the greatest id; what others wrote is read by field numbers. All records hold the same message. `enums="name"`
        or `"number"` says what an enum's column holds, `time_unit="us"` or `"ns"` how fine times are; `index` names a
        column with each record's place in `raws`.

        A bad record does not spoil the others: RecordsError lists all of them with their places, `on_error="skip"`
        leaves them out, a function given as `on_error` gets a RecordFailure for each. What is wrong with a registry, or
        with the options, raises as elsewhere; MissingExtraError without pyarrow; ConfigError for framing "guid".
        """
        chosen = many_options(options)
        return read_table(self._columns(topic, chosen), raws, chosen)

    def record_batches(
        self,
        raws: Iterable[bytes | None],
        *,
        topic: str | None = None,
        batch_rows: int = BATCH_ROWS,
        **options: Unpack[ManyKeywords],
    ) -> Iterator[pa.RecordBatch]:
        """Give the values of many records as Arrow record batches, each of at most `batch_rows` records, as they come.

        Only one batch's records are in memory. All batches have the same columns when `into` is a message class or a
        model; else a newer writer's schema changes the columns from the batch on in which it is met. Options and errors
        are those of `deserialize_many`; bad records are told batch by batch.
        """
        chosen = many_options(options, batch_rows)
        return read_batches(self._columns(topic, chosen), raws, chosen)

    def _later(self, flow: Flow[Parse[T]], place: str) -> Parse[T]:
        del place
        assert self._client is not None
        return self._client.run(flow)


class AsyncDeserializer(_Reading["AsyncSchemaRegistryClient", T]):
    """Reads records in asynchronous programs; options and values are those of `Deserializer`.

    It belongs to the event loop of its client. A record of a schema that is known waits for nothing, unless it is so
    large (`settings.thread_bytes_min`) that it is read in a thread. That alone would not let the loop go on, since
    protobuf holds the interpreter's lock while it parses: payloads are parsed `settings.step_bytes_max` at a time.
    """

    @overload
    def __init__(
        self: AsyncDeserializer[Message],
        client: AsyncSchemaRegistryClient | None,
        *,
        into: None = None,
        **options: Unpack[ReadKeywords],
    ) -> None: ...
    @overload
    def __init__(
        self: AsyncDeserializer[dict[str, PlainValue]],
        client: AsyncSchemaRegistryClient | None,
        *,
        into: type[dict[object, object]],
        **options: Unpack[ReadKeywords],
    ) -> None: ...
    @overload
    def __init__(
        self: AsyncDeserializer[str],
        client: AsyncSchemaRegistryClient | None,
        *,
        into: Literal["json"],
        **options: Unpack[ReadKeywords],
    ) -> None: ...
    @overload
    def __init__(
        self: AsyncDeserializer[T],
        client: AsyncSchemaRegistryClient | None,
        *,
        into: type[T],
        **options: Unpack[ReadKeywords],
    ) -> None: ...
    def __init__(
        self, client: AsyncSchemaRegistryClient | None, *, into: object = None, **options: Unpack[ReadKeywords]
    ) -> None:
        super().__init__(client, into=into, **options)
        self._target = replace(self._target, in_steps=True)

    @overload
    async def deserialize(
        self, raw: bytes, *, topic: str | None = None, is_key: bool = False, headers: AnyHeaders | None = None
    ) -> T: ...
    @overload
    async def deserialize(
        self, raw: None, *, topic: str | None = None, is_key: bool = False, headers: AnyHeaders | None = None
    ) -> None: ...
    async def deserialize(
        self, raw: bytes | None, *, topic: str | None = None, is_key: bool = False, headers: AnyHeaders | None = None
    ) -> T | None:
        """Give the value of a record's bytes; all as in `Deserializer.deserialize`."""
        header = self._header_of(headers, is_key=is_key)
        if header is not None:
            parses = self._kept(self._by_header)
            return await self._read_async(lambda raw: self._read_by_header(header, raw, _place(topic), parses), raw)
        read = self._reads.get(topic) or self._read_for(topic)
        return await self._read_async(read, raw)

    def bind(self, topic: str | None = None) -> Callable[[bytes | None], Awaitable[T | None]]:
        """Give the function from a record's bytes to its value for one topic; it is awaited.

        It knows no headers: ConfigError for framing "guid".
        """
        refuse_bind(self._framing)
        return partial(self._read_async, self._read_for(topic))

    async def deserialize_many(
        self, raws: Iterable[bytes | None], *, topic: str | None = None, **options: Unpack[ManyKeywords]
    ) -> pa.Table:
        """Give the values of many records as one Arrow table, made in a thread; as `Deserializer.deserialize_many`."""
        chosen = many_options(options)
        columns = self._columns(topic, chosen)
        return await read_table_async(columns, raws, chosen, self._fetch)

    async def _fetch(self, flow: Flow[object]) -> None:
        assert self._client is not None
        await self._client.run(flow)

    async def _read_async(self, read: Callable[[Any], T | None], raw: bytes | None) -> T | None:
        is_large = raw is not None and len(raw) >= self._settings.thread_bytes_min
        while True:
            try:
                return (await perform_async(blocking(partial(read, raw)))) if is_large else read(raw)
            except UnplannedError as unplanned:
                await self._fetch(unplanned.flow)

    def _later(self, flow: Flow[Parse[T]], place: str) -> Parse[T]:
        raise UnplannedError(f"{place}: its schema has to be fetched", flow)


def refuse_bind(framing: Framing) -> None:
    """Raise ConfigError where a bound function would need headers."""
    if framing == "guid":
        raise ConfigError(
            "framing='guid' reads a header of each record, and a bound function has none to read",
            option="framing",
            hint="use deserialize(raw, headers=…)",
        )


def _place(topic: str | None) -> str:
    return "record" if topic is None else f"record of topic {topic!r}"


def _record(raw: object, place: str) -> bytes:
    if not isinstance(raw, bytes | bytearray | memoryview):
        raise FramingError(f"{place}: a record is bytes or None, not {type(raw).__name__}", offset=0)
    return bytes(raw)


def _header(header: bytes, place: str) -> Prefix | GuidPrefix:
    """Read a schema header: a GUID, or an id as it would stand before the payload."""
    read = decode_prefix if header[:1] == b"\x00" else decode_guid
    try:
        named: Prefix | GuidPrefix = read(header)
    except FramingError as error:
        raise FramingError(f"{place}: the schema header: {error}", offset=error.offset) from None
    if named.size != len(header):
        raise FramingError(f"{place}: the schema header goes on behind the message indexes", offset=named.size)
    return named


def _parsed(parse: Parse[T], payload: bytes, place: str) -> T:
    try:
        return parse(payload)
    except _REFUSALS as error:
        raise _unreadable(place, error) from error


def _unreadable(place: str, error: Exception) -> DecodeError | RuleError:
    if isinstance(error, RuleViolationError):
        return RuleViolationError(error.message_name, error.violations, where=place)
    if isinstance(error, RuleError):
        return type(error)(f"{place}: {error}", hint=error.hint)
    if isinstance(error, DecodeError):
        return DecodeError(f"{place}: {error}", hint=error.hint)
    return DecodeError(f"{place}: the payload is not the writer's message: {error}")
