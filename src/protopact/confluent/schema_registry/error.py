"""The registry's errors under confluent_kafka's names, and the way from ours to these."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from protopact.confluent.serialization import ConfigurationError, SerializationError, WrongMessageError
from protopact.errors import (
    ConfigError,
    ConversionError,
    RegistryError,
    RuleError,
    SchemaError,
    SerdeError,
    WrongTypeError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class SchemaRegistryError(RegistryError):
    """An answer that is an error: `http_status_code`, the registry's `error_code` and `error_message`."""

    UNKNOWN = -1

    def __init__(self, http_status_code: int, error_code: int, error_message: str) -> None:
        super().__init__(error_message, error_code=error_code, status=http_status_code)
        self.http_status_code, self.error_message = http_status_code, error_message

    def __str__(self) -> str:
        """Give the message with both codes."""
        return f"{self.error_message} (HTTP status code {self.http_status_code}, SR code {self.error_code})"


def translated(error: Exception) -> Exception:
    """Give the exception that confluent_kafka's users expect in place of one of ours."""
    if isinstance(error, SchemaRegistryError | SerializationError | ConfigurationError):
        return error
    if isinstance(error, RegistryError):
        return SchemaRegistryError(error.status, error.error_code, error.message)
    if isinstance(error, WrongTypeError):
        return WrongMessageError(str(error), hint=error.hint)
    if isinstance(error, ConfigError):
        return ConfigurationError(str(error), option=error.option, hint=error.hint)
    if isinstance(error, SerdeError | ConversionError | SchemaError | RuleError):
        return SerializationError(str(error), hint=error.hint)
    return error


@contextmanager
def translating() -> Iterator[None]:
    """Raise what confluent_kafka's users expect in place of our errors."""
    try:
        yield
    except (RegistryError, SerdeError, ConfigError, ConversionError, SchemaError, RuleError) as error:
        other = translated(error)
        if other is error:
            raise
        raise other from error
