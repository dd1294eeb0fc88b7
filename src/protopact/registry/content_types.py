"""The media types of the registry's dialect, best first."""

from __future__ import annotations

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
"""What we send, and answer with when the caller accepts it."""

RESPONSE_TYPES = (CONTENT_TYPE, "application/vnd.schemaregistry+json", "application/json")
"""What an answer may be typed as, in the server's order of preference."""

REQUEST_TYPES = (*RESPONSE_TYPES, "application/octet-stream")
"""What a request's body may be typed as; a missing type is read as JSON."""
