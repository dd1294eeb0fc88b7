"""Every exception of protopact, with the tree on top.

ProtopactError
├── ConfigError                     an option that is unknown, missing or out of range
│   └── MissingExtraError           a part whose packages are not installed
├── SchemaError
│   ├── SchemaSyntaxError           `.proto` text that the compiler refuses (.diagnostics)
│   ├── SchemaLinkError             an import that is missing or circular (.diagnostics)
│   ├── SchemaModelError            a schema built in Python that makes no sense (.path)
│   └── MessageNotFoundError        a message that the schema does not define
├── ConversionError                 values that do not fit a message (.issues, each with a path)
├── SerdeError
│   ├── FramingError                bytes that carry no valid prefix (.offset)
│   ├── EncodeError                 a message that cannot be written
│   ├── DecodeError                 payload bytes that are not the message
│   ├── SubjectNameError            no subject can be named for this record
│   ├── WrongTypeError              a message of another type than the schema's or the wanted one
│   └── RecordsError                some of many records cannot be read (.failures, each with its index)
├── RuleError                       rules of a schema that cannot be compiled, or are not run here
│   ├── RuleEvaluationError         a rule that failed while a message was checked
│   └── RuleViolationError          a message that breaks rules of its schema (.violations, each with a path)
├── TransportError                  no answer from an address (.url, .attempts)
├── RegistryError                   an answer that is an error (.status, .error_code, .message)
│   ├── SubjectNotFoundError … and the rest of the table behind `registry_error`
│   └── IncompatibleSchemaError
├── StoreError                      the registry's or a repository's storage failed
│   └── StoreUnavailableError       a storage that does not answer now, and may later
└── BrokerError                     the broker refused or did not confirm (.topic)
    ├── DeliveryError               some of many records were not confirmed (.failures, .confirmed)
    └── RefusedRequestError         the embedded broker's refusal of a request or a part of it (.error_code)

A message says what, which and why on one line; the remedy stands in `.hint`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHOWN_MAX = 5


class ProtopactError(Exception):
    """The base of everything that protopact raises.

    `code` is a stable text for programs; `hint` says what to do about it, or is empty.
    """

    code: ClassVar[str] = "protopact"

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep the one-line message and the remedy."""
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        """Give the message alone: the hint is shown by whoever talks to a person."""
        return str(self.args[0])

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes whole: required keywords would stop Python's own way."""
        return _revived, (type(self), self.args, self.__dict__)


def _revived(cls: type[ProtopactError], args: tuple[object, ...], state: dict[str, object]) -> ProtopactError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


class ConfigError(ProtopactError):
    """An option is unknown, missing or out of range; `option` is its name."""

    code: ClassVar[str] = "config"

    def __init__(self, message: str, *, option: str, hint: str = "") -> None:
        """Keep the option's name."""
        super().__init__(message, hint=hint)
        self.option = option


class MissingExtraError(ConfigError):
    """A part was used whose packages are not installed; the hint names the extra to install."""

    code: ClassVar[str] = "config.missing_extra"


# ── schemas ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding of the compiler: file, line and column (from 1; 0 where unknown), and the text."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        """Give `file:line:column: message`, leaving out what is unknown."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{place}: {self.message}" if place else self.message


class SchemaError(ProtopactError):
    """A schema cannot be used."""

    code: ClassVar[str] = "schema"


class _DiagnosedSchemaError(SchemaError):
    """A schema error that points at places in the source."""

    def __init__(self, message: str, *, diagnostics: Iterable[Diagnostic] = (), hint: str = "") -> None:
        """Keep the diagnostics, in the compiler's order."""
        super().__init__(message, hint=hint)
        self.diagnostics = tuple(diagnostics)


class SchemaSyntaxError(_DiagnosedSchemaError):
    """The compiler refuses the text; `diagnostics` says where and why."""

    code: ClassVar[str] = "schema.syntax"


