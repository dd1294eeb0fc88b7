"""Values → records: the schema's id before the payload, its GUID in a header, or the bare payload."""

from __future__ import annotations

import time
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, cast, overload

from google.protobuf.message import Message

from protopact.errors import ConfigError, TransportError, WrongTypeError
from protopact.flow import perform, perform_async
from protopact.framing import KEY_SCHEMA_HEADER, VALUE_SCHEMA_HEADER, decode_guid
from protopact.schema import schema_of
from protopact.serdes.headers import check_headers, put_header
from protopact.serdes.options import schema_and_model, write_options
from protopact.serdes.plan import UnplannedError, fetch_written
from protopact.serdes.subject import ReferenceSubjectNameStrategy, SubjectNameStrategy, name_subject
from protopact.serdes.table import keep
from protopact.serdes.writing import check_class, model_writer, writer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Never

    from protopact.client import AsyncSchemaRegistryClient, SchemaRegistryClient
    from protopact.flow import Flow
    from protopact.rules import Validation
    from protopact.schema import ProtoSchema
    from protopact.serdes.headers import Headers
    from protopact.serdes.options import Framing
    from protopact.serdes.subject import NameImport, NameSubject
    from protopact.serdes.writing import Write
    from protopact.settings import SerdeSettings

T = TypeVar("T")
C = TypeVar("C", "SchemaRegistryClient", "AsyncSchemaRegistryClient")

_RETRY_PART = 0.1  # when "latest" could not be renewed, it is tried again after this part of its time


class _Writing(Generic[C]):
    """What both serializers share: options, tables of closures, and the flows that make these."""

    def __init__(
        self,
        client: C | None,
        schema: ProtoSchema | type,
        *,
        framing: Framing = "confluent",
        auto_register: bool | None = None,
        use_latest_version: bool = False,
        use_latest_with_metadata: Mapping[str, str] | None = None,
        use_schema_id: int | None = None,
        normalize: bool = False,
        check_compatible: bool = True,
        subject_name_strategy: SubjectNameStrategy | NameSubject = SubjectNameStrategy.TOPIC,
        reference_subject_name_strategy: ReferenceSubjectNameStrategy
        | NameImport = ReferenceSubjectNameStrategy.DEFAULT,
        deterministic: bool = False,
        validate: bool | Validation = False,
        settings: SerdeSettings | None = None,
        **unknown: Never,
    ) -> None:
        self._options = write_options(
            framing=framing,
            subject_name_strategy=subject_name_strategy,
            reference_subject_name_strategy=reference_subject_name_strategy,
            auto_register=auto_register,
            use_latest_version=use_latest_version,
            use_latest_with_metadata=use_latest_with_metadata,
            use_schema_id=use_schema_id,
            normalize=normalize,
            check_compatible=check_compatible,
            deterministic=deterministic,
            validate=validate,
            settings=settings,
            unknown=unknown,
            known=_Writing.__init__.__kwdefaults__ or (),
        )
        if client is None and framing != "raw":
            raise ConfigError(
                f"framing {framing!r} needs a registry client", option="client", hint="framing='raw' needs none"
            )
        self.schema, self._model = schema_and_model(schema)
        self._client: C | None = client
        self._is_guid = framing == "guid"
        # Framing "guid" has tables of its own, so that whoever looks here first needs not ask for the framing.
        self._values: dict[str, Write] = {}
        self._keys: dict[str, Write] = {}
        self._guided: tuple[dict[str, Write], dict[str, Write]] = ({}, {})
        self._fresh_until: dict[tuple[str, bool], float] = {}

    def _table(self, *, is_key: bool) -> dict[str, Write]:
        if self._is_guid:
            return self._guided[is_key]
        return self._keys if is_key else self._values

    def _kept(self, table: dict[str, Write], topic: str, write: Write) -> Write:
        """Keep a closure for the next record, unless nothing is to be kept."""
        return keep(table, topic, write) if self._options.settings.caching else write

    def _later(self, flow: Flow[Write], what: str) -> Write:
        """Have a closure made that was found missing in the midst of a record."""
        raise NotImplementedError

    def _plan(self, topic: str, *, is_key: bool, again: bool) -> Flow[Write]:
        """Make the closure for a topic: the subject named, its schema found, and the prefix made of it."""
        schema = self.schema
        by_class: dict[type, Write] = {}

        def write_other(value: object) -> bytes | None:
            cls = type(value)
            write = by_class.get(cls)
            if write is None:
                if not isinstance(value, Message):
                    raise WrongTypeError(f"a {schema.name} is written from a message or a mapping, not {cls.__name__}")
                check_class(schema, type(value))
                write = self._later(plan_class(type(value)), f"{value.DESCRIPTOR.full_name} for topic {topic!r}")
            return write(value)

        def plan_class(cls: type[Message]) -> Flow[Write]:
            other = schema_of(cls)
            prefix = yield from self._fetch_prefix(topic, other.name, is_key=is_key, again=again)
            return keep(by_class, cls, writer(prefix, other, self._options, _refuse))

        prefix = yield from self._fetch_prefix(topic, schema.name, is_key=is_key, again=again)
        write = writer(prefix, schema, self._options, write_other)
        return write if self._model is None else model_writer(write, self._model, schema.message_class)

    def _fetch_prefix(self, topic: str, message_name: str, *, is_key: bool, again: bool) -> Flow[bytes]:
        options = self._options
        if self._client is None or options.framing == "raw":
            return b""
        subject = name_subject(options.strategy, topic, is_key=is_key, message_name=message_name)
        written = yield from fetch_written(self._client.session, subject, self.schema, options, again=again)
        return written.prefix(message_name, options.framing)

    def _refuse_bind(self) -> None:
        if self._is_guid:
            raise ConfigError(
                "framing='guid' writes a header for each record, and a bound function has none to write to",
                option="framing",
                hint="use serialize(value, topic=…, headers=…)",
            )


