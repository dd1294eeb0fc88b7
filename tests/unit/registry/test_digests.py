from __future__ import annotations

import pytest

from protopact.flow import Reply
from protopact.registry import is_whole, repr_digest

# RFC 9530, appendix B.1: the body with its line feed.
RFC_BODY = b'{"hello": "world"}\n'
RFC_DIGEST = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"


def test_the_digest_is_that_of_the_rfc() -> None:
    assert repr_digest(RFC_BODY).decode() == RFC_DIGEST


@pytest.mark.parametrize(
    ("header", "body", "whole"),
    [
        (RFC_DIGEST, RFC_BODY, True),
        (RFC_DIGEST, RFC_BODY[:-1], False),
        (RFC_DIGEST, b"", False),
        (f"sha-512=:QUJD:, {RFC_DIGEST}", RFC_BODY, True),
        (f"{RFC_DIGEST}, unixsum=:QUJD:", b"other", False),
        ("sha-512=:QUJD:", b"whatever", True),
        ("sha-256=:short:", b"whatever", True),
        ("nonsense", b"whatever", True),
        ("", b"whatever", True),
    ],
)
def test_a_body_is_judged_where_its_digest_is_understood(header: str, body: bytes, whole: bool) -> None:  # noqa: FBT001
    assert is_whole(Reply(200, {"repr-digest": header}, body)) is whole
    assert is_whole(Reply(200, {}, body))