class SchemaLinkError(_DiagnosedSchemaError):
    """An import is missing, circular or impossible, or a file is given twice."""

    code: ClassVar[str] = "schema.link"


@dataclass(frozen=True, slots=True)
class SchemaIssue:
    """One part of a model or schema that does not fit: its path (`Order.items`), the reason, and the remedy."""

    path: str
    reason: str
    hint: str = ""

    def __str__(self) -> str:
        """Give `path: reason`."""
        return f"{self.path}: {self.reason}"


class SchemaModelError(SchemaError):
    """A schema built in Python is inconsistent; `path` names the part, such as `Order.items`.

    `issues` holds every mistake that was found, each with its own path and remedy; `path` is the first one's.
    """

    code: ClassVar[str] = "schema.model"

    def __init__(self, message: str, *, path: str, hint: str = "", issues: Sequence[SchemaIssue] = ()) -> None:
        """Keep the path of the part."""
        super().__init__(message, hint=hint)
        self.path = path
        self.issues = tuple(issues) or (SchemaIssue(path, message.removeprefix(f"{path}: "), hint),)

    @classmethod
    def of(cls, issues: Sequence[SchemaIssue]) -> SchemaModelError:
        """Word all issues on one line, each remedy once."""
        hints = dict.fromkeys(issue.hint for issue in issues if issue.hint)
        message = "; ".join(str(issue) for issue in issues)
        return cls(message, path=issues[0].path, hint="; ".join(hints), issues=issues)


class MessageNotFoundError(SchemaError):
    """The schema defines no such message."""

    code: ClassVar[str] = "schema.message_not_found"


# ── values ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ConversionIssue:
    """One value that does not fit: its path (`$.items[3].sku`) and the reason."""

    path: str
    reason: str

    def __str__(self) -> str:
        """Give `path: reason`."""
        return f"{self.path}: {self.reason}"


class ConversionError(ProtopactError):
    """Values do not fit a message; `issues` lists every one of them, not the first alone."""

    code: ClassVar[str] = "conversion"

    def __init__(self, message_name: str, issues: Sequence[ConversionIssue], *, hint: str = "") -> None:
        """Word all issues on one line, the first few in full."""
        super().__init__(f"value does not fit {message_name}: {_first_few(issues)}", hint=hint)
        self.message_name = message_name
        self.issues = tuple(issues)


# ── serializers ──────────────────────────────────────────────────────────────────────────────────


class SerdeError(ProtopactError):
    """A record cannot be written or read."""

    code: ClassVar[str] = "serde"


class FramingError(SerdeError):
    """The bytes carry no valid prefix; `offset` is the index of the first byte that is wrong."""

    code: ClassVar[str] = "serde.framing"

    def __init__(self, message: str, *, offset: int, hint: str = "") -> None:
        """Keep the offset."""
        super().__init__(message, hint=hint)
        self.offset = offset


class EncodeError(SerdeError):
    """A message cannot be written."""

    code: ClassVar[str] = "serde.encode"


class DecodeError(SerdeError):
    """The payload is not a message of the writer's type."""

    code: ClassVar[str] = "serde.decode"


class SubjectNameError(SerdeError):
    """No subject can be named for this record."""

    code: ClassVar[str] = "serde.subject_name"


class WrongTypeError(SerdeError):
    """A value's or a record's message type is not the one that was asked for."""

    code: ClassVar[str] = "serde.wrong_type"


@dataclass(frozen=True, slots=True)
class RecordFailure:
    """One record of many that cannot be read: its place in what was given, from 0, and why."""

    index: int
    error: SerdeError | RuleError

    def __str__(self) -> str:
        """Give `record 3: reason`."""
        return f"record {self.index}: {self.error}"