class Serializer(_Writing["SchemaRegistryClient"]):
    """Writes messages of one schema's file.

    A value is a mapping, a message of the schema, another message of its file (which gets its own message index), an
    instance of the model that the schema was derived from, or None: a tombstone. Messages of another descriptor pool
    are taken when their file has the same content. No value is ever changed. May be shared by threads.

    `framing` says how a record names its schema: "confluent" (id and message indexes before the payload), "guid" (in
    the record's headers) or "raw" (not at all; then `client` may be None).

    Which schema that is: by default the given one. It is registered with its imports when a topic is first used;
    `auto_register=False` looks this very schema up, and it must be there. `use_latest_version` names the latest version
    of the subject instead, asked for again after `settings.latest_ttl_s`, `use_latest_with_metadata` the latest with
    these properties, and `use_schema_id` the one of an id; it must define the message, whose index is taken from it,
    and be able to read what is written, unless `check_compatible=False`. `normalize` has the registry compare and keep
    schemas in normal form.

    `subject_name_strategy` names the subject, `reference_subject_name_strategy` those of imports. `deterministic`
    writes equal messages as equal bytes, for keys and hashes. `validate` refuses messages that break the rules of their
    schema (RuleViolationError): True asks protovalidate, or give a `protopact.rules.Validation`. ConfigError for
    options that are wrong or unknown.
    """

    @overload
    def __call__(self, value: None, topic: str) -> None: ...
    @overload
    def __call__(self, value: object, topic: str) -> bytes: ...
    def __call__(self, value: object, topic: str) -> bytes | None:
        """Give the record's value for a topic; as `serialize`."""
        try:
            write = self._values[topic]
        except KeyError:
            return self._first(value, topic, None, is_key=False)
        return write(value)

    @overload
    def serialize(self, value: None, *, topic: str, is_key: bool = False, headers: Headers | None = None) -> None: ...
    @overload
    def serialize(
        self, value: object, *, topic: str, is_key: bool = False, headers: Headers | None = None
    ) -> bytes: ...
    def serialize(
        self, value: object, *, topic: str, is_key: bool = False, headers: Headers | None = None
    ) -> bytes | None:
        """Give the bytes of a record's value, or of its key; None gives None.

        `headers` are the record's, a list of pairs or a dict: framing "guid" adds its own, when all else has gone well.
        The first record of a topic asks the registry, the others do no I/O. ConversionError lists what does not fit of
        a mapping; WrongTypeError, EncodeError, SubjectNameError; RegistryError (IncompatibleSchemaError and others) and
        TransportError when a topic is first used.
        """
        try:
            write = (self._keys if is_key else self._values)[topic]
        except KeyError:
            return self._first(value, topic, headers, is_key=is_key)
        return write(value)

    def bind(self, topic: str, is_key: bool = False) -> Write:  # noqa: FBT001, FBT002  (a public signature)
        """Give the function from a value to a record's bytes for one topic: the fastest way to write.

        Asks the registry unless the topic was bound before; errors as in `serialize`. ConfigError for framing "guid".
        """
        self._refuse_bind()
        return self._write_for(topic, is_key=is_key)

    def _first(self, value: object, topic: str, headers: Headers | None, *, is_key: bool) -> bytes | None:
        """Write a record whose topic is new, or one of framing "guid"."""
        if value is None:
            return None
        if not self._is_guid:
            return self._write_for(topic, is_key=is_key)(value)
        target = check_headers(headers)
        return moved_to_header(self._write_for(topic, is_key=is_key)(value), target, is_key=is_key)

    def _write_for(self, topic: str, *, is_key: bool) -> Write:
        table = self._table(is_key=is_key)
        return table.get(topic) or self._kept(table, topic, self._build(topic, is_key=is_key))

    def _build(self, topic: str, *, is_key: bool) -> Write:
        def build(*, again: bool) -> Write:
            return self._run(self._plan(topic, is_key=is_key, again=again))

        write = build(again=False)
        return _renewed(write, build, self._options.settings.latest_ttl_s) if self._options.expires else write

    def _run(self, flow: Flow[Write]) -> Write:
        return perform(flow) if self._client is None else self._client.run(flow)

    def _later(self, flow: Flow[Write], what: str) -> Write:
        del what
        return self._run(flow)


