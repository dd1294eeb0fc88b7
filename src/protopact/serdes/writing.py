"""The closures that write: from a value to a record's bytes, with no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol, cast, overload

from google.protobuf.message import EncodeError as WireEncodeError, Message

from protopact.convert import depth_check, dict_encoder
from protopact.descriptor import message_names
from protopact.errors import EncodeError, WrongTypeError
from protopact.schema import schema_of
from protopact.serdes.bounds import bounds_of

if TYPE_CHECKING:
    from protopact.rules import Check
    from protopact.schema import ProtoSchema
    from protopact.serdes.options import WriteOptions
    from protopact.settings import SerdeSettings


class Write(Protocol):
    """Writes values of one topic: a message, mapping or model gives a record's bytes, None (a tombstone) gives None."""

    @overload
    def __call__(self, value: None, /) -> None: ...
    @overload
    def __call__(self, value: object, /) -> bytes: ...


def writer(
    prefix: bytes,
    schema: ProtoSchema,
    options: WriteOptions,
    write_other: Callable[[object], bytes | None],
) -> Write:
    """Give the closure that writes the schema's own message and mappings; `write_other` takes all other values."""
    own_class, name = schema.message_class, schema.name
    check = None if options.validation is None else options.validation.check_of(own_class)
    payload_of = payload_writer(own_class, options.settings, deterministic=options.deterministic, rules=check)
    encode, bytes_max = dict_encoder(own_class), options.settings.message_bytes_max

    def write(value: object) -> bytes | None:
        try:
            if type(value) is own_class:
                payload = payload_of(value)
            elif isinstance(value, dict):
                payload = payload_of(encode(value))
            elif value is None:
                return None
            elif isinstance(value, Mapping):
                payload = payload_of(encode(value))
            else:
                return write_other(value)
        except WireEncodeError as error:
            raise EncodeError(f"the {name} cannot be written: {error}") from error
        if len(payload) > bytes_max:
            raise too_large(name, len(payload), bytes_max)
        return prefix + payload

    return cast("Write", write)


def model_writer(write: Write, model: type, message_class: type[Message]) -> Write:
    """Give the closure that takes instances of a model too, and makes messages of them first."""
    from protopact.schema import model_encoder

    encode: Callable[[object], Message] = model_encoder(model, message_class)

    def write_model(value: object) -> bytes | None:
        if isinstance(value, model):
            return write(encode(value))
        return write(value)

    return cast("Write", write_model)


def payload_writer(
    cls: type[Message], settings: SerdeSettings, *, deterministic: bool, rules: Check | None = None
) -> Callable[[Message], bytes]:
    """Give the function that makes a message's payload: protobuf's own where nothing else is to be seen to."""
    payload_of = _payload_writer(cls, deterministic=deterministic, is_partial=settings.allow_partial)
    keep = bounds_of(cls, settings, EncodeError)
    if rules is None and keep is None:
        return payload_of

    def seen_payload_of(message: Message) -> bytes:
        if rules is not None:
            rules(message)
        return payload_of(message if keep is None else keep(message))

    return seen_payload_of


def _payload_writer(cls: type[Message], *, deterministic: bool, is_partial: bool) -> Callable[[Message], bytes]:
    # unbound: a field may be called SerializeToString
    serialize = cls.SerializePartialToString if is_partial else cls.SerializeToString
    check = depth_check(cls)
    if check is None and not deterministic:
        return serialize

    def payload_of(message: Message) -> bytes:
        payload = serialize(message, deterministic=deterministic)
        if check is not None:
            check(payload)
        return payload

    return payload_of


def too_large(name: str, size: int, bytes_max: int) -> EncodeError:
    """Give the error for a payload above the limit."""
    return EncodeError(
        f"the {name} takes {size} bytes, more than the {bytes_max} allowed",
        hint="raise message_bytes_max of SerdeSettings, on the readers' side too",
    )


def check_class(schema: ProtoSchema, given: type[Message]) -> None:
    """Raise WrongTypeError unless a class is a message of the schema's file, of the very same content.

    The file's name does not matter: a message that was read has the name that its schema got on the way.
    """
    given_name = given.DESCRIPTOR.full_name
    if given_name not in message_names(schema.file_set.root_file):
        raise WrongTypeError(
            f"a {given_name} is no message of {schema.file_name}, which defines {schema.name}",
            hint="make a serializer for the file that defines it",
        )
    if not schema_of(given).file_set.says_the_same_as(schema.file_set):
        raise WrongTypeError(
            f"the {given_name} given comes from another version of {schema.file_name} than the serializer's",
            hint="give a dict, or make the serializer with schema_of(the class)",
        )
