"""A body that is ready to send and never changes, with the headers that follow from it."""

from __future__ import annotations

from typing import NamedTuple

from protopact.registry import CONTENT_TYPE, REPR_DIGEST, repr_digest


class Prepared(NamedTuple):
    """A body, and its length, digest and type as headers: one by one, and as the lines of a head."""

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    lines: bytes


def prepared(body: bytes) -> Prepared:
    """Work out once what each answer with this body says of it."""
    headers = (
        (b"content-length", b"%d" % len(body)),
        (REPR_DIGEST.encode(), repr_digest(body)),
        (b"content-type", CONTENT_TYPE.encode()),
    )
    return Prepared(body, headers, b"".join(b"%b: %b\r\n" % header for header in headers))
