"""Which media types a call may have, and which one its reply gets."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from protopact.errors import RegistryError
from protopact.registry import CONTENT_TYPE, REQUEST_TYPES, RESPONSE_TYPES

if TYPE_CHECKING:
    from protopact.flow import Call

_OF_OWN_TYPE = frozenset({"/metrics"})
ACCEPT_LENGTH_MAX = 1024
"""So much of an Accept header is read: it is a key of a cache."""


def response_type(call: Call) -> str:
    """Give the media type of the reply; RegistryError 406 when the caller accepts none that we have.

    What has a type of its own is sent with it, whatever the caller accepts (RFC 9110, 12.4.1 allows that).
    """
    if call.path in _OF_OWN_TYPE:
        return CONTENT_TYPE
    found = accepted_type(call.headers.get("accept", "")[:ACCEPT_LENGTH_MAX])
    if found is None:
        raise RegistryError("HTTP 406 Not Acceptable", error_code=406)
    return found


def check_request_type(call: Call) -> None:
    """Refuse a body of another type than the dialect's by RegistryError 415; one without a type is JSON.

    A browser must name the type: without it, a page of any site could send a body here. Compressed bodies are refused:
    a few bytes of them can stand for very many.
    """
    headers = call.headers
    sent = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_browsers = "origin" in headers or "sec-fetch-site" in headers
    is_known = sent in REQUEST_TYPES or (not sent and not is_browsers)
    is_plain = headers.get("content-encoding", "identity").strip().lower() in {"", "identity"}
    if not is_plain or (call.body and not is_known):
        raise RegistryError("HTTP 415 Unsupported Media Type", error_code=415)


@lru_cache(maxsize=256)
def accepted_type(accept: str) -> str | None:
    """Give the accepted type of the highest quality, and among equals the one that we prefer; None where none is."""
    if not accept:
        return CONTENT_TYPE
    qualities = [_range(item) for item in accept.lower().split(",")]
    ranked = [(_quality(media_type, qualities), -place, media_type) for place, media_type in enumerate(RESPONSE_TYPES)]
    quality, _, media_type = max(ranked)
    return media_type if quality > 0 else None


def _quality(media_type: str, qualities: list[tuple[str, float]]) -> float:
    """Give the quality that the most exact of the ranges gives a type."""
    given = dict(qualities)
    return next((given[name] for name in (media_type, "application/*", "*/*") if name in given), 0.0)


def _range(item: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in item.split(";"))
    quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    try:
        return name, float(quality)
    except ValueError:
        return name, 0.0
