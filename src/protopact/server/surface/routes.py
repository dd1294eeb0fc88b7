"""The registry's paths: one table, and how a call finds its line in it, in time linear in the path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from protopact.errors import RegistryError
from protopact.registry import DEFAULT_CONTEXT, context_name
from protopact.server.questions import Question
from protopact.server.surface import (
    about,
    audit,
    catalog,
    commands,
    compatibility,
    config,
    deleting,
    exposition,
    health,
    modes,
    openapi,
    retagging,
    searching,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from protopact.flow import Call
    from protopact.server.surface.commands import Command

ROUTES: tuple[tuple[str, str, Command], ...] = (
    ("GET", "/", commands.say_hello),
    ("POST", "/", commands.say_hello),
    ("GET", "/health/live", health.tell_live),
    ("GET", "/health/ready", health.tell_ready),
    ("GET", "/metrics", exposition.show_metrics),
    ("GET", "/openapi.json", openapi.describing(lambda: ROUTES)),
    ("GET", "/audit", audit.list_audit),
    ("GET", "/contexts", commands.list_contexts),
    ("DELETE", "/contexts/{context}", deleting.delete_context),
    ("GET", "/schemas", searching.list_schemas),
    ("GET", "/schemas/types", commands.list_types),
    ("GET", "/schemas/ids/{id}", commands.get_schema),
    ("GET", "/schemas/ids/{id}/schema", commands.get_schema_text),
    ("GET", "/schemas/ids/{id}/subjects", commands.list_schema_subjects),
    ("GET", "/schemas/ids/{id}/versions", commands.list_schema_versions),
    ("GET", "/schemas/guids/{guid}", commands.get_schema_by_guid),
    ("GET", "/schemas/guids/{guid}/ids", commands.list_ids_of_guid),
    ("GET", "/subjects", commands.list_subjects),
    ("POST", "/subjects/{subject}", commands.look_up),
    ("DELETE", "/subjects/{subject}", deleting.delete_subject),
    ("GET", "/subjects/{subject}/metadata", commands.find_by_metadata),
    ("GET", "/subjects/{subject}/versions", commands.list_versions),
    ("POST", "/subjects/{subject}/versions", commands.register),
    ("GET", "/subjects/{subject}/versions/{version}", commands.get_version),
    ("DELETE", "/subjects/{subject}/versions/{version}", deleting.delete_version),
    ("GET", "/subjects/{subject}/versions/{version}/schema", commands.get_version_text),
    ("GET", "/subjects/{subject}/versions/{version}/referencedby", commands.list_referrers),
    ("POST", "/subjects/{subject}/versions/{version}/tags", retagging.change_tags),
    ("POST", "/compatibility/subjects/{subject}/versions", compatibility.check_against_all),
    ("POST", "/compatibility/subjects/{subject}/versions/{version}", compatibility.check_against_version),
    ("GET", "/config", config.get_config),
    ("PUT", "/config", config.put_config),
    ("DELETE", "/config", config.delete_config),
    ("GET", "/config/{subject}", config.get_config),
    ("PUT", "/config/{subject}", config.put_config),
    ("DELETE", "/config/{subject}", config.delete_config),
    ("GET", "/mode", modes.get_mode),
    ("PUT", "/mode", modes.put_mode),
    ("DELETE", "/mode", modes.delete_mode),
    ("GET", "/mode/{subject}", modes.get_mode),
    ("PUT", "/mode/{subject}", modes.put_mode),
    ("DELETE", "/mode/{subject}", modes.delete_mode),
    ("GET", "/v1/metadata/id", about.tell_id),
    ("GET", "/v1/metadata/version", about.tell_version),
    ("GET", "/v1/metadata/deployment", about.tell_deployment),
    ("GET", "/catalog/v1/types/tagdefs", catalog.list_definitions),
    ("POST", "/catalog/v1/types/tagdefs", catalog.create_definitions),
    ("PUT", "/catalog/v1/types/tagdefs", catalog.change_definitions),
    ("GET", "/catalog/v1/types/tagdefs/{tag}", catalog.get_definition),
    ("DELETE", "/catalog/v1/types/tagdefs/{tag}", catalog.delete_definition),
    ("POST", "/catalog/v1/entity/tags", catalog.add_tags),
    ("PUT", "/catalog/v1/entity/tags", catalog.add_tags),
    ("GET", "/catalog/v1/entity/type/{type}/name/{name}/tags", catalog.list_tags),
    ("DELETE", "/catalog/v1/entity/type/{type}/name/{name}/tags/{tag}", catalog.delete_tag),
)
"""Method, path and command. Any path may stand behind `/contexts/{context}`."""


_SUBJECTS = "/subjects"


@dataclass(slots=True)
class _Place:
    """What may follow in a path: a literal segment, or one that has a name; and the commands that end here.

    `path` is the line of the table that ends here.
    """

    literal: dict[str, _Place] = field(default_factory=dict)
    named: tuple[str, _Place] | None = None
    commands: dict[str, Command] = field(default_factory=dict)
    path: str = ""


def find_command(call: Call) -> tuple[Command, Question]:
    """Find the command that serves a call, and what it is asked.

    A final slash is nothing, unless it is what tells the subject without a name from the list of all: it may be looked
    up and deleted as any other.

    RegistryError 404 for an unknown path, 405 for a known one that has no such method, 400 for a path that is not
    UTF-8.
    """
    context, segments = _parted(call.path)
    place, parts = _walk(segments)
    command = place.commands.get(call.method)
    if command is None and place.path == _SUBJECTS and call.path.endswith("/"):
        place, parts = _walk([*segments, ""])
        command = place.commands.get(call.method)
    if command is None:
        raise RegistryError("HTTP 405 Method Not Allowed", error_code=405)
    return command, Question(call, parts, context_name(context), place.path)


def allowed_methods(path: str) -> tuple[str, ...]:
    """Give the methods that a known path serves."""
    place, _ = _walk(_parted(path)[1])
    return tuple(sorted(place.commands))


def _parted(path: str) -> tuple[str, list[str]]:
    """Part a path into the context that it may start with, and its other segments."""
    segments = _segments(path)
    if segments[:1] == ["contexts"] and segments[2:]:
        return segments[1], segments[2:]
    return DEFAULT_CONTEXT, segments


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
        place.commands[method], place.path = command, path
    return root


def _branch(place: _Place, segment: str) -> _Place:
    if not segment.startswith("{"):
        return place.literal.setdefault(segment, _Place())
    place.named = place.named or (segment.strip("{}"), _Place())
    return place.named[1]


_ROOT = _grown()
