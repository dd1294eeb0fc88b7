"""The options of serializers and deserializers, checked before anything is asked or read."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, TypeAlias

from google.protobuf.message import Message

from protopact.errors import ConfigError
from protopact.schema import ProtoSchema, schema_of
from protopact.serdes.subject import ReferenceSubjectNameStrategy, SubjectNameStrategy, import_namer
from protopact.settings import SerdeSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from enum import Enum

    from protopact.rules import Validation
    from protopact.serdes.subject import NameImport, NameSubject

Framing: TypeAlias = Literal["confluent", "guid", "raw"]
"""How a record names its schema: by an id before the payload, by a GUID in a header, or not at all."""

UnrunRules: TypeAlias = Literal["refuse", "ignore"]
"""What a deserializer does about a schema with rules for reading, which are not run here."""

_UNRUN_RULES = ("refuse", "ignore")
_FRAMINGS = ("confluent", "guid", "raw")
_SCHEMA_ID_MAX = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a serializer finds the schema that its records name, and how it writes them."""

    framing: Framing
    strategy: SubjectNameStrategy | NameSubject
    name_import: NameImport | None
    auto_register: bool
    use_latest_version: bool
    use_latest_with_metadata: tuple[tuple[str, str], ...] | None
    use_schema_id: int | None
    normalize: bool
    check_compatible: bool
    deterministic: bool
    validation: Validation | None
    settings: SerdeSettings

    @property
    def expires(self) -> bool:
        """Whether what was found may change."""
        return self.use_latest_version or self.use_latest_with_metadata is not None


def write_options(
    *,
    framing: Framing,
    subject_name_strategy: SubjectNameStrategy | NameSubject,
    reference_subject_name_strategy: ReferenceSubjectNameStrategy | NameImport,
    auto_register: bool | None,
    use_latest_version: bool,
    use_latest_with_metadata: Mapping[str, str] | None,
    use_schema_id: int | None,
    normalize: bool,
    check_compatible: bool,
    deterministic: bool,
    validate: bool | Validation,
    settings: SerdeSettings | None,
    unknown: Mapping[str, object],
    known: Iterable[str],
) -> WriteOptions:
    """Check a serializer's options; ConfigError names the one that is wrong."""
    refuse_unknown(unknown, known)
    check_framing(framing)
    check_strategy("subject_name_strategy", subject_name_strategy, SubjectNameStrategy)
    check_strategy("reference_subject_name_strategy", reference_subject_name_strategy, ReferenceSubjectNameStrategy)
    for name, flag in {
        "use_latest_version": use_latest_version,
        "normalize": normalize,
        "check_compatible": check_compatible,
        "deterministic": deterministic,
    }.items():
        check_flag(name, flag)
    if auto_register is not None:
        check_flag("auto_register", auto_register)
    metadata = None if use_latest_with_metadata is None else check_metadata(use_latest_with_metadata)
    if use_schema_id is not None:
        check_schema_id(use_schema_id)
    chosen = {
        "auto_register": auto_register or False,
        "use_latest_version": use_latest_version,
        "use_latest_with_metadata": metadata is not None,
        "use_schema_id": use_schema_id is not None,
    }
    wanted = [name for name, is_chosen in chosen.items() if is_chosen]
    if len(wanted) > 1:
        raise ConfigError(
            f"{' and '.join(wanted)} exclude each other: each says on its own which schema records name",
            option=wanted[-1],
            hint="choose one of them",
        )
    return WriteOptions(
        framing=framing,
        strategy=subject_name_strategy,
        name_import=import_namer(reference_subject_name_strategy),
        auto_register=not wanted if auto_register is None else auto_register,
        use_latest_version=use_latest_version,
        use_latest_with_metadata=metadata,
        use_schema_id=use_schema_id,
        normalize=normalize,
        check_compatible=check_compatible,
        deterministic=deterministic,
        validation=validation_of(validate),
        settings=check_settings(settings),
    )


