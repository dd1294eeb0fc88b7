"""Structured logs: one JSON object a line, on the standard error stream, through Python's logging.

A line has the time, the level, the logger and the message, and of what a record carries the fields below; it never
has headers, queries or bodies.
"""

from __future__ import annotations

import json
import logging
import time

FIELDS = ("request", "method", "path", "status", "took_ms", "who")
"""What a record may carry by `extra` and is written."""

_MESSAGE_LENGTH_MAX = 8192
_REQUESTS = logging.getLogger("protopact.server.requests")


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON, in ASCII: nothing that a client sends can end a line or begin one."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line; an exception's trace is a field of it."""
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:_MESSAGE_LENGTH_MAX],
        }
        line |= {name: value for name in FIELDS if (value := getattr(record, name, None)) is not None}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_json_lines(*, requests: bool = False) -> None:
    """Have everything that is logged from `warning` on written as JSON lines, and each answered request if wanted."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    _REQUESTS.setLevel(logging.INFO if requests else logging.WARNING)


def logs_requests() -> bool:
    """Whether answered requests are logged."""
    return _REQUESTS.isEnabledFor(logging.INFO)


def log_request(method: str, path: str, status: int, *, request_id: str, took_s: float) -> None:
    """Log an answered request: its path without the query."""
    fields = {
        "request": request_id,
        "method": method,
        "path": path[:1024],
        "status": status,
        "took_ms": round(took_s * 1000, 3),
    }
    _REQUESTS.info("answered", extra=fields)
