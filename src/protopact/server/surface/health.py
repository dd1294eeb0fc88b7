"""Whether the registry lives, whether it can serve, and whether it takes changes. Anybody may ask; no more is told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from protopact.errors import RegistryError, StoreError
from protopact.flow import Flow, Reply, blocking
from protopact.registry import DEFAULT_CONTEXT, write_json

if TYPE_CHECKING:
    from protopact.server.questions import Question
    from protopact.server.surface.commands import Desk

_log = logging.getLogger(__name__)


def tell_live(_desk: Desk, _question: Question) -> Reply:
    """GET /health/live: the process answers."""
    return Reply(200, body=write_json({"status": "live"}))


def tell_ready(desk: Desk, _question: Question) -> Flow[Reply]:
    """GET /health/ready: the store answers, and what became of the last write; RegistryError 503 where it does not.

    A registry that cannot write, for its disk is full, is ready all the same: it has the schemas that others need.
    """
    try:
        yield from blocking(lambda: desk.store.documents_at(()) or desk.store.find_schema(DEFAULT_CONTEXT, 0))
    except StoreError as error:
        _log.warning("not ready: %s", error)
        raise RegistryError("the store does not answer", error_code=503) from error
    writes = "failing" if desk.store.writes_fail else "accepted"
    return Reply(200, body=write_json({"status": "ready", "writes": writes}))
