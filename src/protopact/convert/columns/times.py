"""Timestamps and durations as Arrow columns: seconds and nanos are taken apart, checked and added column by column.

Ranges: https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp and `#duration`. Arrow holds 64 bits of a
unit: microseconds hold all of both ranges, nanoseconds 292 years before and after 1970.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from protopact.convert.columns.fill import Fill
from protopact.convert.values import misfit

if TYPE_CHECKING:
    import pyarrow as pa

    from protopact.convert.columns.fill import Values

TimeUnit: TypeAlias = Literal["us", "ns"]
"""The unit of times in columns."""

PER_SECOND = {"us": 1_000_000, "ns": 1_000_000_000}
"""How many of a unit make a second."""

_INT64_MAX = (1 << 63) - 1
_NANOS_MAX = 999_999_999


class _Limits(NamedTuple):
    """What a type's seconds and nanos may be, and how it is said that they are not."""

    seconds_min: int
    seconds_max: int
    nanos_min: int
    beyond: str
    beyond_nanoseconds: str


_TIMESTAMP = _Limits(
    -62_135_596_800,
    253_402_300_799,
    0,
    "the timestamp is outside the years 1 to 9999",
    "the timestamp is outside the years 1678 to 2261, which nanoseconds can hold",
)
_DURATION = _Limits(
    -315_576_000_000,
    315_576_000_000,
    -_NANOS_MAX,
    "the duration is longer than 10,000 years",
    "the duration is longer than the 292 years that nanoseconds can hold",
)


def timestamp_fill(unit: TimeUnit) -> Fill:
    """Give the fill for Timestamps."""
    import pyarrow as pa

    return _fill(pa.timestamp(unit, "UTC"), _TIMESTAMP, PER_SECOND[unit])


def duration_fill(unit: TimeUnit) -> Fill:
    """Give the fill for Durations."""
    import pyarrow as pa

    return _fill(pa.duration(unit), _DURATION, PER_SECOND[unit])


def _fill(kind: pa.DataType, limits: _Limits, per_second: int) -> Fill:
    import pyarrow as pa
    from pyarrow import compute

    nanos_per_unit, int64 = 1_000_000_000 // per_second, pa.int64()

    def array(values: Values) -> pa.Array:
        seconds = pa.array([None if each is None else each.seconds for each in values], int64)
        nanos = pa.array([None if each is None else each.nanos for each in values], int64)
        if seconds.null_count < len(seconds):
            _check(_extent(seconds), _extent(nanos), limits, per_second)
        fraction = compute.divide(nanos, nanos_per_unit)
        return compute.add(compute.multiply(seconds, per_second), fraction).cast(kind)

    return Fill(kind, array)


def _extent(numbers: pa.Array) -> tuple[int, int]:
    from pyarrow import compute

    extent = compute.min_max(numbers)
    return extent["min"].as_py(), extent["max"].as_py()


def _check(seconds: tuple[int, int], nanos: tuple[int, int], limits: _Limits, per_second: int) -> None:
    """Raise MisfitError where the least or the greatest number of a column is out of range."""
    if seconds[0] < limits.seconds_min or seconds[1] > limits.seconds_max:
        raise misfit(limits.beyond)
    if nanos[0] < limits.nanos_min or nanos[1] > _NANOS_MAX:
        raise misfit("the nanos are out of range")
    held = _INT64_MAX // per_second - 1
    if seconds[0] < -held or seconds[1] > held:
        raise misfit(limits.beyond_nanoseconds, hint="use time_unit='us'")
