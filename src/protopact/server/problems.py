"""From an exception to the reply that tells of it. Texts and codes stand in the registry's error table."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from protopact.errors import ProtopactError, RegistryError
from protopact.flow import Reply
from protopact.registry import error_body, problem_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVER_FAILED = 500
_UNAVAILABLE = 503

_log = logging.getLogger(__name__)


def refusal(error: Exception, *, headers: Mapping[str, str] | None = None, request_id: str = "") -> Reply:
    """Give the reply for an exception.

    One that nobody foresaw is logged under the request's id; of it the client learns nothing but that it was.
    """
    if isinstance(error, ProtopactError):
        problem = problem_of(error)
    else:
        problem = RegistryError("an internal error occurred", error_code=500)
    if problem.status >= _SERVER_FAILED and problem is not error:
        # An outage is one fact, however many requests meet it: it needs no stack trace each.
        trace = None if problem.status == _UNAVAILABLE else error
        hint = getattr(error, "hint", "")
        _log.error("request %s failed: %s%s", request_id, error, f" ({hint})" if hint else "", exc_info=trace)
    return Reply(problem.status, headers or {}, error_body(problem))