class AsyncSerializer(_Writing["AsyncSchemaRegistryClient"]):
    """Writes messages of one schema's file, in asynchronous programs; options and values are those of `Serializer`.

    It belongs to the event loop of its client. A record of a topic that was used before waits for nothing.
    """

    async def __call__(self, value: object, topic: str) -> bytes | None:
        """Give the record's value for a topic; as `serialize`."""
        return await self.serialize(value, topic=topic)

    @overload
    async def serialize(
        self, value: None, *, topic: str, is_key: bool = False, headers: Headers | None = None
    ) -> None: ...
    @overload
    async def serialize(
        self, value: object, *, topic: str, is_key: bool = False, headers: Headers | None = None
    ) -> bytes: ...
    async def serialize(
        self, value: object, *, topic: str, is_key: bool = False, headers: Headers | None = None
    ) -> bytes | None:
        """Give the bytes of a record's value, or of its key; None gives None. All else as in `Serializer.serialize`."""
        if value is None:
            return None
        target = check_headers(headers) if self._is_guid else None
        write = await self._write_for(topic, is_key=is_key)
        while True:
            try:
                record = write(value)
            except UnplannedError as unplanned:
                await self._run(unplanned.flow)
            else:
                return record if target is None else moved_to_header(record, target, is_key=is_key)

    async def bind(self, topic: str, is_key: bool = False) -> Write:  # noqa: FBT001, FBT002  (a public signature)
        """Give the function from a value to a record's bytes for one topic: it is called without `await`.

        It writes with the schema of the moment: bind again for a later "latest". WrongTypeError for the first message
        of another type of the file, which has to be asked for: `await serialize` it once. ConfigError for framing
        "guid".
        """
        self._refuse_bind()
        return await self._write_for(topic, is_key=is_key)

    async def _write_for(self, topic: str, *, is_key: bool) -> Write:
        table = self._table(is_key=is_key)
        write = table.get(topic)
        if write is None:
            return self._kept(table, topic, await self._renew(topic, is_key=is_key, again=False))
        if self._options.expires and time.monotonic() >= self._fresh_until[topic, is_key]:
            # Whoever comes meanwhile goes on with the old one.
            self._stay_fresh(topic, is_key=is_key, part=_RETRY_PART)
            with suppress(TransportError):
                table[topic] = write = await self._renew(topic, is_key=is_key, again=True)
        return write

    async def _renew(self, topic: str, *, is_key: bool, again: bool) -> Write:
        write = await self._run(self._plan(topic, is_key=is_key, again=again))
        self._stay_fresh(topic, is_key=is_key)
        return write

    def _stay_fresh(self, topic: str, *, is_key: bool, part: float = 1.0) -> None:
        self._fresh_until[topic, is_key] = time.monotonic() + part * self._options.settings.latest_ttl_s

    async def _run(self, flow: Flow[T]) -> T:
        return await (perform_async(flow) if self._client is None else self._client.run(flow))

    def _later(self, flow: Flow[Write], what: str) -> Write:
        raise UnplannedError(
            f"the first {what} has to be asked for", flow, hint="await serialize(…) it once, or bind its own serializer"
        )


def moved_to_header(record: bytes, headers: Headers, *, is_key: bool) -> bytes:
    """Move what names the schema from the start of a record to its headers, and give the payload."""
    size = decode_guid(record).size
    put_header(headers, KEY_SCHEMA_HEADER if is_key else VALUE_SCHEMA_HEADER, record[:size])
    return record[size:]


class _Build(Protocol):
    def __call__(self, *, again: bool) -> Write: ...


def _renewed(write: Write, build: _Build, ttl_s: float) -> Write:
    """Give the closure that has itself built anew after a time, by one thread, while the others go on with the old one.

    A registry that does not answer then changes nothing: what was found stays right, it may only be no more the latest.
    """
    current, lock = write, Lock()
    fresh_until = time.monotonic() + ttl_s

    def write_fresh(value: object) -> bytes | None:
        nonlocal current, fresh_until
        if time.monotonic() >= fresh_until and lock.acquire(blocking=False):
            try:
                current, part = build(again=True), 1.0
            except TransportError:
                part = _RETRY_PART
            finally:
                lock.release()
            fresh_until = time.monotonic() + part * ttl_s
        return current(value)

    return cast("Write", write_fresh)


def _refuse(value: object) -> bytes:
    raise WrongTypeError(f"needs a message, not {type(value).__name__}")
