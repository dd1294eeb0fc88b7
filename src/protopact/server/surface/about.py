"""What the registry tells of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.flow import Reply
from protopact.registry import write_json

if TYPE_CHECKING:
    from protopact.server.questions import Question
    from protopact.server.surface.commands import Desk

_NAME = "protopact"


def tell_id(_desk: Desk, _question: Question) -> Reply:
    """GET /v1/metadata/id: the names under which Confluent's tools know a cluster."""
    clusters = {"kafka-cluster": _NAME, "schema-registry-cluster": _NAME}
    return Reply(200, body=write_json({"scope": {"path": [], "clusters": clusters}, "id": ""}))


def tell_version(_desk: Desk, _question: Question) -> Reply:
    """GET /v1/metadata/version: this program's version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version(_NAME)
    except PackageNotFoundError:
        found = "unknown"
    return Reply(200, body=write_json({"version": found, "commitId": ""}))


def tell_deployment(_desk: Desk, _question: Question) -> Reply:
    """GET /v1/metadata/deployment: nothing that needs to be known."""
    return Reply(200, body=write_json({"attributes": []}))
