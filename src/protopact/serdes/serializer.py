"""Values → records: the frame with the schema's id, then the payload."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, overload

from google.protobuf.message import Message

from protopact.errors import ConfigError, WrongTypeError
from protopact.schema import ProtoSchema, schema_of
from protopact.serdes.plan import check_class, fetch_schema_id, writer
from protopact.serdes.subject import SubjectNameStrategy, name_subject
from protopact.serdes.table import keep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.client import SchemaRegistryClient
    from protopact.serdes.plan import Write
    from protopact.serdes.subject import NameSubject


class Serializer:
    """Writes messages of one schema's file in the Confluent wire format.

    A value is a mapping, a message of the schema, another message of its file (which gets its own message index), or
    None: a tombstone. Messages of another descriptor pool are taken when their file has the same content.

    `auto_register` registers the schema, with its imports, when a topic is first used; without it this very schema is
    looked up and must be there. `subject_name_strategy` names the subject. May be shared by threads.
    """

    def __init__(
        self,
        client: SchemaRegistryClient,
        schema: ProtoSchema | type[Message],
        *,
        auto_register: bool = True,
        subject_name_strategy: SubjectNameStrategy | NameSubject = SubjectNameStrategy.TOPIC,
    ) -> None:
        if isinstance(schema, type) and issubclass(schema, Message):
            schema = schema_of(schema)
        if not isinstance(schema, ProtoSchema) or isinstance(schema, type):
            raise ConfigError(
                f"a serializer needs a schema, not {type(schema).__name__}",
                option="schema",
                hint="load_schema takes .proto text or a file, schema_of a message class",
            )
        if not isinstance(subject_name_strategy, SubjectNameStrategy) and not callable(subject_name_strategy):
            raise ConfigError(
                f"subject_name_strategy is {subject_name_strategy!r}, neither a SubjectNameStrategy nor a function",
                option="subject_name_strategy",
                hint=f"use one of {', '.join(str(strategy) for strategy in SubjectNameStrategy)}",
            )
        self.schema = schema
        self._client = client
        self._auto_register = auto_register
        self._strategy = subject_name_strategy
        self._values: dict[str, Write] = {}
        self._keys: dict[str, Write] = {}

    @overload
    def __call__(self, value: Message | Mapping[str, object], topic: str) -> bytes: ...
    @overload
    def __call__(self, value: None, topic: str) -> None: ...
    def __call__(self, value: Message | Mapping[str, object] | None, topic: str) -> bytes | None:
        """Give the record's value for a topic; as `serialize`."""
        try:
            write = self._values[topic]
        except KeyError:
            if value is None:
                return None
            write = self.bind(topic)
        return write(value)

    @overload
    def serialize(
        self, value: Message | Mapping[str, object], *, topic: str, is_key: bool = False, headers: object = None
    ) -> bytes: ...
    @overload
    def serialize(self, value: None, *, topic: str, is_key: bool = False, headers: object = None) -> None: ...
    def serialize(
        self,
        value: Message | Mapping[str, object] | None,
        *,
        topic: str,
        is_key: bool = False,
        headers: object = None,
    ) -> bytes | None:
        """Give the bytes of a record's value, or of its key; None gives None.

        The first record of a topic asks the registry, the others do no I/O. ConversionError lists what does not fit of
        a mapping; WrongTypeError, EncodeError, SubjectNameError; RegistryError (IncompatibleSchemaError and others)
        and TransportError when a topic is first used.
        """
        del headers  # taken for the framing by header that is to come
        try:
            write = (self._keys if is_key else self._values)[topic]
        except KeyError:
            if value is None:
                return None
            write = self.bind(topic, is_key=is_key)
        return write(value)

    def bind(self, topic: str, is_key: bool = False) -> Write:  # noqa: FBT001, FBT002  (a public signature)
        """Give the function from a value to a record's bytes for one topic: the fastest way to write.

        Asks the registry unless the topic was bound before; errors as in `serialize`.
        """
        table = self._keys if is_key else self._values
        known = table.get(topic)
        return known or keep(table, topic, self._build(topic, is_key=is_key))

    def _build(self, topic: str, *, is_key: bool) -> Write:
        schema = self.schema
        by_class: dict[type, Write] = {}

        def write_other(value: object) -> bytes | None:
            cls = type(value)
            write = by_class.get(cls)
            if write is None:
                if not isinstance(value, Message):
                    raise WrongTypeError(f"a {schema.name} is written from a message or a mapping, not {cls.__name__}")
                write = keep(by_class, cls, self._build_for(type(value), topic, is_key=is_key))
            return write(cast("Message", value))

        return writer(self._fetch_id(topic, schema.name, is_key=is_key), schema, write_other)

    def _build_for(self, given: type[Message], topic: str, *, is_key: bool) -> Write:
        check_class(self.schema, given)
        schema = schema_of(given)
        return writer(self._fetch_id(topic, schema.name, is_key=is_key), schema, _refuse)

    def _fetch_id(self, topic: str, message_name: str, *, is_key: bool) -> int:
        subject = name_subject(self._strategy, topic, is_key=is_key, message_name=message_name)
        session = self._client.session
        return self._client.run(fetch_schema_id(session, subject, self.schema, auto_register=self._auto_register))


def _refuse(value: object) -> bytes:
    raise WrongTypeError(f"needs a message, not {type(value).__name__}")
