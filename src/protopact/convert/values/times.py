"""Timestamps and durations: seconds and nanoseconds ⇄ datetime, timedelta and their exact text.

Ranges and text forms: https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp and `#duration`.
Python's types hold microseconds; what they cannot hold exactly stays text, and what is out of the ranges stays a
dict of seconds and nanos, so nothing is lost.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from protopact.convert.values.misfits import misfit

if TYPE_CHECKING:
    from google.protobuf.duration_pb2 import Duration
    from google.protobuf.timestamp_pb2 import Timestamp

    from protopact.convert.values.scalars import PlainValue

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The moment that timestamps count from."""

_MICROSECOND = timedelta(microseconds=1)
_SECONDS_MIN, _SECONDS_MAX = -62_135_596_800, 253_402_300_799  # years 1 to 9999
_DURATION_MAX = 315_576_000_000  # 10,000 years in seconds
_DAY = 86_400
_NANOS_IN_SECOND = 1_000_000_000
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))\Z", re.ASCII)
_DURATION = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s\Z", re.ASCII)


def read_timestamp(message: Timestamp) -> PlainValue:
    """Give the UTC datetime that is exactly this Timestamp, or else what `read_timestamp_text` gives."""
    seconds, nanos = message.seconds, message.nanos
    if nanos % 1000 == 0 and 0 <= nanos < _NANOS_IN_SECOND and _SECONDS_MIN <= seconds <= _SECONDS_MAX:
        # a product is a third quicker than a timedelta of seconds and microseconds
        return EPOCH + _MICROSECOND * (seconds * 1_000_000 + nanos // 1000)
    return read_timestamp_text(message)


def read_timestamp_text(message: Timestamp) -> PlainValue:
    """Give a Timestamp's RFC 3339 text, or the dict of seconds and nanos when it is out of range."""
    seconds, nanos = message.seconds, message.nanos
    return _or_fields(timestamp_text(seconds, nanos), seconds, nanos)


def timestamp_text(seconds: int, nanos: int) -> str | None:
    """Give the RFC 3339 text with 0, 3, 6 or 9 decimals, or None when the timestamp is out of range."""
    if not _is_timestamp(seconds, nanos):
        return None
    moment = EPOCH + timedelta(0, seconds)
    return f"{moment.replace(tzinfo=None).isoformat()}{_decimals(nanos)}Z"


def timestamp_of_datetime(value: datetime) -> tuple[int, int]:
    """Give seconds and nanos of an aware datetime."""
    if value.utcoffset() is None:
        raise misfit(
            "the datetime has no time zone", hint="give it one, for instance value.replace(tzinfo=datetime.UTC)"
        )
    since = value - EPOCH
    seconds, nanos = since.days * _DAY + since.seconds, since.microseconds * 1000
    if not _is_timestamp(seconds, nanos):
        raise misfit("the datetime is outside the years 1 to 9999 in UTC")
    return seconds, nanos


def writing_timestamp(message: str, value: str, epoch: str) -> tuple[str, ...]:
    """Give the statements that fill a Timestamp from a plain datetime, all three given as expressions.

    They raise TypeError where the datetime has no zone, ValueError where it is out of range. Statements and no
    function, since the call would be a tenth of the work.
    """
    return (
        f"since = {value} - {epoch}",
        "days = since.days",
        f"if not {_SECONDS_MIN // _DAY} <= days <= {_SECONDS_MAX // _DAY}:",
        "    raise ValueError(days)",
        f"stamp = {message}",
        f"stamp.seconds = days * {_DAY} + since.seconds",
        "nanos = since.microseconds * 1000",
        "if nanos:",
        "    stamp.nanos = nanos",
    )


def timestamp_of_text(text: str) -> tuple[int, int]:
    """Give seconds and nanos of RFC 3339 text."""
    match = _TIMESTAMP.match(text)
    if match is None:
        raise misfit("the text is no RFC 3339 time", hint="it looks like 2026-01-31T12:00:00.000000001Z")
    fraction, sign, hours, minutes = match.group(2, 3, 4, 5)
    try:
        moment = datetime.fromisoformat(match[1].upper()).replace(tzinfo=UTC)
        offset = timedelta(hours=_below(24, hours), minutes=_below(60, minutes))
    except ValueError:
        raise misfit("the text names no moment of the calendar") from None
    since = moment - EPOCH + (offset if sign == "-" else -offset)
    seconds, nanos = since.days * _DAY + since.seconds, _nanos(fraction)
    if not _is_timestamp(seconds, nanos):
        raise misfit("the time is outside the years 1 to 9999 in UTC")
    return seconds, nanos


def read_duration(message: Duration) -> PlainValue:
    """Give the timedelta that is exactly this Duration, or else what `read_duration_text` gives."""
    seconds, nanos = message.seconds, message.nanos
    if nanos % 1000 == 0 and _is_duration(seconds, nanos):
        return timedelta(0, seconds, nanos // 1000)
    return read_duration_text(message)


def read_duration_text(message: Duration) -> PlainValue:
    """Give a Duration's text, or the dict of seconds and nanos when it is out of range."""
    seconds, nanos = message.seconds, message.nanos
    return _or_fields(duration_text(seconds, nanos), seconds, nanos)


def duration_text(seconds: int, nanos: int) -> str | None:
    """Give the text (`1.5s`) with 0, 3, 6 or 9 decimals, or None when the duration is out of range."""
    if not _is_duration(seconds, nanos):
        return None
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_decimals(abs(nanos))}s"


def duration_of_timedelta(value: timedelta) -> tuple[int, int]:
    """Give seconds and nanos of a timedelta, both with the same sign."""
    micros = (value.days * _DAY + value.seconds) * 1_000_000 + value.microseconds
    seconds, rest = divmod(abs(micros), 1_000_000)
    return _signed(seconds, rest * 1000, negative=micros < 0)


def write_duration(message: Duration, value: timedelta) -> None:
    """Fill a Duration from a plain timedelta; MisfitError when it is out of range."""
    message.seconds, message.nanos = duration_of_timedelta(value)


def duration_of_text(text: str) -> tuple[int, int]:
    """Give seconds and nanos of text such as `-1.000000001s`."""
    match = _DURATION.match(text)
    if match is None:
        raise misfit("the text is no duration in seconds", hint="it looks like 1.000000001s")
    return _signed(int(match[2]), _nanos(match[3]), negative=match[1] == "-")


def _or_fields(text: str | None, seconds: int, nanos: int) -> PlainValue:
    fields: dict[str, PlainValue] = {"seconds": seconds, "nanos": nanos}
    return fields if text is None else text


def _signed(seconds: int, nanos: int, *, negative: bool) -> tuple[int, int]:
    if negative:
        seconds, nanos = -seconds, -nanos
    if not _is_duration(seconds, nanos):
        raise misfit("the duration is longer than 10,000 years")
    return seconds, nanos


def _is_timestamp(seconds: int, nanos: int) -> bool:
    return 0 <= nanos < _NANOS_IN_SECOND and _SECONDS_MIN <= seconds <= _SECONDS_MAX


def _is_duration(seconds: int, nanos: int) -> bool:
    same_sign = seconds == 0 or nanos == 0 or (seconds < 0) == (nanos < 0)
    return same_sign and abs(nanos) < _NANOS_IN_SECOND and abs(seconds) <= _DURATION_MAX


def _below(limit: int, digits: str | None) -> int:
    number = int(digits or 0)
    if number >= limit:
        raise ValueError(number)
    return number


def _nanos(fraction: str | None) -> int:
    return int((fraction or "0").ljust(9, "0"))


def _decimals(nanos: int) -> str:
    if nanos == 0:
        return ""
    digits = f"{nanos:09}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f".{digits}"
