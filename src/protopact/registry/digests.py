"""What a body is known by on its way: the header `Repr-Digest` (RFC 9530), which tells of alterations.

It helps against devices between client and server that damage or mix up answers. Whoever alters an answer on purpose
can alter the header with it: against them there is TLS.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protopact.flow import Reply

REPR_DIGEST = "repr-digest"
"""The header's name."""

_SHA_256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]{44}):")


def repr_digest(body: bytes) -> bytes:
    """Give the header's value for a body: its SHA-256."""
    return b"sha-256=:%b:" % base64.b64encode(hashlib.sha256(body).digest())


def is_whole(reply: Reply) -> bool:
    """Tell whether a reply's body is the one that its header tells of; true where it tells nothing."""
    told = _SHA_256.search(reply.headers.get(REPR_DIGEST, ""))
    return told is None or base64.b64encode(hashlib.sha256(reply.body).digest()).decode() == told[1]