class RecordsError(SerdeError):
    """Some of many records cannot be read; `failures` lists every one of them."""

    code: ClassVar[str] = "serde.records"

    def __init__(self, failures: Sequence[RecordFailure], *, hint: str = "") -> None:
        """Word the first failures in full, on one line."""
        shown = "; ".join(str(failure) for failure in failures[:3])
        more = len(failures[3:])
        rest = f"; and {more} more" if more else ""
        super().__init__(f"{len(failures)} records cannot be read: {shown}{rest}", hint=hint)
        self.failures = tuple(failures)


# ── rules ────────────────────────────────────────────────────────────────────────────────────────


class RuleError(ProtopactError):
    """The rules of a schema cannot be compiled, or want something done that is not done here."""

    code: ClassVar[str] = "rule"


class RuleEvaluationError(RuleError):
    """A rule failed while a message was checked, as by a division by zero: it is neither kept nor broken."""

    code: ClassVar[str] = "rule.evaluation"


@dataclass(frozen=True, slots=True)
class RuleViolation:
    """One rule that a message breaks: the path of the value (`$.items[3].sku`), the rule's id, and its words."""

    path: str
    rule_id: str
    reason: str

    def __str__(self) -> str:
        """Give `path: reason (rule id)`."""
        return f"{self.path}: {self.reason or 'breaks the rule'} ({self.rule_id})"


class RuleViolationError(RuleError):
    """A message breaks rules of its schema; `violations` lists every one of them, not the first alone."""

    code: ClassVar[str] = "rule.violation"

    def __init__(
        self, message_name: str, violations: Sequence[RuleViolation], *, where: str = "", hint: str = ""
    ) -> None:
        """Word all violations on one line, the first few in full; `where` names the record."""
        place = f"{where}: " if where else ""
        super().__init__(f"{place}the {message_name} breaks rules of its schema: {_first_few(violations)}", hint=hint)
        self.message_name = message_name
        self.violations = tuple(violations)


# ── registry ─────────────────────────────────────────────────────────────────────────────────────


class TransportError(ProtopactError):
    """No usable answer came from `url` after `attempts` tries; the cause is chained."""

    code: ClassVar[str] = "transport"

    def __init__(self, message: str, *, url: str, attempts: int, hint: str = "") -> None:
        """Keep the address, without user name or password, and the number of tries."""
        super().__init__(message, hint=hint)
        self.url = url
        self.attempts = attempts


class RegistryError(ProtopactError):
    """A registry answered with an error: HTTP `status`, body's `error_code` and `message`.

    The server raises and the client raises the same class for a code: `registry_error` picks it.
    """

    code: ClassVar[str] = "registry"
    error_code_default: ClassVar[int] = 50001

    def __init__(
        self, message: str, *, error_code: int | None = None, status: int | None = None, hint: str = ""
    ) -> None:
        """Take the class's own code unless one is given; the status is the code's first three digits."""
        super().__init__(message, hint=hint)
        self.message = message
        self.error_code = self.error_code_default if error_code is None else error_code
        self.status = int(str(self.error_code)[:3]) if status is None else status


class SubjectNotFoundError(RegistryError):
    """40401: the subject is unknown."""

    code: ClassVar[str] = "registry.subject_not_found"
    error_code_default: ClassVar[int] = 40401


class VersionNotFoundError(RegistryError):
    """40402: the subject has no such version."""

    code: ClassVar[str] = "registry.version_not_found"
    error_code_default: ClassVar[int] = 40402


class SchemaNotFoundError(RegistryError):
    """40403: no schema has this id, or this subject does not hold this schema."""

    code: ClassVar[str] = "registry.schema_not_found"
    error_code_default: ClassVar[int] = 40403


class IncompatibleSchemaError(RegistryError):
    """409 or 40901: the schema is incompatible with an earlier version."""

    code: ClassVar[str] = "registry.incompatible"
    error_code_default: ClassVar[int] = 409


class InvalidSchemaError(RegistryError):
    """42201: the schema or its type is not valid."""

    code: ClassVar[str] = "registry.invalid_schema"
    error_code_default: ClassVar[int] = 42201