def refuse_unknown(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise ConfigError for an option that does not exist, with the nearest name that does."""
    names = sorted(known)
    for name in given:
        if name in names:
            continue
        near = get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
        raise ConfigError(f"there is no option {name!r}", option=name, hint=hint)


def validation_of(validate: object) -> Validation | None:
    """Give who validates messages; ConfigError for what cannot, MissingExtraError without protovalidate."""
    if validate is False:
        return None
    from protopact.rules import Protovalidate, Validation

    if validate is True:
        return Protovalidate()
    if isinstance(validate, Validation):
        return validate
    raise ConfigError(
        f"validate is {validate!r}", option="validate", hint="use True, False, or an object with check_of"
    )


def check_framing(framing: Framing) -> None:
    """Raise ConfigError for a framing that does not exist."""
    if framing not in _FRAMINGS:
        raise ConfigError(f"framing is {framing!r}", option="framing", hint=f"use one of {', '.join(_FRAMINGS)}")


def ignores_rules(rules: UnrunRules) -> bool:
    """Say whether rules that are not run are ignored; ConfigError for another word."""
    if rules not in _UNRUN_RULES:
        raise ConfigError(f"rules is {rules!r}", option="rules", hint=f"use one of {', '.join(_UNRUN_RULES)}")
    return rules == "ignore"


def check_strategy(option: str, strategy: object, strategies: type[Enum]) -> None:
    """Raise ConfigError for what is neither one of the strategies nor a function."""
    if not isinstance(strategy, strategies) and not callable(strategy):
        raise ConfigError(
            f"{option} is {strategy!r}, neither a {strategies.__name__} nor a function",
            option=option,
            hint=f"use one of {', '.join(str(one) for one in strategies)}",
        )


def check_flag(option: str, flag: object) -> None:
    """Raise ConfigError for what is neither True nor False: a text is always true."""
    if not isinstance(flag, bool):
        raise ConfigError(f"{option} is {flag!r}, neither True nor False", option=option)


def check_metadata(properties: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Give the properties as pairs; ConfigError for what is no mapping of texts, or says nothing."""
    try:
        pairs = tuple(properties.items())
    except AttributeError:
        pairs = ()
    if not pairs or not all(isinstance(text, str) for pair in pairs for text in pair):
        raise ConfigError(
            f"use_latest_with_metadata is {properties!r}, no mapping of names to texts",
            option="use_latest_with_metadata",
        )
    return pairs


def check_schema_id(schema_id: object) -> None:
    """Raise ConfigError for what cannot be a schema's id."""
    if not isinstance(schema_id, int) or isinstance(schema_id, bool) or not 0 <= schema_id <= _SCHEMA_ID_MAX:
        raise ConfigError(f"use_schema_id is {schema_id!r}, no number from 0 to 2^31-1", option="use_schema_id")


_LEASTS = {
    "message_bytes_max": 1,
    "field_bytes_max": 1,
    "repeated_items_max": 1,
    "latest_ttl_s": 0,
    "thread_bytes_min": 0,
    "step_bytes_max": 1,
}
_OPTIONAL = {"field_bytes_max", "repeated_items_max"}
_UNKNOWN_FIELDS = ("keep", "drop", "refuse")


def check_settings(settings: SerdeSettings | None) -> SerdeSettings:
    """Give the settings, or those that the environment states; ConfigError for limits that are none."""
    if settings is None:
        return SerdeSettings.from_environment()
    for name, least in _LEASTS.items():
        value: object = getattr(settings, name)
        if value is None and name in _OPTIONAL:
            continue
        if not isinstance(value, int | float) or isinstance(value, bool) or not value >= least:
            raise ConfigError(f"{name} must be a number from {least} on, not {value!r}", option=name)
    for name in ("allow_partial", "reflection", "caching"):
        check_flag(name, getattr(settings, name))
    if settings.unknown_fields not in _UNKNOWN_FIELDS:
        raise ConfigError(
            f"unknown_fields is {settings.unknown_fields!r}",
            option="unknown_fields",
            hint=f"use one of {', '.join(_UNKNOWN_FIELDS)}",
        )
    return settings


def schema_and_model(given: object) -> tuple[ProtoSchema, type | None]:
    """Give the schema that a serializer was given, and the model that it stands for where it is one."""
    if isinstance(given, type):
        if issubclass(given, Message) and given is not Message:
            return schema_of(given), None
        if is_model(given):
            return schema_of(given), given
    elif isinstance(given, ProtoSchema):
        return given, None
    raise ConfigError(
        f"a serializer needs a schema, not {given.__name__ if isinstance(given, type) else type(given).__name__}",
        option="schema",
        hint="load_schema takes .proto text or a file, schema_of a message class or a model",
    )


def is_model(kind: type) -> bool:
    """Say whether a class is a model that a schema can be derived from."""
    return hasattr(kind, "__pydantic_fields__") or hasattr(kind, "__dataclass_fields__")
