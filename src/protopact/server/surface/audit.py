"""The audit log over HTTP: who changed what, and when. It is written with the changes themselves: see `attended`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.errors import RegistryError
from protopact.flow import Flow, Reply, blocking
from protopact.registry import write_json

if TYPE_CHECKING:
    from protopact.registry import JsonValue
    from protopact.server.questions import Question
    from protopact.server.store import AuditEntry
    from protopact.server.surface.commands import Desk

_ENTRIES_DEFAULT = 100
_ENTRIES_MAX = 1000
_DIGITS_MAX = 18


def list_audit(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /audit: the newest `limit` entries, newest first; `before` asks for those of a lower number."""
    before = _number(question.query.get("before", ""))
    limit = _number(question.query.get("limit", "")) or _ENTRIES_DEFAULT
    entries = yield from blocking(lambda: desk.store.audit(before=before, entries_max=min(limit, _ENTRIES_MAX)))
    return Reply(200, body=write_json([_shown(entry) for entry in entries]))


def _shown(entry: AuditEntry) -> dict[str, JsonValue]:
    return {
        "number": entry.number,
        "ts": entry.ts,
        "who": entry.who,
        "what": entry.what,
        "subject": entry.scope.qualified,
        "detail": dict(entry.detail),
    }


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise RegistryError("before and limit are whole numbers", error_code=400)
    return int(text)
