"""★ What is decided once per topic, or once per schema id, so that a record costs little more than its payload.

Writing: topic → subject → the schema registered or looked up → its id → prefix → a closure from value to bytes.
Reading: schema id → the writer's file set → the message at the indexes → a closure from payload to value.

What needs the registry is a flow, for synchronous and asynchronous clients alike; the closures do no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, cast, overload

from google.protobuf.message import EncodeError as WireEncodeError, Message

from protopact.convert import dict_decoder, dict_encoder
from protopact.descriptor import message_at, message_class, message_names
from protopact.errors import (
    DecodeError,
    EncodeError,
    FramingError,
    MessageNotFoundError,
    RegistryError,
    SchemaError,
    SchemaNotFoundError,
    SubjectNotFoundError,
    WrongTypeError,
)
from protopact.framing import encode_prefix
from protopact.schema import schema_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf.descriptor import Descriptor

    from protopact.client import Session
    from protopact.descriptor import FileSet
    from protopact.flow import Flow
    from protopact.schema import ProtoSchema

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Parse: TypeAlias = Callable[[bytes], T]
"""From payload bytes to a value; raises protobuf's DecodeError or ours."""

_INDEXES_AT = 5
_NOT_FOUND = 404


class Write(Protocol):
    """Writes values of one topic: a message or a mapping gives a record's bytes, None (a tombstone) gives None."""

    @overload
    def __call__(self, value: Message | Mapping[str, object], /) -> bytes: ...
    @overload
    def __call__(self, value: None, /) -> None: ...
    @overload
    def __call__(self, value: Message | Mapping[str, object] | None, /) -> bytes | None: ...


class Read(Protocol[T_co]):
    """Reads records of one topic: bytes give a value, None (a tombstone) gives None."""

    @overload
    def __call__(self, raw: bytes, /) -> T_co: ...
    @overload
    def __call__(self, raw: None, /) -> None: ...
    @overload
    def __call__(self, raw: bytes | None, /) -> T_co | None: ...


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


def fetch_schema_id(session: Session, subject: str, schema: ProtoSchema, *, auto_register: bool) -> Flow[int]:
    """Have the schema registered with its imports, or only looked up, and give its id.

    SchemaNotFoundError or SubjectNotFoundError when it may not be registered and is not there; the registry's refusal
    (IncompatibleSchemaError, InvalidSchemaError) otherwise.
    """
    if auto_register:
        job = session.register(subject, schema, references=None, metadata=None, rule_set=None, normalize=False)
        found = yield from session.once(job)
    else:
        try:
            found = yield from session.once(
                session.lookup(subject, schema, references=None, normalize=False, deleted=False)
            )
        except (SchemaNotFoundError, SubjectNotFoundError) as error:
            error.hint = error.hint or "register the schema first, or use auto_register=True"
            raise
    if found.id is None:
        raise RegistryError(f"the registry does not tell the id of the schema under {subject!r}")
    return found.id


def writer(schema_id: int, schema: ProtoSchema, write_other: Callable[[object], bytes | None]) -> Write:
    """Give the closure that writes the schema's own message and mappings; `write_other` takes all other values."""
    own_class, name = schema.message_class, schema.name
    prefix = encode_prefix(schema_id, schema.message_index)
    payload_of = own_class.SerializeToString  # unbound: a field may be called SerializeToString
    encode = dict_encoder(own_class)

    def write(value: object) -> bytes | None:
        try:
            if type(value) is own_class:
                return prefix + payload_of(value)
            if isinstance(value, dict):
                return prefix + payload_of(encode(value))
        except WireEncodeError as error:
            raise EncodeError(f"the {name} cannot be written: {error}") from error
        if value is None:
            return None
        if isinstance(value, Mapping):
            return prefix + payload_of(encode(value))
        return write_other(value)

    return cast("Write", write)


def check_class(schema: ProtoSchema, given: type[Message]) -> None:
    """Raise WrongTypeError unless a class is a message of the schema's file, of the very same content."""
    given_name = given.DESCRIPTOR.full_name
    if given_name not in message_names(schema.file_set.root_file):
        raise WrongTypeError(
            f"a {given_name} is no message of {schema.file_name}, which defines {schema.name}",
            hint="make a serializer for the file that defines it",
        )
    if schema_of(given).file_set.fingerprint != schema.file_set.fingerprint:
        raise WrongTypeError(
            f"the {given_name} given comes from another version of {schema.file_name} than the serializer's",
            hint="give a dict, or make the serializer with schema_of(the class)",
        )


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def fetch_parse(
    session: Session, schema_id: int, indexes: Sequence[int], into: type[T] | None, place: str
) -> Flow[Parse[T]]:
    """Fetch the writer's schema and give the closure that reads its message at `indexes`.

    DecodeError for an id that the registry does not know or a schema that cannot be used, FramingError for indexes that
    lead nowhere, WrongTypeError when the writer's message is not the one wanted. A registry that does not answer raises
    TransportError, or its own RegistryError: the record may be good.
    """
    try:
        file_set = yield from session.once(session.fetch_file_set(schema_id, None))
        full_name = message_at(file_set.root_file, indexes)
        return _parse(file_set, full_name, into, f"{place} (schema id {schema_id})")
    except MessageNotFoundError as error:
        raise FramingError(f"{place}: schema id {schema_id}: {error}", offset=_INDEXES_AT) from error
    except RegistryError as error:
        if error.status != _NOT_FOUND:
            raise
        raise DecodeError(
            f"{place}: the registry knows no schema with id {schema_id}",
            hint="was the record written with another registry?",
        ) from error
    except (SchemaError, RecursionError) as error:
        raise DecodeError(f"{place}: the schema with id {schema_id} cannot be used: {error}") from error


def _parse(file_set: FileSet, full_name: str, into: type[T] | None, place: str) -> Parse[T]:
    if into is None or into is dict:
        cls = message_class(file_set, full_name)
        parse = _strict_parse(cls)
        if into is None:
            return cast("Parse[T]", parse)
        decode = dict_decoder(cls)
        return cast("Parse[T]", lambda payload: decode(parse(payload)))
    wanted_class = cast("type[Message]", into)
    wanted = wanted_class.DESCRIPTOR.full_name
    if wanted != full_name:
        raise WrongTypeError(f"{place} holds {full_name}, not {wanted}")
    return cast("Parse[T]", _strict_parse(wanted_class))


def _strict_parse(cls: type[Message]) -> Parse[Message]:
    """Give the class's parser, which must find all required fields where the type has any, however deep."""
    descriptor = cast("Descriptor", cls.DESCRIPTOR)
    if not _has_required(descriptor):
        return cls.FromString
    from_string, is_initialized, name = cls.FromString, cls.IsInitialized, descriptor.full_name

    def parse(payload: bytes) -> Message:
        message = from_string(payload)
        if not is_initialized(message):
            missing = ", ".join(cast("Any", cls).FindInitializationErrors(message))
            raise DecodeError(f"the {name} lacks required fields: {missing}")
        return message

    return parse


def _has_required(descriptor: Descriptor) -> bool:
    seen, todo = {descriptor.full_name}, [descriptor]
    while todo:
        for field in todo.pop().fields:
            if field.is_required:
                return True
            below = field.message_type
            if below is not None and below.full_name not in seen:
                seen.add(below.full_name)
                todo.append(below)
    return False
