"""What a command is asked: the call, with its path and query read by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from protopact.errors import RegistryError
from protopact.registry import DEFAULT_CONTEXT, SchemaRequest, Subject, parse_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from protopact.flow import Call

T = TypeVar("T")

_DIGITS_MAX = 10
_NUMBER_MAX = 2**31 - 1
EVERY_CONTEXT = ":*:"
"""The start of a subject prefix that means every context."""


@dataclass(frozen=True)
class Question:
    """A call and the named parts of its path, decoded; `context` is that of the prefix `/contexts/{context}`.

    `path` is the path's line in the table of routes, such as `/schemas/ids/{id}`.
    """

    call: Call
    parts: Mapping[str, str]
    context: str = DEFAULT_CONTEXT
    path: str = ""

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query's values by name; of a repeated name the first counts."""
        return dict(reversed(self.call.query))

    @cached_property
    def subject(self) -> Subject:
        """The path's subject; InvalidSubjectError (42208)."""
        return Subject.parse(self.parts["subject"], context=self.context)

    def version(self) -> int:
        """Read the path's version, LATEST for `latest`; InvalidVersionError (42202)."""
        return parse_version(self.parts["version"])

    def schema_id(self) -> int:
        """Read the path's id; RegistryError 404 for what is no number of 32 bits."""
        return _number(self.parts["id"])

    def request(self) -> SchemaRequest:
        """Read the body; RegistryError 400 or 422."""
        return SchemaRequest.from_json(self.call.body)

    def values(self, name: str) -> Sequence[str]:
        """Read all values of a name in the query."""
        return [value for its_name, value in self.call.query if its_name == name]

    def flag(self, name: str) -> bool:
        """Read a boolean of the query; false unless it says true."""
        return self.query.get(name, "").lower() == "true"

    def subject_in_query(self) -> Subject | None:
        """Read the query's subject, which may be a context alone; None where none is said."""
        text = self.query.get("subject", "")
        return Subject.parse(text, context=self.context) if text else None

    def subject_prefix(self, default: str = EVERY_CONTEXT) -> tuple[str | None, str]:
        """Read the query's subject prefix: the context, None for all, and the start of the name.

        Where none is said, it is the default, or behind a path's context that context; an empty one means that of the
        path alone.
        """
        everywhere = default if self.context == DEFAULT_CONTEXT else ""
        text = self.query.get("subjectPrefix", everywhere)
        if text.startswith(EVERY_CONTEXT):
            return None, text.removeprefix(EVERY_CONTEXT)
        subject = Subject.parse(text, context=self.context)
        return subject.context, subject.name

    def page(self, items: Sequence[T]) -> Sequence[T]:
        """Give the part of a list that `offset` and `limit` ask for; a limit of 0 or less asks for all."""
        start, end = self.window()
        return items[start:end]

    def window(self, items_max: int = _NUMBER_MAX) -> tuple[int, int]:
        """Read `offset` and `limit`: from which item to before which; a limit that is none or too large is the most."""
        offset = max(_number(self.query.get("offset", "0")), 0)
        limit = _number(self.query.get("limit", "-1"))
        return offset, offset + (limit if 0 < limit <= items_max else items_max)


def _number(text: str) -> int:
    """Read a number as the dialect does: what is none names nothing that exists."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS_MAX and int(digits) <= _NUMBER_MAX):
        raise RegistryError("HTTP 404 Not Found", error_code=404)
    return int(text)
