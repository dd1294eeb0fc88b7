"""Single values, whatever form a message is given in: checks, times, and how a misfit finds its way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.convert.values.misfits import (
        Misfit,
        MisfitError,
        field_step,
        key_step,
        misfit,
        too_deep,
        type_words,
    )
    from protopact.convert.values.scalars import (
        FLOAT32_MAX,
        INTEGERS,
        Check,
        Enums,
        PlainValue,
        check_of,
        enum_names,
        nearest,
        type_name,
    )
    from protopact.convert.values.times import (
        EPOCH,
        duration_of_text,
        duration_of_timedelta,
        duration_text,
        read_duration,
        read_duration_text,
        read_timestamp,
        read_timestamp_text,
        timestamp_of_datetime,
        timestamp_of_text,
        timestamp_text,
        write_duration,
        writing_timestamp,
    )

__all__ = [
    "EPOCH",
    "FLOAT32_MAX",
    "INTEGERS",
    "Check",
    "Enums",
    "Misfit",
    "MisfitError",
    "PlainValue",
    "check_of",
    "duration_of_text",
    "duration_of_timedelta",
    "duration_text",
    "enum_names",
    "field_step",
    "key_step",
    "misfit",
    "nearest",
    "read_duration",
    "read_duration_text",
    "read_timestamp",
    "read_timestamp_text",
    "timestamp_of_datetime",
    "timestamp_of_text",
    "timestamp_text",
    "too_deep",
    "type_name",
    "type_words",
    "write_duration",
    "writing_timestamp",
]

__getattr__ = door(
    __name__,
    {
        "EPOCH": "times",
        "FLOAT32_MAX": "scalars",
        "INTEGERS": "scalars",
        "Check": "scalars",
        "Enums": "scalars",
        "Misfit": "misfits",
        "MisfitError": "misfits",
        "PlainValue": "scalars",
        "check_of": "scalars",
        "duration_of_text": "times",
        "duration_of_timedelta": "times",
        "duration_text": "times",
        "enum_names": "scalars",
        "field_step": "misfits",
        "key_step": "misfits",
        "misfit": "misfits",
        "nearest": "scalars",
        "read_duration": "times",
        "read_duration_text": "times",
        "read_timestamp": "times",
        "read_timestamp_text": "times",
        "timestamp_of_datetime": "times",
        "timestamp_of_text": "times",
        "timestamp_text": "times",
        "too_deep": "misfits",
        "type_name": "scalars",
        "type_words": "misfits",
        "write_duration": "times",
        "writing_timestamp": "times",
    },
)
