"""`/metrics`: the counts in Prometheus' text format. Its client library is loaded when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.errors import RegistryError
from protopact.flow import Flow, Reply, blocking

if TYPE_CHECKING:
    from protopact.server.questions import Question
    from protopact.server.surface.commands import Desk


def show_metrics(desk: Desk, question: Question) -> Flow[Reply]:
    """GET /metrics: the counts, and those of the process; RegistryError 404 without prometheus-client."""
    try:
        from prometheus_client import CollectorRegistry, ProcessCollector
        from prometheus_client.exposition import choose_encoder
    except ImportError as error:
        raise RegistryError("HTTP 404 Not Found: install 'protopact[metrics]'", error_code=404) from error
    collectors = CollectorRegistry()
    collectors.register(desk.metrics)
    ProcessCollector(registry=collectors)
    encode, content_type = choose_encoder(question.call.headers.get("accept", ""))
    body = yield from blocking(lambda: encode(collectors))
    return Reply(200, {"content-type": content_type}, body)
