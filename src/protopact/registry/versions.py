"""Version numbers of a subject, and the word for the newest."""

from __future__ import annotations

from protopact.errors import InvalidVersionError

LATEST = -1
"""What stands for the newest version of a subject."""

VERSION_MAX = 2**31 - 1
"""The largest number that a version may have."""

_WORDS = {"latest": LATEST, "-1": LATEST}
_DIGITS_MAX = 10


def parse_version(text: str) -> int:
    """Read `latest`, `-1` (both give LATEST) or a number from 1 to 2^31-1; InvalidVersionError (42202) for the rest."""
    if text in _WORDS:
        return _WORDS[text]
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX and 1 <= int(text) <= VERSION_MAX:
        return int(text)
    shown = text if text.isprintable() else ascii(text)[1:-1]
    raise InvalidVersionError(
        f"The specified version '{shown}' is not a valid version id. "
        'Allowed values are between [1, 2^31-1] and the string "latest"'
    )
