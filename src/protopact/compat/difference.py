"""What differs between two schemas: one object a difference, worded as registries word it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class DifferenceType(StrEnum):
    """The kinds of difference. A value is what stands in reports and on the wire.

    The first group is Confluent's, and `compare` finds exactly these. The others are ours: they are
    found when a stricter policy asks for them.
    """

    PACKAGE_CHANGED = "PACKAGE_CHANGED"
    MESSAGE_ADDED = "MESSAGE_ADDED"
    MESSAGE_REMOVED = "MESSAGE_REMOVED"
    MESSAGE_MOVED = "MESSAGE_MOVED"
    ENUM_ADDED = "ENUM_ADDED"
    ENUM_REMOVED = "ENUM_REMOVED"
    ENUM_CONST_ADDED = "ENUM_CONST_ADDED"
    ENUM_CONST_CHANGED = "ENUM_CONST_CHANGED"
    ENUM_CONST_REMOVED = "ENUM_CONST_REMOVED"
    FIELD_ADDED = "FIELD_ADDED"
    FIELD_REMOVED = "FIELD_REMOVED"
    FIELD_NAME_CHANGED = "FIELD_NAME_CHANGED"
    FIELD_KIND_CHANGED = "FIELD_KIND_CHANGED"
    FIELD_SCALAR_KIND_CHANGED = "FIELD_SCALAR_KIND_CHANGED"
    FIELD_NAMED_TYPE_CHANGED = "FIELD_NAMED_TYPE_CHANGED"
    FIELD_NUMERIC_LABEL_CHANGED = "FIELD_NUMERIC_LABEL_CHANGED"
    FIELD_STRING_OR_BYTES_LABEL_CHANGED = "FIELD_STRING_OR_BYTES_LABEL_CHANGED"
    REQUIRED_FIELD_ADDED = "REQUIRED_FIELD_ADDED"
    REQUIRED_FIELD_REMOVED = "REQUIRED_FIELD_REMOVED"
    ONEOF_ADDED = "ONEOF_ADDED"
    ONEOF_REMOVED = "ONEOF_REMOVED"
    ONEOF_FIELD_ADDED = "ONEOF_FIELD_ADDED"
    ONEOF_FIELD_REMOVED = "ONEOF_FIELD_REMOVED"
    ONEOF_FIELD_MOVED_TO_TOP_LEVEL = "ONEOF_FIELD_MOVED_TO_TOP_LEVEL"
    MULTIPLE_FIELDS_MOVED_TO_ONEOF = "MULTIPLE_FIELDS_MOVED_TO_ONEOF"
    FIELD_MOVED_TO_EXISTING_ONEOF = "FIELD_MOVED_TO_EXISTING_ONEOF"

    FIELD_CARDINALITY_CHANGED = "FIELD_CARDINALITY_CHANGED"
    FIELD_REQUIRED_CHANGED = "FIELD_REQUIRED_CHANGED"
    FIELD_RANGE_CHANGED = "FIELD_RANGE_CHANGED"
    FIELD_BYTES_TO_STRING = "FIELD_BYTES_TO_STRING"
    FIELD_ENCODING_CHANGED = "FIELD_ENCODING_CHANGED"
    FIELD_DEFAULT_CHANGED = "FIELD_DEFAULT_CHANGED"
    ONEOF_PARTED = "ONEOF_PARTED"
    FIELD_NUMBER_FREED = "FIELD_NUMBER_FREED"
    FIELD_NUMBER_REUSED = "FIELD_NUMBER_REUSED"
    ENUM_NUMBER_FREED = "ENUM_NUMBER_FREED"
    ENUM_NUMBER_REUSED = "ENUM_NUMBER_REUSED"
    RESERVED_NUMBER_FREED = "RESERVED_NUMBER_FREED"
    RESERVED_NUMBER_USED = "RESERVED_NUMBER_USED"

    FIELD_JSON_NAME_CHANGED = "FIELD_JSON_NAME_CHANGED"
    FIELD_JSON_FORM_CHANGED = "FIELD_JSON_FORM_CHANGED"
    FIELD_ENUM_CHANGED = "FIELD_ENUM_CHANGED"
    FIELD_NAME_FREED = "FIELD_NAME_FREED"
    ENUM_NAME_FREED = "ENUM_NAME_FREED"
    RESERVED_NAME_FREED = "RESERVED_NAME_FREED"

    FIELD_TYPE_CHANGED = "FIELD_TYPE_CHANGED"
    FIELD_PRESENCE_CHANGED = "FIELD_PRESENCE_CHANGED"
    FIELD_ONEOF_CHANGED = "FIELD_ONEOF_CHANGED"


@dataclass(frozen=True, slots=True)
class Example:
    """A payload that shows the harm: `payload` was written for `written_as` and is read by who expects `read_as`.

    `means` is the value that was written, `reads` what the reader gets.
    """

    payload: bytes
    written_as: str
    read_as: str
    means: str
    reads: str

    def __str__(self) -> str:
        """Give one sentence, with the payload in hex."""
        return (
            f"{self.payload.hex(' ')} was written as `{self.written_as}` and means {self.means}; "
            f"read as `{self.read_as}` it is {self.reads}"
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between a schema and its update.

    `path` is written as Confluent writes it: `#/`, then the names of messages and a oneof, then the number of a field
    or an enum value. `original` and `update` are the words of both sides, empty where a side has none. `incompatible`
    says whether the policy that was asked for refuses it, `reason` why; `example` shows it on the wire.
    """

    type: DifferenceType
    path: str
    original: str = ""
    update: str = ""
    incompatible: bool = False
    reason: str = ""
    example: Example | None = field(default=None, compare=False)

    def description(self, *, reader: str = "new", writer: str = "old") -> str:
        """Give the sentence for people.

        For Confluent's incompatible differences it is worded as Confluent words it, since clients compare these texts;
        `reader` and `writer` are the words for the update and the original: swapped when the level is FORWARD.
        """
        wording = _WORDINGS.get(self.type)
        if wording is not None:
            return wording.format(path=self.path, reader=reader, writer=writer)
        parts = [f"At path '{self.path}': {self.reason or self.type.lower().replace('_', ' ')}"]
        if self.original or self.update:
            parts.append(f"{writer} schema: {self.original or 'nothing'}; {reader} schema: {self.update or 'nothing'}")
        return "; ".join(parts)

    def message(self, *, reader: str = "new", writer: str = "old") -> str:
        """Give the entry of a registry's verbose answer: `{errorType:"…", description:"…"}`."""
        return f'{{errorType:"{self.type}", description:"{self.description(reader=reader, writer=writer)}"}}'

    def __str__(self) -> str:
        """Give type and path, with the words of both sides."""
        words = f" ({self.original or '-'} → {self.update or '-'})" if self.original or self.update else ""
        return f"{self.type} {self.path}{words}"


