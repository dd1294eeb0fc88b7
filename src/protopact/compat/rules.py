"""Which differences which policy refuses, and why: tables, nothing else.

A difference harms readers (it is looked for in the direction of the level: who writes, who reads), or it is a step
that a schema must not take from one version to the next, whatever the level (`step`): freeing a number, taking a used
one, breaking the source code of those who use the generated classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from protopact.compat.difference import DifferenceType
from protopact.errors import ConfigError

if TYPE_CHECKING:
    from typing import Final


class Policy(IntEnum):
    """How strict a check is. Each policy refuses all that the ones before it refuse.

    CONFLUENT is Confluent's verdict. WIRE also refuses what makes readers of binary records misread or lose values,
    WIRE_JSON what breaks readers of Protobuf's JSON, SOURCE what breaks the code that uses generated classes.
    """

    CONFLUENT = 0
    WIRE = 1
    WIRE_JSON = 2
    SOURCE = 3

    @classmethod
    def parse(cls, text: str | Policy) -> Policy:
        """Give the policy of a name such as `wire_json`; ConfigError for any other."""
        if isinstance(text, Policy):
            return text
        try:
            return cls[text.upper()]
        except KeyError:
            raise ConfigError(
                f"{text!r} is no breaking policy",
                option="policy",
                hint=f"one of {', '.join(policy.text for policy in cls)}",
            ) from None

    @property
    def text(self) -> str:
        """The name as it is written in configurations."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """From which policy on a difference is refused: as harm to readers, and as a step; None is never."""

    reader: Policy | None
    step: Policy | None
    reason: str

    def refuses(self, policy: Policy) -> bool:
        """Tell whether readers are harmed, in the eyes of the policy."""
        return self.reader is not None and policy >= self.reader

    def refuses_step(self, policy: Policy) -> bool:
        """Tell whether the step is refused by the policy."""
        return self.step is not None and policy >= self.step


_T = DifferenceType
_CONFLUENT, _WIRE, _JSON, _SOURCE = Policy

RULES: Final[dict[DifferenceType, Rule]] = {
    # Confluent's
    _T.PACKAGE_CHANGED: Rule(_CONFLUENT, None, "full names change: Any, JSON and generated code find no such message"),
    _T.MESSAGE_ADDED: Rule(None, None, ""),
    _T.MESSAGE_REMOVED: Rule(_CONFLUENT, None, "records of this message can no longer be read"),
    _T.MESSAGE_MOVED: Rule(None, None, ""),
    _T.ENUM_ADDED: Rule(None, None, ""),
    _T.ENUM_REMOVED: Rule(None, _SOURCE, "code that names the enum no longer compiles"),
    _T.ENUM_CONST_ADDED: Rule(None, None, ""),
    _T.ENUM_CONST_CHANGED: Rule(_JSON, None, "JSON carries the name of an enum value, and the name has changed"),
    _T.ENUM_CONST_REMOVED: Rule(_JSON, _SOURCE, "JSON carries the name of an enum value, and readers do not know it"),
    _T.FIELD_ADDED: Rule(None, None, ""),
    _T.FIELD_REMOVED: Rule(None, _SOURCE, "code that names the field no longer compiles"),
    _T.FIELD_NAME_CHANGED: Rule(_JSON, None, "JSON carries the name of a field, and the name has changed"),
    _T.FIELD_KIND_CHANGED: Rule(_CONFLUENT, None, "scalars, messages and maps cannot be read as one another"),
    _T.FIELD_SCALAR_KIND_CHANGED: Rule(_CONFLUENT, None, "the types are encoded differently"),
    _T.FIELD_NAMED_TYPE_CHANGED: Rule(_CONFLUENT, None, "the field holds another message, or one that is incompatible"),
    _T.FIELD_NUMERIC_LABEL_CHANGED: Rule(_CONFLUENT, None, "the label of a number, which decides how it is encoded"),
    _T.FIELD_STRING_OR_BYTES_LABEL_CHANGED: Rule(None, None, ""),
    _T.REQUIRED_FIELD_ADDED: Rule(_CONFLUENT, None, "records without the field can no longer be read"),
    _T.REQUIRED_FIELD_REMOVED: Rule(_CONFLUENT, None, "readers that require the field refuse records without it"),
    _T.ONEOF_ADDED: Rule(None, None, ""),
    _T.ONEOF_REMOVED: Rule(None, _SOURCE, "code that asks which member of the oneof is set no longer compiles"),
    _T.ONEOF_FIELD_ADDED: Rule(None, None, ""),
    _T.ONEOF_FIELD_REMOVED: Rule(_CONFLUENT, None, "readers see a oneof of which nothing is set"),
    _T.ONEOF_FIELD_MOVED_TO_TOP_LEVEL: Rule(None, _SOURCE, "code that asks which member of the oneof is set breaks"),
    _T.MULTIPLE_FIELDS_MOVED_TO_ONEOF: Rule(_CONFLUENT, None, "records may hold several of them: only one is kept"),
    _T.FIELD_MOVED_TO_EXISTING_ONEOF: Rule(_CONFLUENT, None, "records may hold it beside another: only one is kept"),
    # Readers of binary records
    _T.FIELD_CARDINALITY_CHANGED: Rule(_WIRE, None, "one value and many are encoded or read differently"),
    _T.FIELD_REQUIRED_CHANGED: Rule(_WIRE, None, "readers that require the field refuse records without it"),
    _T.FIELD_RANGE_CHANGED: Rule(_WIRE, None, "some values read as other values"),
    _T.FIELD_BYTES_TO_STRING: Rule(_WIRE, None, "bytes that are not UTF-8 make the whole record unreadable"),
    _T.FIELD_ENCODING_CHANGED: Rule(_WIRE, None, "delimited and length-prefixed messages are encoded differently"),
    _T.FIELD_DEFAULT_CHANGED: Rule(_WIRE, None, "a field that is not set reads as another value"),
    _T.ONEOF_PARTED: Rule(_WIRE, None, "fields that excluded one another can be set together: older readers keep one"),
    _T.FIELD_NUMBER_FREED: Rule(None, _WIRE, "the number is free to be taken for something else: reserve it"),
    _T.FIELD_NUMBER_REUSED: Rule(None, _WIRE, "an earlier version used the number for something else"),
    _T.ENUM_NUMBER_FREED: Rule(None, _WIRE, "the number is free to be taken for something else: reserve it"),
    _T.ENUM_NUMBER_REUSED: Rule(None, _WIRE, "an earlier version used the number for something else"),
    _T.RESERVED_NUMBER_FREED: Rule(None, _WIRE, "a reserved number must stay reserved"),
    _T.RESERVED_NUMBER_USED: Rule(None, _WIRE, "an earlier version reserved the number"),
    # Readers of JSON
    _T.FIELD_JSON_NAME_CHANGED: Rule(_JSON, None, "JSON carries this name"),
    _T.FIELD_JSON_FORM_CHANGED: Rule(_JSON, None, "the types are written differently in JSON"),
    _T.FIELD_ENUM_CHANGED: Rule(_JSON, None, "JSON carries the names of enum values, and the other enum has others"),
    _T.FIELD_NAME_FREED: Rule(None, _JSON, "the name is free to be taken for something else: reserve it"),
    _T.ENUM_NAME_FREED: Rule(None, _JSON, "the name is free to be taken for something else: reserve it"),
    _T.RESERVED_NAME_FREED: Rule(None, _JSON, "a reserved name must stay reserved"),
    # Users of generated code
    _T.FIELD_TYPE_CHANGED: Rule(None, _SOURCE, "the type changes in generated code"),
    _T.FIELD_PRESENCE_CHANGED: Rule(None, _SOURCE, "generated code has another way to ask whether the field is set"),
    _T.FIELD_ONEOF_CHANGED: Rule(None, _SOURCE, "generated code reaches the field through another oneof"),
}
"""Every type of difference, with what refuses it."""

INCOMPATIBLE_FOR_CONFLUENT: Final = frozenset(type_ for type_, rule in RULES.items() if rule.refuses(_CONFLUENT))
"""What Confluent Schema Registry refuses."""
