"""Records → values, each by the schema that its writer used."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from protopact.flow import blocking, perform_async
from protopact.serdes.batch import (
    BATCH_ROWS,
    ManyKeywords,
    many_options,
    read_batches,
    read_table,
    read_table_async,
    with_headers,
)
from protopact.serdes.plan import UnplannedError
from protopact.serdes.reader import Reader, ReadKeywords, place_of, refuse_bind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from typing import Unpack

    import pyarrow as pa
    from google.protobuf.message import Message

    from protopact.client import AsyncSchemaRegistryClient, SchemaRegistryClient
    from protopact.convert import PlainValue
    from protopact.flow import Flow
    from protopact.serdes.headers import AnyHeaders
    from protopact.serdes.reading import Read

T = TypeVar("T")
R = TypeVar("R")


class Deserializer(Reader["SchemaRegistryClient", T]):
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

    Rules that a registry keeps for reading by a schema, such as ENCRYPT, are not run. Records of such a schema are
    refused (RuleError) unless `rules="ignore"`, which gives what was written.
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
        RuleError when its schema has rules for reading, or `validate` finds the message to break its own.
        TransportError or RegistryError: the registry could not be asked, try again.
        """
        if headers is not None:
            header = self._header_of(headers, is_key=is_key)
            if header is not None:
                return self._read_by_header(header, raw, place_of(topic), self._kept(self._by_header))
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
        self,
        raws: Iterable[bytes | None],
        *,
        topic: str | None = None,
        headers: Iterable[AnyHeaders | None] | None = None,
        is_key: bool = False,
        **options: Unpack[ManyKeywords],
    ) -> pa.Table:
        """Give the values of many records as one Arrow table, a column for each field; tombstones give no row.

        The columns are those of the wanted class (`into=`), else of the newest writer's schema, which is the one with
        the greatest id; what others wrote is read by field numbers. All records hold the same message. `enums="name"`
        or `"number"` says what an enum's column holds, `time_unit="us"` or `"ns"` how fine times are; `index` names a
        column with each record's place in `raws`.

        A bad record does not spoil the others: RecordsError lists all of them with their places, `on_error="skip"`
        leaves them out, a function given as `on_error` gets a RecordFailure for each. What is wrong with a registry, or
        with the options, raises as elsewhere, and so does RuleError for a schema with rules for reading;
        MissingExtraError without pyarrow.

        `headers` are those of each record, None for one without; framing "guid" needs them (ConfigError). A schema that
        a header names by its GUID is as new as the id that the registry tells for it.
        """
        chosen = many_options(options)
        columns = self._columns(topic, chosen, is_key=None if headers is None else is_key)
        return read_table(columns, with_headers(raws, headers), chosen)

    def record_batches(
        self,
        raws: Iterable[bytes | None],
        *,
        topic: str | None = None,
        headers: Iterable[AnyHeaders | None] | None = None,
        is_key: bool = False,
        batch_rows: int = BATCH_ROWS,
        **options: Unpack[ManyKeywords],
    ) -> Iterator[pa.RecordBatch]:
        """Give the values of many records as Arrow record batches, each of at most `batch_rows` records, as they come.

        Only one batch's records are in memory. All batches have the same columns when `into` is a message class or a
        model; else a newer writer's schema changes the columns from the batch on in which it is met. Options and errors
        are those of `deserialize_many`; bad records are told batch by batch.
        """
        chosen = many_options(options, batch_rows)
        columns = self._columns(topic, chosen, is_key=None if headers is None else is_key)
        return read_batches(columns, with_headers(raws, headers), chosen)

    def _later(self, flow: Flow[R], place: str) -> R:
        del place
        assert self._client is not None
        return self._client.run(flow)


class AsyncDeserializer(Reader["AsyncSchemaRegistryClient", T]):
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
            return await self._read_async(lambda raw: self._read_by_header(header, raw, place_of(topic), parses), raw)
        read = self._reads.get(topic) or self._read_for(topic)
        return await self._read_async(read, raw)

    def bind(self, topic: str | None = None) -> Callable[[bytes | None], Awaitable[T | None]]:
        """Give the function from a record's bytes to its value for one topic; it is awaited.

        It knows no headers: ConfigError for framing "guid".
        """
        refuse_bind(self._framing)
        return partial(self._read_async, self._read_for(topic))

    async def deserialize_many(
        self,
        raws: Iterable[bytes | None],
        *,
        topic: str | None = None,
        headers: Iterable[AnyHeaders | None] | None = None,
        is_key: bool = False,
        **options: Unpack[ManyKeywords],
    ) -> pa.Table:
        """Give the values of many records as one Arrow table, made in a thread; as `Deserializer.deserialize_many`."""
        chosen = many_options(options)
        columns = self._columns(topic, chosen, is_key=None if headers is None else is_key)
        return await read_table_async(columns, with_headers(raws, headers), chosen, self._fetch)

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

    def _later(self, flow: Flow[R], place: str) -> R:
        raise UnplannedError(f"{place}: its schema has to be fetched", flow)
