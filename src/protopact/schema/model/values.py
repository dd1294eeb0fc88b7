"""★ Models ⇄ messages: one function each way, built once for a model and a message class.

Writing: the model's attributes → a dict → the converter → Message. Reading: Message → the converter → a dict →
pydantic's own validator → model. Neither changes what it was given.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

from google.protobuf.message import Message
from pydantic import ValidationError

from protopact.convert import dict_decoder, dict_encoder
from protopact.errors import ConversionError, ConversionIssue, WrongTypeError
from protopact.schema.model.binding import Binder, Numbers
from protopact.schema.model.code import Code, Invalid
from protopact.schema.model.derivation import derive
from protopact.schema.model.planning import load_lock, plan_file
from protopact.schema.model.reading import raise_issues, read_models, validator_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from google.protobuf.descriptor import Descriptor

    from protopact.schema.model.kinds import ModelShape

T = TypeVar("T")
M = TypeVar("M", bound=Message)

_GOES_AROUND = "the model holds itself, or is nested more than 100 deep"


def model_encoder(model: type[T], message_class: type[M]) -> Callable[[T], M]:
    """Give the function that makes messages of one class of a model's values.

    The class may be the derived schema's or any other that has a field for each of the model's; SchemaModelError
    names every one that does not fit. The function raises ConversionError for values that Protobuf cannot hold, and
    WrongTypeError for other values than the model's. A model's own serializers are not asked.
    """
    return cast("Callable[[T], M]", _encoder(cast("Hashable", model), cast("Hashable", message_class)))


def model_decoder(model: type[T], message_class: type[Message]) -> Callable[[Message], T]:
    """Give the function that makes validated models of messages of one class.

    The class may be the derived schema's, an older or newer version of it, or another one: fields that the model does
    not know are left out, and SchemaModelError names every field that the model needs and the message lacks, and
    every type that does not fit. The function raises ConversionError with the path of everything that pydantic
    refuses, and WrongTypeError for a message of another class.
    """
    return cast("Callable[[Message], T]", _decoder(cast("Hashable", model), cast("Hashable", message_class)))


def check_mapping(model: type, message: Descriptor) -> None:
    """Check that a model can be written to and read from a message; SchemaModelError names everything that differs."""
    _bind(model, message, writing=True)


def code_of(model: type, message_class: type[Message]) -> str:
    """Give the text of the functions that were written for a model and a message class."""
    key, code = _code(model, cast("Descriptor", message_class.DESCRIPTOR), writing=True)
    return f"{code.writer(key)[1]}\n{code.reader(key)[1]}"


def forget() -> None:
    """Build everything anew when it is next asked for: lock files have changed."""
    derive.cache_clear()
    _encoder.cache_clear()
    _decoder.cache_clear()


# ── building ─────────────────────────────────────────────────────────────────────────────────────


def _bind(model: type, message: Descriptor, *, writing: bool) -> tuple[Binder, Mapping[type, ModelShape]]:
    shapes = read_models(model)
    binder = Binder(shapes, _numbers(model), writing=writing)
    binder.bind(model, message)
    raise_issues(binder.issues)
    return binder, shapes


def _numbers(root: type) -> dict[type, Numbers]:
    """Give the numbers of a model and of all that it uses, file by file."""
    found: dict[type, Numbers] = {}
    todo = [root]
    for each in todo:  # grows while it is walked
        if each in found:
            continue
        _, lock = load_lock(each)
        plan = plan_file(each, lock)
        is_current = not plan.changes() and not plan.issues()
        for model in plan.shapes:
            numbers = plan.numberings[model].numbers
            found[model] = Numbers(plan.names[model], numbers, are_fixed=is_current and plan.is_fixed[model])
        todo.extend(plan.imports)
    return found


def _code(model: type, message: Descriptor, *, writing: bool) -> tuple[tuple[type, str], Code]:
    binder, shapes = _bind(model, message, writing=writing)
    return (model, message.full_name), Code(binder.bound, binder.messages, shapes)


@lru_cache(maxsize=512)
def _encoder(model: type, message_class: type[Message]) -> Callable[[object], Message]:
    key, code = _code(model, cast("Descriptor", message_class.DESCRIPTOR), writing=True)
    write, _ = code.writer(key)
    encode = dict_encoder(message_class)

    def encode_model(value: object) -> Message:
        if type(value) is not model and not issubclass(type(value), model):
            raise WrongTypeError(f"needs a {model.__name__}, not {type(value).__name__}")
        try:
            values = write(value)
        except Exception as error:
            raise _unwritable(model, value, error) from error
        return encode(values)

    return encode_model


@lru_cache(maxsize=512)
def _decoder(model: type, message_class: type[Message]) -> Callable[[Message], object]:
    message = cast("Descriptor", message_class.DESCRIPTOR)
    key, code = _code(model, message, writing=False)
    read, _ = code.reader(key)
    to_values = dict_decoder(message_class, enums="number", timestamps="datetime")
    validate, change = _validate(model), cast("Any", read)

    def decode_plain(given: Message) -> object:
        values = to_values(given)
        try:
            return validate(values)
        except ValidationError as error:
            raise _refused(model, error, values) from error

    def decode_changed(given: Message) -> object:
        values = change(to_values(given))
        try:
            return validate(values)
        except ValidationError as error:
            raise _refused(model, error, values) from error

    return decode_plain if read is None else decode_changed


def _validate(model: type) -> Callable[[object], object]:
    """Give pydantic's validator as it must be called: by the fields' names, and lax for the text of dates and such."""
    validate = cast("Any", validator_of(model)).validate_python
    shapes = read_models(model).values()
    has_aliases = any(shape.has_aliases for shape in shapes)
    is_strict = any(shape.is_strict for shape in shapes)
    if has_aliases and is_strict:
        return lambda values: validate(values, strict=False, by_name=True)
    if has_aliases:
        return lambda values: validate(values, by_name=True)
    if is_strict:
        return lambda values: validate(values, strict=False)
    return cast("Callable[[object], object]", validate)


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────


def _unwritable(model: type, value: object, error: Exception) -> Exception:
    """Word why a model cannot be written: its values were changed after they were validated."""
    if isinstance(error, RecursionError):
        return ConversionError(model.__name__, [ConversionIssue("$", _GOES_AROUND)])
    try:
        cast("Any", validator_of(model)).validate_python(_plain(value), strict=False, by_name=True)
    except ValidationError as found:
        return _refused(model, found, _plain(value))
    except RecursionError:
        return ConversionError(model.__name__, [ConversionIssue("$", _GOES_AROUND)])
    return ConversionError(
        model.__name__,
        [ConversionIssue("$", f"a value is not what the model says: {type(error).__name__}: {error}")],
        hint="validate_assignment=True has pydantic check what is assigned",
    )


def _plain(value: object) -> dict[str, object]:
    return {name: _plain(each) if hasattr(each, "__pydantic_fields__") else each for name, each in vars(value).items()}


def _refused(model: type, error: ValidationError, values: object) -> ConversionError:
    return ConversionError(model.__name__, list(_issues(error, values, "$")))


def _issues(error: ValidationError, values: object, start: str) -> Iterator[ConversionIssue]:
    """Give every refusal with its path; pydantic's own path also names the members of unions, which is no place."""
    for each in error.errors(include_url=False, include_context=False):
        path, place = start, values
        *steps, last = each["loc"] or ("",)
        for step in steps:
            place, path = _step(place, path, step)
        _, path = _step(place, path, last, is_last=each["type"] == "missing")
        given = each["input"]
        if isinstance(given, Invalid):
            yield from _issues(given.error, None, path)
        else:
            yield ConversionIssue(path, each["msg"])


def _step(place: object, path: str, step: int | str, *, is_last: bool = False) -> tuple[object, str]:
    if isinstance(place, dict) and step in place:
        return place[step], f"{path}.{step}" if str(step).isidentifier() else f"{path}[{step!r}]"
    if isinstance(place, list) and isinstance(step, int) and step < len(place):
        return place[step], f"{path}[{step}]"
    if is_last or place is None:
        return None, f"{path}.{step}" if step != "" else path
    return place, path
