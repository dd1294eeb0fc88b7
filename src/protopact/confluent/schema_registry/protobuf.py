"""confluent_kafka's Protobuf serializer and deserializer, with its arguments and keys, over protopact's."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from google.protobuf.message import Message

from protopact.client import SchemaRegistryClient as OwnClient
from protopact.confluent.conf import DESERIALIZER_KEYS, SERIALIZER_KEYS, checked
from protopact.confluent.schema_registry.client import SchemaRegistryClient
from protopact.confluent.schema_registry.error import translated, translating
from protopact.confluent.schema_registry.strategies import (
    dual_schema_id_deserializer,
    header_schema_id_serializer,
    import_strategy,
    prefix_schema_id_deserializer,
    prefix_schema_id_serializer,
    subject_strategy,
)
from protopact.confluent.serialization import (
    ConfigurationError,
    Deserializer,
    MessageField,
    SerializationError,
    Serializer,
)
from protopact.errors import (
    ConversionError,
    RegistryError,
    RuleError,
    SchemaError,
    SchemaNotFoundError,
    SerdeError,
    SubjectNotFoundError,
)
from protopact.registry import RuleSet
from protopact.serdes import (
    Deserializer as OwnDeserializer,
    ReferenceSubjectNameStrategy,
    Serializer as OwnSerializer,
    SubjectNameStrategy,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from protopact.confluent.serialization import SerializationContext
    from protopact.serdes import Framing, NameImport, NameSubject

M = TypeVar("M", bound=Message)

_OURS = (RegistryError, SerdeError, ConversionError, SchemaError, RuleError)
_TYPES = {
    "TOPIC": SubjectNameStrategy.TOPIC,
    "RECORD": SubjectNameStrategy.RECORD,
    "TOPIC_RECORD": SubjectNameStrategy.TOPIC_RECORD,
}


class ProtobufSerializer(Serializer[Message]):
    """Writes messages of one class; called with the message and a SerializationContext.

    The keys of `conf` are those of `SERIALIZER_KEYS`. Rules are not run: `rule_conf` and `rule_registry` are refused
    unless empty, and so are schemas that want something done to what is written. ConfigurationError for the rest.
    """

    def __init__(
        self,
        msg_type: type[Message],
        schema_registry_client: SchemaRegistryClient | OwnClient,
        conf: Mapping[str, object] | None = None,
        rule_conf: Mapping[str, object] | None = None,
        rule_registry: object = None,
    ) -> None:
        _refuse_rules(rule_conf, rule_registry)
        found = checked(conf, SERIALIZER_KEYS)
        with translating():
            self._serializer = OwnSerializer(
                _own(schema_registry_client),
                msg_type,
                framing=_framing(found),
                auto_register=_auto_register(found),
                normalize=cast("bool", found["normalize.schemas"]),
                use_schema_id=cast("int | None", found["use.schema.id"]),
                use_latest_version=cast("bool", found["use.latest.version"]),
                use_latest_with_metadata=cast("dict[str, str] | None", found["use.latest.with.metadata"]),
                subject_name_strategy=_subjects(found),
                reference_subject_name_strategy=_imports(found),
            )

    def __call__(self, message: Message | None, ctx: SerializationContext | None = None) -> bytes | None:
        """Give a record's bytes; None gives None.

        SerializationError for what cannot be written (a ValueError too for a message of another type),
        SchemaRegistryError for the registry's refusals, TransportError when it does not answer.
        """
        try:
            if ctx is None:
                return self._serializer(message, "")
            return self._serializer.serialize(message, topic=ctx.topic, is_key=ctx.field == "key", headers=ctx.headers)
        except _OURS as error:
            raise translated(error) from error


class ProtobufDeserializer(Deserializer[M]):
    """Reads messages of one class; called with a record's bytes and a SerializationContext.

    With a registry client the writer's message is checked against the class, by its schema; without one, by its place
    place in the class's own file. The keys of `conf` are those of `DESERIALIZER_KEYS`; rules as in ProtobufSerializer:
    records of a schema that has rules for reading are refused.
    """

    def __init__(
        self,
        message_type: type[M],
        conf: Mapping[str, object] | None = None,
        schema_registry_client: SchemaRegistryClient | OwnClient | None = None,
        rule_conf: Mapping[str, object] | None = None,
        rule_registry: object = None,
    ) -> None:
        _refuse_rules(rule_conf, rule_registry)
        found = checked(conf, DESERIALIZER_KEYS)
        self._client = None if schema_registry_client is None else _own(schema_registry_client)
        self._takes_headers = _takes_headers(found)
        self._subjects = _subjects(found)
        self._latest = cast("bool", found["use.latest.version"])
        self._metadata = cast("dict[str, str] | None", found["use.latest.with.metadata"])
        self._checked: set[tuple[str, str]] = set()
        self._name = message_type.DESCRIPTOR.full_name
        with translating():
            self._deserializer = OwnDeserializer(self._client, into=message_type)

    def __call__(self, data: bytes | None, ctx: SerializationContext | None = None) -> M | None:
        """Give the message; None gives None. SerializationError for a record that is bad, else as when writing."""
        if data is None:
            return None
        try:
            if ctx is None:
                return self._deserializer.deserialize(data)
            if self._latest or self._metadata:
                self._check_latest(ctx)
            return self._deserializer.deserialize(
                data,
                topic=ctx.topic,
                is_key=ctx.field == "key",
                headers=ctx.headers if self._takes_headers else None,
            )
        except _OURS as error:
            raise translated(error) from error

    def _check_latest(self, ctx: SerializationContext) -> None:
        """Refuse to read a subject whose latest version has rules for it: what is read would not be what it says."""
        place = (ctx.topic, str(ctx.field))
        if self._client is None or place in self._checked:
            return
        subject = _named(self._subjects, ctx, self._name)
        try:
            found = (
                self._client.get_version(subject)
                if self._metadata is None
                else self._client.get_latest_with_metadata(subject, self._metadata)
            )
        except (SubjectNotFoundError, SchemaNotFoundError):
            return
        rule_set = found.rule_set or RuleSet()
        for kind, rules in {
            "migration rules": rule_set.migration_rules,
            "rules for reading": rule_set.for_reading(),
        }.items():
            if rules:
                raise SerializationError(
                    f"the latest version of {subject!r} has {kind} ({', '.join(rule.label for rule in rules)}), "
                    "which are not run here",
                    hint="leave out use.latest.version to read by field numbers",
                )
        self._checked.add(place)


def _named(strategy: SubjectNameStrategy | NameSubject, ctx: SerializationContext, message_name: str) -> str:
    if not isinstance(strategy, SubjectNameStrategy):
        return strategy(ctx.topic, ctx.field == MessageField.KEY, message_name)
    names = {
        SubjectNameStrategy.TOPIC: f"{ctx.topic}-{ctx.field}",
        SubjectNameStrategy.RECORD: message_name,
        SubjectNameStrategy.TOPIC_RECORD: f"{ctx.topic}-{message_name}",
    }
    return names[strategy]


def _own(client: object) -> OwnClient:
    own = client.client if isinstance(client, SchemaRegistryClient) else client
    if not isinstance(own, OwnClient):
        raise ConfigurationError(
            f"a {type(client).__module__}.{type(client).__name__} is no client of protopact's",
            option="schema_registry_client",
            hint="import SchemaRegistryClient from protopact.confluent.schema_registry",
        )
    return own


def _auto_register(found: Mapping[str, object]) -> bool | None:
    """Give whether to register; an id or metadata that was asked for goes before the default, as in confluent_kafka."""
    registers = cast("bool", found["auto.register.schemas"])
    if registers and found["use.latest.version"]:
        raise ConfigurationError(
            "use.latest.version and auto.register.schemas exclude each other",
            option="use.latest.version",
            hint="auto.register.schemas is True unless it is set to False",
        )
    is_chosen = found["use.schema.id"] is not None or found["use.latest.with.metadata"] is not None
    return None if is_chosen else registers and not found["use.latest.version"]


def _subjects(found: Mapping[str, object]) -> SubjectNameStrategy | NameSubject:
    strategy, kind = found["subject.name.strategy"], found["subject.name.strategy.type"]
    if strategy is not None:
        if not callable(strategy):
            raise ConfigurationError("subject.name.strategy is no function", option="subject.name.strategy")
        return subject_strategy(strategy)
    if kind is None:
        return SubjectNameStrategy.TOPIC
    known = _TYPES.get(str(getattr(kind, "value", kind)).upper())
    if known is None:
        raise ConfigurationError(
            f"subject.name.strategy.type is {kind!r}",
            option="subject.name.strategy.type",
            hint=f"use one of {', '.join(_TYPES)}",
        )
    return known


def _imports(found: Mapping[str, object]) -> ReferenceSubjectNameStrategy | NameImport:
    strategy = found["reference.subject.name.strategy"]
    if strategy is None:
        return ReferenceSubjectNameStrategy.DEFAULT
    if not callable(strategy):
        raise ConfigurationError(
            "reference.subject.name.strategy is no function", option="reference.subject.name.strategy"
        )
    return import_strategy(strategy)


def _framing(found: Mapping[str, object]) -> Framing:
    framings: dict[object, Framing] = {
        None: "confluent",
        prefix_schema_id_serializer: "confluent",
        header_schema_id_serializer: "guid",
    }
    framing = framings.get(found["schema.id.serializer"])
    if framing is None:
        raise ConfigurationError(
            f"schema.id.serializer is {found['schema.id.serializer']!r}",
            option="schema.id.serializer",
            hint="use prefix_schema_id_serializer or header_schema_id_serializer, of protopact.confluent",
        )
    return framing


def _takes_headers(found: Mapping[str, object]) -> bool:
    takes = {None: True, dual_schema_id_deserializer: True, prefix_schema_id_deserializer: False}
    known = takes.get(cast("None", found["schema.id.deserializer"]))
    if known is None:
        raise ConfigurationError(
            f"schema.id.deserializer is {found['schema.id.deserializer']!r}",
            option="schema.id.deserializer",
            hint="use dual_schema_id_deserializer or prefix_schema_id_deserializer, of protopact.confluent",
        )
    return known


def _refuse_rules(rule_conf: Mapping[str, object] | None, rule_registry: object) -> None:
    for option, value in {"rule_conf": rule_conf, "rule_registry": rule_registry}.items():
        if value:
            raise ConfigurationError(f"{option} is given, and rules are not run here", option=option)
