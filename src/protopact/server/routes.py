"""The registry's paths: one table, and how a call finds its line in it, in time linear in the path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from protopact.errors import RegistryError
from protopact.registry import DEFAULT_CONTEXT, context_name
from protopact.server import commands
from protopact.server.questions import Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from protopact.flow import Call
    from protopact.server.commands import Command

ROUTES: tuple[tuple[str, str, Command], ...] = (
    ("GET", "/", commands.say_hello),
    ("POST", "/", commands.say_hello),
    ("GET", "/contexts", commands.list_contexts),
    ("GET", "/schemas/types", commands.list_types),
    ("GET", "/schemas/ids/{id}", commands.get_schema),
    ("GET", "/schemas/ids/{id}/schema", commands.get_schema_text),
    ("GET", "/schemas/ids/{id}/subjects", commands.list_schema_subjects),
    ("GET", "/schemas/ids/{id}/versions", commands.list_schema_versions),
    ("GET", "/schemas/guids/{guid}", commands.get_schema_by_guid),
    ("GET", "/subjects", commands.list_subjects),
    ("POST", "/subjects/{subject}", commands.look_up),
    ("GET", "/subjects/{subject}/versions", commands.list_versions),
    ("POST", "/subjects/{subject}/versions", commands.register),
    ("GET", "/subjects/{subject}/versions/{version}", commands.get_version),
    ("GET", "/subjects/{subject}/versions/{version}/schema", commands.get_version_text),
    ("GET", "/subjects/{subject}/versions/{version}/referencedby", commands.list_referrers),
)
"""Method, path and command. Any path may stand behind `/contexts/{context}`."""


@dataclass(slots=True)
class _Place:
    """What may follow in a path: a literal segment, or one that has a name; and the commands that end here."""

    literal: dict[str, _Place] = field(default_factory=dict)
    named: tuple[str, _Place] | None = None
    commands: dict[str, Command] = field(default_factory=dict)


def find_command(call: Call) -> tuple[Command, Question]:
    """Find the command that serves a call, and what it is asked.

    RegistryError 404 for an unknown path, 405 for a known one that has no such method, 400 for a path that is not
    UTF-8.
    """
    segments = _segments(call.path)
    context = DEFAULT_CONTEXT
    if segments[:1] == ["contexts"] and segments[2:]:
        context, segments = context_name(segments[1]), segments[2:]
    place, parts = _walk(segments)
    command = place.commands.get(call.method)
    if command is None:
        raise RegistryError("HTTP 405 Method Not Allowed", error_code=405)
    return command, Question(call, parts, context)


def allowed_methods(path: str) -> tuple[str, ...]:
    """Give the methods that a known path serves."""
    place, _ = _walk(_segments(path)[2 if path.startswith("/contexts/") else 0 :])
    return tuple(sorted(place.commands))


def _segments(path: str) -> list[str]:
    """Split a path, then decode its segments, so that an encoded slash stays inside its name."""
    segments = path.split("/")[1:]
    if segments and not segments[-1]:
        segments.pop()
    try:
        return [unquote(segment, errors="strict") if "%" in segment else segment for segment in segments]
    except UnicodeDecodeError as error:
        raise RegistryError("the path is not UTF-8", error_code=400) from error


def _walk(segments: Iterable[str]) -> tuple[_Place, Mapping[str, str]]:
    place, parts = _ROOT, {}
    for segment in segments:
        following = place.literal.get(segment)
        if following is None and place.named is not None:
            name, following = place.named
            parts[name] = segment
        if following is None:
            raise RegistryError("HTTP 404 Not Found", error_code=404)
        place = following
    if not place.commands:
        raise RegistryError("HTTP 404 Not Found", error_code=404)
    return place, parts


def _grown() -> _Place:
    """Build the tree of places from the table."""
    root = _Place()
    for method, path, command in ROUTES:
        place = root
        for segment in _segments(path):
            place = _branch(place, segment)
        place.commands[method] = command
    return root


def _branch(place: _Place, segment: str) -> _Place:
    if not segment.startswith("{"):
        return place.literal.setdefault(segment, _Place())
    place.named = place.named or (segment.strip("{}"), _Place())
    return place.named[1]


_ROOT = _grown()
