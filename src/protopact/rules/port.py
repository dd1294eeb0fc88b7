"""What serializers and deserializers ask of whoever validates messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

Check: TypeAlias = "Callable[[Message], None]"
"""Takes a message that keeps the rules; else RuleViolationError with all that it breaks, or RuleEvaluationError."""


@runtime_checkable
class Validation(Protocol):
    """Gives the check of a message class; a serializer or deserializer asks once for each class that it meets."""

    def check_of(self, message_class: type[Message]) -> Check | None:
        """Give the check, or None where the class has no rules; RuleError for rules that cannot be compiled."""
