"""The functions that confluent_kafka's configuration names: for subjects, and for where a schema is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from protopact.confluent.serialization import MessageField, SerializationContext, SerializationError
from protopact.serdes import SubjectNameStrategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from protopact.serdes import NameImport, NameSubject


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _Import:
    """What a strategy for imports is asked about."""

    def __init__(self, name: str) -> None:
        self.name = name


def topic_subject_name_strategy(ctx: SerializationContext | None, record_name: str | None) -> str:
    """Give `{topic}-key` or `{topic}-value`; ValueError without a context."""
    del record_name
    return f"{_needed(ctx).topic}-{_needed(ctx).field}"


def topic_record_subject_name_strategy(ctx: SerializationContext | None, record_name: str | None) -> str | None:
    """Give `{topic}-{message name}`; ValueError without a context."""
    topic = _needed(ctx).topic
    return None if record_name is None else f"{topic}-{record_name}"


def record_subject_name_strategy(ctx: SerializationContext | None, record_name: str | None) -> str | None:
    """Give the message's full name."""
    del ctx
    return record_name


def reference_subject_name_strategy(ctx: SerializationContext | None, schema_ref: _Named | None) -> str | None:
    """Give the import's path."""
    del ctx
    return None if schema_ref is None else schema_ref.name


def prefix_schema_id_serializer(payload: bytes, ctx: SerializationContext | None, schema_id: object) -> bytes:
    """Stand for the schema's id before the payload; a name for configurations, never called."""
    raise _only_named(payload, ctx, schema_id)


def header_schema_id_serializer(payload: bytes, ctx: SerializationContext | None, schema_id: object) -> bytes:
    """Stand for the schema's GUID in a record header; a name for configurations, never called."""
    raise _only_named(payload, ctx, schema_id)


def prefix_schema_id_deserializer(payload: bytes, ctx: SerializationContext | None, schema_id: object) -> bytes:
    """Stand for reading the prefix alone; a name for configurations, never called."""
    raise _only_named(payload, ctx, schema_id)


def dual_schema_id_deserializer(payload: bytes, ctx: SerializationContext | None, schema_id: object) -> bytes:
    """Stand for reading the header, else the prefix; a name for configurations, never called."""
    raise _only_named(payload, ctx, schema_id)


def subject_strategy(strategy: Callable[..., str | None]) -> SubjectNameStrategy | NameSubject:
    """Give our strategy for one of confluent_kafka's, or for a function that is called as these are."""
    known = _STRATEGIES.get(strategy)
    if known is not None:
        return known

    def name(topic: str, is_key: bool, message_name: str) -> str:
        field = MessageField.KEY if is_key else MessageField.VALUE
        return strategy(SerializationContext(topic, field), message_name) or ""

    return name


def import_strategy(strategy: Callable[..., str | None]) -> NameImport:
    """Give our strategy for imports for a function that is called with a context and something with a `name`."""
    return lambda path: strategy(None, _Import(path)) or ""


_STRATEGIES: dict[Callable[..., str | None], SubjectNameStrategy] = {
    topic_subject_name_strategy: SubjectNameStrategy.TOPIC,
    record_subject_name_strategy: SubjectNameStrategy.RECORD,
    topic_record_subject_name_strategy: SubjectNameStrategy.TOPIC_RECORD,
}


def _needed(ctx: SerializationContext | None) -> SerializationContext:
    if ctx is None:
        raise ValueError("this strategy needs a SerializationContext; record_subject_name_strategy needs none")
    return ctx


def _only_named(*arguments: object) -> SerializationError:
    del arguments
    return SerializationError("this function only has a name here: give it in a configuration")
