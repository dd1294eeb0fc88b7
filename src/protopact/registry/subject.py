"""Subjects: names under which versions of a schema are kept, each in a registry context."""

from __future__ import annotations

import re
from dataclasses import dataclass

from protopact.errors import InvalidSubjectError

DEFAULT_CONTEXT = "."
"""The context of an unqualified name."""

NAME_BYTES_MAX = 1024
"""How long the name of a subject, or of a context, may be, in bytes of UTF-8: what every store's index has room for."""

_RESERVED = frozenset({"__GLOBAL", "__EMPTY"})
_SHOWN_MAX = 200
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # Unicode's categories Cc and Cs


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject's name and its context, `.` where none is said.

    Written `:.ctx:name`, and plainly `name` in the default context. An empty name stands for the context itself.
    """

    name: str
    context: str = DEFAULT_CONTEXT

    @classmethod
    def parse(cls, text: str, *, context: str = DEFAULT_CONTEXT) -> Subject:
        """Read a name that may be qualified; an unqualified one belongs to `context`.

        InvalidSubjectError (42208) for control characters, lone surrogates, reserved names, bad contexts, and names of
        more than 1,024 bytes.
        """
        if text.startswith(":."):
            own_context, _, name = text[1:].partition(":")
            return cls(_checked(name, text), context_name(own_context))
        return cls(_checked(text, text), context_name(context))

    @property
    def qualified(self) -> str:
        """The name as it is written: `:.ctx:name`, or `name` in the default context."""
        return self.name if self.context == DEFAULT_CONTEXT else f":{self.context}:{self.name}"

    def __str__(self) -> str:
        """Give the qualified name."""
        return self.qualified


def context_name(text: str) -> str:
    """Give a context's name with its leading full stop; InvalidSubjectError (42208) for one that cannot be."""
    name = text if text.startswith(".") else f".{text}"
    if ":" in text or not _is_printable(text) or is_too_long(name):
        raise _invalid(text)
    return name


def is_too_long(name: str) -> bool:
    """Whether no store keeps a name, for its length."""
    # A character is at most four bytes: most names need not be encoded to know.
    return len(name) * 4 > NAME_BYTES_MAX and len(name.encode()) > NAME_BYTES_MAX


def _checked(name: str, text: str) -> str:
    if name in _RESERVED or not _is_printable(name) or is_too_long(name):
        raise _invalid(text)
    return name


def _is_printable(text: str) -> bool:
    return _UNPRINTABLE.search(text) is None


def _invalid(text: str) -> InvalidSubjectError:
    text = text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
    return InvalidSubjectError(f"The specified subject '{_UNPRINTABLE.sub('?', text)}' is not a valid.")
