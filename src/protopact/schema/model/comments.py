"""What models say about themselves, as comments in the text of their schema, for people.

The canonical text has none: it is what a registry keeps and what schemas are compared by, and a word of explanation
must not make another schema of them. Compilers read over comments, so both texts say the same.
"""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import TYPE_CHECKING, Final

from protopact.schema.model.reading import message_name

if TYPE_CHECKING:
    from protopact.schema.model.planning import FilePlan

_TYPE: Final = re.compile(r"(?:message|enum) (\w+) \{")
_FIELD: Final = re.compile(r"\s+(?:oneof (\w+) \{|[\w.<>, ]+ (\w+) = \d+(?: \[|;))")

Comments = dict[str, dict[str, str]]


def commented(text: str, plan: FilePlan) -> str:
    """Give the text of a model's file with docstrings before types, and descriptions before fields."""
    comments = _comments(plan)
    fields: dict[str, str] = {}
    lines: list[str] = []
    for line in text.splitlines():
        comment = ""
        if begins := _TYPE.match(line):
            fields = comments.get(begins[1], {})
            comment = fields.get("", "")
        elif declares := _FIELD.match(line):
            comment = fields.get(declares[1] or declares[2], "")
        indent = line[: len(line) - len(line.lstrip())]
        lines += [f"{indent}// {said}".rstrip() for said in _printable(comment)]
        lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def _comments(plan: FilePlan) -> Comments:
    """Give what is said of each type under the empty name, and of its fields under theirs."""
    comments: Comments = {message_name(enum): {"": _docstring(enum)} for enum in plan.enums}
    for shape in plan.shapes.values():
        described = {field.proto_name: field.description for field in shape.fields}
        comments[shape.name] = {"": _docstring(shape.model), **described}
    return comments


def _docstring(kind: type) -> str:
    """Give a class's own docstring; a dataclass without one has its signature there."""
    text = vars(kind).get("__doc__") or ""
    return "" if text.startswith(f"{kind.__name__}(") else cleandoc(text)


def _printable(comment: str) -> list[str]:
    return ["".join(sign if sign.isprintable() else " " for sign in line) for line in comment.splitlines()]