# Texts of Confluent Schema Registry 7.6 to 8.x, oddities included: clients show and compare them.
_WORDINGS = {
    DifferenceType.PACKAGE_CHANGED: (
        "The package at '{path}' in the {reader} schema does not match the package in the {writer} schema"
    ),
    DifferenceType.MESSAGE_REMOVED: (
        "The {reader} schema is missing a MESSAGE type at path '{path}' in the {writer} schema"
    ),
    DifferenceType.FIELD_KIND_CHANGED: (
        "The type of a field at path '{path}' in the {reader} schema does not match the {writer} schema"
    ),
    DifferenceType.FIELD_SCALAR_KIND_CHANGED: (
        "The kind of a SCALAR field at path '{path}' in the {reader} schema "
        "does not match its kind in the {writer} schema"
    ),
    DifferenceType.FIELD_NAMED_TYPE_CHANGED: (
        "The type of a MESSAGE field at path '{path}' in the {reader} schema "
        "does not match its type in the {writer} schema"
    ),
    DifferenceType.FIELD_NUMERIC_LABEL_CHANGED: (
        "The label for a NUMERIC field at path '{path}' in the {reader} schema "
        "does not match its label in the {writer} schema"
    ),
    DifferenceType.REQUIRED_FIELD_ADDED: (
        "A required field  at path '{path}' in the {reader} schema is missing in the {writer} schema"
    ),
    DifferenceType.REQUIRED_FIELD_REMOVED: (
        "The {reader} schema is missing a required field at path: '{path}' in the {writer} schema"
    ),
    DifferenceType.ONEOF_FIELD_REMOVED: (
        "The {reader} schema is missing a oneof field at path '{path}' in the {writer} schema"
    ),
    DifferenceType.MULTIPLE_FIELDS_MOVED_TO_ONEOF: (
        "Multiple fields in the oneof at path '{path}' in the {reader} schema "
        "are outside a oneof in the {writer} schema"
    ),
    DifferenceType.FIELD_MOVED_TO_EXISTING_ONEOF: (
        "A field in the oneof at path '{path}' in the {reader} schema "
        "is outside an existing oneof in the {writer} schema"
    ),
}
