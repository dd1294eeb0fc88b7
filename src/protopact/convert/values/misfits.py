"""How a value that does not fit finds its way out: the reason rises, and each level puts its step before the path."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from protopact.errors import ConversionError, ConversionIssue

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class Misfit(NamedTuple):
    """One value that does not fit: the path below the level that holds it, the reason, and the remedy if any."""

    path: str
    reason: str
    hint: str = ""


class MisfitError(Exception):
    """Raised inside the converter only; becomes a ConversionError at its door.

    Reasons never quote a value: values may be personal data, and errors end in logs.
    """

    def __init__(self, *misfits: Misfit) -> None:
        """Keep the misfits."""
        super().__init__(*misfits)
        self.misfits = misfits

    def below(self, step: str) -> Iterator[Misfit]:
        """Give the misfits with a step (`.sku`, `[3]`) before their paths."""
        return (misfit._replace(path=step + misfit.path) for misfit in self.misfits)

    def outward(self, message_name: str) -> ConversionError:
        """Give the error that the caller of the converter sees."""
        issues = [ConversionIssue(f"${misfit.path}", misfit.reason) for misfit in self.misfits]
        hint = next((misfit.hint for misfit in self.misfits if misfit.hint), "")
        return ConversionError(message_name, issues, hint=hint)


def misfit(reason: str, *, hint: str = "") -> MisfitError:
    """Give the error for the value at hand."""
    return MisfitError(Misfit("", reason, hint))


def field_step(name: object) -> str:
    """Give the step to a field: `.sku`, or `["odd name"]`."""
    return f".{name}" if isinstance(name, str) and _NAME.match(name) else key_step(name)


def key_step(key: object) -> str:
    """Give the step to a map's entry: `["k"]`, `[3]`, `[true]`; a key that is no map key shows its type."""
    return f"[{json.dumps(key)}]" if isinstance(key, str | int) else f"[{type(key).__name__}]"


def too_deep() -> MisfitError:
    """Give the error for messages nested deeper than any Protobuf reader accepts."""
    return misfit("messages are nested more than 100 deep, which no reader accepts")


def type_words(value: object) -> str:
    """Give `a str`, `an int`, `None`: what a value is, without the value."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
