"""What both deserializers share: their options, tables of closures by what records say, and how these are made."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, cast

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
from protopact.framing import KEY_SCHEMA_HEADER, VALUE_SCHEMA_HEADER, Prefix, decode_guid, decode_prefix
from protopact.serdes.batch import (
    Columns,
    prefix_id,
)
from protopact.serdes.headers import find_header
from protopact.serdes.options import check_framing, check_settings, ignores_rules, refuse_unknown, validation_of
from protopact.serdes.plan import fetch_id, fetch_parse, fetch_parse_by_guid
from protopact.serdes.reading import target_of
from protopact.serdes.table import keep
from protopact.serdes.topics import TopicMessages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Unpack

    from protopact.client import AsyncSchemaRegistryClient, SchemaRegistryClient
    from protopact.flow import Flow
    from protopact.framing import GuidPrefix
    from protopact.rules import Validation
    from protopact.schema import ProtoSchema
    from protopact.serdes.batch import ManyOptions
    from protopact.serdes.headers import AnyHeaders
    from protopact.serdes.options import Framing, UnrunRules
    from protopact.serdes.reading import Parse, Read, Target
    from protopact.settings import SerdeSettings

T = TypeVar("T")
R = TypeVar("R")
C = TypeVar("C", "SchemaRegistryClient", "AsyncSchemaRegistryClient")

_SHORT = 6  # the size of a prefix whose message indexes are the one byte 00
_REFUSALS = (WireDecodeError, DecodeError, ConversionError, RuleError)


class ReadKeywords(TypedDict, total=False):
    """The further options of a deserializer."""

    framing: Framing
    topics: Mapping[str, type | ProtoSchema]
    compatible_types: Iterable[str | type[Message]]
    validate: bool | Validation
    rules: UnrunRules
    settings: SerdeSettings


class Reader(Generic[C, T]):
    """A deserializer but for how it waits: its options, its closures, and the flows that make these."""

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
        self._target = replace(
            target,
            validation=validation,
            settings=self._settings,
            ignores_rules=ignores_rules(options.get("rules", "refuse")),
        )
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

    def _later(self, flow: Flow[R], place: str) -> R:
        """Have something asked that was found missing in the midst of a record."""
        raise NotImplementedError

    def _columns(self, topic: str | None, options: ManyOptions, *, is_key: bool | None = None) -> Columns:
        """Give what reads a topic's records into columns: by a reader like this one that stops at the messages.

        Records come with headers where it is said whether they are keys.
        """
        reader = copy(self)
        vars(reader).update(_target=replace(self._target, finish=None), _reads={}, _parses={}, _by_header={})
        read, id_of = reader._record_functions(topic, is_key=is_key)  # noqa: SLF001  (its own kind)
        wanted = self._target.wanted if self._topics is None else self._topics.message_of(topic)
        return Columns(read, id_of, wanted, options)

    def _record_functions(
        self, topic: str | None, *, is_key: bool | None
    ) -> tuple[Callable[[Any], Any], Callable[[Any], int]]:
        """Give what reads one of many records, and what tells the id of its schema."""
        if is_key is None:
            if self._framing == "guid":
                raise ConfigError("framing='guid' reads a header of each record, and none are given", option="headers")
            return self._read_for(topic), prefix_id
        place, read, parses = place_of(topic), self._read_for(topic), self._by_header
        ids: dict[bytes, int] = {}

        def read_pair(pair: tuple[bytes | None, AnyHeaders | None]) -> T | None:
            header = self._header_of(pair[1], is_key=is_key)
            return read(pair[0]) if header is None else self._read_by_header(header, pair[0], place, parses)

        def id_of_pair(pair: tuple[bytes, AnyHeaders | None]) -> int:
            header = self._header_of(pair[1], is_key=is_key)
            if header is None:
                return prefix_id(pair[0])
            known = ids.get(header)
            return self._plan_id(ids, header, place) if known is None else known

        return read_pair, id_of_pair

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
        place = place_of(topic)
        parses, bytes_max = self._kept(self._parses), self._settings.message_bytes_max + _SHORT
        find, read_other = parses.get, self._read_other
        usual = _SHORT  # the size of the prefix that was read last: few topics hold prefixes of several sizes

        def read(raw: bytes) -> T | None:
            nonlocal usual
            size = usual
            try:
                parse = find(raw[:size])
                if parse is None:
                    size = _SHORT + raw[_SHORT - 1] // 2  # where each of the indexes takes one byte
                    parse = find(raw[:size])
                    usual = size
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

    def _plan_id(self, ids: dict[bytes, int], header: bytes, place: str) -> int:
        named, client = _header(header, place), self._client
        if isinstance(named, Prefix) or client is None:
            return named.schema_id if isinstance(named, Prefix) else 0
        fetch = fetch_id(client.session, named.guid)

        def flow() -> Flow[int]:
            return keep(ids, header, (yield from fetch))

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
        place, target = place_of(topic), self._target
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


def refuse_bind(framing: Framing) -> None:
    """Raise ConfigError where a bound function would need headers."""
    if framing == "guid":
        raise ConfigError(
            "framing='guid' reads a header of each record, and a bound function has none to read",
            option="framing",
            hint="use deserialize(raw, headers=…)",
        )


def place_of(topic: str | None) -> str:
    """Name a record in errors."""
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
