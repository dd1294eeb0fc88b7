"""The closures that read: from payload bytes to a value of the wanted kind, with no I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, cast, overload

from google.protobuf.message import Message

from protopact.convert import dict_decoder, json_encoder
from protopact.errors import ConfigError, DecodeError, WrongTypeError
from protopact.schema import schema_of
from protopact.serdes.bounds import bounds_of
from protopact.serdes.options import is_model
from protopact.settings import SerdeSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor import Descriptor
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    from protopact.rules import Validation

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Parse: TypeAlias = Callable[[bytes], T]
"""From payload bytes to a value; raises protobuf's DecodeError or ours."""

Finish: TypeAlias = Callable[[Message], T]

_DEFAULTS = SerdeSettings()
_HINT = "use None (the writer's message), dict, 'json', a message class or a model"


class Read(Protocol[T_co]):
    """Reads records of one topic: bytes give a value, None (a tombstone) gives None."""

    @overload
    def __call__(self, raw: bytes, /) -> T_co: ...
    @overload
    def __call__(self, raw: None, /) -> None: ...
    @overload
    def __call__(self, raw: bytes | None, /) -> T_co | None: ...


@dataclass(frozen=True, slots=True)
class Target(Generic[T]):
    """What a reader wants: a class of its own, or the writer's; and what is made of the message, if anything."""

    wanted: type[Message] | None
    finish: Callable[[type[Message]], Finish[T]] | None
    accepted: frozenset[str]
    validation: Validation | None = None
    is_numbered: bool = False  # the wanted class got its field numbers here, not from the writer's schema
    settings: SerdeSettings = _DEFAULTS
    ignores_rules: bool = False  # reads by schemas whose rules are not run here
    in_steps: bool = False  # large payloads are parsed step by step, for others to have their turn

    def parse(self, full_name: str, writers_class: Callable[[], type[Message]], place: str) -> Parse[T]:
        """Give the closure that reads a writer's message; WrongTypeError when it is not the one wanted."""
        if self.wanted is not None and full_name not in self.accepted:
            raise WrongTypeError(
                f"{place} holds {full_name}, not {self.wanted.DESCRIPTOR.full_name}",
                hint="name it in compatible_types if it can be read as the wanted one",
            )
        if self.wanted is not None and self.is_numbered:
            check_numbers(descriptor_of(self.wanted), descriptor_of(writers_class()), place)
        cls = writers_class() if self.wanted is None else self.wanted
        parse = valid_parse(self._message_parse(cls), cls, self.validation)
        if self.finish is None:
            return cast("Parse[T]", parse)
        finish = self.finish(cls)
        return lambda payload: finish(parse(payload))

    def _message_parse(self, cls: type[Message]) -> Parse[Message]:
        parse = stepping_parse(cls, self.settings.step_bytes_max) if self.in_steps else cls.FromString
        if not self.settings.allow_partial:
            parse = strict_parse(parse, cls)
        return bounded_parse(parse, cls, self.settings)

    def own_file(self) -> FileDescriptorProto:
        """Give the file of the wanted class."""
        return schema_of(cast("type[Message]", self.wanted)).file_set.root_file


def target_of(into: object, compatible_types: Iterable[str | type[Message]] = ()) -> Target[object]:
    """Give what `into` stands for; ConfigError when it stands for nothing."""
    target = _target(into)
    also = [_name_of(one) for one in compatible_types]
    if not also:
        return target
    if target.wanted is None:
        raise ConfigError("compatible_types is for a wanted class or model", option="compatible_types")
    return replace(target, accepted=target.accepted.union(also))


def _target(into: object) -> Target[Any]:
    if into is None:
        return Target(None, None, frozenset())
    if into is dict:
        return Target(None, dict_decoder, frozenset())
    if isinstance(into, str) and into == "json":
        return Target(None, json_encoder, frozenset())
    if isinstance(into, type):
        if issubclass(into, Message) and into is not Message:
            return Target(into, None, frozenset([into.DESCRIPTOR.full_name]))
        if is_model(into):
            from protopact.schema import model_decoder

            model: type = into
            schema = schema_of(model)
            return Target(
                schema.message_class,
                lambda cls: model_decoder(model, cls),
                frozenset([schema.name]),
                is_numbered=True,
            )
    raise ConfigError(f"into is {into!r}", option="into", hint=_HINT)


def check_numbers(wanted: Descriptor, written: Descriptor, place: str) -> None:
    """Raise WrongTypeError when a field of the writer has another number in the wanted message, at any depth."""
    seen: set[tuple[str, str]] = set()
    todo = [(wanted, written)]
    while todo:
        ours, theirs = todo.pop()
        if (ours.full_name, theirs.full_name) in seen:
            continue
        seen.add((ours.full_name, theirs.full_name))
        for field in theirs.fields:
            own = ours.fields_by_name.get(field.name)
            if own is not None and own.number != field.number:
                raise WrongTypeError(
                    f"{place} has {theirs.full_name}.{field.name} as number {field.number}, the wanted message as "
                    f"{own.number}",
                    hint="give the model the writer's field numbers",
                )
            own = ours.fields_by_number.get(field.number)
            if own is not None and own.message_type is not None and field.message_type is not None:
                todo.append((own.message_type, field.message_type))


def descriptor_of(cls: type[Message]) -> Descriptor:
    """Give a class's descriptor."""
    return cast("Descriptor", cls.DESCRIPTOR)


def _name_of(kind: str | type[Message]) -> str:
    if isinstance(kind, str):
        return kind
    if isinstance(kind, type) and issubclass(kind, Message):
        return kind.DESCRIPTOR.full_name
    raise ConfigError(f"{kind!r} is neither a message class nor its full name", option="compatible_types")


def stepping_parse(cls: type[Message], step_bytes: int) -> Parse[Message]:
    """Give the class's parser, which lets other threads have their turn every so many bytes."""
    from_string = cls.FromString

    def parse(payload: bytes) -> Message:
        if len(payload) <= step_bytes:
            return from_string(payload)
        from protopact.wire import parse_in_steps

        return parse_in_steps(cls, payload, step_bytes)

    return parse


def strict_parse(parse: Parse[Message], cls: type[Message]) -> Parse[Message]:
    """Give the parser that must find all required fields, where the class has any, however deep."""
    descriptor = descriptor_of(cls)
    if not _has_required(descriptor):
        return parse
    is_initialized, name = cls.IsInitialized, descriptor.full_name

    def parse_whole(payload: bytes) -> Message:
        message = parse(payload)
        if not is_initialized(message):
            missing = ", ".join(cast("Any", cls).FindInitializationErrors(message))
            raise DecodeError(f"the {name} lacks required fields: {missing}")
        return message

    return parse_whole


def bounded_parse(parse: Parse[Message], cls: type[Message], settings: SerdeSettings) -> Parse[Message]:
    """Give the parser that holds messages to the settings, where these say anything of their content."""
    keep = bounds_of(cls, settings, DecodeError)
    return parse if keep is None else lambda payload: keep(parse(payload))


def valid_parse(parse: Parse[Message], cls: type[Message], validation: Validation | None) -> Parse[Message]:
    """Give the parser that refuses messages which break the class's rules, where it has any and they are wanted."""
    check = None if validation is None else validation.check_of(cls)
    if check is None:
        return parse

    def parse_valid(payload: bytes) -> Message:
        message = parse(payload)
        check(message)
        return message

    return parse_valid


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