class InvalidVersionError(RegistryError):
    """42202: the version is no number from 1 to 2^31-1 and not `latest`."""

    code: ClassVar[str] = "registry.invalid_version"
    error_code_default: ClassVar[int] = 42202


class OperationNotPermittedError(RegistryError):
    """42205: the mode forbids it, or an id would be overwritten."""

    code: ClassVar[str] = "registry.not_permitted"
    error_code_default: ClassVar[int] = 42205


class InvalidSubjectError(RegistryError):
    """42208: the subject's name is not valid."""

    code: ClassVar[str] = "registry.invalid_subject"
    error_code_default: ClassVar[int] = 42208


_REGISTRY_ERRORS: tuple[type[RegistryError], ...] = (
    SubjectNotFoundError,
    VersionNotFoundError,
    SchemaNotFoundError,
    IncompatibleSchemaError,
    InvalidSchemaError,
    InvalidVersionError,
    OperationNotPermittedError,
    InvalidSubjectError,
)
_INCOMPATIBLE_SINCE_8_1_2 = 40901
_BY_CODE = {cls.error_code_default: cls for cls in _REGISTRY_ERRORS} | {
    _INCOMPATIBLE_SINCE_8_1_2: IncompatibleSchemaError
}


def registry_error(error_code: int, message: str, *, status: int | None = None) -> RegistryError:
    """Give the exception of the class that stands for a registry's code; unknown codes give the base class."""
    return _BY_CODE.get(error_code, RegistryError)(message, error_code=error_code, status=status)


class StoreError(ProtopactError):
    """A storage failed, is full, or is of a version that this program cannot read."""

    code: ClassVar[str] = "store"


class StoreUnavailableError(StoreError):
    """A storage does not answer now; the same question may be answered later."""

    code: ClassVar[str] = "store.unavailable"


class BrokerError(ProtopactError):
    """The broker refused a request or did not confirm it; `topic` is empty where none is meant."""

    code: ClassVar[str] = "broker"

    def __init__(self, message: str, *, topic: str = "", hint: str = "") -> None:
        """Keep the topic."""
        super().__init__(message, hint=hint)
        self.topic = topic


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """One record that was not confirmed: its place in what was sent, from 0, and the broker's reason."""

    index: int
    reason: str

    def __str__(self) -> str:
        """Give `record 3: reason`."""
        return f"record {self.index}: {self.reason}"


class DeliveryError(BrokerError):
    """Of many records some were not confirmed; `failures` lists every one, `confirmed` counts the others."""

    code: ClassVar[str] = "broker.delivery"

    def __init__(self, topic: str, failures: Sequence[DeliveryFailure], *, confirmed: int, hint: str = "") -> None:
        """Word the first failures in full, on one line."""
        shown = "; ".join(str(failure) for failure in failures[:3])
        more = len(failures[3:])
        rest = f"; and {more} more" if more else ""
        super().__init__(
            f"{len(failures)} records to the topic {topic!r} were not delivered, {confirmed} were: {shown}{rest}",
            topic=topic,
            hint=hint,
        )
        self.failures = tuple(failures)
        self.confirmed = confirmed


def _first_few(parts: Sequence[object]) -> str:
    """Word the first few of many on one line, and how many more there are."""
    shown = "; ".join(str(part) for part in parts[:_SHOWN_MAX])
    return shown if len(parts) <= _SHOWN_MAX else f"{shown}; and {len(parts) - _SHOWN_MAX} more"


class RefusedRequestError(BrokerError):
    """The embedded broker refuses a request or a part of it; `error_code` is the number in Kafka's protocol.

    A client sees the number and, where the reply has room for it, the message.
    Source of the numbers: https://kafka.apache.org/protocol.html#protocol_error_codes
    """

    code: ClassVar[str] = "broker.refused"

    def __init__(self, message: str, *, error_code: int, topic: str = "", hint: str = "") -> None:
        """Keep the code."""
        super().__init__(message, topic=topic, hint=hint)
        self.error_code = error_code
